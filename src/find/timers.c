/*
 * timers.c - see timers.h.
 *
 * Source: runtime/time.go.  A P's heap is []*timer up to Go 1.22, then []timerWhen, the timer
 * first; a pointer there leads into a time.Timer, a time.Ticker, a runtime.g, whose type may not be
 * known.
 */
#include "find/timers.h"

#define POINTERS "[]*runtime.timer"
#define PAIRS	 "[]runtime.timerWhen"

struct work {
	const struct look *l;
	struct go_io *io;
	VEC(taddr) at;
	uint64_t *seen; /* bits by object id */
	look_object_fn *fn;
	void *arg;
};

static const char *name_of(const struct snapshot *s, uint32_t type)
{
	return s->types.v[type].name ? s->types.v[type].name : "";
}

static struct err *see_heap(const struct look *l, void *arg, uint64_t id)
{
	struct work *w = arg;
	uint64_t stride = strcmp(name_of(l->s, l->s->type_of[id]), POINTERS) ? 16 : 8, bytes = 0;
	taddr at = go_heap_address(&l->s->heap, id, &bytes), timer;
	const struct go_span *sp = go_heap_span_at(&l->s->heap, at);
	uint64_t off = sp ? go_span_header(sp) : 0;

	for (; off + stride <= bytes; off += stride) {
		struct err *err = go_io_read(w->io, at + off, &timer, sizeof(timer));

		if (err && err->code != ERR_FAULT)
			return err;
		if (err) {
			err_free(err);
			return NULL;
		}
		if (timer && !vec_push(&w->at, timer))
			return &err_nomem;
	}
	return NULL;
}

static int by_address(const void *x, const void *y)
{
	const taddr *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static struct err *tell(struct work *w)
{
	struct snapshot *s = w->l->s;
	const struct go_type *type =
		go_type_at(s->rtypes, go_type_named(s->rtypes, "runtime.timer"));
	struct err *err = NULL;

	if (!type || !w->at.n)
		return NULL;
	w->seen = zalloc((size_t)s->heap.nobjects / 64 + 1, sizeof(uint64_t));
	if (!w->seen)
		return &err_nomem;
	qsort(w->at.v, w->at.n, sizeof(*w->at.v), by_address);
	for (size_t i = 0; i < w->at.n && !err; i++) {
		uint64_t id = go_heap_object_at(&s->heap, w->at.v[i]);

		if (id == GO_NO_OBJECT || !look_reached(w->l, id) ||
		    w->seen[id >> 6] >> (id & 63) & 1)
			continue;
		w->seen[id >> 6] |= 1ULL << (id & 63);
		err = w->fn(w->l, w->arg, id, (struct go_place){ w->at.v[i], type });
	}
	return err;
}

static struct err *see_typed(const struct look *l, void *arg, uint64_t id, struct go_place p)
{
	struct work *w = arg;

	return w->seen && w->seen[id >> 6] >> (id & 63) & 1 ? NULL : w->fn(l, w->arg, id, p);
}

static struct err *see_heaps(struct work *w)
{
	const struct snapshot *s = w->l->s;
	_cleanup_(freep) uint8_t *want = zalloc(s->types.n + 1, 1);

	if (!want)
		return &err_nomem;
	for (size_t i = 1; i < s->types.n; i++) {
		const char *name = name_of(s, (uint32_t)i);

		want[i] = !strcmp(name, POINTERS) || !strcmp(name, PAIRS);
	}
	return look_each_of(w->l, want, see_heap, w);
}

struct err *timers_each(const struct look *l, struct go_io *io, look_object_fn *fn, void *arg)
{
	struct work w = { .l = l, .io = io, .fn = fn, .arg = arg };
	struct err *err = see_heaps(&w);

	if (!err)
		err = tell(&w);
	if (!err)
		err = look_objects_of(l, "timer", see_typed, &w);
	vec_free(&w.at);
	free(w.seen);
	return err;
}
