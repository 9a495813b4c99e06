/*
 * memstats.h - runtime.MemStats as it stands behind a heap profile as text.
 *
 * A figure is a name and a number, those of the runtime; what is two numbers there ("Stack = 1 /
 * 2") is Stack.inuse and Stack.sys here; of pauses there are PauseNs.n, .sum, and .max (the last
 * 256). GCCPUFraction is in parts of a billion. More than INT64_MAX is INT64_MAX (NextGC of a
 * collector that is off).
 *
 * Source: writeHeapInternal() in runtime/pprof/pprof.go.
 */
#ifndef LIMPET_EVIDENCE_MEMSTATS_H
#define LIMPET_EVIDENCE_MEMSTATS_H

#include "evidence/pprof.h"

/* A comment of the profile, without its "# ": kept in p->memstats if it is a figure. */
struct err *memstats_line(struct pprof *p, const char *s) MUST_CHECK;

/* false: the profile has none of that name. */
bool memstats_get(const struct pprof *p, const char *name, int64_t *ret);

/* Of the k-th newest collection, k from 0: ns stopped, and when (Unix).  false: not told. */
bool memstats_pause(const struct pprof *p, unsigned k, uint64_t *ns, uint64_t *end_ns);

#endif
