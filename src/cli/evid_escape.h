/*
 * evid_escape.h - answers to reports of the compiler and of linters, and reading them.
 */
#ifndef LIMPET_CLI_EVID_ESCAPE_H
#define LIMPET_CLI_EVID_ESCAPE_H

#include "cli/args.h"

struct escape;
struct lint;

struct err *evid_escape_report(const struct args *a, int *status) MUST_CHECK;
struct err *evid_escape_top(const struct args *a, int *status) MUST_CHECK;
struct err *evid_lint_report(const struct args *a, int *status) MUST_CHECK;
struct err *evid_lint_top(const struct args *a, int *status) MUST_CHECK;

/* Of a file that was named on the command line. */
struct err *evid_read_escape(const char *path, struct escape **ret) MUST_CHECK;
struct err *evid_read_lint(const char *path, struct lint **ret) MUST_CHECK;

#endif
