/*
 * owner.h - the owner's graph: who owns what, when some holders only pass things on.
 *
 * Some edges are "passing": what holds through them (a pool, a list of all timers, a cache
 * beside the real store) does not own what it holds as long as somebody else does.
 *
 *   cost of a path   how often it enters a passing structure.  A plain passing edge enters
 *                    one; a chain edge (next, prev of a list, parent of a context) enters one
 *                    too, unless the edge before it was a chain edge: a walk along a list is
 *                    inside one structure, however long.
 *   cost of a node   that of its cheapest path from the super-root
 *   owner's graph    all nodes, and those edges that lie last on a cheapest path to their
 *                    target: a passing edge counts only where nothing cheaper holds, and what a
 *                    passing structure alone holds has no claim on what others own.
 *
 * Each node reachable in g is reachable in the owner's graph.  Order reachable nodes by (cost,
 * edges on the shortest cheapest path).  The last edge u -> v of such a path to v is kept by
 * definition.  u's cost is not above v's; if it is the same, the path up to u is a cheapest one
 * of u with one edge less; so u comes before v in that order, and by induction is reachable.
 * No edge is added.  Therefore both graphs reach the same nodes, and the retained bytes of
 * any cut through the owner's dominator tree add up to the reachable bytes, as in the exact one.
 *
 * Costs beyond OWNER_COST_MAX are taken to be equal: paths through more structures than that are
 * not told apart, which keeps edges, and the argument above holds as it is.
 *
 * Knows only numbers.  O(n + m); 2 bytes a node and the walk's stack while it works, then 4 bytes
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
