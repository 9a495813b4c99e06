/*
 * vars.c - every variable that limpet believes in, one a line, for comparisons with a debugger.
 *
 *     vars TARGET [OPTIONS of report]
 *     0x5f6d20<TAB>8<TAB>main.cache<TAB>map[string]*main.T<TAB>global<TAB>0xc000012000<TAB>-
 *
 * Address, bytes, name, type, place ("goroutine 17 frame 2 pc 0x4810f2 main.f"), first word, and of
 * a local the function that it belongs to, which may be inlined there.
 * Goes through the same doors as the commands (cli/session.h).
 */
#include "tool.h"
#include "snapshot/vars.h"

static size_t goroutine_of(const struct snapshot *s, uint32_t frame)
{
	size_t i = 0;

	while (i < s->stacks.gs.n &&
	       (frame < s->stacks.gs.v[i].first_frame ||
		frame - s->stacks.gs.v[i].first_frame >= s->stacks.gs.v[i].nframes))
		i++;
	return i;
}

static void put_place(const struct snapshot *s, const struct snap_var *v)
{
	const struct go_goroutine *g;
	struct go_func f;
	size_t i;

	if (v->frame == UINT32_MAX) {
		printf("global");
		return;
	}
	i = goroutine_of(s, v->frame);
	if (i >= s->stacks.gs.n) {
		printf("no goroutine");
		return;
	}
	g = &s->stacks.gs.v[i];
	printf("goroutine %" PRIu64 " frame %zu pc " TADDR_FMT " %s", g->id,
	       v->frame - g->first_frame, s->stacks.frames.v[v->frame].pc,
	       go_func_at(s->go, s->stacks.frames.v[v->frame].pc, &f) ? f.name : "?");
}

static void print(struct snapshot *s, const struct snap_var *v)
{
	const struct go_type *t = go_type_at(s->rtypes, v->rtype);
	uint64_t word = 0;
	struct snap_local l;

	printf(TADDR_FMT "\t%" PRIu64 "\t%s\t%s\t", v->at, t ? t->bytes : 0, v->name,
	       t ? go_type_full(s->rtypes, t) : "?");
	put_place(s, v);
	if (t && t->bytes >= 8)
		err_free(go_read_u64(s->go, v->at, &word));
	if (v->frame == UINT32_MAX || !snap_local_at(s, v->frame, v->at, &l))
		l = (struct snap_local){ .function = "-" };
	printf("\t" TADDR_FMT "\t%s\n", word, l.function);
}

/* Words of stacks that have a name, and those that have none. */
static void count_slots(struct snapshot *s)
{
	uint64_t named = 0, all = 0;

	for (size_t i = 0; i < s->slots.n; i++) {
		const struct snap_slot *sl = &s->slots.v[i];
		struct snap_local l;

		if (sl->frame >= s->stacks.frames.n || !sl->at)
			continue;
		all++;
		named += snap_local_at(s, sl->frame, sl->at, &l);
	}
	fprintf(stderr, "slots of frames %" PRIu64 ", named %" PRIu64 "\n", all, named);
}

static struct err *run(int argc, char **argv)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct args a;
	struct err *err = tool_open(argc, argv, &a, &s);

	for (size_t i = 0; !err && i < s.s->vars.n; i++)
		print(s.s, &s.s->vars.v[i]);
	if (!err)
		count_slots(s.s);
	return err;
}

int main(int argc, char **argv)
{
	return tool_end("vars", run(argc, argv));
}
