/*
 * given.h - options that were given, for answers that understand some of a command's.
 *
 * A command takes what any of its answers understands; each answer has to refuse the others, or
 * they are ignored in silence.
 */
#ifndef LIMPET_CLI_GIVEN_H
#define LIMPET_CLI_GIVEN_H

#include "cli/args.h"

/* What `report` of evidence alone understands besides: cmd_report.c. */
#define EVIDENCE_FORMS                                                                          \
	"--since", "--ignore", "--known", "--markdown", "--source", "--format", "--junit", "--sarif", \
		"--code-quality", "--annotations"

/*
 * known: names ("--by", …, NULL) that the answer understands besides OPTS_COMMON; is: what its
 * first argument is ("goroutines as text").  Errors: USAGE: another option was given.
 */
struct err *given_only(const struct args *a, const char *const *known, const char *is) MUST_CHECK;

/* Was one of these ids given on the command line (and not by limpet.conf)? */
bool given_any(const struct args *a, uint64_t ids);

#endif
