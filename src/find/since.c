/*
 * since.c - the earlier look made small, and matched with the later one.
 *
 * Of large objects the largest are kept.  Knows no kind of finding.
 */
#include "find/priv.h"

enum { PLACES_MAX = 1 << 18, PLACE_MIN = 64 << 10 };

static struct err *keep_slots(const struct look *l, struct find_since *x)
{
	const struct go_heap *h = &l->s->heap;
	VEC(uint64_t) bits = { 0 };
	struct err *err = NULL;

	for (size_t i = 0; i < h->spans.n && !err; i++) {
		const struct go_span *sp = &h->spans.v[i];
		size_t words = ((size_t)sp->nelems + 63) / 64;

		if (!vec_reserve(&bits, words)) {
			err = &err_nomem;
			break;
		}
		memset(bits.v, 0, words * sizeof(*bits.v));
		for (uint64_t k = 0; k < sp->nelems; k++)
			bits.v[k >> 6] |= (uint64_t)look_reached(l, sp->first + k) << (k & 63);
		err = find_since_add_span(x, sp->base, sp->elem_bytes, sp->nelems, bits.v);
	}
	vec_free(&bits);
	return err;
}

/* Smallest power of two of which few enough objects retain more. */
static uint64_t place_floor(const struct look *l)
{
	uint64_t n[64] = { 0 }, sum = 0;
	unsigned b = 63;

	for (gnode v = l->g->nroots + 1; v < l->g->n; v++)
		if (l->g->retained[v] >= PLACE_MIN)
			n[63 - __builtin_clzll(l->g->retained[v])]++;
	for (; b > 0 && sum + n[b] <= PLACES_MAX; b--)
		sum += n[b];
	return MAX((uint64_t)PLACE_MIN, b ? 2ULL << b : 0);
}

static struct err *keep_places(const struct look *l, struct find_since *x)
{
	uint64_t floor = place_floor(l);
	struct err *err = NULL;

	for (gnode v = l->g->nroots + 1; v < l->g->n && !err; v++) {
		struct since_place y = { .retained = l->g->retained[v] };

		if (y.retained < floor)
			continue;
		y.addr = go_heap_address(&l->s->heap, graph_object(l->g, v), &y.elem_bytes);
		err = find_since_add_place(x, &y);
	}
	return err;
}

static struct err *keep_roots(const struct find *f, struct find_since *x)
{
	struct find *g = (struct find *)(uintptr_t)f;
	struct err *err = NULL;

	for (uint32_t r = 0; r < f->l.g->nroots && !err; r++)
		if (f->l.g->retained[r + 1])
			err = find_since_add_root(x, find_root_key(g, r), f->l.g->retained[r + 1]);
	return err;
}

/* Where a finding hangs. */
static void place_of(const struct find *f, gnode v, struct since_found *ret)
{
	struct find *g = (struct find *)(uintptr_t)f;
	gnode root;

	ret->root = "";
	if (v == GRAPH_NONE || !v || v >= f->l.g->n)
		return;
	root = graph_is_object(f->l.g, v) ? look_owner(&f->l, v) : v;
	if (root && root <= f->l.g->nroots)
		ret->root = find_root_key(g, root - 1);
	if (graph_is_object(f->l.g, v))
		ret->addr = go_heap_address(&f->l.s->heap, graph_object(f->l.g, v), NULL);
}

static struct err *keep_found(const struct find *f, struct find_since *x)
{
	struct err *err = NULL;

	for (size_t i = 0; i < f->found.n && !err; i++) {
		const struct finding *y = &f->found.v[i];
		struct since_found z = { .signature = y->signature,
					 .bytes = finding_bytes(y),
					 .count = y->count };

		place_of(f, y->node, &z);
		err = find_since_add_found(x, &z);
	}
	return err;
}

/* mgc.go, gcSweep: one more at the instant from which the marks are that cycle's. */
static uint32_t cycles_of(const struct snapshot *s)
{
	const struct go_counters *c = &s->heap.counters;

	return c->sweepgen ? c->sweepgen / 2 : c->num_gc;
}

uint64_t find_goroutines(const struct snapshot *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->stacks.gs.n; i++)
		n += !s->stacks.gs.v[i].dead;
	return n;
}

struct err *find_since_create(const struct find *f, const struct find_process *p, uint64_t rss,
			      struct find_since **ret)
{
	_cleanup_(find_since_freep) struct find_since *x = NULL;
	const struct snapshot *s = f->l.s;
	struct err *err = find_since_begin(p, &x);

	if (err)
		return err;
	x->rss = rss;
	x->reachable_bytes = f->l.g->reached_bytes;
	x->reachable_objects = f->l.g->nreached_objects;
	x->stack_bytes = s->stacks.stack_bytes;
	x->goroutines = find_goroutines(s);
	x->num_gc = cycles_of(s);
	x->total_alloc = s->heap.counters.total_alloc_bytes;
	err = keep_slots(&f->l, x);
	if (!err)
		err = keep_places(&f->l, x);
	if (!err)
		err = keep_roots(f, x);
	if (!err)
		err = keep_found(f, x);
	if (err)
		return err;
	find_since_seal(x);
	*ret = STEAL(x);
	return NULL;
}

void find_since_match(struct find_since *x, const struct find_process *now,
		      const struct snapshot *s)
{
	find_since_match_figures(x, now, s ? cycles_of(s) : FIND_NO_CYCLES,
				 s ? s->heap.counters.total_alloc_bytes : 0);
}

/*
 * Did the last finished cycle leave no mark on it?  Then it was born since.  That of a span being
 * swept at this instant, or of evidence without marks, is not known: false.
 */
static bool born_since_cycle(const struct go_heap *h, uint64_t id)
{
	switch (go_heap_span_of(h, id)->marks) {
	case GO_MARKS_LAST_CYCLE:
	case GO_MARKS_UNSWEPT:
	case GO_MARKS_MARKING:
		return !go_bit(h->mark_bits, id);
	default:
		return false;
	}
}

bool find_since_stayed(const struct find_since *x, const struct look *l, uint64_t id)
{
	uint64_t bytes = 0;
	taddr at = go_heap_address(&l->s->heap, id, &bytes);

	return find_since_alive(x, at, bytes) && (!x->cycles || !born_since_cycle(&l->s->heap, id));
}
