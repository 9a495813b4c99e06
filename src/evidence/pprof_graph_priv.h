/*
 * pprof_graph_priv.h - between the files of a call graph: nodes in the making.
 */
#ifndef LIMPET_EVIDENCE_PPROF_GRAPH_PRIV_H
#define LIMPET_EVIDENCE_PPROF_GRAPH_PRIV_H

#include "evidence/pprof_graph.h"

/* Texts by content: the same id, the same bytes.  0 is "". */
struct pprof_texts {
	VEC(const char *) text;
	uint32_t *slot; /* open addressing: id + 1; 0: free */
	size_t nslots;
	struct keep *keep; /* owns what is made; what is given is borrowed */
};

struct pprof_key {
	uint32_t name, file, object; /* texts */
	int64_t line, column, start_line;
	uint64_t address;
};

struct pprof_making {
	const struct pprof *p;
	const struct pprof_ask *q;
	struct pprof_pick *pick;
	struct keep *keep;
	struct pprof_texts texts;
	uint32_t *function_name, *function_file, *mapping_file; /* texts + 1; 0: not known yet */
	VEC(struct pprof_key) keys;				/* of nodes */
	uint32_t *slot;						/* of keys: node + 1 */
	size_t nslots;
	uint32_t *first; /* by location: in nodes_of; one for each line, at least one */
	VEC(uint32_t) nodes_of;
	bool bad; /* memory was short */
};

struct err *pprof_making_init(const struct pprof *p, const struct pprof_ask *q,
			      struct pprof_pick *pick, struct keep *keep,
			      struct pprof_making *m) MUST_CHECK;
void pprof_making_deinit(struct pprof_making *m);
/* Nodes of a location, innermost first; n > 0. */
const uint32_t *pprof_making_nodes(const struct pprof_making *m, uint32_t location, size_t *ret_n);

/* Sums, of one pass over the samples. */
struct pprof_sum {
	int64_t flat, cum;
	uint64_t seen; /* sample + 1 */
	bool left_out;
};

struct pprof_sum_edge {
	struct pprof_edge e;
	uint64_t seen;
};

struct pprof_sums {
	struct pprof_sum *node; /* by node */
	VEC(struct pprof_sum_edge) edges;
	uint32_t *slot; /* of edges */
	size_t nslots;
	bool bad;
};

void pprof_sums_deinit(struct pprof_sums *s);
/* What is left_out stays so; all else begins at 0. */
struct err *pprof_sums_make(struct pprof_making *m, struct pprof_sums *s) MUST_CHECK;

/* Texts, edges, units of the nodes that are left. */
struct err *pprof_graph_finish(struct pprof_making *m, struct pprof_sums *s,
			       struct pprof_graph *g) MUST_CHECK;
#endif
