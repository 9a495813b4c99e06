/*
 * nudge_point.h - where in a running program the runtime's own periodic collection is told when.
 *
 * Found by who reads the program's memory, used by who may write it (nudge.h).
 */
#ifndef LIMPET_WATCH_NUDGE_POINT_H
#define LIMPET_WATCH_NUDGE_POINT_H

#include "base/addr.h"
#include "base/err.h"

struct nudge_point {
	taddr period; /* runtime.forcegcperiod; 0: not found for certain */
	uint64_t value;
	taddr last_gc; /* memstats.last_gc_nanotime */
	/* runtime.sched: the note that the monitor sleeps on; 0: not known in this version */
	taddr lock, wait, note;
	uint32_t wait_bytes;
	uint64_t waits;	    /* the value there: not 0 while it sleeps for long */
	taddr profile_rate; /* runtime.MemProfileRate; 0: not found (sampling.h) */
	uint64_t profile_value;
};

struct go;
/* Errors: ERR_GONE. */
struct err *nudge_point_find(const struct go *g, struct nudge_point *ret) MUST_CHECK;

#endif
