/*
 * dominated.c - children in the dominator tree: of one node, and the index for many.
 *
 * Cost: O(n) each; the index is 8 bytes a node.
 */
#include "graph/priv.h"

struct best {
	const struct graph *g;
	gnode *v;
	size_t n, max;
};

/* Larger retained first, then lower node. */
static bool before(const struct graph *g, gnode a, gnode b)
{
	return g->retained[a] != g->retained[b] ? g->retained[a] > g->retained[b] : a < b;
}

/* Heap with the worst on top: sift v down from slot i. */
static void sift(struct best *b, size_t i, size_t n, gnode v)
{
	for (size_t c; (c = 2 * i + 1) < n; i = c) {
		if (c + 1 < n && before(b->g, b->v[c], b->v[c + 1]))
			c++;
		if (!before(b->g, v, b->v[c]))
			break;
		b->v[i] = b->v[c];
	}
	b->v[i] = v;
}

static void keep_best(struct best *b, gnode v)
{
	if (b->n < b->max) {
		b->v[b->n++] = v;
		for (size_t i = b->n / 2; b->n == b->max && i-- > 0;)
			sift(b, i, b->n, b->v[i]);
	} else if (b->max && before(b->g, v, b->v[0])) {
		sift(b, 0, b->n, v);
	}
}

static void sort_best(struct best *b)
{
	for (size_t i = b->n / 2; i-- > 0;)
		sift(b, i, b->n, b->v[i]);
	for (size_t n = b->n; n-- > 1;) {
		gnode worst = b->v[0], last = b->v[n];

		sift(b, 0, n, last);
		b->v[n] = worst;
	}
}

size_t graph_dominated(const struct graph *g, gnode v, gnode *children, size_t max)
{
	struct best b = { .g = g, .v = children, .max = max };
	size_t n = 0;

	for (gnode c = 1; c < g->n; c++) {
		if (g->idom[c] != v)
			continue;
		n++;
		keep_best(&b, c);
	}
	sort_best(&b);
	return n;
}

struct err *graph_dom_children(const struct graph *g, uint32_t **ret_first, gnode **ret_child)
{
	_cleanup_(freep) uint32_t *first = zalloc((size_t)g->n + 1, sizeof(*first));
	_cleanup_(freep) gnode *child = NULL;
	uint32_t sum = 0;

	if (!first)
		return &err_nomem;
	for (gnode c = 1; c < g->n; c++)
		if (g->idom[c] != GRAPH_NONE)
			first[g->idom[c]]++;
	for (gnode v = 0; v < g->n; v++)
		first[v] = sum += first[v];
	first[g->n] = sum;
	child = zalloc(sum, sizeof(*child));
	if (!child)
		return &err_nomem;
	/* From the back, so that children of one node stand in ascending order. */
	for (gnode c = g->n; c-- > 1;)
		if (g->idom[c] != GRAPH_NONE)
			child[--first[g->idom[c]]] = c;
	*ret_first = STEAL(first);
	*ret_child = STEAL(child);
	return NULL;
}
