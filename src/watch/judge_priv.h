/*
 * judge_priv.h - between the files of the judge: what a row of numbers looks like.
 */
#ifndef LIMPET_WATCH_JUDGE_PRIV_H
#define LIMPET_WATCH_JUDGE_PRIV_H

#include "watch/judge.h"

enum {
	LOADS_GREEN = 7,   /* behind the warm-up, before "nothing grows" is said */
	LOADS_TELL = 28,   /* before "grows" is said */
	LOADS_AIM = 60,	   /* where there is time for it */
	LOADS_CLEAR = 120, /* what is not quite in proportion, likewise */
	REST_SECONDS = 10  /* before "grows" is said: does it go by itself? */
};

enum shape_kind {
	SHAPE_FLAT,  /* not more than there was */
	SHAPE_FULL,  /* grew, and did not in the last round */
	SHAPE_FADES, /* less a load from round to round */
	SHAPE_GOES,  /* grew, and went while there was no load */
	SHAPE_NOISE, /* up and down, or what does not know of the load */
	SHAPE_MAYBE, /* in proportion to the load, as far as can be said */
	SHAPE_GROWS, /* in proportion to the load, and no other explanation is left */
};

enum shape_how {
	SHAPE_COHORTS, /* what each round added and is still there, by identity */
	SHAPE_COUNTS,  /* how many more there are: single things */
	SHAPE_STEPS,   /* how many more bytes: may grow in steps of up to two times */
};

struct shape {
	uint8_t kind;  /* enum shape_kind */
	uint8_t how;   /* enum shape_how */
	double growth; /* all of it */
	double unit;   /* what counts as one observation */
	double rate;   /* a load, in the last round with one */
	double before; /* a load, in the round before that */
	bool clear;    /* SHAPE_GROWS: nobody would doubt it */
	double favour; /* natural logarithm: by how much likelier if it grows with the load than if
			  it fades */
};

/* How often the load has run at look r, never 0. */
double judge_loads(const struct judge_rounds *r, size_t look);
/* A round of loads alone; the last such one, 0: none. */
bool judge_counts(const struct judge_rounds *r, size_t round);
size_t judge_last_load(const struct judge_rounds *r);

/* added[1 .. r->n]: what each round added; a rest may take away. */
void judge_shape(const double *added, enum shape_how how, const struct judge_rounds *r,
		 struct shape *ret);
/* The worst of what its objects, and its bytes, look like. */
void judge_series_shape(const struct judge_series *s, const struct judge_rounds *r,
			struct shape *ret);

/* The words. */
const char *judge_why(struct keep *k, const struct judge_series *s, const struct judge_rounds *r,
		      const struct shape *x);
const char *judge_why_all(struct keep *k, const struct judge_rounds *r, const struct judgement *j,
			  size_t nseries);

struct err *judge_limits(const struct judge_series *s, size_t n, const struct judge_rounds *r,
			 const struct judge_limits *l, struct judgement *j) MUST_CHECK;

/*
 * Is series `table`, whose bytes grow, as large as the most of what it holds needed, which comes
 * and goes?  Go's maps never shrink (runtime/map.go; internal/runtime/maps).
 */
bool judge_follows(const struct judge_series *s, size_t n, size_t table,
		   const struct judge_rounds *r);

#endif
