/*
 * owner.h - the owner's graph: who owns what, when some holders only pass things on.
 *
 * Edges that do not speak for ownership as others do:
 *
 *   PLAIN   what holds through it (a pool, a heap of all timers, a cache beside the real store)
 *	     has no claim on what somebody else holds
 *   LINK    the same for links from one to the next of a kind (a context to its parent): the first
 *	     of a row of them counts, the others do not
 *   CHAIN   from one bead of a string to another, or to the string (next, prev, list of a list's
 *	     element): whoever holds a bead does not hold the string
 *
 * and edges that are not there: from a string to each of its beads, for it has them as an array
 *would, whichever way they are threaded.  Both ends are reachable, so that nothing becomes so.
 *
 *   cost of a path   (CHAIN edges; PLAIN edges and rows of LINK edges)
 *   cost of a node   that of its cheapest path from the super-root, compared in this order
 *   owner's graph    all nodes, and the edges that come last on a cheapest path to their target
 *
 * So what a pool alone holds is the pool's, what it holds together with others is theirs; what
 * passes on has no claim on anything that is held for less.
 *
 * The owner's graph reaches what g reaches.  Order the reachable nodes by (cost, edges of the
 *shortest of the cheapest paths).  The last edge u -> v of such a path to v is kept by definition.
 *The path up to u costs no more than the one to v.  So u's cost is not above v's; if it is the
 *same, the path up to u is a cheapest one of u with one edge less.  Either way u comes before v in
 *that order, and by induction is reached.  Therefore retained bytes in the
 *owner's dominator tree add up to the reachable bytes, as they do in the exact one.
 *
 * Counts beyond OWNER_COST_MAX are taken to be equal: costs still never fall along a path, and the
 * argument holds as it is.
 *
 * Knows only numbers.  O(n + m); 2 bytes a node, 1 an edge and the walk's stack while it works,
 *then 4 bytes a node and a kept edge for the result.
 */
#ifndef LIMPET_GRAPH_OWNER_H
#define LIMPET_GRAPH_OWNER_H

#include "graph/graph.h"

#define OWNER_COST_MAX 250

enum graph_edge_kind { EDGE_STRONG, EDGE_PLAIN, EDGE_LINK, EDGE_CHAIN };

struct graph_bead {
	gnode string, bead; /* both reachable */
};

/* enum graph_edge_kind by index of an edge in g->to; edges of the super-root are among them. */
struct graph_passing {
	uint8_t *kind;
	uint64_t m; /* edges that there is room for */
	VEC(struct graph_bead) beads;
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
