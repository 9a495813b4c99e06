/*
 * sim.h - programs that are only numbers: what rounds of a load would show of them.
 *
 * A program is a rule that says, after each load, which objects of one kind there are: counted by
 * the load that made them, as a diff by identity counts.  The rounds are those that the judge asks
 * for.  Used by the unit test and by bench/judge.
 */
#ifndef LIMPET_TEST_WATCH_SIM_H
#define LIMPET_TEST_WATCH_SIM_H

#include "watch/judge.h"

enum { SIM_LOADS = 1024 };

struct sim {
	uint64_t seed;
	unsigned loads;		/* that have run */
	double seconds;		/* since the start */
	double load_seconds;	/* of one */
	double by[SIM_LOADS];	/* objects that are there, by the load that made them; [0] the start
				 */
	double born[SIM_LOADS]; /* seconds */
	double bytes;		/* where they are not size x objects; < 0: they are */
	double size;		/* of an object */
	double transient;	/* there now, gone at the next look */
	double state[4];	/* the rule's own */
	double scale;		/* the rule's own: objects a load, bound … */
	double noise;
};

typedef void sim_rule(struct sim *x);

double sim_random(struct sim *x); /* [0, 1) */
double sim_poisson(struct sim *x, double mean);
double sim_objects(const struct sim *x);

/* Start it, do what the judge says until it is done. left: seconds for all. */
struct err *sim_judge(struct sim *x, sim_rule *rule, double left, struct judge_series *ret_series,
		      struct judge_rounds *ret_rounds, struct judgement *ret) MUST_CHECK;

struct sim_kind {
	const char *name;
	sim_rule *rule;
	bool leaks;
	double least, most; /* scale, drawn between them, evenly in its logarithm */
	double noise;
};
extern const struct sim_kind sim_kinds[]; /* name NULL ends */

#endif
