/*
 * content.c - the pass that content.h promises: who is a candidate, and which views are kept.
 *
 * Spans and type numbers tell how much memory could be behind pins, spare capacity and equal
 * strings; what cannot reach the floor is not looked for.  O(objects) for that, 4 bytes each;
 * then one snapshot_each_place() over the headers, and memory for what was kept: small views of
 * large objects, a sample of strings.
 */
#include "find/content.h"

#include "base/par.h"

enum {
	MAX_PINS = 1 << 20,
	MAX_STRINGS = 1 << 16,
	MAX_KEPT = 1 << 23,
	MAX_DEPTH = 24,
	MAX_STEPS = 4096
};

/* What an object may be, by its type number. */
enum {
	MAY_STRING = 1, /* bytes of a string, or unknown ones without pointers */
	MAY_ARRAY = 2,	/* elements of a slice */
	HAS_VIEWS = 4,	/* strings or slices are in it */
};

struct sums {
	uint64_t strings, nstrings, arrays, pins, npins;
};

struct kept {
	VEC(struct look_view) pins;
	VEC(struct content_string) strings;
	VEC(uint64_t) spare_bytes;
};

struct work {
	struct find *f;
	const struct look *l;
	struct content *c;
	uint8_t *may; /* by type number */
	struct sums *sums;
	struct kept *kept; /* by worker */
	unsigned nworkers;
};

uint64_t content_floor(const struct find *f)
{
	return MAX((uint64_t)1 << 20, f->l.g->reached_bytes / 100);
}

static void bits_free(uint64_t *b, uint64_t nwords)
{
	if (b)
		bigfree(b, nwords, sizeof(*b));
}

void content_free(struct content *c)
{
	if (!c)
		return;
	look_spots_free(c->spots);
	bits_free(c->reached, c->nreached);
	bits_free(c->holders, c->nreached);
	bits_free(c->pin, c->nreached);
	bits_free(c->covered, c->nreached);
	bits_free(c->spare, c->nreached);
	vec_free(&c->pins);
	vec_free(&c->spare_bytes);
	vec_free(&c->strings);
	look_pooled_deinit(&c->pooled);
	look_pools_deinit(&c->pools);
	free(c);
}

static void work_deinit(struct work *w)
{
	for (unsigned i = 0; w->kept && i < w->nworkers; i++) {
		vec_free(&w->kept[i].pins);
		vec_free(&w->kept[i].strings);
		vec_free(&w->kept[i].spare_bytes);
	}
	free(w->may);
	free(w->sums);
	free(w->kept);
}

/* graph.reached without the nodes before the first object. */
static void take_reached(const struct graph *g, uint64_t *bits, uint64_t nwords)
{
	unsigned shift = (1 + g->nroots) & 63;
	uint64_t from = (1 + (uint64_t)g->nroots) >> 6, n = (g->n + 63ULL) >> 6;

	for (uint64_t i = 0; i < nwords; i++) {
		uint64_t lo = from + i < n ? g->reached[from + i] : 0;
		uint64_t hi = from + i + 1 < n ? g->reached[from + i + 1] : 0;

		bits[i] = shift ? lo >> shift | hi << (64 - shift) : lo;
	}
}

static uint8_t may_be(const struct snapshot *s, const struct snap_type *t)
{
	const struct go_type *rt;

	if (t->kind == SNAP_TYPE_UNKNOWN || t->rank <= SNAP_RANK_GUESS)
		return MAY_STRING | MAY_ARRAY;
	if (t->kind == SNAP_TYPE_STRING)
		return MAY_STRING | MAY_ARRAY;
	if (t->kind == SNAP_TYPE_TINY)
		return MAY_STRING;
	if (t->kind != SNAP_TYPE_RTYPE)
		return 0;
	if (t->array)
		return MAY_ARRAY;
	rt = go_type_at(s->rtypes, t->rtype);
	return rt && (rt->kind == GO_ARRAY || rt->kind < GO_ARRAY) ? MAY_ARRAY : 0;
}

