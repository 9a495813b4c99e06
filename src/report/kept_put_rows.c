/*
 * kept_put_rows.c - goroutines, locks and limits into a store.
 *
 * Stacks of goroutines are put once each.  Knows no column.
 */
#include "report/kept_put.h"

#include "report/kept.h"

#include <xxhash.h>

struct stacks {
	struct kept_walk *w;
	struct known_stack {
		XXH128_hash_t hash;
		int64_t id; /* 0: an empty place */
	} * v;
	size_t n, size; /* of v: a power of two */
};

static XXH128_hash_t hash_frames(const struct ans_frame *f, size_t n)
{
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t h = { 0, 0 };

	if (!state)
		return h;
	XXH3_128bits_reset(state);
	for (size_t i = 0; i < n; i++) {
		XXH3_128bits_update(state, f[i].function, strlen(f[i].function) + 1);
		XXH3_128bits_update(state, f[i].file, strlen(f[i].file) + 1);
		XXH3_128bits_update(state, &f[i].line, sizeof(f[i].line));
		XXH3_128bits_update(state, &f[i].inlined, sizeof(f[i].inlined));
	}
	h = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	return h;
}

static struct known_stack *place_of(struct stacks *s, XXH128_hash_t h)
{
	size_t i = h.low64 & (s->size - 1);

	while (s->v[i].id && !XXH128_isEqual(s->v[i].hash, h))
		i = (i + 1) & (s->size - 1);
	return &s->v[i];
}

static struct err *grow(struct stacks *s)
{
	struct stacks to = { .w = s->w, .size = s->size ? s->size * 2 : 256, .n = s->n };

	to.v = zalloc(to.size, sizeof(*to.v));
	if (!to.v)
		return &err_nomem;
	for (size_t i = 0; i < s->size; i++)
		if (s->v[i].id)
			*place_of(&to, s->v[i].hash) = s->v[i];
	free(s->v);
	*s = to;
	return NULL;
}

static struct err *stack_id(struct stacks *s, const struct ans_frame *f, size_t n, int64_t *ret)
{
	XXH128_hash_t h = hash_frames(f, n);
	struct kept_stack k = { .hash = (int64_t)(h.low64 >> 1) };
	struct err *err = s->n * 2 >= s->size ? grow(s) : NULL;
	struct known_stack *at;

	if (err)
		return err;
	at = place_of(s, h);
	if (!at->id) {
		k.frames.v = (struct ans_frame *)(uintptr_t)f;
		k.frames.n = n;
		err = kept_put(s->w, &kept_stack, 0, &k, 1, &at->id);
		at->hash = h;
		s->n++;
	}
	*ret = at->id;
	return err;
}

static struct err *put_goroutine(struct putting *p, struct stacks *s,
				 const struct ans_goroutines *gs, size_t i)
{
	struct kept_goroutine k = { .g = gs->gs.v[i] };
	int64_t id = 0;
	struct err *err = stack_id(s, gs->frames.v + k.g.first_frame, k.g.nframes, &id);

	k.stack = (uint64_t)id;
	if (k.g.nwaits)
		k.waits.v = gs->waits.v + k.g.first_wait;
	k.waits.n = k.g.nwaits;
	return err ? err : kept_put(&p->w, &kept_goroutine, 0, &k, 1, NULL);
}

struct err *kept_put_goroutines(struct putting *p)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines gs = { 0 };
	const struct goroutines_ask q = { .limit = SIZE_MAX };
	struct stacks s = { .w = &p->w };
	struct err *err = agg_goroutines(p->a, &q, &gs);

	if (!err)
		err = kept_put(&p->w, &kept_goroutine, 0, NULL, 0, NULL);
	for (size_t i = 0; i < gs.gs.n && !err; i++)
		err = put_goroutine(p, &s, &gs, i);
	free(s.v);
	p->totals.goroutines = gs.total;
	p->totals.retained_total = gs.retained_total;
	p->totals.proved = gs.proved;
	p->totals.suspect = gs.suspect;
	p->totals.freed_bytes = gs.freed_bytes;
	p->totals.freed_stack_bytes = gs.freed_stack_bytes;
	p->totals.unproved = gs.unproved;
	p->totals.leaked_known = gs.leaked_known;
	return err;
}

struct err *kept_put_locks(struct putting *p)
{
	_cleanup_(ans_locks_deinit) struct ans_locks ls = { 0 };
	struct err *err = agg_locks(p->a, KEPT_LOCK_WAITERS, &ls);

	if (!err)
		err = kept_put(&p->w, &kept_lock, 0, NULL, 0, NULL);
	for (size_t i = 0; i < ls.locks.n && !err; i++) {
		struct kept_lock k = { .l = ls.locks.v[i] };

		k.waiters.v = ls.lockers.v + k.l.first_waiter;
		k.waiters.n = k.l.shown_waiters;
		k.holders.v = ls.lockers.v + k.l.first_holder;
		k.holders.n = k.l.nholders;
		err = kept_put(&p->w, &kept_lock, 0, &k, 1, NULL);
	}
	p->totals.locks = ls.total;
	p->totals.lock_waiters = ls.waiters;
	p->totals.deadlocks = ls.deadlocks;
	p->totals.lock_unknown = ls.unknown;
	return err;
}

struct err *kept_put_audit(struct putting *p)
{
	_cleanup_(ans_audit_deinit) struct ans_audit au = { 0 };
	struct err *err = agg_audit(p->a, KEPT_LIMITS, &au);

	if (!err)
		err = kept_put(&p->w, &kept_process_setting, 0, au.process.v, au.process.n, NULL);
	if (!err)
		err = kept_put(&p->w, &kept_limited, 0, NULL, 0, NULL);
	for (size_t i = 0; i < au.rows.n && !err; i++) {
		struct kept_limited k = { .l = au.rows.v[i] };

		k.settings.v = au.rows.v[i].settings;
		k.settings.n = k.l.nsettings;
		err = kept_put(&p->w, &kept_limited, 0, &k, 1, NULL);
	}
	p->totals.limits = au.total;
	return err;
}
