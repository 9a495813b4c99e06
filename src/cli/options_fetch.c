/*
 * options_fetch.c - how a URL is asked for: options of every command that takes TARGETs.
 */
#include "cli/args.h"

struct err *args_set_fetch(const char *name, const char *value, struct args *a)
{
	if (!strcmp(name, "--timeout"))
		return args_parse_time(name, value, &a->fetch.timeout_ns);
	if (!strcmp(name, "--unix-socket")) {
		a->fetch.unix_socket = value;
		return NULL;
	}
	if (a->fetch.nheaders == HEADERS_MAX)
		return err_usage("--header: at most %d of them", (int)HEADERS_MAX);
	if (*value != '@' && !strchr(value, ':'))
		return err_usage("--header %.60s: want NAME: VALUE, or @FILE with such lines",
				 value);
	a->fetch.header[a->fetch.nheaders++] = value;
	return NULL;
}
