/*
 * owner.h - the owner's graph: who owns what, when some holders only pass things on.
 *
 * Two kinds of edges do not speak for ownership as others do.
 *
 *   plain   what holds through it (a pool, a heap of all timers, a cache beside the real store)
 *	     has no claim on what somebody else holds
 *   chain   a structure's own thread (next and prev of a list, the parent of a context): whoever
 *	     holds one bead does not hold the string.  Where nothing else leads to a bead, the
 *	     string does, and owns what hangs from it as an array would.
 *
 *   K(v)    the least number of plain edges on a path from the super-root to v
 *   C(v)    over the paths with K(v) plain edges: how often, at least, one enters a string; a
 *	     chain edge right behind another one is inside the same
 *
 * The owner's graph is all nodes, and of the edges u -> v with K(u) + (1 if plain) == K(v)
 *   those that are no chain edges, and
 *   those chain edges that come last on a path with K(v) plain edges that enters C(v) strings.
 *
 * It reaches what g reaches.  Take a path to v with K(v) plain edges that enters C(v) strings, and
 * of these the one with the fewest edges.  Its last edge u -> v is kept by definition.  The path up
 * to u is as good a one: K(u) is what it has (else v had a better path), and C(u) is not above
 * what it enters.  So with K, C, and the number of edges of that path, in this order, u comes
 * before v, and by induction is reached.  (Where C(u) is less, u's own best path enters fewer
 *strings.) No edge is added.  Therefore retained bytes in the owner's dominator tree add up to the
 * reachable bytes, as they do in the exact one.
 *
 * Counts beyond OWNER_COST_MAX are taken to be equal, which keeps edges; the argument holds as it
 *is.
 *
 * Knows only numbers.  O(n + m); 3 bytes a node and the walk's stack while it works, then 4 bytes
 * a node and a kept edge for the result.
 */
#ifndef LIMPET_GRAPH_OWNER_H
#define LIMPET_GRAPH_OWNER_H

#include "graph/graph.h"

#define OWNER_COST_MAX 250

/* Bits by index of an edge in g->to; edges of the super-root to its roots are among them. */
struct graph_passing {
	uint64_t *plain;
	uint64_t *chain;
	uint64_t m; /* edges that there is room for */
};

struct err *graph_passing_create(const struct graph *g, struct graph_passing *ret) MUST_CHECK;
void graph_passing_deinit(struct graph_passing *p);

/* The edge from the super-root to root r (0 .. nroots - 1). */
static inline uint32_t graph_edge_of_root(const struct graph *g, uint32_t r)
{
	return g->rootfirst[0] + r;
}

/*
 * The owner's graph: nodes, sizes and reached are those of g, which must outlive it; edges from
 * unreachable nodes are left out.  Caller frees it with graph_free().
 */
struct err *graph_owner(const struct graph *g, const struct graph_passing *p,
			struct graph **ret) MUST_CHECK;

#endif
