/*
 * trial_priv.h - a trial while it runs; private to watch/.
 */
#ifndef LIMPET_WATCH_TRIAL_PRIV_H
#define LIMPET_WATCH_TRIAL_PRIV_H

#include "report/agg.h"
#include "watch/env.h"
#include "watch/load.h"
#include "watch/nudge.h"
#include "watch/pulse.h"
#include "watch/sampling.h"
#include "watch/series.h"
#include "watch/trial.h"

/* Bytes between two samples: docs/check.md says what it costs. */
enum { TRIAL_RATE = 2048 };

/* A look that was taken: its store is open and has no name any more. */
struct trial_look {
	int fd;
	uint32_t loads;	  /* in the round before it */
	uint64_t rest_ns; /* before those; 0 */
	uint64_t load_ns, at_ns;
	bool has_pulse;
	struct pulse before, pulse; /* around the loads, before the collector was asked */
	struct sight sight;
};

struct trial {
	const struct trial_opts *o;
	const struct host *h;
	struct keep *keep;
	struct ans_check *a;
	uint64_t began_ns;
	struct env env;	     /* of the program */
	struct child *child; /* NULL: not ours */
	struct ready ready;
	pid_t pid;
	struct pulse_reader *pulse; /* NULL: its counters cannot be read */
	struct sampling *sampling;  /* NULL: it needs none */
	struct nudge *nudge;	    /* made when it is first needed */
	const char *note;	    /* what could not be done; "" */
	int log_fd;
	VEC(struct trial_look) looks;
	uint32_t nloads; /* so far */
	bool broken;	 /* a->result is CHECK_BROKEN: there is no point in going on */
};

/* The program did not do its part; the first one counts.  output: whose last lines are shown. */
void trial_broken(struct trial *t, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
void trial_output(struct trial *t, const char *tail);

/* Started, ready, its counters found; or broken. */
struct err *trial_begin(struct trial *t) MUST_CHECK;
/* Ended, with all that belongs to it. */
void trial_end(struct trial *t);
/* It has ended by itself: says so, broken. */
bool trial_gone(struct trial *t, const char *when);

/* n loads, behind so long without one; then the after-effects, the collector and a look. */
struct err *trial_load(struct trial *t, uint32_t n) MUST_CHECK;
struct err *trial_rest(struct trial *t, uint64_t ns, uint32_t n) MUST_CHECK;
struct err *trial_look(struct trial *t) MUST_CHECK;

/* Figures of the rounds, and the limits that they keep or break. */
struct err *trial_rounds(struct trial *t, const struct series *s) MUST_CHECK;
struct err *trial_limits(struct trial *t) MUST_CHECK;
/* The last look, to be asked about what grows. */
struct trial_detail {
	struct store *store;
	struct agg agg;
	const char *module;
	struct ans_places places;
	struct ans_goroutines goroutines;
};

struct err *trial_detail_open(struct trial *t, struct trial_detail *ret) MUST_CHECK;
void trial_detail_close(struct trial_detail *d);
/* The way to objects of that type and the line that allocates them; true: the line is known. */
bool trial_detail_objects(struct trial_detail *d, const char *type, const char *holder,
			  struct ans_check_row *r);
/* Where goroutines of that group's name are stuck. */
struct err *trial_detail_goroutines(struct trial *t, const struct trial_detail *d, const char *name,
				    struct ans_check_row *r) MUST_CHECK;

/* What the judge holds against it, with ways and sites. */
struct err *trial_rows(struct trial *t, const struct judgement *j) MUST_CHECK;

#endif
