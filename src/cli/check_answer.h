/*
 * check_answer.h - what `limpet check` does with its answer: what is known, the baseline, places in
 * the source, the forms that were asked for, the exit code.
 */
#ifndef LIMPET_CLI_CHECK_ANSWER_H
#define LIMPET_CLI_CHECK_ANSWER_H

#include "cli/args.h"
#include "report/answer_check.h"
#include "report/baseline.h"
#include "report/check_out.h"

/* --baseline FILE, else limpet-baseline.json where there is one; b->path NULL: none. */
struct err *check_baseline(const struct args *a, struct baseline *b) MUST_CHECK;
/* --format, or --json.  Errors: USAGE. */
struct err *check_format(const struct args *a, enum check_format *ret) MUST_CHECK;
/*
 * Before anything is started: may the answer be written?  Errors: USAGE, OS.
 */
struct err *check_answer_check(const struct args *a) MUST_CHECK;
/* All of it, at the end.  *status: 0, 1, or of what is broken 3, 4, 5. */
struct err *check_answer(const struct args *a, const struct baseline *b, struct ans_checks *all,
			 int *status) MUST_CHECK;
/* The forms alone: of a report, too. */
struct err *check_emit(const struct args *a, const struct ans_checks *all) MUST_CHECK;

#endif
