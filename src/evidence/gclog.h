/*
 * gclog.h - what GODEBUG=gctrace=1 (and scavtrace, gcpacertrace) wrote, found inside any other
 * output, told apart by process, and judged.
 *
 * The lines are those of Go 1.10 to 1.27 (runtime/mgc.go, gcMarkTermination).  The runtime writes
 * each piece of a line with a call of its own, so other output may lie between any two: such lines
 * are pieced together.  Sizes are whole MiB, cut off below: that is all that a log has.
 *
 * Memory: at most GCLOG_CYCLES cycles are kept; of a longer log every second one of the longest
 * stream goes, again and again; sums, maxima and counts are of all.  The file itself is not kept.
 */
#ifndef LIMPET_EVIDENCE_GCLOG_H
#define LIMPET_EVIDENCE_GCLOG_H

#include "base/keep.h"
#include "evidence/input.h"

enum {
	GCLOG_CYCLES = 1 << 19,
	GCLOG_STREAMS = 4096,
	GCLOG_KEY = 80,
	GCLOG_RECENT = 256, /* streams that go on */
	GCLOG_WAIT = 8,	    /* pieced cycles of a stream that wait */
};

enum gclog_flag {
	GCLOG_FORCED = 1,   /* by runtime.GC, debug.FreeOSMemory: "(forced)" */
	GCLOG_PERIODIC = 2, /* two minutes without one: "GC forced" stood before it */
	GCLOG_LEAKS = 4,    /* "(checking for goroutine leaks)" */
	GCLOG_PIECED = 8,   /* other output lay between its pieces */
	GCLOG_SPLIT = 16,   /* pieced, and digits of others beside its own: they may be mixed up */
};

#define GCLOG_NONE UINT64_MAX

struct gclog_cycle {
	uint64_t n;		    /* number, from 1 */
	uint64_t line;		    /* where it ends in the file, from 1 */
	uint64_t at_ns;		    /* it began, since its program did */
	uint64_t stop_ns, stop2_ns; /* the world stopped: before marking, behind it */
	uint64_t mark_ns;	    /* between them, by the clock */
	/* processor time: of both stops, of who allocated, of workers, of idle processors */
	uint64_t cpu_stop_ns, cpu_assist_ns, cpu_mark_ns, cpu_idle_ns, cpu_stop2_ns;
	uint64_t heap0, heap1, heap2; /* MiB: when it began, when it ended, marked */
	uint64_t goal;		      /* MiB; GCLOG_NONE: GOGC is off and no limit is set */
	uint64_t stacks, globals;     /* MiB that are scanned; GCLOG_NONE: before Go 1.18 */
	uint32_t procs;		      /* GOMAXPROCS */
	uint16_t util;		      /* percent of all processor time since the program began */
	uint16_t flags;		      /* enum gclog_flag */
};

static inline uint64_t gclog_pause(const struct gclog_cycle *c)
{
	return c->stop_ns + c->stop2_ns;
}

/* A robust slope: the middle one of those between any two points, and where it may lie. */
struct gclog_slope {
	size_t n;	  /* points; < 3: none */
	double slope;	  /* bytes per unit */
	double low, high; /* 95 of 100 */
};

enum gclog_verdict {
	GCLOG_LITTLE, /* too few cycles, or too little grew, to tell */
	GCLOG_STEADY,
	GCLOG_WARMING,
	GCLOG_GROWS, /* as a leak would, and the log does not tell it from what fills up */
	GCLOG_LEAK,
	GCLOG_SPIRAL, /* GOGC or GOMEMLIMIT: it collects again and again and frees little */
	GCLOG_STARVED,
	GCLOG_FORCES, /* the program itself asks for too many */
};

/* "leak"; the words of JSON. */
const char *gclog_verdict_word(uint8_t v);

struct gclog_says {
	uint8_t verdict;
	unsigned sure;	 /* permille */
	const char *why; /* with the figures; of the keep */
	const char *fix; /* what to do; "" none */
};

