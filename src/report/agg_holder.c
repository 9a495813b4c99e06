/*
 * agg_holder.c - nodes on the way from a root: what they are and which field holds the next.
 *
 * Field names need the frozen twin (one object is read a node); when it is gone
 * or the memory cannot be read they stay empty.  Cost: one small read a node.
 */
#include "find/look_special.h"
#include "report/agg_expr.h"
#include "report/agg_labels.h"
#include "snapshot/vars.h"

static const char *field_of_object(struct agg *a, uint64_t id, uint64_t next)
{
	const struct look l = agg_look(a);

	return look_field_to(&l, id, next);
}

/* Is the slot in a variable whose type and life are known? */
static const struct snap_var *believed(struct snapshot *s, const struct snap_slot *sl)
{
	size_t i = sl->at ? snap_var_at(s, sl->at) : SIZE_MAX;

	return i < s->vars.n && s->vars.v[i].frame == sl->frame ? &s->vars.v[i] : NULL;
}

/* Of several slots that lead there one in a variable. */
static const struct snap_slot *slot_to(struct snapshot *s, const struct snap_root *r,
				       uint64_t object)
{
	const struct snap_slot *best = NULL;
	struct snap_local l;
	unsigned good = 0;

	for (uint64_t i = r->first_slot; i < r->first_slot + r->nslots && i < s->slots.n; i++) {
		const struct snap_slot *sl = &s->slots.v[i];

		if (sl->object != object)
			continue;
		if (believed(s, sl))
			return sl;
		if (!best || (!good && snap_local_at(s, sl->frame, sl->at, &l))) {
			good = best != NULL;
			best = sl;
		}
	}
	return best;
}

static const char *frame_function(struct agg *a, uint32_t frame)
{
	const struct go_frame *f;
	struct go_line line;

	if (frame >= a->s->stacks.frames.n)
		return "";
	f = &a->s->stacks.frames.v[frame];
	if (!go_lines_at(a->s->go, go_frame_line_pc(f), &line, 1))
		return "";
	return line.function ? line.function : "";
}

/* What a slot of a goroutine is when it lies in no frame. */
static const char *slot_place(const struct snap_slot *sl)
{
	if (sl->flags & GO_SLOT_REGISTER)
		return "(register)";
	if (sl->flags & GO_SLOT_DEFER)
		return "(defer)";
	if (sl->flags & GO_SLOT_PANIC)
		return "(panic)";
	if (sl->flags & GO_SLOT_G)
		return "(runtime.g)";
	return "";
}

/* ".buf[3]" of a value of t; "" where it is all of it, or not known. */
static const char *path_in(struct agg *a, const struct go_type *t, uint64_t off)
{
	_cleanup_(str_deinit) struct str path = { 0 };
	const struct go_type *leaf;
	uint64_t at;

	if (!t || !expr_leaf(a->s->rtypes, t, off, &path, &leaf, &at) || !path.n)
		return "";
	return keepf(&a->keep, "%s", path.s);
}

/* The frame's variable, also one that is only said to be there. */
static void name_stack_edge(struct agg *a, const struct snap_slot *sl, struct ans_holder *h)
{
	struct snap_local l;

	if (snap_local_at(a->s, sl->frame, sl->at, &l)) {
		h->frame = l.function;
		h->var = l.name;
		h->field = path_in(a, l.type, l.off);
		return;
	}
	h->frame = frame_function(a, sl->frame);
	if (!*h->frame)
		h->frame = slot_place(sl);
}

static void name_global_edge(struct agg *a, const struct snap_root *r, const struct snap_slot *sl,
			     struct ans_holder *h)
{
	const struct snap_var *v = believed(a->s, sl);
	const struct go_type *t = v ? go_type_at(a->s->rtypes, v->rtype) : NULL;

	if (t) {
		h->type = t->name;
		h->field = path_in(a, t, sl->at - v->at);
	} else if (sl->at > r->addr) {
		h->field = keepf(&a->keep, "+0x%" PRIx64, sl->at - r->addr);
	}
}

static void name_root_edge(struct agg *a, const struct snap_root *r, uint64_t next,
			   struct ans_holder *h)
{
	const struct snap_slot *sl = slot_to(a->s, r, next);

	if (!sl)
		return;
	if (r->kind == SNAP_ROOT_GOROUTINE)
		name_stack_edge(a, sl, h);
	else if (r->kind == SNAP_ROOT_GLOBAL)
		name_global_edge(a, r, sl, h);
}

static const char *root_what(uint8_t kind)
{
	static const char *const name[] = {
		[SNAP_ROOT_GLOBAL] = "global",
		[SNAP_ROOT_GOROUTINE] = "goroutine",
		[SNAP_ROOT_FINALIZER] = "finalizer",
		[SNAP_ROOT_CLEANUP] = "cleanup",
		[SNAP_ROOT_WEAK] = "weak",
		[SNAP_ROOT_FINALIZER_QUEUE] = "finalizer-queue",
		[SNAP_ROOT_CLEANUP_QUEUE] = "cleanup-queue",
		[SNAP_ROOT_RUNTIME] = "runtime",
	};

	return kind < ARRAY_LEN(name) && name[kind] ? name[kind] : "root";
}

static struct err *describe_root(struct agg *a, gnode v, gnode next, struct ans_holder *h)
{
	const struct snap_root *r = &a->s->roots.v[v - 1];

	h->what = root_what(r->kind);
	h->name = r->name ? r->name : "";
	h->addr = r->addr;
	h->bytes = r->bytes;
	if (next != GRAPH_NONE && graph_is_object(a->g, next))
		name_root_edge(a, r, graph_object(a->g, next), h);
	return r->kind == SNAP_ROOT_GOROUTINE ? agg_labels_of(a, r->goroutine, &h->labels) : NULL;
}

static void describe_object(struct agg *a, gnode v, gnode next, struct ans_holder *h)
{
	uint64_t id = graph_object(a->g, v);
	char buf[256];

	h->what = "object";
	h->addr = go_heap_address(&a->s->heap, id, &h->bytes);
	h->type = keepf(&a->keep, "%s", snapshot_type_name(a->s, id, buf, sizeof(buf)));
	if (next != GRAPH_NONE && graph_is_object(a->g, next))
		h->field = field_of_object(a, id, graph_object(a->g, next));
}

struct err *agg_holder(struct agg *a, gnode v, gnode next, struct ans_holder *ret)
{
	struct ans_holder h = ANS_HOLDER_EMPTY;
	struct err *err = NULL;

	if (a->g->retained && v < a->g->n)
		h.retained = a->g->retained[v];
	h.owner_retained = a->owner.objects && v < a->g->n ? a->owner.retained[v] : 0;
	if (v == 0)
		h.what = "all roots";
	else if (graph_is_object(a->g, v))
		describe_object(a, v, next, &h);
	else
		err = describe_root(a, v, next, &h);
	if (err)
		return err;
	*ret = h;
	return keep_err(&a->keep);
}
