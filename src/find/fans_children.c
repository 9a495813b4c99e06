/*
 * fans_children.c - a node's children in the dominator tree, without an index of all of them.
 *
 * Walks forward from the node.  Who is reached from a node below it is below it, too, exactly if
 * its immediate dominator is: that one stands on every way there, so it was visited before.
 * O(nodes below), FANS_WALK of them at most.
 */
#include "find/fans.h"

enum { SLOTS = FANS_WALK * 2 };

struct visited {
	gnode slot[SLOTS]; /* 0: free: the super-root is below nobody */
	gnode order[FANS_WALK];
	size_t n;
};

static bool has(const struct visited *x, gnode v, size_t *ret_at)
{
	size_t i = (v * 0x9e3779b1U >> 7) & (SLOTS - 1);

	while (x->slot[i] && x->slot[i] != v)
		i = (i + 1) & (SLOTS - 1);
	*ret_at = i;
	return x->slot[i] == v;
}

static void visit(struct visited *x, gnode v)
{
	size_t at;

	if (x->n < FANS_WALK && !has(x, v, &at)) {
		x->slot[at] = v;
		x->order[x->n++] = v;
	}
}

struct err *fans_children(const struct look *l, gnode v, gnode *child, size_t max, size_t *ret_n)
{
	const struct graph *g = l->g;
	_cleanup_(freep) struct visited *x = zalloc(1, sizeof(*x));
	size_t n = 0, at;

	if (!x)
		return &err_nomem;
	visit(x, v);
	for (size_t i = 0; i < x->n && n < max && x->n < FANS_WALK; i++) {
		gnode u = x->order[i];
		uint32_t end = MIN(graph_last(g, u), graph_first(g, u) + FANS_WALK);

		for (uint32_t e = graph_first(g, u); e < end; e++) {
			gnode to = g->to[e];

			if (has(x, to, &at) || g->idom[to] == GRAPH_NONE ||
			    !has(x, g->idom[to], &at))
				continue;
			visit(x, to);
			if (g->idom[to] == v && n < max)
				child[n++] = to;
		}
	}
	*ret_n = n;
	return NULL;
}
