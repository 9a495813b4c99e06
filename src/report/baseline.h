/*
 * baseline.h - what is accepted of a program: its known findings, and what a round of it costs.
 *
 *   {"limpet_baseline": 1,
 *    "findings": [
 *     {"program": "./server", "test": "", "signature": "…", "kind": "…", "since": "2026-11-22",
 * "title": "…"}], "rounds": [
 *     {"program": "./server", "test": "", "at": "2026-11-22", "alloc_bytes": 1, "alloc_objects": 1,
 * "gc_cycles": 1, "gc_cpu_ns": 1, "gc_pause_ns": 1, "live_bytes": 1, "goroutines": 1}]}
 *
 * One entry a line, sorted, so that it can be read in a review and merged.  It lies in the
 * repository: whoever may change it may accept a leak, and a review sees that.  Only new findings
 * fail.  Figures are of one round, the median of those behind the warm-up; null: not known.
 */
#ifndef LIMPET_REPORT_BASELINE_H
#define LIMPET_REPORT_BASELINE_H

#include "base/err.h"
#include "report/answer_check.h"

#define BASELINE_DEFAULT "limpet-baseline.json"

enum baseline_figure {
	BASELINE_ALLOC,	   /* ans_check.limits "alloc" */
	BASELINE_GC,	   /* "gc" */
	BASELINE_GC_CPU,   /* "gc-cpu" */
	BASELINE_GC_PAUSE, /* "gc-pause" */
	BASELINE_LIVE_BYTES,
	BASELINE_GOROUTINES,
	BASELINE_FIGURES
};

struct baseline_finding {
	const char *program, *test, *signature, *kind, *since, *title;
};

struct baseline_run {
	const char *program, *test, *at;
	double figure[BASELINE_FIGURES]; /* by enum baseline_figure; NaN */
};

struct baseline {
	const char *path; /* borrowed; NULL: there is none */
	VEC(struct baseline_finding) findings;
	VEC(struct baseline_run) runs;
	struct keep keep;
};

enum baseline_need { BASELINE_MAY, BASELINE_MUST };

/* BASELINE_MAY: no such file is an empty one.  Errors: ERR_OS, ERR_BAD_DATA (damaged, other
 * schema). */
struct err *baseline_read(const char *path, enum baseline_need need,
			  struct baseline *ret) MUST_CHECK;
void baseline_deinit(struct baseline *b);

/* Figures of that program or test; NULL: it is not in it. */
const struct baseline_run *baseline_run_of(const struct baseline *b, const char *suite,
					   const char *name);
/* By the name of a limit, "alloc"; NaN: not known.  r may be NULL. */
double baseline_figure_of(const struct baseline_run *r, const char *limit);
/* Of a check that ran. */
void baseline_measure(const struct ans_check *c, double ret[static BASELINE_FIGURES]);
const char *baseline_word(enum baseline_figure f); /* "alloc_bytes_per_load" */

/* Marks rows that are in it, concludes, and says what of it is gone. */
struct err *baseline_apply(const struct baseline *b, struct ans_checks *a) MUST_CHECK;
/*
 * What was found and measured now takes the place of what it says of the same programs and tests;
 * the rest, and the days since when something is known, stay.  Broken and skipped ones change
 * nothing.  Errors: ERR_OS.
 */
struct err *baseline_write(const char *path, const struct baseline *b,
			   const struct ans_checks *a) MUST_CHECK;

struct known;
/* Marks rows that are known by limpet.conf or --known FILE, and concludes. */
struct err *known_check(const struct known *k, int64_t now_unix_s, struct ans_checks *a) MUST_CHECK;

#endif
