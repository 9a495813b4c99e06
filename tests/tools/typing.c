/*
 * typing.c - how the types of a TARGET's objects were found: the engine's own figures.
 *
 *     typing TARGET [OPTIONS of report]
 *
 * One "name value" a line.  "checked" counts claims about objects that have a malloc header, which
 * says what they are; "checked_wrong" those that slot and pointer bits would not have refused.
 */
#include "cli/session.h"

#include <stdio.h>

static void print(const struct session *s)
{
	const struct snap_typing_stats *x = &s->s->typing;
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{ "objects", s->s->heap.nobjects },
		{ "seeds", x->seeds },
		{ "claims", x->claims },
		{ "accepted", x->accepted },
		{ "refused_size", x->refused_size },
		{ "refused_mask", x->refused_mask },
		{ "refused_inside", x->refused_inside },
		{ "conflicts", x->conflicts },
		{ "checked", x->checked },
		{ "checked_wrong", x->checked_wrong },
		{ "rounds", x->rounds },
		{ "read_bytes", x->read_bytes },
		{ "read_ns", s->s->read_ns },
		{ "extract_ns", s->s->extract_ns },
		{ "names_ns", s->s->names_ns },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		printf("%s %" PRIu64 "\n", rows[i].name, rows[i].n);
}

static struct err *run(int argc, char **argv)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(freep) char **v = zalloc((size_t)argc + 2, sizeof(*v));
	struct args a;
	struct err *err;

	if (!v)
		return &err_nomem;
	v[0] = argv[0];
	v[1] = (char *)(uintptr_t) "report";
	memcpy(v + 2, argv + 1, ((size_t)argc - 1) * sizeof(*v));
	err = args_parse(argc + 1, v, &a);
	if (!err)
		err = session_open(&a, &s);
	if (!err)
		print(&s);
	return err;
}

int main(int argc, char **argv)
{
	struct err *err = run(argc, argv);
	int code = err ? err_exit_code(err) : 0;

	if (err)
		fprintf(stderr, "typing: %s\n", err->msg);
	err_free(err);
	return code;
}
