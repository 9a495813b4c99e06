/*
 * watched.h - what the views that refresh show: figures of a running program, from its own
 * counters.
 *
 * Filled by watch/view.c and watch/view_sites.c; written by text_watched.c and json_watched.c.
 * ANS_UNKNOWN: not known; rates are per second, NAN: not known (yet).
 */
#ifndef LIMPET_REPORT_WATCHED_H
#define LIMPET_REPORT_WATCHED_H

#include "base/mem.h"
#include "report/text.h"

#include <sys/types.h>

enum { WATCHED_HISTORY = 240, WATCHED_WAITS = 32 };

/* Live heap after collections, as the middle one of the slopes between any two of them. */
struct ans_slope {
	uint64_t cycles; /* collections looked at; < 3: no slope yet */
	uint64_t span_ns;
	double per_cycle, per_hour; /* bytes; per_hour only of 30 s and more */
};

struct ans_watched {
	pid_t pid;
	const char *exe, *go; /* borrowed */
	uint64_t at_unix_ns, up_ns;
	uint64_t interval_ns; /* since the refresh before; 0: this is the first */
	uint64_t rss, threads, fds;
	uint64_t heap_live, heap_marked, heap_goal; /* goal ANS_UNKNOWN - 1: none */
	uint64_t heap_in_use, heap_free, heap_released, stacks, runtime_bytes;
	uint64_t cycles, forced;
	bool collecting;
	int64_t gogc; /* -1 off; INT64_MIN unknown */
	uint64_t new_cycles;
	uint64_t pause_total_ns, last_pause_ns, new_pause_ns;
	uint64_t total_alloc, mallocs, frees, goroutines;
	double cycles_rate, alloc_rate, malloc_rate;
	double cpus;   /* processors used */
	double gc_cpu; /* share of GOMAXPROCS since the watch began; of all the time before there
			  was a cycle */
	struct ans_slope slope;
	/* heap_live at each refresh, the newest last */
	uint64_t history[WATCHED_HISTORY];
	size_t nhistory;
};

struct ans_watched_site {
	const char *function, *file; /* borrowed until the next refresh */
	int line;
	uint64_t bytes, objects; /* in use, scaled from the sample */
	uint64_t alloc_bytes;	 /* since the program began */
	double alloc_rate;	 /* bytes per second since the refresh before */
	uint64_t samples;	 /* that stand for what is in use */
};

struct ans_watched_wait {
	const char *reason;
	uint64_t n;
};

struct ans_watched_top {
	const char *profiling; /* NULL: it is on; else why there are no rows */
	uint64_t rate;	       /* MemProfileRate */
	uint64_t buckets;
	uint64_t bytes;			   /* of all rows, also those not shown */
	VEC(struct ans_watched_site) rows; /* by what is in use, the most first */
	/* goroutines by state; where there are many, scaled from some of them */
	uint64_t running, runnable, in_syscall, waiting, other;
	bool states_known, states_sampled;
	struct ans_watched_wait waits[WATCHED_WAITS];
	size_t nwaits;
};

void ans_watched_top_deinit(struct ans_watched_top *t);

/* One line each; the head is for the first and every so often. */
void text_watched_columns(struct str *o);
void text_watched_line(struct str *o, const struct ans_watched *w);
/* As large as that terminal; lines end in \n. */
struct text_size {
	unsigned columns, rows;
};
void text_watched_screen(struct str *o, enum text_style st, struct text_size s,
			 const struct ans_watched *w);
void text_watched_top(struct str *o, enum text_style st, struct text_size s,
		      const struct ans_watched *w, const struct ans_watched_top *t, size_t limit);
/* One document a line. */
void json_watched(struct str *o, const struct ans_watched *w);
void json_watched_top(struct str *o, const struct ans_watched *w, const struct ans_watched_top *t,
		      size_t limit);

#endif
