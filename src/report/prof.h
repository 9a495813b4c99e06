/*
 * prof.h - profiles made of a program's memory, as its own runtime/pprof would have written them.
 *
 * A profile is a struct pprof (evidence/pprof.h); how it is written is a format's business.
 *
 * HOW TO ADD A KIND: a make in report/prof_<kind>.c, a row in the table of prof.c.
 * HOW TO ADD A FORMAT: a write in report/prof_<format>.c, a row in the table of cli/cmd_profile.c.
 */
#ifndef LIMPET_REPORT_PROF_H
#define LIMPET_REPORT_PROF_H

#include "base/str.h"
#include "evidence/pprof.h"
#include "report/agg.h"

/* What must be there: each has what stands before it. */
enum prof_needs {
	PROF_NEEDS_RUNTIME,  /* from.go; of a heap dump a snapshot */
	PROF_NEEDS_SNAPSHOT, /* agg->s */
	PROF_NEEDS_GRAPH,    /* agg->g */
	PROF_NEEDS_TREES,    /* agg_dominators() */
};

/* Borrowed. */
struct prof_from {
	struct go *go;
	struct agg *agg;
};

struct prof;

struct prof_kind {
	const char *name, *about;
	uint8_t needs;	   /* enum prof_needs */
	const char *dumps; /* why a heap dump has it not; NULL: it has */
	/* Types, period and samples. */
	struct err *(*make)(struct prof *b);
};

const struct prof_kind *prof_kinds(size_t *ret_n);
/* Errors: USAGE, with the words that there are. */
struct err *prof_kind_named(const char *name, const struct prof_kind **ret) MUST_CHECK;

/*
 * Errors: UNSUPPORTED (the evidence has it not, the program does not record it: says why), the
 * target's.
 */
struct err *prof_make(const struct prof_kind *k, const struct prof_from *from,
		      struct pprof **ret) MUST_CHECK;

/*
 * "main.main;main.work 12" a line, equal ones added up, of value number `value`: what flame graph
 * programs read.  What is 0 is left out.
 */
struct err *prof_folded(const struct pprof *p, unsigned value, struct str *o) MUST_CHECK;
/* The speedscope.app file format: a profile each value, number `value` shown first. */
struct err *prof_speedscope(const struct pprof *p, unsigned value, struct str *o) MUST_CHECK;

/* Of each value the sum of all samples; ret: p->types.n of them. */
void prof_sums(const struct pprof *p, int64_t *ret);

#endif
