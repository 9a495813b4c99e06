/*
 * unnamed.c - every reachable object of a TARGET that has no name, and what points at it, one a
 * line.
 *
 *     unnamed TARGET [OPTIONS of report]
 *     0xc000012000 48 ~48 B scan <TAB> field <TAB> main.session.buf
 *
 * What is only reached through other nameless objects gets the cause of the first of them, "behind
 * " before it: the cause whose mending would name them all.  Summed by tests/e2e/twolooks.py
 * --causes. Causes: field (of a named object), inside (pointed at, but never at its first byte),
 * global, stack, stack? (conservative), defer, special …
 */
#include "tool.h"

struct cause {
	const char *what;
	char *detail;
};

struct causes {
	struct session *s;
	VEC(struct cause) v; /* [0] = none */
	uint32_t *of;	     /* by object id */
	bool *behind;
	VEC(uint64_t) queue;
};

static bool named(const struct causes *c, uint64_t id)
{
	char buf[512];

	return *snapshot_type_name(c->s->s, id, buf, sizeof(buf)) != '~';
}

static bool wanted(const struct causes *c, uint64_t id)
{
	return !c->of[id] && graph_reached(c->s->g, graph_node_of_object(c->s->g, id)) &&
	       !named(c, id);
}

static struct err *set(struct causes *c, uint64_t id, const char *what, const char *a,
		       const char *b)
{
	struct cause x = { .what = what };

	if (asprintf(&x.detail, "%s%s", a, b) < 0 || !vec_push(&c->v, x) ||
	    !vec_push(&c->queue, id))
		return &err_nomem;
	c->of[id] = (uint32_t)c->v.n - 1;
	return NULL;
}

static struct err *on_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg, (void)id, (void)type, (void)word0;
	return NULL;
}

static struct err *on_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct causes *c = arg;
	const struct snapshot *s = c->s->s;
	uint64_t to = go_heap_object_at(&s->heap, value), bytes;
	char type[512], field[512];

	(void)before;
	if (to == GO_NO_OBJECT || !snapshot_is_object(s, to) || !wanted(c, to))
		return NULL;
	snapshot_field_name(c->s->s, id, at, field, sizeof(field));
	if (!*field)
		snprintf(field, sizeof(field), " +0x%" PRIx64, at);
	return set(c, to,
		   value == go_heap_address(&s->heap, to, &bytes) +
					   go_span_header(go_heap_span_of(&s->heap, to))
			   ? "field"
			   : "inside",
		   snapshot_type_name(s, id, type, sizeof(type)), field);
}

static void on_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg, (void)addr, (void)nbytes;
}

static struct err *from_named(struct causes *c)
{
	static const struct go_scan_ops ops = { on_object, on_pointer, on_lost, NULL };
	struct snapshot *s = c->s->s;
	struct err *err = NULL;

	for (uint64_t id = 0; id < s->heap.nobjects && !err; id++) {
		if (snapshot_is_object(s, id) && !go_heap_span_of(&s->heap, id)->noscan &&
		    graph_reached(c->s->g, graph_node_of_object(c->s->g, id)) && named(c, id))
			err = go_heap_scan_object(s->go, &s->heap, id, &ops, c);
	}
	return err;
}

static const char *slot_what(const struct snap_root *r, const struct snap_slot *sl)
{
	static const char *const kinds[] = {
		[SNAP_ROOT_GLOBAL] = "global",	 [SNAP_ROOT_FINALIZER] = "finalizer",
		[SNAP_ROOT_CLEANUP] = "cleanup", [SNAP_ROOT_WEAK] = "weak",
		[SNAP_ROOT_RUNTIME] = "runtime",
	};

	if (r->kind != SNAP_ROOT_GOROUTINE)
		return r->kind < ARRAY_LEN(kinds) && kinds[r->kind] ? kinds[r->kind] : "queue";
	if (sl->flags & GO_SLOT_CONSERVATIVE)
		return "stack?";
	return sl->flags & GO_SLOT_G ? "runtime.g" : sl->flags & GO_SLOT_DEFER ? "defer" : "stack";
}

static const char *function_of(struct causes *c, const struct snap_slot *sl)
{
	const struct go_stacks *st = &c->s->s->stacks;
	struct go_line line;

	if (sl->frame >= st->frames.n ||
	    !go_lines_at(c->s->go, go_frame_line_pc(&st->frames.v[sl->frame]), &line, 1))
		return "";
	return line.function ? line.function : "";
}

static struct err *from_roots(struct causes *c)
{
	struct snapshot *s = c->s->s;

	for (size_t i = 0; i < s->roots.n; i++) {
		const struct snap_root *r = &s->roots.v[i];

		for (uint64_t k = r->first_slot; k < r->first_slot + r->nslots; k++) {
			const struct snap_slot *sl = &s->slots.v[k];
			struct err *err;

			if (sl->object == GO_NO_OBJECT || !snapshot_is_object(s, sl->object) ||
			    !wanted(c, sl->object))
				continue;
			err = set(c, sl->object, slot_what(r, sl),
				  r->kind == SNAP_ROOT_GOROUTINE ? function_of(c, sl)
				  : r->name			 ? r->name
								 : "",
				  "");
			if (err)
				return err;
		}
	}
	return NULL;
}

static struct err *spread(struct causes *c)
{
	const struct graph *g = c->s->g;

	for (size_t q = 0; q < c->queue.n; q++) {
		gnode v = graph_node_of_object(g, c->queue.v[q]);

		for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++) {
			uint64_t to = graph_object(g, g->to[e]);

			if (!wanted(c, to))
				continue;
			c->of[to] = c->of[c->queue.v[q]];
			c->behind[to] = true;
			if (!vec_push(&c->queue, to))
				return &err_nomem;
		}
	}
	return NULL;
}

static void print(const struct causes *c)
{
	const struct snapshot *s = c->s->s;
	char buf[512];

	for (uint64_t id = 0; id < s->heap.nobjects; id++) {
		const struct cause *x = &c->v.v[c->of[id]];
		uint64_t bytes;
		taddr at;

		if (!c->of[id])
			continue;
		at = go_heap_address(&s->heap, id, &bytes);
		printf(TADDR_FMT " %" PRIu64 " %s\t%s%s\t%s\n", at, bytes,
		       snapshot_type_name(s, id, buf, sizeof(buf)), c->behind[id] ? "behind " : "",
		       x->what, x->detail);
	}
}

static struct err *find(struct session *s)
{
	struct causes c = { .s = s };
	struct err *err = NULL;

	c.of = zalloc((size_t)s->s->heap.nobjects + 1, sizeof(*c.of));
	c.behind = zalloc((size_t)s->s->heap.nobjects + 1, sizeof(*c.behind));
	if (!c.of || !c.behind || !vec_push(&c.v, (struct cause){ 0 }))
		err = &err_nomem;
	if (!err)
		err = from_named(&c);
	if (!err)
		err = from_roots(&c);
	if (!err)
		err = spread(&c);
	if (!err)
		print(&c);
	for (size_t i = 0; i < c.v.n; i++)
		free(c.v.v[i].detail);
	vec_free(&c.v);
	vec_free(&c.queue);
	free(c.of);
	free(c.behind);
	return err;
}

static struct err *run(int argc, char **argv)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct args a;
	struct err *err = tool_open(argc, argv, &a, &s);

	return err ? err : find(&s);
}

int main(int argc, char **argv)
{
	return tool_end("unnamed", run(argc, argv));
}
