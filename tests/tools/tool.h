/*
 * tool.h - what every program here begins and ends with: "NAME TARGET [OPTIONS of report]".
 */
#ifndef LIMPET_TESTS_TOOL_H
#define LIMPET_TESTS_TOOL_H

#include "cli/session.h"

#include <stdio.h>

/* The arguments as `limpet report` takes them; a is borrowed by the session. */
static inline struct err *tool_args(int argc, char **argv, struct args *a)
{
	_cleanup_(freep) char **v = zalloc((size_t)argc + 2, sizeof(*v));

	if (!v)
		return &err_nomem;
	v[0] = argv[0];
	v[1] = (char *)(uintptr_t) "report";
	memcpy(v + 2, argv + 1, ((size_t)argc - 1) * sizeof(*v));
	return args_parse(argc + 1, v, a);
}

static inline struct err *tool_open(int argc, char **argv, struct args *a, struct session *s)
{
	struct err *err = tool_args(argc, argv, a);

	return err ? err : session_open(a, s);
}

static inline int tool_end(const char *name, struct err *err)
{
	int code = err ? err_exit_code(err) : 0;

	if (err)
		fprintf(stderr, "%s: %s\n", name, err->msg);
	err_free(err);
	return code;
}

#endif
