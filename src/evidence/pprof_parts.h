/*
 * pprof_parts.h - what the time of a CPU profile went to: the program, the collector, the scheduler
 * …
 *
 * Each sample counts in one part, by the runtime's functions on its stack; the first part in the
 * order below that one of them belongs to.  What a function is to the runtime is read off its name,
 * so renamed or new ones of the runtime count for the program.
 */
#ifndef LIMPET_EVIDENCE_PPROF_PARTS_H
#define LIMPET_EVIDENCE_PPROF_PARTS_H

#include "evidence/pprof.h"

enum pprof_part {
	PPROF_PART_ASSIST,  /* marking that whoever allocates must do */
	PPROF_PART_COLLECT, /* marking, sweeping, returning memory, in goroutines of its own */
	PPROF_PART_ALLOC,
	PPROF_PART_SCHEDULE, /* looking for what to run, going to sleep, waking others */
	PPROF_PART_SYSCALL,
	PPROF_PART_CGO,
	PPROF_PART_LOCK, /* waiting for and handing over mutexes */
	PPROF_PART_PROGRAM,
	PPROF_PARTS
};

/* Sums by part. */
void pprof_parts(const struct pprof *p, unsigned type, int64_t ret[static PPROF_PARTS]);
/* What it is, and what a large one means; static. */
const char *pprof_part_word(enum pprof_part part);
const char *pprof_part_means(enum pprof_part part);

#endif
