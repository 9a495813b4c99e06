/*
 * options_gclog.c - options of GC logs.
 */
#include "cli/args.h"

#include <errno.h>

struct err *args_set_gclog(const char *name, const char *value, struct args *a)
{
	char *end;

	if (!strcmp(name, "--svg")) {
		a->gclog.svg = value;
		return NULL;
	}
	errno = 0;
	a->gclog.stream = strtoull(value, &end, 10);
	if (end == value || *end || *value == '-' || errno || !a->gclog.stream)
		return err_usage("%s %.60s: want a number, as the table of streams has it", name,
				 value);
	return NULL;
}
