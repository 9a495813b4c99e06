/*
 * gotest.h - `check -- go test …`: each package's test binary under the gate, and its tests.
 *
 * A load is one repetition of the tests in one process (pace.h); what a repetition leaves is held
 * against it.  Packages are listed and built by the user's own go command.  Where a package does
 * not hold, its tests are tried one by one to say which it is.
 */
#ifndef LIMPET_WATCH_GOTEST_H
#define LIMPET_WATCH_GOTEST_H

#include "watch/gotest_args.h"
#include "watch/trial.h"

enum gotest_each {
	GOTEST_WHERE_IT_FAILS, /* tests one by one where the package does not hold */
	GOTEST_EACH,	       /* every test alone, packages not as a whole */
};

struct gotest_opts {
	const struct trial_opts *trial; /* all but what is run, and how it is loaded */
	const struct gotest_args *args;
	enum gotest_each each;
	/* what the baseline has of a package and test; NULL: no file */
	double (*baseline)(void *arg, const char *suite, const char *name, const char *limit);
	void *baseline_arg;
};

/*
 * Checks are put into ret, whose keep has the texts: a package has suite "", a test its package's
 * name.  A package that cannot be built is a result (CHECK_BROKEN).  Errors: USAGE, OS, NOMEM, the
 * host's.
 */
struct err *gotest_run(const struct gotest_opts *o, const struct host *h,
		       struct ans_checks *ret) MUST_CHECK;

#endif
