/*
 * gotest_args.h - what of `go test …` is for the compiler, what for the test binary.
 *
 * As cmd/go does (internal/test/testflag.go): flags before and behind the packages, -args ends
 * them, test flags with or without "test.".  Left out is what a check does itself or what makes no
 * sense in it: -v, -count, -timeout, -json, -o, -c, -bench.
 */
#ifndef LIMPET_WATCH_GOTEST_ARGS_H
#define LIMPET_WATCH_GOTEST_ARGS_H

#include "base/err.h"
#include "base/keep.h"

typedef VEC(const char *) word_list;

struct gotest_args {
	const char *go;	    /* "go": of the command line; NULL: a test binary stands there */
	const char *binary; /* "./pkg.test" */
	word_list build;    /* "-race", "-tags=x" */
	word_list packages; /* as they were typed; none: "." */
	word_list test;	    /* "-test.run=TestX" */
	word_list more;	    /* behind -args */
	const char *run;    /* of -run; NULL */
	struct keep keep;
};

/* Is it `go test …`, or a test binary ("./x.test …", or one that takes -test. flags)? */
bool gotest_wanted(const char *const *argv, size_t n);
/* Words are borrowed or of keep.  Errors: USAGE. */
struct err *gotest_parse(const char *const *argv, size_t n, struct gotest_args *ret) MUST_CHECK;
void gotest_args_deinit(struct gotest_args *a);

#endif