/* Is there a string or a slice in a value of that type? */
static bool has_views(struct go_types *ts, taddr type, unsigned depth, unsigned *steps)
{
	const struct go_type *t = go_type_at(ts, type);

	if (!t || depth > MAX_DEPTH || ++*steps > MAX_STEPS)
		return t;
	if (t->kind == GO_STRING || t->kind == GO_SLICE)
		return true;
	if (t->kind == GO_ARRAY)
		return has_views(ts, t->elem, depth + 1, steps);
	for (size_t i = 0; t->kind == GO_STRUCT && i < t->nfields; i++)
		if (has_views(ts, t->fields[i].type, depth + 1, steps))
			return true;
	return false;
}

static uint8_t may_hold(const struct snapshot *s, const struct snap_type *t)
{
	unsigned steps = 0;
	taddr type = t->kind == SNAP_TYPE_PART ? t->elem : t->rtype;

	if (t->kind != SNAP_TYPE_RTYPE && t->kind != SNAP_TYPE_PART)
		return 0;
	return type && has_views(s->rtypes, type, 0, &steps) ? HAS_VIEWS : 0;
}

/* Bits that are set in ascending order, a word at once: words at the ends are shared. */
struct run {
	uint64_t *bits;
	uint64_t at, word;
};

static void run_flush(struct run *r)
{
	if (r->word)
		__atomic_fetch_or(&r->bits[r->at], r->word, __ATOMIC_RELAXED);
	r->word = 0;
}

static void run_set(struct run *r, uint64_t id)
{
	if (id >> 6 != r->at)
		run_flush(r);
	r->at = id >> 6;
	r->word |= 1ULL << (id & 63);
}

/* A string's bytes, or an array. */
static void count_object(const struct work *w, struct sums *sums, const struct go_span *sp,
			 uint64_t id, uint8_t may)
{
	const struct graph *g = w->l->g;
	uint64_t kept = sp->elem_bytes;

	if (sp->noscan && may & MAY_STRING) {
		sums->strings += sp->elem_bytes;
		sums->nstrings++;
	}
	if (!(may & MAY_ARRAY) || sp->tiny)
		return;
	sums->arrays += sp->elem_bytes;
	if (!sp->noscan)
		kept = g->retained[graph_node_of_object(g, id)];
	if (sp->noscan ? sp->elem_bytes < CONTENT_PIN_SLOT
		       : !w->l->s->type_of[id] || kept < CONTENT_PIN_RETAINED)
		return;
	sums->pins += kept;
	sums->npins++;
	__atomic_fetch_or(&w->c->pin[id >> 6], 1ULL << (id & 63), __ATOMIC_RELAXED);
}

static struct err *count_spans(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct work *w = arg;
	const struct snapshot *s = w->l->s;
	struct run holders = { .bits = w->c->holders };

	for (size_t i = lo; i < hi; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
			uint8_t may = w->may[s->type_of[id]];

			if (!may || !go_bit(w->c->reached, id))
				continue;
			if (may & HAS_VIEWS)
				run_set(&holders, id);
			if (sp->noscan ? may & (MAY_STRING | MAY_ARRAY) : may & MAY_ARRAY)
				count_object(w, &w->sums[worker], sp, id, may);
		}
	}
	run_flush(&holders);
	return NULL;
}

static unsigned shift_for(uint64_t n, uint64_t max)
{
	unsigned shift = 0;

	while (n >> shift > max)
		shift++;
	return shift;
}

static void decide(struct work *w)
{
	struct sums all = { 0 };
	uint64_t floor = content_floor(w->f);

	for (unsigned i = 0; i < w->nworkers; i++) {
		all.strings += w->sums[i].strings;
		all.nstrings += w->sums[i].nstrings;
		all.arrays += w->sums[i].arrays;
		all.pins += w->sums[i].pins;
		all.npins += w->sums[i].npins;
	}
	w->c->want_strings = all.strings >= floor;
	w->c->want_spare = all.arrays >= floor;
	w->c->want_pins = all.pins >= floor;
	w->c->string_shift = shift_for(all.nstrings, MAX_STRINGS);
	w->c->pin_shift = shift_for(all.npins, MAX_PINS);
}

