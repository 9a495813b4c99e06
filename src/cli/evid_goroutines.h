/*
 * evid_goroutines.h - answers to dumps of goroutines as text, and reading them.
 */
#ifndef LIMPET_CLI_EVID_GOROUTINES_H
#define LIMPET_CLI_EVID_GOROUTINES_H

#include "cli/args.h"

struct gotext;

struct err *evid_goroutines_list(const struct args *a, int *status) MUST_CHECK;
struct err *evid_goroutines_report(const struct args *a, int *status) MUST_CHECK;
struct err *evid_goroutines_top(const struct args *a, int *status) MUST_CHECK;
struct err *evid_goroutines_tree(const struct args *a, int *status) MUST_CHECK;
struct err *evid_goroutines_diff(const struct args *a, int *status) MUST_CHECK;

/* Of a file that was named on the command line. */
struct err *evid_read_goroutines(const char *path, struct gotext **ret) MUST_CHECK;

#endif
