/*
 * evidence.h - commands on evidence that is no heap: profiles, dumps of goroutines, logs, reports
 * of the compiler and of linters.
 *
 * HOW TO ADD AN ANSWER: write it in cli/evid_<kind>.c, list it in the table of evidence.c.
 */
#ifndef LIMPET_CLI_EVIDENCE_H
#define LIMPET_CLI_EVIDENCE_H

#include "cli/args.h"
#include "target/kind.h"

typedef struct err *evidence_fn(const struct args *a, int *status);

/*
 * Before a command runs: is its first TARGET such evidence, and is there an answer of that command
 * to it?  Then it was given.  Errors: UNSUPPORTED: the kind is known, and another command is meant.
 */
struct err *evidence_ask(const struct args *a, int *status, bool *ret_done) MUST_CHECK;

/* Errors: UNSUPPORTED: it is HTML, as a server's index or error is. */
struct err *evidence_no_page(const char *path) MUST_CHECK;

/* The kind of arg[i], looked for further down in texts than kind.h does (a log may begin with
 * anything). */
struct err *evidence_kind(const struct args *a, unsigned i, struct kind_found *ret) MUST_CHECK;

#endif
