/*
 * objects.c - every object of a TARGET, one a line, for comparisons by diff and sort.
 *
 *     objects TARGET [OPTIONS of report]
 *     0xc000012000 48 main.Session reachable
 *     objects --read-all TARGET [OPTIONS of report]: types without the help of the edges
 *
 * Goes through the same doors as the commands (cli/session.h), so any kind that they take is taken.
 * With --quiet the slots that the sweeper has not yet freed are left out: only what is reachable.
 */
#include "tool.h"
#include "snapshot/vars.h"

static void print(const struct session *s, const struct go_span *sp, uint64_t id)
{
	char buf[512];
	bool reached = graph_reached(s->g, graph_node_of_object(s->g, id));

	if (!snapshot_is_object(s->s, id) || (!reached && args_has(s->args, OPT_QUIET)))
		return;
	printf(TADDR_FMT " %" PRIu64 " %s %s\n", sp->base + (id - sp->first) * sp->elem_bytes,
	       (uint64_t)sp->elem_bytes, snapshot_type_name(s->s, id, buf, sizeof(buf)),
	       reached ? "reachable" : "garbage");
}

/* As session_graph(), but that every typed object is read. */
static struct err *open_read_all(const struct args *a, struct session *s)
{
	struct err *err = session_attach(a, s);

	if (!err)
		err = session_snapshot(s);
	if (!err)
		err = graph_create(s->s, s->nthreads, &s->g);
	if (!err)
		err = snap_vars_learn(s->s);
	return err ? err : snapshot_types(s->s, NULL, s->nthreads);
}

static struct err *run(int argc, char **argv)
{
	bool all = argc > 1 && !strcmp(argv[1], "--read-all");
	_cleanup_(session_close) struct session s = { 0 };
	struct args a;
	struct err *err;

	err = tool_args(argc - all, argv + all, &a);
	if (!err)
		err = all ? open_read_all(&a, &s) : session_open(&a, &s);
	for (size_t i = 0; !err && i < s.s->heap.spans.n; i++) {
		const struct go_span *sp = &s.s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++)
			print(&s, sp, id);
	}
	for (size_t i = 0; !err && i < s.s->losses.n; i++)
		fprintf(stderr, "loss: %s: %" PRIu64 ", %" PRIu64 " bytes\n", s.s->losses.v[i].what,
			s.s->losses.v[i].count, s.s->losses.v[i].bytes);
	return err;
}

int main(int argc, char **argv)
{
	return tool_end("objects", run(argc, argv));
}
