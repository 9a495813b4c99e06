/*
 * live.h - what is reached without those who wait, and which of those can still be woken.
 *
 * A late root is walked from only when one of the nodes that it waits for has been reached, an
 * edge that is hidden leads nowhere meanwhile; when nothing changes any more, the nodes seen are
 * live.  The rest of what is reachable hangs off late roots alone, none of which will go on.
 *
 *   live ⊆ reached;  bit of root node: it is no late one, or it can be woken
 *
 * Source: runtime/mgc.go, findGoroutineLeaks (1.26).  Knows no goroutines.
 * Cost: that of reach, whose walk it is, in another order.
 */
#ifndef LIMPET_GRAPH_LIVE_H
#define LIMPET_GRAPH_LIVE_H

#include "graph/graph.h"

/* Root node `root` is walked from once `thing` is reached.  thing 0: from the start. */
struct graph_late {
	gnode root;
	gnode thing; /* GRAPH_NONE: nothing wakes it, as far as this one goes */
};

struct graph_hidden {
	gnode from, to;
};

struct graph_waits {
	VEC(struct graph_late) late; /* a root may stand here several times */
	VEC(struct graph_hidden) hidden;
};

void graph_waits_deinit(struct graph_waits *w);

/* Sets live, reached and its sums.  w is sorted on return.  Errors: NOMEM. */
struct err *graph_reach_late(struct graph *g, struct graph_waits *w) MUST_CHECK;

/* What s->waits says of the graph's nodes. */
struct err *graph_waits_of(const struct graph *g, struct graph_waits *ret) MUST_CHECK;

/*
 * The shortest way from a root to v that is a reason for v to live: not through hidden edges, nor
 * from late roots that wait for v itself.  As graph_path().
 */
struct err *graph_waker_path(struct graph *g, struct graph_waits *w, gnode v, gnode **ret_path,
			     size_t *ret_len) MUST_CHECK;

static inline bool graph_live(const struct graph *g, gnode v)
{
	return !g->live || (g->live[v >> 6] >> (v & 63) & 1);
}

/*
 * What would go with the roots that are not live: owner of each node that is reached and not
 * live, group[r] of root r; the first group that reaches it has it, so that each is counted
 * once.  ret_bytes and ret_objects by group; both have ngroups elements.
 */
struct err *graph_freed(const struct graph *g, const uint32_t *group, uint32_t ngroups,
			uint64_t *ret_bytes, uint64_t *ret_objects) MUST_CHECK;

#endif
