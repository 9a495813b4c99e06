/*
 * pulse.h - what a running program's own counters say, read without stopping it.
 *
 * Process memory is read while the program runs (/proc/PID/mem): single words are whole, sums
 * over several may be torn by what happens meanwhile; nothing is injected, nobody is traced.
 * total_alloc and mallocs are off by what the Ps took from the spans they have now
 * (goruntime/beat.h).  What only grows never goes back from one reading to the next.
 * All since the program began, bytes and ns; UINT64_MAX: not known.
 */
#ifndef LIMPET_WATCH_PULSE_H
#define LIMPET_WATCH_PULSE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pulse {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	/* the runtime's */
	uint64_t cycles;      /* finished collections (runtime.MemStats.NumGC) */
	bool collecting;      /* one is marking */
	uint64_t forced;      /* of the finished ones, by runtime.GC() */
	uint64_t heap_live;   /* gcController.heapLive: marked + allocated since */
	uint64_t heap_marked; /* live after the last cycle */
	uint64_t heap_goal;   /* PULSE_NO_GOAL: GOGC is off, and no limit is set */
	uint64_t heap_in_use, heap_free, heap_released, stacks, runtime_bytes;
	uint64_t total_alloc, total_free, mallocs, frees;
	uint64_t pause_total_ns, last_pause_ns, last_gc_unix_ns;
	uint64_t gc_cpu_ns, total_cpu_ns; /* work.cpuStats, as of the last cycle */
	uint64_t goroutines;
	int64_t gogc; /* percent; -1: off; INT64_MIN: not known */
	/* the kernel's */
	uint64_t rss, threads, cpu_ns, fds;
};

#define PULSE_NO_GOAL (UINT64_MAX - 1)

struct pulse_reader;
struct broker;
struct go;

/*
 * Reading is done by a process of its own, which gives up its rights before it reads a byte of the
 * target; its own helper opens.  Errors: GONE, DENIED, UNSUPPORTED (not Go, unknown version),
 * BAD_DATA (also a program whose runtime has not begun yet).
 */
struct err *pulse_open(pid_t pid, struct pulse_reader **ret) MUST_CHECK;
/* The same in this process, which has walls already: what its broker was started for. */
struct err *pulse_open_here(struct broker *b, const char *layout_file,
			    struct pulse_reader **ret) MUST_CHECK;
/* Of pulse_open_here(): the runtime that it reads; borrowed. */
const struct go *pulse_go(const struct pulse_reader *x);
/* Errors: GONE: it has ended. */
struct err *pulse_read(struct pulse_reader *x, struct pulse *ret) MUST_CHECK;
void pulse_close(struct pulse_reader *x);
static inline void pulse_closep(struct pulse_reader **x)
{
	pulse_close(*x);
}

#endif
