/*
 * pprof_trend.h - several profiles of one program, one after the other: how each place changes.
 *
 * A slope is the middle one of those between any two files, so that one odd file does not bend it;
 * low and high are where it may lie (95 of 100).  Of inuse_objects it is Mallocs - Frees.
 */
#ifndef LIMPET_EVIDENCE_PPROF_TREND_H
#define LIMPET_EVIDENCE_PPROF_TREND_H

#include "evidence/pprof_graph.h"

enum { PPROF_TREND_MIN = 3 };

enum pprof_trend_way { PPROF_STEADY, PPROF_GROWS, PPROF_SHRINKS };

struct pprof_trend_row {
	const char *name;
	int64_t *values;	 /* flat, of each file */
	double slope, low, high; /* a unit of x */
	enum pprof_trend_way way;
};

struct pprof_trend {
	size_t n;   /* files */
	bool hours; /* x: hours since the first; else the files' numbers */
	double *x;
	bool unordered; /* they say when they were taken, and not one after the other */
	VEC(struct pprof_trend_row) rows; /* the steepest first; those that grow for certain lead */
	struct pprof_trend_row total;
	struct keep keep;
};

/* p in the order of time; q->type: of the first one. */
struct err *pprof_trend_create(struct pprof *const *p, size_t n, const struct pprof_ask *q,
			       struct pprof_trend **ret) MUST_CHECK;
void pprof_trend_free(struct pprof_trend *t); /* NULL allowed */
static inline void pprof_trend_freep(struct pprof_trend **t)
{
	pprof_trend_free(*t);
}

const char *pprof_trend_word(enum pprof_trend_way w);

#endif
