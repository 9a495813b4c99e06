/*
 * pprof_quick.h - flat and cum of a large file without its samples in memory.
 *
 * The file is read twice: for all but its samples (PPROF_KEEP_HEADS), then for them, each added up
 * as it comes by.  Memory: that of functions, locations and texts; calls only as far as it takes to
 * say what was inlined.
 */
#ifndef LIMPET_EVIDENCE_PPROF_QUICK_H
#define LIMPET_EVIDENCE_PPROF_QUICK_H

#include "evidence/pprof_graph.h"

/* Can the question be answered so?  No filters, nothing left out, no frames to be dropped. */
bool pprof_quick_can(const struct pprof *p, const struct pprof_ask *q);

/*
 * in: the same file from its beginning; p: its heads.  The graph has nodes and no edges; nodes say
 * themselves what was inlined.  Errors: BAD_DATA: it is not the same, or damaged.
 */
struct err *pprof_quick_graph(const struct pprof *p, struct input *in, const struct pprof_ask *q,
			      struct pprof_graph **ret) MUST_CHECK;

#endif
