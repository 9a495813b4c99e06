/*
 * pprof_flame.h - a profile's stacks as one tree of functions, inlined ones too: for a flame graph.
 *
 * Nodes are in preorder: a node's depth is at most one more than that of the node before it.  What
 * is narrower than a share of the whole is joined into its caller ("smaller" says how much).
 */
#ifndef LIMPET_EVIDENCE_PPROF_FLAME_H
#define LIMPET_EVIDENCE_PPROF_FLAME_H

#include "evidence/pprof_graph.h"

struct pprof_flame_node {
	uint32_t name; /* in names */
	uint32_t depth;
	int64_t self;	 /* of samples that end here; may be negative in a change */
	int64_t smaller; /* of callees that were too narrow to be drawn */
};

struct pprof_flame {
	VEC(struct pprof_flame_node) nodes;
	VEC(const char *) names; /* of the graph's keep; raw */
	struct keep keep;
	int64_t total;
};

struct err *pprof_flame_create(const struct pprof *p, const struct pprof_ask *q, size_t nodes_max,
			       struct pprof_flame **ret) MUST_CHECK;
void pprof_flame_free(struct pprof_flame *f); /* NULL allowed */
static inline void pprof_flame_freep(struct pprof_flame **f)
{
	pprof_flame_free(*f);
}

#endif
