/*
 * partition.h - the reachable nodes by who reaches them: groups of roots, each node once.
 *
 * A group of roots holds a node if only its roots reach it: what would go if all roots of the
 * group went together, which is more than the sum of what each holds alone.
 *
 *   owner[v] == GRAPH_NONE     unreachable, or node 0
 *   owner[v] == GRAPH_SHARED   roots of several groups reach it
 *   owner[v] == k              roots of group k reach it, and no other
 */
#ifndef LIMPET_GRAPH_PARTITION_H
#define LIMPET_GRAPH_PARTITION_H

#include "graph/graph.h"

#define GRAPH_SHARED (GRAPH_NONE - 1)

/*
 * group[r] < GRAPH_SHARED of root r (node 1 + r); GRAPH_NONE: left out, as if the root were not.
 * Free owner with free().  Cost: O(n + m), each node is walked through twice at most; 12 bytes a
 * node.
 */
struct err *graph_partition(const struct graph *g, const uint32_t *group,
			    uint32_t **ret_owner) MUST_CHECK;

/* Set the bit of each node that roots with group[r] == k reach; bits are all zero before. */
struct err *graph_reach_of(const struct graph *g, const uint32_t *group, uint32_t k,
			   uint64_t *bits) MUST_CHECK;

#endif
