/*
 * graphfile.h - the object graph as a file of another world's heap analysers.
 *
 * Names of types and fields, sizes, references and roots go out; values of the program never.
 * Written as it is walked: no second copy of the graph.
 */
#ifndef LIMPET_REPORT_GRAPHFILE_H
#define LIMPET_REPORT_GRAPHFILE_H

#include "report/agg.h"

struct graphfile {
	taddr base;			     /* address = base + the file's id; unless by_node */
	bool by_node;			     /* ids are numbers in the order of memory */
	uint64_t objects, references, bytes; /* heap objects, their sizes */
	uint64_t file_bytes;
};

/* V8's .heapsnapshot: Chrome DevTools, memlab. */
struct err *heapsnapshot_write(struct agg *a, const char *path, struct graphfile *ret) MUST_CHECK;
/* HPROF 1.0.2: Eclipse MAT, VisualVM, shark. */
struct err *hprof_write(struct agg *a, const char *path, struct graphfile *ret) MUST_CHECK;

#endif
