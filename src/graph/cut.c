/*
 * cut.c - what an edge keeps alive, and the last edge on all ways to a node.
 *
 * An edge u -> w lies on all ways to v iff w is v or dominates it, and every reachable
 * predecessor of w that w does not dominate is u (then u is idom(w)).
 * Cost: graph_cut one walk without the edge; graph_cut_edge O(n + m) worst, and usually
 * a look at the predecessors of v.
 */
#include "graph/priv.h"

static bool has_edge(const struct graph *g, gnode from, gnode to)
{
	if (from >= g->n || to >= g->n)
		return false;
	for (uint32_t e = graph_first(g, from), end = graph_last(g, from); e < end; e++)
		if (g->to[e] == to)
			return true;
	return false;
}

struct err *graph_cut(struct graph *g, gnode from, gnode to, uint64_t *ret_bytes,
		      uint64_t *ret_objects)
{
	_cleanup_(big_deinit) struct big bits = { 0 };
	uint64_t objects = g->nreached_objects, bytes = g->reached_bytes;
	struct err *err;

	if (has_edge(g, from, to) && graph_reached(g, from)) {
		if (!big_init(&bits, bit_words(g), sizeof(uint64_t), BIG_DENSE))
			return &err_nomem;
		err = reach_bits(g, (struct edge){ from, to }, bits.p);
		if (err)
			return err;
		bits_measure(g, bits.p, &objects, &bytes);
	}
	*ret_objects = g->nreached_objects - objects;
	*ret_bytes = g->reached_bytes - bytes;
	return NULL;
}

/* below[x]: 1 + place in the chain (0 = v, 1 = idom(v) …) of the nearest that dominates x. */
struct chain {
	const struct graph *g;
	uint32_t *below;
};

static uint32_t place_of(struct chain *c, gnode x)
{
	const gnode *idom = c->g->idom;
	gnode y = x;
	uint32_t place;

	while (!c->below[y])
		y = idom[y];
	place = c->below[y];
	for (y = x; !c->below[y]; y = idom[y])
		c->below[y] = place;
	return place;
}

/* All ways into w, the place'th of the chain, are one edge from its dominator. */
static bool single_entry(struct chain *c, gnode w, uint32_t place)
{
	const struct graph *g = c->g;

	for (uint32_t e = g->rfirst[w]; e < g->rfirst[w + 1]; e++)
		if (g->rto[e] != g->idom[w] && place_of(c, g->rto[e]) > place)
			return false;
	return true;
}

struct err *graph_cut_edge(struct graph *g, gnode v, gnode *ret_from, gnode *ret_to)
{
	_cleanup_(big_deinit) struct big below = { 0 };
	struct chain c = { .g = g };
	uint32_t place = 1;

	if (!big_init(&below, g->n, sizeof(uint32_t), BIG_SPARSE))
		return &err_nomem;
	c.below = below.p;
	*ret_from = *ret_to = GRAPH_NONE;
	if (!v || v >= g->n || !graph_reached(g, v))
		return NULL;
	for (gnode w = v; w != GRAPH_NONE; w = g->idom[w])
		c.below[w] = place++;
	/* What is cut is a reference: the super-root's edges are none. */
	for (gnode w = v; g->idom[w] != 0; w = g->idom[w]) {
		if (single_entry(&c, w, c.below[w])) {
			*ret_from = g->idom[w];
			*ret_to = w;
			return NULL;
		}
	}
	return NULL;
}
