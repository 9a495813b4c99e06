/*
 * judge.h - rounds of a load, and what stayed after each: leak, cache that fills, or noise?
 *
 * Knows only numbers: looks are taken and compared by others (find/diff.h).  Every round doubles
 * how often the load has run since the program began: 1 (warm-up), 2, 4, 8, 16, 32, 64.  Then
 *
 *   a leak                  adds in proportion to the load: twice as much in each round as before,
 *                           and what each round added stays
 *   a cache that fills,     adds less and less a load, and nothing any more once it is full
 *   a table that grows lazily, a pool
 *   something that expires  adds, but what the early rounds added goes; or it goes at rest
 *   a table that doubles    takes one step a round if it grows without end, none if it does not
 *   noise                   does not know of the load
 *
 * Where the rounds so far do not tell, judge() says what to do next: so many loads, or a rest.  How
 * it decides, with figures: docs/check.md.
 *
 * HOW TO USE.  Look behind the warm-up (round 0); then until next.what is JUDGE_DONE: do what next
 * says, wait for the collector, look, tell all series from 0 on again, judge().
 */
#ifndef LIMPET_WATCH_JUDGE_H
#define LIMPET_WATCH_JUDGE_H

#include "find/diff.h"

enum { JUDGE_ROUNDS = 64, JUDGE_USUAL = 9 };

/* One thing that is counted: objects of a type under a holder, goroutines of a stack, all bytes. */
enum judge_what { JUDGE_OBJECTS, JUDGE_GOROUTINES, JUDGE_TOTAL, JUDGE_STACKS };

struct judge_series {
	uint8_t what; /* enum judge_what */
	/* a finding says that what is counted can never be used again: growth is all it takes */
	bool proved;
	const char *name;	   /* "main.Session under main.cache"; borrowed */
	const char *type, *holder; /* objects; else NULL */
	/* [r]: after round r; 0 is the look behind the warm-up */
	uint64_t objects[JUDGE_ROUNDS], bytes[JUDGE_ROUNDS];
	/* [r]: of those that were first seen at r, still there at the last look; UINT64_MAX:
	 * unknown */
	uint64_t stayed[JUDGE_ROUNDS];
	uint64_t born[JUDGE_ROUNDS]; /* [r]: first seen at r; UINT64_MAX: unknown */
};

struct judge_rounds {
	size_t n;		      /* behind the warm-up: looks 1 .. n */
	size_t max;		      /* how many there may be; 0: JUDGE_USUAL */
	uint32_t loads[JUDGE_ROUNDS]; /* [r]: how often the load ran in it, [0]: in the warm-up */
	uint64_t
		rest_ns[JUDGE_ROUNDS]; /* [r]: without load before that; 0: no rest was asked for */
	uint64_t load_ns[JUDGE_ROUNDS]; /* [r]: how long that took */
	uint64_t at_ns[JUDGE_ROUNDS];	/* [r]: the look, any clock */
	uint64_t left_ns; /* time there is for further rounds; UINT64_MAX: all that it takes */
};

struct judge_limits {
	uint64_t max_growth_bytes; /* a load; UINT64_MAX: not set */
	double max_growth_share;   /* a load, of what there was behind the warm-up; < 0: not set */
	uint64_t max_goroutines;   /* more than behind the warm-up; UINT64_MAX: not set */
};

enum judge_verdict { JUDGE_STEADY, JUDGE_UNSURE, JUDGE_GROWS };

struct judge_row {
	const struct judge_series *series;
	uint8_t verdict;
	double per_round_objects, per_round_bytes; /* a load */
	uint64_t objects, bytes;		   /* more than behind the warm-up */
	unsigned sure;				   /* permille */
	bool clear;				   /* all but exactly in proportion to the load */
	const char *why;			   /* in words, of the keep */
};

enum judge_do { JUDGE_DONE, JUDGE_LOAD, JUDGE_REST };

struct judge_next {
	uint8_t what;	  /* enum judge_do */
	uint64_t rest_ns; /* JUDGE_REST: without load, before the loads */
	uint32_t loads;	  /* one after the other, one look behind them all */
};

struct judgement {
	struct keep keep;
	uint8_t verdict; /* of all; JUDGE_UNSURE as long as next is not JUDGE_DONE, or no time is
			    left to tell */
	unsigned sure;	 /* permille */
	unsigned more;	 /* rounds that would tell; 0: it is told */
	struct judge_next next;
	VEC(struct judge_row) rows; /* those that are not steady, worst first */
	const char *why;
};

struct err *judge(const struct judge_series *s, size_t n, const struct judge_rounds *r,
		  const struct judge_limits *l, struct judgement *ret) MUST_CHECK;
void judgement_deinit(struct judgement *j);

#endif
