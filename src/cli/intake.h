/*
 * intake.h - TARGETs that are no files yet: URLs, standard input, pipes.
 *
 * Before the walls go up each is brought into a file without a name (base/files.h, file_scratch);
 * from then on its text on the command line is the name of that file, for this process and for
 * those that it forks.
 */
#ifndef LIMPET_CLI_INTAKE_H
#define LIMPET_CLI_INTAKE_H

#include "cli/args.h"

/* How many of a->arg are TARGETs. */
unsigned intake_targets(const struct args *a);

/* Errors: USAGE ("-" twice, a terminal), OS, LIMIT, UNSUPPORTED, as fetch.h. */
struct err *intake(struct args *a) MUST_CHECK;

#endif