struct gclog_stats {
	uint64_t cycles, first_n, last_n, missing; /* numbers that are not in the log */
	uint64_t forced, periodic, pieced;
	uint64_t from_ns, to_ns; /* the first began, the last ended */
	uint64_t live_first, live_last, live_min, live_max, heap_max; /* MiB */
	uint64_t goal_last, goal_max;				      /* GCLOG_NONE */
	uint64_t pause_total_ns, pause_max_ns, pause50_ns, pause90_ns, pause99_ns;
	uint64_t mark_total_ns, mark_max_ns;
	uint64_t cpu_stop_ns, cpu_assist_ns, cpu_mark_ns, cpu_idle_ns;
	double cpu_share;    /* of procs * time in the log, without what idle ones did */
	double assist_share; /* of the collector's processor time */
	double busy;	     /* share of the time in which one was going on */
	double alloc_bytes;  /* in the log: heap growth in and between cycles, in whole MiB */
	uint64_t alloc_unseen; /* cycles before which less than a MiB was allocated */
	double alloc_rate;   /* bytes per second */
	uint32_t procs;	     /* of the last */
	unsigned util_last;  /* percent, as the runtime says it */
	struct gclog_slope per_cycle, per_hour; /* live heap, behind the warm-up */
	bool by_hour;				/* the log is long enough to say it */
};

struct gclog_stream {
	char key[GCLOG_KEY]; /* what stands before its lines besides times; "" nothing */
	uint64_t keyhash;
	VEC(struct gclog_cycle) cycles;
	uint64_t every; /* of so many one is kept */
	uint64_t seen;
	struct gclog_cycle last;
	struct gclog_cycle wait[GCLOG_WAIT]; /* pieced ones, until a whole one fits behind them */
	size_t nwait;
	struct gclog_stats st;
	/* scavtrace */
	uint64_t scav_lines, scav_kib, scav_now_kib;
	unsigned scav_util;
	/* gcpacertrace: how far the heap went beyond its goal */
	uint64_t pacer_lines;
	int64_t pacer_beyond_max;
	struct gclog_says says;	     /* the main one */
	VEC(struct gclog_says) also; /* further ones that hold as well */
	bool awaits_periodic;	     /* "GC forced" was said, its cycle is next */
};

struct gclog {
	struct keep keep;
	VEC(struct gclog_stream *) streams; /* in the order of their first cycles */
	size_t main;	 /* index of the one that matters most; SIZE_MAX: there is none */
	uint64_t lines;	 /* of the file */
	uint64_t cycles; /* found */
	uint64_t kept;
	uint64_t broken;      /* begun, and the rest was not found */
	uint64_t strangers;   /* cycles beyond GCLOG_STREAMS */
	uint64_t other_lines; /* of lines[] that are of no collector */
	const char *damage;   /* of the file; NULL */
	/* while it is read: who spoke last, the last first */
	struct gclog_stream *recent[GCLOG_RECENT];
	size_t nrecent;
};

/* Errors: NOMEM, OS. A log without cycles is none: cycles is 0. */
struct err *gclog_read(struct input *in, struct gclog *ret) MUST_CHECK;
void gclog_deinit(struct gclog *g);

/* For who joins evidence: the main stream; NULL: none. */
const struct gclog_stream *gclog_main(const struct gclog *g);

/* --- parts, for tests --- */

struct gclog_scan; /* finds cycles in lines */
struct gclog_found {
	struct gclog_cycle c;
	const char *before; /* what stood before it in its line; borrowed */
	size_t nbefore;
	const char *line; /* all of it, unpacked if it is JSON */
	size_t nline;
};
typedef struct err *gclog_found_fn(void *arg, const struct gclog_found *f);
struct err *gclog_scan_create(gclog_found_fn *fn, void *arg, struct gclog_scan **ret) MUST_CHECK;
struct err *gclog_scan_line(struct gclog_scan *s, const char *p, size_t n) MUST_CHECK;
/* The end of the file; *ret_broken: begun and not found to the end. */
void gclog_scan_end(struct gclog_scan *s, uint64_t *ret_broken);
void gclog_scan_free(struct gclog_scan *s);

/* x ascending; slope of y over x.  O(points squared), points are thinned to a few hundred. */
struct err *gclog_theil_sen(const double *x, const double *y, size_t n,
			    struct gclog_slope *ret) MUST_CHECK;
void gclog_stats_of(struct gclog_stream *s);
struct err *gclog_judge(struct gclog *g, struct gclog_stream *s) MUST_CHECK;

#endif
