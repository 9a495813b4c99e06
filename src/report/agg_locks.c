/*
 * agg_locks.c - locks with their ways from a root, waiters and holders.
 *
 * What is found by find/look_locks.c; here it gets names, times and lines.
 */
#include "find/look_locks.h"
#include "find/stacks.h"
#include "report/agg.h"
#include "report/kept.h"

static const char *how_word(uint8_t how)
{
	return how == LOOK_WAIT ? "wait" : how == LOOK_RLOCK ? "rlock" : "lock";
}

static const char *sure_word(uint8_t sure)
{
	return sure == LOOK_DEFERRED ? "deferred unlock" : sure == LOOK_INSIDE ? "inside" : "maybe";
}

static struct ans_locker locker(struct agg *a, size_t i, const struct look_at *at)
{
	const struct go_goroutine *gr = &a->s->stacks.gs.v[i];
	const char *state = go_status_name(gr->status);
	bool waits = !strcmp(state, "waiting");

	return (struct ans_locker){
		.id = gr->id,
		.function = agg_goroutine_function(a, i),
		.state = state,
		.wait = waits ? go_wait_reason(a->s->go, gr->wait_reason) : "",
		.since_ns =
			waits ? look_waited_ns(look_clock_ns(a->s), gr->waitsince) : ANS_UNKNOWN,
		.at = { at->function, at->file, at->line, false },
		.sure = "",
	};
}

static struct err *add_waiters(struct agg *a, const struct look_locks *x, const struct look_lock *k,
			       size_t limit, struct ans_locks *ret, struct ans_lock *y)
{
	y->first_waiter = ret->lockers.n;
	y->shown_waiters = MIN(k->nwaiters, limit);
	y->oldest_ns = ANS_UNKNOWN;
	for (size_t i = 0; i < k->nwaiters; i++) {
		const struct look_waiter *w = &x->waiters.v[k->first_waiter + i];
		struct ans_locker z = locker(a, w->goroutine, &w->at);

		z.how = how_word(w->how);
		if (z.since_ns != ANS_UNKNOWN &&
		    (y->oldest_ns == ANS_UNKNOWN || z.since_ns > y->oldest_ns))
			y->oldest_ns = z.since_ns;
		if (i < y->shown_waiters && !vec_push(&ret->lockers, z))
			return &err_nomem;
	}
	return NULL;
}

static taddr waits_on(const struct look_locks *x, size_t goroutine)
{
	for (size_t i = 0; i < x->waiters.n; i++)
		if (x->waiters.v[i].goroutine == goroutine)
			return x->waiters.v[i].lock;
	return 0;
}

static struct err *add_holders(struct agg *a, const struct look_locks *x, const struct look_lock *k,
			       struct ans_locks *ret, struct ans_lock *y)
{
	y->first_holder = ret->lockers.n;
	y->nholders = k->nholders;
	for (size_t i = 0; i < k->nholders; i++) {
		const struct look_lock_holder *h = &x->holders.v[k->first_holder + i];
		struct ans_locker z = locker(a, h->goroutine, &h->at);

		z.how = how_word(h->how);
		z.sure = sure_word(h->sure);
		z.locked_line = h->locked_line;
		z.waits_on = waits_on(x, h->goroutine);
		if (!vec_push(&ret->lockers, z))
			return &err_nomem;
	}
	return NULL;
}

static struct err *name_it(struct agg *a, const struct look_locks *x, const struct look_lock *k,
			   struct ans_lock *y)
{
	struct look l = agg_look(a);
	const char *owner;
	struct err *err;

	y->field = look_lock_field(&l, k, &owner);
	y->name = look_lock_name(&l, x, k);
	err = agg_lasting_path(a, k->node, &y->holder);
	if (!err && y->holder.nodes.n)
		y->holder.nodes.v[y->holder.nodes.n - 1].field = y->field;
	/* words of a stripped program's globals are no names */
	if (!err && k->object != GO_NO_OBJECT && y->holder.expression && *y->holder.expression &&
	    !strstr(y->holder.expression, "(0x"))
		y->name = keepf(&a->keep, "%s%s", y->holder.expression, y->field);
	return err;
}

static struct err *add(struct agg *a, const struct look_locks *x, const struct look_lock *k,
		       size_t limit, struct ans_locks *ret)
{
	struct ans_lock y = {
		.addr = k->at,
		.word = k->word,
		.known = k->known,
		.locked = k->locked,
		.woken = k->woken,
		.starving = k->starving,
		.writer_waits = k->writer_waits,
		.is_rw = k->kind == LOOK_RWMUTEX,
		.searched = k->searched,
		.queued = k->queued,
		.readers = (uint64_t)MAX(k->readers, 0),
		.nwaiters = k->nwaiters,
		.deadlock = k->cycle,
	};
	struct err *err = name_it(a, x, k, &y);

	if (!err)
		err = add_waiters(a, x, k, limit, ret, &y);
	if (!err)
		err = add_holders(a, x, k, ret, &y);
	if (!err && !vec_push(&ret->locks, y))
		err = &err_nomem;
	if (err)
		ans_path_deinit(&y.holder);
	return err;
}

struct err *agg_locks(struct agg *a, size_t limit, struct ans_locks *ret)
{
	_cleanup_(look_locks_deinit) struct look_locks x = { 0 };
	_cleanup_(ans_locks_deinit) struct ans_locks r = { 0 };
	struct look l = agg_look(a);
	struct err *err;

	if (a->asked)
		return kept_locks_of(a, limit, ret);
	err = look_locks(&l, 1, &x);
	for (size_t i = 0; i < x.locks.n && !err; i++)
		err = add(a, &x, &x.locks.v[i], limit, &r);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	r.total = x.locks.n;
	r.waiters = x.waiters.n;
	r.deadlocks = x.cycles.n;
	r.unknown = x.unknown;
	*ret = r;
	r = (struct ans_locks){ 0 };
	return NULL;
}
