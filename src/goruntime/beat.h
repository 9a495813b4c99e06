/*
 * beat.h - the runtime's own counters of a program that may be running while they are read.
 *
 * Each figure is one word or a sum of words that are read one after the other: sums may be torn by
 * what happens meanwhile.  What a P takes from the span that it allocates from is counted when it
 * changes that span and at each collection; in Go 1.18 the whole span is, when it gets it: mallocs
 * and total_alloc are off by less than one span a size class and P.
 */
#ifndef LIMPET_GORUNTIME_BEAT_H
#define LIMPET_GORUNTIME_BEAT_H

#include "goruntime/goruntime.h"

/* Since the program began; bytes, ns; UINT64_MAX: not known. */
struct go_beat {
	bool collecting;		 /* the collector marks */
	uint64_t cycles, forced;	 /* finished; of them by runtime.GC() */
	uint64_t heap_live, heap_marked; /* allocated since the last cycle included, or not */
	uint64_t heap_goal;		 /* GOGC off: UINT64_MAX - 1 */
	uint64_t heap_in_use, heap_free, heap_released, stacks, runtime_bytes;
	uint64_t total_alloc, total_free, mallocs, frees;
	uint64_t pause_total_ns, last_pause_ns, last_gc_unix_ns;
	uint64_t last_gc_ns;		  /* by nanotime(); 0: none yet */
	uint64_t gc_cpu_ns, total_cpu_ns; /* as of the last cycle; idle marking is not in gc_cpu */
	uint64_t goroutines;
	int32_t gc_percent; /* GOGC; negative: off */
	bool gc_percent_known;
};

#define GO_BEAT_NO_GOAL (UINT64_MAX - 1)

/* Errors: ERR_GONE, ERR_NOMEM, ERR_FAULT. */
struct err *go_beat_read(const struct go *g, struct go_beat *ret) MUST_CHECK;

/* Of goroutines that are not dead, as runtime.Stack would name their state. */
enum go_beat_state {
	GO_BEAT_RUNNING,
	GO_BEAT_RUNNABLE,
	GO_BEAT_SYSCALL,
	GO_BEAT_WAITING,
	GO_BEAT_OTHER,
	GO_BEAT_STATES
};
struct go_beat_states {
	uint64_t n[GO_BEAT_STATES];
	uint64_t wait[256]; /* of the waiting ones by waitreason: layout.wait_reasons */
	uint64_t seen, of;  /* goroutines looked at, of how many: a sample where there are many */
};
/* One read a goroutine, at most max of them, evenly spread.  Errors: as above. */
struct err *go_beat_states(const struct go *g, uint64_t max, struct go_beat_states *ret) MUST_CHECK;

#endif
