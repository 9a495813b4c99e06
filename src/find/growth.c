/*
 * growth.c - how much of what a finding holds was there at the earlier look.
 *
 * Which of its objects are old is told by samples of what it dominates, drawn by bytes; what
 * follows of it is growth_rule.c's.  Cost: the children of the nodes on the way to 256 samples.
 */
#include "find/priv.h"

enum { SAMPLES = 256, DEPTH_MAX = 4096 };

struct sampling {
	const struct look *l;
	const struct find_since *since;
	uint32_t random;
	uint64_t old, seen;
	gnode last;	    /* who was drawn, and how often in a row */
	uint64_t row, most; /* most: of one object */
};

static uint32_t draw(struct sampling *x)
{
	x->random ^= x->random << 13;
	x->random ^= x->random >> 17;
	x->random ^= x->random << 5;
	return x->random;
}

static int by_value(const void *x, const void *y)
{
	const uint64_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static void see(struct sampling *x, gnode v)
{
	x->row = v == x->last ? x->row + 1 : 1;
	x->last = v;
	x->most = MAX(x->most, x->row);
	x->seen++;
	x->old += find_since_stayed(x->since, x->l, graph_object(x->l->g, v));
}

/* One level down: where n samples, by bytes, fall among v itself and its children. */
static gnode descend(struct sampling *x, gnode v, uint64_t at)
{
	const struct look *l = x->l;
	uint64_t own = graph_shallow(l->g, v);

	if (at < own)
		return v;
	at -= own;
	for (uint32_t i = l->dom_first[v]; i < l->dom_first[v + 1]; i++) {
		gnode c = l->dom_child[i];

		if (at < l->g->retained[c])
			return c;
		at -= l->g->retained[c];
	}
	return v;
}

/* All at once through the children of v, which may be many; at[] ascending, in the bytes of v. */
static void spread(struct sampling *x, gnode v, const uint64_t *at, size_t n, unsigned depth)
{
	const struct look *l = x->l;
	uint64_t lo = graph_shallow(l->g, v), below[SAMPLES];
	size_t k = 0;

	for (; k < n && at[k] < lo; k++)
		if (graph_is_object(l->g, v))
			see(x, v);
	for (uint32_t i = l->dom_first[v]; i < l->dom_first[v + 1] && k < n; i++) {
		gnode c = l->dom_child[i];
		uint64_t hi = lo + l->g->retained[c];
		size_t from = k;

		for (; k < n && at[k] < hi; k++)
			below[k - from] = at[k] - lo;
		if (k > from && depth < 8)
			spread(x, c, below, k - from, depth + 1);
		for (size_t j = 0; k > from && depth >= 8 && j < k - from; j++) {
			gnode w = c, before = v;

			for (unsigned d = 0; d < DEPTH_MAX && w != before; d++) {
				before = w;
				w = descend(x, w, draw(x) % MAX(l->g->retained[w], 1ULL));
			}
			see(x, w);
		}
		lo = hi;
	}
}

/*
 * Share of the bytes below v that were there then; < 0: not known.  One block that is most of it
 * (an array that grows by append) is made anew as it grows: its address tells nothing.
 */
static double share_of_old(const struct find *f, gnode v)
{
	struct sampling x = { .l = &f->l, .since = f->since, .random = 2463534242U };
	uint64_t at[SAMPLES], all = f->l.g->retained[v];

	if (!f->l.dom_first || !all)
		return -1;
	for (size_t i = 0; i < SAMPLES; i++)
		at[i] = ((uint64_t)draw(&x) << 32 | draw(&x)) % all;
	qsort(at, SAMPLES, sizeof(at[0]), by_value);
	spread(&x, v, at, SAMPLES, 0);
	return x.seen && x.most * 2 < x.seen ? (double)x.old / (double)x.seen : -1;
}

static bool then_of(const struct find *f, gnode v, uint64_t *ret)
{
	struct find *g = (struct find *)(uintptr_t)f;
	uint64_t bytes = 0;
	gnode root = look_owner(&f->l, v);
	taddr at;

	if (v <= f->l.g->nroots)
		return v && find_since_root(f->since, find_root_key(g, v - 1), ret);
	at = go_heap_address(&f->l.s->heap, graph_object(f->l.g, v), &bytes);
	if (find_since_place(f->since, at, bytes, ret))
		return true;
	/* it is nearly all that its root holds: then it was so under another address */
	if (root != GRAPH_NONE && root && f->l.g->retained[v] >= f->l.g->retained[root] / 8 * 7)
		return find_since_root(f->since, find_root_key(g, root - 1), ret);
	return false;
}

static double survived_of(const struct find *f, gnode v, uint64_t then, uint64_t now)
{
	double old = f->since->same == FIND_SAME_PROCESS ? share_of_old(f, v) : -1;

	if (old < 0 || !then)
		return -1;
	old = old * (double)now / (double)then;
	return old > 1 ? 1 : old;
}

bool find_growth_of(const struct find *f, gnode v, struct find_growth *ret)
{
	if (!f->since || v >= f->l.g->n || !then_of(f, v, &ret->then_bytes))
		return false;
	ret->now_bytes = f->l.g->retained[v];
	ret->survived = survived_of(f, v, ret->then_bytes, ret->now_bytes);
	return true;
}

static double survival(const struct find *f, const struct finding *x)
{
	if (x->node == GRAPH_NONE || x->node >= f->l.g->n)
		return -1;
	/* of a group the node is the example, for all of it */
	return survived_of(f, x->node, x->then_bytes, MAX(f->l.g->retained[x->node], x->bytes));
}

static void judge(struct find *f, struct finding *x)
{
	struct since_case y = { .bytes = finding_bytes(x),
				.count = x->count,
				.then_bytes = x->then_bytes,
				.then_count = x->then_count,
				.survived = -1 };

	if (find_since_grew(&y))
		y.survived = survival(f, x);
	find_since_judge(f->since, &y, &f->keep);
	if (y.line)
		x->detail = *x->detail ? keepf(&f->keep, "%s\n%s", y.line, x->detail) : y.line;
	if (!y.decided)
		return;
	x->verdict = y.verdict;
	x->decide = "";
	if (y.verdict != FIND_LEAK)
		return;
	x->proof = FIND_MEASURED;
	x->certainty = 0; /* that of a guess */
}

/* What was found under its name then; else what hung there. */
static void look_back(struct find *f, struct finding *x)
{
	struct find_growth g;

	x->then_known = find_since_found(f->since, x->signature, &x->then_bytes, &x->then_count);
	if (!x->then_known && x->node != GRAPH_NONE && find_growth_of(f, x->node, &g)) {
		x->then_known = true;
		x->then_bytes = g.then_bytes;
	}
	x->fresh = !x->then_known;
}

void find_compare(struct find *f)
{
	if (!f->since || f->since->same == FIND_OTHER)
		return;
	for (size_t i = 0; i < f->found.n; i++) {
		struct finding *x = &f->found.v[i];

		look_back(f, x);
		if (x->then_known && find_since_is_open(f->since, x->kind, x->verdict))
			judge(f, x);
	}
}
