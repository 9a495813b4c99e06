/*
 * gc.h - `limpet gc`: settings, goals and costs of a program's collector, from its own counters.
 *
 * All bytes and ns; ANS_UNKNOWN: not known.
 */
#ifndef LIMPET_REPORT_GC_H
#define LIMPET_REPORT_GC_H

#include "find/gc_tuning.h"
#include "goruntime/beat.h"
#include "report/text.h"

struct ans_gc_says {
	const char *verdict; /* "gc-off"; the words of JSON */
	const char *why, *fix;
};

struct ans_gc {
	struct keep keep;
	int64_t pid;
	const char *exe, *go; /* borrowed */
	bool live;	      /* it runs: read without stopping it */
	const char *file;     /* of MemStats behind a heap profile as text; NULL: a program */
	const char *damage;   /* static text: why it may lack its end; NULL: whole */
	struct gc_facts facts;
	struct go_beat beat;
	uint64_t rss, used;			    /* of the process; of the container */
	uint64_t goal, goal_by_gogc, goal_by_limit; /* of the next collection */
	uint64_t interval_ns;			    /* between the two looks; 0: there was one */
	uint64_t new_cycles;
	double alloc_rate;  /* bytes a second in that time; NAN */
	double cycles_rate; /* a second: in that time if some were, else since the start */
	double cpu_share;   /* of all processor time, since the start; NAN */
	double cpu_now;	    /* of that time; NAN */
	struct ans_gc_stops {
		uint64_t n, median_ns, p90_ns, max_ns; /* the newest n; 0: nobody wrote them down */
		uint64_t window_ns;		       /* from the first of them to the last */
	} stops;
	uint64_t fragments; /* spans in use, without what is live or garbage in them */
	const char *sums;   /* the arithmetic, in lines */
	VEC(struct ans_gc_says) says; /* the worst first; never empty */
};

/*
 * Two looks at it, or one (then: NULL).  Errors: UNSUPPORTED: it has no such counters; NOMEM, GONE.
 */
struct go;
struct ans_gc_look {
	struct go_beat beat;
	uint64_t at_ns;
};
struct err *ans_gc_make(const struct go *g, const struct ans_gc_look *then,
			const struct ans_gc_look *now, struct ans_gc *ret) MUST_CHECK;
/*
 * Of the MemStats that a heap profile as text ends with: its settings are not among them.  p is
 * borrowed.  Errors: UNSUPPORTED: it has none; NOMEM.
 */
struct pprof;
struct err *ans_gc_of_memstats(const struct pprof *p, struct ans_gc *ret) MUST_CHECK;
/* What the counters alone show: used by both. */
struct err *ans_gc_judge_costs(struct ans_gc *a) MUST_CHECK;
void ans_gc_deinit(struct ans_gc *a);

void text_gc(struct str *o, enum text_style st, const struct ans_gc *a);
void json_doc_gc(struct str *o, const struct ans_gc *a);

#endif
