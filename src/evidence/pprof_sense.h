/*
 * pprof_sense.h - what a figure of a profile is: a state, a total since the start, of a run, or a
 * change.  Two of them are compared by that rule.
 */
#ifndef LIMPET_EVIDENCE_PPROF_SENSE_H
#define LIMPET_EVIDENCE_PPROF_SENSE_H

#include "evidence/pprof.h"

enum pprof_sense {
	PPROF_STATE,  /* at one moment: inuse_space, goroutine */
	PPROF_TOTAL,  /* since the program's start: alloc_space, contentions, delay */
	PPROF_RUN,    /* while it was taken: cpu */
	PPROF_CHANGE, /* of a state or total while it was taken: ?seconds=N; may be negative */
	PPROF_UNSURE, /* of no profile of Go */
};

enum pprof_sense pprof_sense(const struct pprof *p, unsigned type);
/* "inuse_space at one moment"; one sentence without its end; static. */
const char *pprof_sense_words(enum pprof_sense s);

#endif
