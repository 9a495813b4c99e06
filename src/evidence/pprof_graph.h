/*
 * pprof_graph.h - the calls of a profile, summed up: nodes (functions, lines, files …) and edges.
 *
 * flat: of samples whose innermost frame is the node; cum: of samples that have it anywhere, each
 * sample once however often the node recurs in it.  An edge's weight: of samples in which one calls
 * the other, once.  Figures wrap around in 64 bits, as pprof's do.
 *
 * Nodes are in the order that was asked for, nodes[i].text being what pprof prints; small ones are
 * left out as pprof leaves them out (trim).  Memory: about 200 bytes a node, 32 an edge.
 *
 * Source: internal/graph/graph.go, newTrimmedGraph() in internal/report/report.go of google/pprof.
 */
#ifndef LIMPET_EVIDENCE_PPROF_GRAPH_H
#define LIMPET_EVIDENCE_PPROF_GRAPH_H

#include "base/keep.h"
#include "evidence/pprof_pick.h"

enum pprof_by {
	PPROF_BY_FUNCTION,
	PPROF_BY_LINE,	  /* function and line */
	PPROF_BY_FILE,	  /* file alone */
	PPROF_BY_PACKAGE, /* of Go: what a function's name begins with */
	PPROF_BY_ADDRESS,
	PPROF_BY_SOURCE, /* lines, told apart by their function's first line: for a listing */
};

enum pprof_order {
	PPROF_ORDER_FLAT,
	PPROF_ORDER_CUM,
	PPROF_ORDER_NAME,
	PPROF_ORDER_PICTURE, /* what makes a telling picture first */
};

struct pprof_ask {
	unsigned type; /* which of a sample's values: pprof_value_index() */
	enum pprof_by by;
	enum pprof_order order;
	struct pprof_filters filters;
	size_t nodes;			     /* at most so many; 0: all */
	double node_fraction, edge_fraction; /* of the total: below it, left out; 0: nothing */
};

enum { PPROF_CALLED = 1, PPROF_INLINED = 2 };

struct pprof_node {
	const char *name, *file, *object; /* may be "" */
	int64_t line, column, start_line;
	uint64_t address;
	const char *text; /* all of them, as pprof prints it; raw */
	int64_t flat, cum;
	uint8_t called; /* PPROF_CALLED, PPROF_INLINED: of pprof_quick.h, which has no edges */
	uint32_t first_in, nin, first_out, nout; /* in graph.in, graph.out */
};

struct pprof_edge {
	uint32_t from, to; /* nodes */
	int64_t weight;
	bool residual; /* frames between them were left out */
	bool inlined;  /* everywhere */
};

struct pprof_graph {
	const struct pprof *p;
	unsigned type;
	VEC(struct pprof_node) nodes;
	VEC(struct pprof_edge) edges;
	VEC(uint32_t) in, out; /* edges of each node, the heaviest first */
	VEC(uint32_t) made; /* of its maker; also of nodes behind nodes.n, that only edges name */
	int64_t total;	    /* of the profile, or of a diff's base: all samples as if positive */
	bool negative;	    /* some are not, so that totals of several profiles do not add up */
	size_t all_nodes;   /* before the limit */
	size_t dropped_nodes, dropped_edges;
	unsigned unmatched;	/* PPROF_PICK_* */
	const char *unit;	/* in which its figures are printed */
	const char *value_unit; /* of the figures */
	struct keep keep;
};

struct err *pprof_graph_create(const struct pprof *p, const struct pprof_ask *q,
			       struct pprof_graph **ret) MUST_CHECK;
void pprof_graph_free(struct pprof_graph *g); /* NULL allowed */
static inline void pprof_graph_freep(struct pprof_graph **g)
{
	pprof_graph_free(*g);
}

/* Sum of |value| of all samples; of a diff (label pprof::base): of the base. */
int64_t pprof_total(const struct pprof *p, unsigned type);
/* "net/http" of "net/http.(*conn).serve"; its length in name.  0: no Go name. */
size_t pprof_package(const char *name);
/* A float as an int64, whatever it is. */
int64_t pprof_round_down(double x);

#endif
