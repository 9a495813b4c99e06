/*
 * trial.h - one program through warm-up and rounds: the runner behind `limpet check`.
 *
 * Starts the program (or takes one that runs), waits until it is ready, runs the load, waits until
 * all that ends by itself has ended and the collector has run, looks at it, and goes on as the
 * judge says (judge.h).  A look is limpet itself, run as `limpet snapshot PID -o FILE`: the
 * analysis is confined as in every command.  Whatever was started is ended when trial_run() comes
 * back.
 *
 * HOW TO USE FOR SOMETHING ELSE THAN A SERVER.  A test binary is a program that is started with
 * argv; trial_opts_init() gives the defaults, set what differs.  One trial after the other: they
 * share the machine.
 */
#ifndef LIMPET_WATCH_TRIAL_H
#define LIMPET_WATCH_TRIAL_H

#include "report/answer_check.h"
#include "watch/host.h"
#include "watch/judge.h"
#include "watch/ready.h"

/* What the collector is asked for before a look. */
enum trial_gc {
	TRIAL_GC_NUDGE, /* two cycles are brought about: pools are emptied, finalizers have run */
	TRIAL_GC_OWN,	/* its own are waited for, --settle long at most */
};

/* Which allocation sites are known. */
enum trial_sampling {
	TRIAL_SAMPLING_FINE, /* GODEBUG=memprofilerate: also of few and small objects */
	TRIAL_SAMPLING_OWN,  /* as the program does itself */
};

/* A figure a round; a share is of the baseline file's figure of that name. */
struct trial_limit {
	double value; /* most that is allowed; NaN: not set */
	double share; /* more than the baseline by that: 0.1 is 10 %; NaN: not set */
};

enum { TRIAL_ALLOC, TRIAL_GC_COUNT, TRIAL_GC_CPU, TRIAL_GC_PAUSE, TRIAL_LIMITS };

enum { TRIAL_LOOK_ARGS = 16 };

struct trial_opts {
	const char *name, *suite; /* of the answer; "" */
	char *const *argv;	  /* NULL: pid */
	pid_t pid;
	const char *dir;  /* where it runs; NULL: here */
	char *const *env; /* NAME=value, more than ours; NULL */
	struct ready_opts ready;
	const char *load;     /* for sh -c; NULL: rounds by time */
	uint32_t warmup;      /* loads before the first look */
	uint32_t repeat;      /* rounds behind it, at most; 0: as many as it takes */
	uint64_t every_ns;    /* a round without a load */
	uint64_t duration_ns; /* rounds until then; 0: until it is told */
	uint64_t max_ns;      /* for all of it; UINT64_MAX */
	uint64_t load_ns, settle_ns, stop_ns; /* at most: of a load, of its after-effects; grace */
	enum trial_gc gc;
	enum trial_sampling sampling;
	struct judge_limits growth;
	struct trial_limit limits[TRIAL_LIMITS];
	const char *look_args[TRIAL_LOOK_ARGS]; /* of `limpet snapshot`: "--freeze"; NULL-ended */
	const char *log;			/* file that gets all output; NULL */
	int copy_fd;				/* the same; -1 */
	const char *tmp;			/* folder for looks; NULL: TMPDIR, /tmp */
	const char *keep_looks; /* folder that keeps them: baseline.limpet, 1.limpet …; NULL */
	/* what limits the baseline file has; NaN: none.  NULL: no file */
	double (*baseline)(void *arg, const char *name);
	void *baseline_arg;
};

void trial_opts_init(struct trial_opts *o);

/*
 * Texts of the answer are of keep.  What the program does wrong is a result (CHECK_BROKEN), no
 * error.  Errors: USAGE, OS, NOMEM, the host's.
 */
struct err *trial_run(const struct trial_opts *o, const struct host *h, struct keep *keep,
		      struct ans_check *ret) MUST_CHECK;

#endif
