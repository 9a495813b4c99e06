/*
 * dump_index.c - what is looked up in a heap dump, sorted; contradictions taken out.
 *
 * Runs may not share pages, segments may not overlap: of two the first by address stays.
 * Cost: one sort each.
 */
#include "target/dump_read.h"

#define PAGE	   8192U
#define WALK_BYTES (1U << 20)

#define COMPARE(name, type, key)                                                                   \
	static int name(const void *x, const void *y)                                              \
	{                                                                                          \
		uint64_t a = ((const type *)x)->key;                                               \
		uint64_t b = ((const type *)y)->key;                                               \
                                                                                                   \
		return (a > b) - (a < b);                                                          \
	}
COMPARE(by_base, struct dump_run, base)
COMPARE(by_segment, struct dump_segment, addr)
COMPARE(by_type, struct dump_type, addr)
COMPARE(by_itab, struct dump_itab, addr)
COMPARE(by_bucket, struct dump_bucket, addr)
COMPARE(by_object, struct dump_sample, object)
#undef COMPARE

static int by_entry(const void *x, const void *y)
{
	const struct dump_func *a = x, *b = y;

	if (a->entry != b->entry)
		return a->entry < b->entry ? -1 : 1;
	return (a->last_pc > b->last_pc) - (a->last_pc < b->last_pc);
}

#define SORT(a, f)                                                                                 \
	do {                                                                                       \
		if ((a).n > 1)                                                                     \
			qsort((a).v, (a).n, sizeof((a).v[0]), f);                                  \
	} while (0)

static void sort_runs(struct dump *d, struct target *t)
{
	taddr page = 0; /* first one that is free */
	uint64_t lost = 0, bytes = 0;
	size_t n = 0;

	SORT(d->runs, by_base);
	for (size_t i = 0; i < d->runs.n; i++) {
		struct dump_run u = d->runs.v[i];

		if (u.base / PAGE < page) {
			lost += u.nobjects;
			bytes += u.nobjects * u.elem;
			continue;
		}
		page = (u.base + u.nslots * u.elem - 1) / PAGE + 1;
		d->runs.v[n++] = u;
	}
	d->runs.n = n;
	if (lost)
		dump_lose(t, "heap dump: objects that lie in each other", lost, bytes);
}

static void sort_segments(struct dump *d, struct target *t)
{
	uint64_t lost = 0, bytes = 0;
	taddr end = 0;
	size_t n = 0;

	SORT(d->segments, by_segment);
	for (size_t i = 0; i < d->segments.n; i++) {
		struct dump_segment s = d->segments.v[i];

		if (!s.bytes)
			continue;
		if (s.addr < end) {
			lost++;
			bytes += s.bytes;
			continue;
		}
		end = s.addr + s.bytes;
		d->segments.v[n++] = s;
	}
	d->segments.n = n;
	if (lost)
		dump_lose(t, "heap dump: frames or variables that lie in each other", lost, bytes);
}

/* One entry a function, with the greatest pc that a frame has in it. */
static struct err *make_funcs(struct dump *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->frames.n; i++) {
		const struct dump_frame *f = &d->frames.v[i];
		struct dump_func x = { f->entry, MAX(f->entry, f->pc), f->name };

		if (f->pc >= f->entry && f->pc - f->entry < 1U << 24 && !vec_push(&d->funcs, x))
			return &err_nomem;
	}
	SORT(d->funcs, by_entry);
	for (size_t i = 0; i < d->funcs.n; i++) {
		if (n && d->funcs.v[n - 1].entry == d->funcs.v[i].entry)
			n--;
		d->funcs.v[n++] = d->funcs.v[i];
	}
	d->funcs.n = n;
	return NULL;
}

struct err *dump_index(struct dump *d, struct target *t)
{
	sort_runs(d, t);
	sort_segments(d, t);
	SORT(d->types, by_type);
	SORT(d->itabs, by_itab);
	SORT(d->buckets, by_bucket);
	SORT(d->samples, by_object);
	return make_funcs(d);
}

/* Index of the last entry whose key is not above x; n: none. */
#define LAST_NOT_ABOVE(a, key, x, ret)                                                             \
	do {                                                                                       \
		size_t lo_ = 0, hi_ = (a).n;                                                       \
                                                                                                   \
		while (lo_ < hi_) {                                                                \
			size_t mid_ = lo_ + (hi_ - lo_) / 2;                                       \
                                                                                                   \
			if ((a).v[mid_].key <= (x))                                                \
				lo_ = mid_ + 1;                                                    \
			else                                                                       \
				hi_ = mid_;                                                        \
		}                                                                                  \
		*(ret) = lo_ ? &(a).v[lo_ - 1] : NULL;                                             \
	} while (0)

