/*
 * unclosed_resource.c - what was opened and not closed: bodies, rows, files, connections.
 *
 * Each part proves what it can: what nobody can reach any more nobody will close; what somebody
 * holds may be closed yet, and is a suspect.
 */
#include "find/unclosed.h"

static struct err *run(struct find *f)
{
	const struct look_limits *x;
	struct err *err = find_limits(f, &x);

	if (!err)
		err = unclosed_bodies(f, x);
	if (!err)
		err = unclosed_transports(f, x);
	if (!err)
		err = unclosed_rows(f, x);
	return err ? err : unclosed_files(f);
}

const struct detector detect_unclosed_resource = {
	.name = "unclosed-resource",
	.about = "bodies, rows, files and connections that nobody closed",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
