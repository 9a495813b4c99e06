/*
 * partition.h - the reachable nodes by who reaches them: groups of roots, each node once.
 *
 * A group of roots holds a node if only its roots reach it: what would go if all roots of the
 * group went together, which is more than the sum of what each holds alone.
 *
 *   owner[v] == GRAPH_NONE     unreachable, or node 0
 *   owner[v] == GRAPH_SHARED   roots of several groups reach it
 *   owner[v] == k              roots of group k reach it, and no other
 *
 * Some nodes may be fixed: they are a group's whoever else reaches them, and who reaches them does
 * not reach through them what hangs from them; their group does.  So a list that merely knows all
 * of a kind does not share in what each of them holds.
 */
#ifndef LIMPET_GRAPH_PARTITION_H
#define LIMPET_GRAPH_PARTITION_H

#include "graph/graph.h"

#define GRAPH_SHARED (GRAPH_NONE - 1)

/* Nodes that are fixed; group GRAPH_NONE: nobody's.  Unreachable ones are left alone. */
struct graph_fixed {
	const gnode *node;
	const uint32_t *group; /* of node[i] */
	size_t n;
};

/*
 * group[r] < GRAPH_SHARED of root r (node 1 + r); GRAPH_NONE: left out, as if the root were not.
 * Free owner with free().  Cost: O(n + m), each node is walked through twice at most; 12 bytes a
 * node.  fixed may be NULL.
 */
struct err *graph_partition(const struct graph *g, const uint32_t *group,
			    const struct graph_fixed *fixed, uint32_t **ret_owner) MUST_CHECK;

/* Set the bit of each node that is reached so by group k; bits are all zero before. */
struct err *graph_reach_of(const struct graph *g, const uint32_t *group,
			   const struct graph_fixed *fixed, uint32_t k, uint64_t *bits) MUST_CHECK;

#endif
