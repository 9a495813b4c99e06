/*
 * typing.c - how the types of a TARGET's objects were found: the engine's own figures.
 *
 *     typing TARGET [OPTIONS of report]
 *
 * One "name value" a line.  "checked" counts claims about objects that have a malloc header, which
 * says what they are; "checked_wrong" those that slot and pointer bits would not have refused.
 */
#include "tool.h"

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
	struct args a;
	struct err *err = tool_open(argc, argv, &a, &s);

	if (!err)
		print(&s);
	return err;
}

int main(int argc, char **argv)
{
	return tool_end("typing", run(argc, argv));
}