static struct err *see_string(struct work *w, struct kept *k, const struct look_view *v)
{
	struct content_string x = { v->data, (uint32_t)MIN(v->len, UINT32_MAX), v->spot };
	const struct go_span *sp;

	if (!content_sampled(v->object, w->c->string_shift) || k->strings.n >= MAX_KEPT)
		return NULL;
	sp = go_heap_span_at(&w->l->s->heap, v->data);
	if (!sp || v->len > sp->elem_bytes)
		return NULL;
	if (!sp->tiny && ((v->data - sp->base) % sp->elem_bytes || v->len <= sp->elem_bytes / 2))
		return NULL;
	return vec_push(&k->strings, x) ? NULL : &err_nomem;
}

static struct err *see_pin(struct work *w, struct kept *k, const struct look_view *v)
{
	uint64_t bytes;

	content_data(w->l, v->object, &bytes);
	if (v->len >= bytes / 2) {
		__atomic_fetch_or(&w->c->covered[v->object >> 6], 1ULL << (v->object & 63),
				  __ATOMIC_RELAXED);
		return NULL;
	}
	if (!content_sampled(v->object, w->c->pin_shift) || k->pins.n >= MAX_KEPT)
		return NULL;
	return vec_push(&k->pins, *v) ? NULL : &err_nomem;
}

/* More than growing by append leaves: 5/8 of it, or so. */
static struct err *see_spare(struct work *w, struct kept *k, const struct look_view *v)
{
	uint64_t spare = v->cap - v->len;

	if (spare < 64 || spare * 8 < v->cap * 5)
		return NULL;
	while (k->spare_bytes.n <= v->spot)
		if (!vec_push(&k->spare_bytes, 0))
			return &err_nomem;
	k->spare_bytes.v[v->spot] += spare;
	__atomic_fetch_or(&w->c->spare[v->object >> 6], 1ULL << (v->object & 63), __ATOMIC_RELAXED);
	return NULL;
}

static struct err *see(void *arg, const struct look_view *v)
{
	struct work *w = arg;
	struct kept *k = &w->kept[v->worker];
	struct err *err = NULL;

	if (v->string && w->c->want_strings)
		err = see_string(w, k, v);
	if (!err && w->c->want_pins && go_bit(w->c->pin, v->object))
		err = see_pin(w, k, v);
	if (!err && !v->string && w->c->want_spare)
		err = see_spare(w, k, v);
	return err;
}

static int by_object(const void *x, const void *y)
{
	const struct look_view *p = x, *q = y;

	if (p->object != q->object)
		return p->object < q->object ? -1 : 1;
	return (p->at > q->at) - (p->at < q->at);
}

static int by_data(const void *x, const void *y)
{
	const struct content_string *p = x, *q = y;

	if (p->data != q->data)
		return p->data < q->data ? -1 : 1;
	if (p->len != q->len)
		return p->len > q->len ? -1 : 1;
	return (p->spot > q->spot) - (p->spot < q->spot);
}

static bool append(struct content *c, const struct kept *k)
{
	for (size_t i = 0; i < k->pins.n; i++)
		if (!go_bit(c->covered, k->pins.v[i].object) && !vec_push(&c->pins, k->pins.v[i]))
			return false;
	if (!vec_reserve(&c->strings, c->strings.n + k->strings.n))
		return false;
	if (k->strings.n)
		memcpy(c->strings.v + c->strings.n, k->strings.v,
		       k->strings.n * sizeof(c->strings.v[0]));
	c->strings.n += k->strings.n;
	for (size_t i = 0; i < k->spare_bytes.n; i++) {
		if (i >= c->spare_bytes.n && !vec_push(&c->spare_bytes, 0))
			return false;
		c->spare_bytes.v[i] += k->spare_bytes.v[i];
	}
	return true;
}