const struct dump_type *dump_type_at(const struct dump *d, taddr addr)
{
	const struct dump_type *t;

	LAST_NOT_ABOVE(d->types, addr, addr, &t);
	return t && t->addr == addr ? t : NULL;
}

const struct dump_itab *dump_itab_at(const struct dump *d, taddr addr)
{
	const struct dump_itab *t;

	LAST_NOT_ABOVE(d->itabs, addr, addr, &t);
	return t && t->addr == addr ? t : NULL;
}

const struct dump_func *dump_func_at(const struct dump *d, taddr pc)
{
	const struct dump_func *f;

	LAST_NOT_ABOVE(d->funcs, entry, pc, &f);
	return f && pc <= f->last_pc ? f : NULL;
}

const struct dump_bucket *dump_bucket_of(const struct dump *d, taddr object)
{
	const struct dump_sample *s;
	const struct dump_bucket *b;

	LAST_NOT_ABOVE(d->samples, object, object, &s);
	if (!s || s->object != object)
		return NULL;
	LAST_NOT_ABOVE(d->buckets, addr, s->bucket, &b);
	return b && b->addr == s->bucket ? b : NULL;
}

static void walk_begin(struct dump_walk *w)
{
	const struct dump_run *u = w->run;

	/* The run itself, and a few numbers an object; pieces of a long one. */
	w->win.least_bytes = MIN(u->nslots * u->elem + 24ULL * u->nobjects, (uint64_t)WALK_BYTES);
	w->at = u->at;
	w->next = u->base;
}

void dump_walk_end(struct dump_walk *w)
{
	dump_window_free(&w->win);
}

bool dump_next(struct dump_walk *w, struct dump_object *ret)
{
	const struct dump_run *u = w->run;
	struct dump_rec x;

	if (!w->at)
		walk_begin(w);
	while (w->n < u->nobjects && !w->lost) {
		if (!dump_decode_at(w->d, &w->win, w->at, &x, &w->at)) {
			w->lost = true;
			break;
		}
		/* What the reader left out as damaged is not counted in the run. */
		if (x.tag != DUMP_OBJECT || x.n[0] < w->next || !dump_plausible(w->d, &x))
			continue;
		if (x.mem[0].n != u->elem || (x.n[0] - u->base) % u->elem ||
		    (x.n[0] - u->base) / u->elem >= u->nslots) {
			w->lost = true;
			break;
		}
		w->n++;
		w->next = x.n[0] + u->elem;
		*ret = (struct dump_object){ x.n[0], u->elem, x.mem[0].p, x.fields };
		return true;
	}
	return false;
}

static const struct dump_run *run_at(const struct dump *d, taddr addr)
{
	const struct dump_run *u;

	LAST_NOT_ABOVE(d->runs, base, addr, &u);
	return u && addr - u->base < u->nslots * u->elem ? u : NULL;
}

bool dump_object_at(const struct dump *d, taddr addr, struct dump_walk *w, struct dump_object *ret)
{
	w->d = d;
	w->run = run_at(d, addr);
	while (w->run && dump_next(w, ret)) {
		if (ret->addr > addr)
			return false;
		if (addr - ret->addr < ret->bytes)
			return true;
	}
	return false;
}

size_t dump_read_at(const struct dump *d, taddr addr, void *buf, size_t nbytes)
{
	_cleanup_(dump_walk_end) struct dump_walk w = { .n = 0 };
	const struct dump_segment *s;
	struct dump_object o;

	LAST_NOT_ABOVE(d->segments, addr, addr, &s);
	if (s && addr - s->addr < s->bytes) {
		nbytes = (size_t)MIN((uint64_t)nbytes, s->bytes - (addr - s->addr));
		memcpy(buf, s->data + (addr - s->addr), nbytes);
		return nbytes;
	}
	if (!dump_object_at(d, addr, &w, &o))
		return 0;
	nbytes = (size_t)MIN((uint64_t)nbytes, o.bytes - (addr - o.addr));
	memcpy(buf, o.data + (addr - o.addr), nbytes);
	return nbytes;
}
