/*
 * gclog_growth.h - private to gclog: growth of the live heap over the work that was done.
 */
#ifndef LIMPET_EVIDENCE_GCLOG_GROWTH_H
#define LIMPET_EVIDENCE_GCLOG_GROWTH_H

#include "evidence/gclog.h"

/* Bytes; w: allocated since the first cycle, ascending. */
struct gclog_growth {
	size_t n;
	double *w, *y;
	double work;
	double start, end; /* live heap */
	double third[3];   /* what each third of the work added */
	double late[2];	   /* what the second and the last third add, by their slopes */
	bool grows_last;   /* the last third's slope is none by chance */
	double noise;	   /* how far a cycle is off its neighbours: standard deviation */
	double filled;	   /* share of the work after which nearly all of the growth was there */
	struct gclog_slope by_work; /* bytes that stay of each byte that is allocated, last 2/3 */
};

/* Also the slopes of s->st.  Deinit also on error. */
struct err *gclog_growth_of(struct gclog_stream *s, struct gclog_growth *ret) MUST_CHECK;
void gclog_growth_deinit(struct gclog_growth *g);

#endif