/* The same header may have been seen as a variable and as part of another. */
static void settle(struct content *c)
{
	size_t n = 0;

	if (c->pins.n)
		qsort(c->pins.v, c->pins.n, sizeof(c->pins.v[0]), by_object);
	for (size_t i = 0; i < c->pins.n; i++)
		if (!n || by_object(&c->pins.v[i], &c->pins.v[n - 1]))
			c->pins.v[n++] = c->pins.v[i];
	c->pins.n = n;
	if (c->strings.n)
		qsort(c->strings.v, c->strings.n, sizeof(c->strings.v[0]), by_data);
}

static struct err *make_bits(struct content *c, const struct look *l)
{
	c->nreached = l->s->heap.nobjects / 64 + 1;
	c->reached = bigalloc(c->nreached, sizeof(uint64_t));
	c->holders = bigalloc(c->nreached, sizeof(uint64_t));
	c->pin = bigalloc(c->nreached, sizeof(uint64_t));
	c->covered = bigalloc(c->nreached, sizeof(uint64_t));
	c->spare = bigalloc(c->nreached, sizeof(uint64_t));
	if (!c->reached || !c->holders || !c->pin || !c->covered || !c->spare)
		return &err_nomem;
	take_reached(l->g, c->reached, c->nreached);
	return NULL;
}

static struct err *choose(struct work *w)
{
	const struct snapshot *s = w->l->s;
	struct err *err;

	w->may = zalloc(s->types.n + 1, 1);
	w->sums = zalloc(w->nworkers, sizeof(*w->sums));
	w->kept = zalloc(w->nworkers, sizeof(*w->kept));
	if (!w->may || !w->sums || !w->kept)
		return &err_nomem;
	for (size_t i = 0; i < s->types.n; i++)
		w->may[i] = may_be(s, &s->types.v[i]) | may_hold(s, &s->types.v[i]);
	err = par_for(w->nworkers, s->heap.spans.n, 256, count_spans, w);
	if (!err)
		decide(w);
	return err;
}

static struct err *pass(struct work *w)
{
	struct content *c = w->c;
	const struct look_pools *pools;
	struct err *err = choose(w);
	uint32_t kinds;

	kinds = (c->want_strings || c->want_pins ? 1U << GO_STRING : 0) |
		(c->want_pins || c->want_spare ? 1U << GO_SLICE : 0);
	if (!err && kinds)
		err = look_views(c->spots, c->holders, kinds, see, w);
	if (!err && kinds)
		err = content_pools(w->f, &pools);
	if (!err && kinds)
		err = look_pooled_of(w->l, pools, &c->pooled);
	for (unsigned i = 0; i < w->nworkers && !err; i++)
		if (!append(c, &w->kept[i]))
			err = &err_nomem;
	if (!err)
		settle(c);
	return err;
}

/* Of f, empty at first. */
static struct content *of(struct find *f)
{
	if (!f->content)
		f->content = zalloc(1, sizeof(*f->content));
	return f->content;
}

struct err *content_pools(struct find *f, const struct look_pools **ret)
{
	struct content *c = of(f);

	if (!c)
		return &err_nomem;
	*ret = &c->pools;
	if (c->pools_made)
		return NULL;
	c->pools_made = true;
	return look_pools_of(&f->l, &c->pools);
}

struct err *content_of(struct find *f, const struct content **ret)
{
	_cleanup_(work_deinit) struct work w = { .f = f, .l = &f->l, .c = of(f) };
	struct err *err;

	if (!w.c)
		return &err_nomem;
	*ret = w.c;
	if (w.c->made || !f->l.s->type_of || f->l.s->dump)
		return NULL;
	w.c->made = true;
	w.nworkers = look_workers(w.l);
	err = make_bits(w.c, w.l);
	if (!err)
		err = look_spots_create(w.l, &w.c->spots);
	return err ? err : pass(&w);
}
