/*
 * gc_tuning.h - the arithmetic of GOGC, GOMEMLIMIT and a container's limit: of the detector, and of
 * `limpet gc`.
 */
#ifndef LIMPET_FIND_GC_TUNING_H
#define LIMPET_FIND_GC_TUNING_H

#include "find/find.h"

#define GC_NONE UINT64_MAX /* no such limit */

/* All bytes. */
struct gc_facts {
	uint64_t live;		  /* reached by the last collection */
	uint64_t garbage;	  /* not swept, or dead since */
	uint64_t stacks, globals; /* scanned: count towards the goal (from 1.18 on) */
	uint64_t minimum;	  /* gcController.heapMinimum: 4 MiB * GOGC / 100 */
	uint64_t other;	    /* what the limit covers besides the heap's objects and free pages */
	uint64_t outside;   /* resident, and not covered by GOMEMLIMIT: cgo, mmap, files */
	int32_t gogc;	    /* negative: off */
	uint64_t limit;	    /* GOMEMLIMIT; GC_NONE */
	uint64_t container; /* the cgroup's limit; GC_NONE */
	uint64_t cycles;    /* finished since the start */
	uint64_t uptime_ns;
};

enum gc_trouble {
	GC_FINE,
	GC_LIMIT_TOO_LOW, /* the limit leaves no room above what is live: it collects without end */
	GC_LIMIT_TOO_HIGH, /* the limit lies above the container's */
	GC_GOAL_TOO_HIGH,  /* the next collection begins beyond the container's limit */
	GC_OFF,		   /* GOGC=off and no limit */
	GC_WIDE,	   /* GOGC so high that most of the heap will be garbage */
	GC_NARROW,	   /* GOGC so low that it collects all the time */
};

/* By GOGC alone; GC_NONE: off.  Source: runtime/mgcpacer.go, commit. */
uint64_t gc_goal(const struct gc_facts *f);
/* By the limit alone; GC_NONE: none.  Source: the same, memoryLimitHeapGoal. */
uint64_t gc_limit_goal(const struct gc_facts *f);
/* The worst that is the matter. */
enum gc_trouble gc_judge(const struct gc_facts *f);

/* In words, of the keep: what is the matter, what to change, how the goals come about. */
const char *gc_title(struct keep *k, const struct gc_facts *x, enum gc_trouble t);
const char *gc_fix(struct keep *k, const struct gc_facts *x, enum gc_trouble t);
const char *gc_sums(struct keep *k, const struct gc_facts *x);

#endif
