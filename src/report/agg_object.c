/*
 * agg_object.c - one object: type, fields with values, who points at it, what it points at.
 *
 * Reads the object from the frozen twin.  Values are shown only when the caller's
 * policy says so; pointers are always shown, they are structure and no data.
 */
#include "report/agg.h"
#include "report/kept.h"
#include "report/agg_value.h"
#include "snapshot/vars.h"

enum { OBJECT_READ_MAX = 1 << 20 };

static const char *marks_word(uint8_t marks)
{
	switch (marks) {
	case GO_MARKS_LAST_CYCLE:
	case GO_MARKS_UNSWEPT:
		return "of the last finished cycle";
	case GO_MARKS_MARKING:
		return "of the last finished cycle; the next one is marking";
	case GO_MARKS_FRESH:
		return "span born since the last cycle: the bit says nothing";
	case GO_MARKS_NONE:
		return "a heap dump has no mark bits";
	default:
		return "span being swept: the bit says nothing";
	}
}

static const struct snap_type *type_of(const struct agg *a, uint64_t id)
{
	const struct snapshot *s = a->s;
	uint32_t t = s->type_of ? s->type_of[id] : 0;

	return t && t < s->types.n ? &s->types.v[t] : NULL;
}

static const char *type_from(const struct agg *a, uint64_t id)
{
	const struct snap_type *t = type_of(a, id);

	if (!t)
		return "unknown";
	if (t->rank == SNAP_RANK_GUESS)
		return "a guess by size and shape";
	if (t->rank == SNAP_RANK_INSIDE)
		return "its shape and what points into it";
	switch (t->kind) {
	case SNAP_TYPE_RTYPE:
		return t->rank >= SNAP_RANK_HEADER ? "runtime type" : "what points at it";
	case SNAP_TYPE_MAP:
	case SNAP_TYPE_PART:
		return "the map that it is part of";
	case SNAP_TYPE_STRING:
	case SNAP_TYPE_TINY:
		return "what points at it";
	case SNAP_TYPE_CLOSURE:
		return "code pointer";
	case SNAP_TYPE_CHAN:
		return "channel's element type";
	default:
		return "runtime structure";
	}
}

static void fill_head(struct agg *a, uint64_t id, struct ans_object *o)
{
	const struct go_heap *h = &a->s->heap;
	const struct go_span *sp = go_heap_span_of(h, id);
	gnode v = graph_node_of_object(a->g, id);
	char buf[256];

	o->addr = go_heap_address(h, id, &o->bytes);
	o->type = keepf(&a->keep, "%s", snapshot_type_name(a->s, id, buf, sizeof(buf)));
	o->type_from = type_from(a, id);
	o->allocated = snapshot_is_object(a->s, id);
	o->marked = go_bit(h->mark_bits, id);
	o->no_marks = a->s->dump;
	o->reached = graph_reached(a->g, v);
	o->retained = a->g->retained && o->reached ? a->g->retained[v] : ANS_UNKNOWN;
	if (sp) {
		o->span_class = sp->spanclass;
		o->noscan = sp->noscan;
		o->marks = marks_word(sp->marks);
	}
}

static struct err *add_references(struct agg *a, gnode v, size_t limit, struct ans_object *o)
{
	const struct graph *g = a->g;

	for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++) {
		struct ans_ref r;
		struct ans_holder self;
		struct err *err;

		if (o->nreferences++ >= limit)
			continue;
		err = agg_holder(a, g->to[e], GRAPH_NONE, &r.node);
		if (!err)
			err = agg_holder(a, v, g->to[e], &self);
		if (err)
			return err;
		r.node.field = self.field;
		if (!vec_push(&o->references, r))
			return &err_nomem;
	}
	return NULL;
}

static struct err *add_referrers(struct agg *a, gnode v, size_t limit, struct ans_object *o)
{
	const struct graph *g = a->g;

	for (uint32_t e = g->rfirst[v]; e < g->rfirst[v + 1]; e++) {
		struct ans_ref r;
		struct err *err;

		if (o->nreferrers++ >= limit)
			continue;
		err = agg_holder(a, g->rto[e], v, &r.node);
		if (err)
			return err;
		if (!vec_push(&o->referrers, r))
			return &err_nomem;
	}
	return NULL;
}

/* Flat, for programs that read them: what lies in the object itself. */
static struct err *add_fields(struct agg *a, uint64_t id, const struct agg_object_opts *opts,
			      struct ans_object *o)
{
	const struct go_span *sp = go_heap_span_of(&a->s->heap, id);
	uint64_t header = sp ? go_span_header(sp) : 0;
	const struct snap_type *t = type_of(a, id);
	_cleanup_(freep) uint8_t *image = NULL;
	uint64_t nbytes = MIN(o->bytes - header, (uint64_t)OBJECT_READ_MAX);
	const struct go_type *rt = NULL;
	size_t got = 0;
	struct err *err;

	if (t && t->kind == SNAP_TYPE_RTYPE)
		rt = go_type_at(a->s->rtypes, t->rtype);
	image = zalloc(nbytes + 32, 1); /* slack: no field read can run out */
	if (!image)
		return &err_nomem;
	err = target_read_some(a->s->t, o->addr + header, image, nbytes, &got);
	if (err) {
		err_free(err); /* the twin is gone: fields without values */
		got = 0;
	}
	if (sp && sp->noscan && !rt)
		return NULL;
	return value_fields(a, rt, t && t->array, image, got, opts->values, opts->limit, o);
}

/* What hangs below it, in Go's own syntax. */
static void put_object(struct value_tree *v, const struct snap_type *t, taddr data, uint64_t n,
		       bool noscan)
{
	struct go_types *ts = v->a->s->rtypes;
	const struct go_type *rt = t && t->rtype ? go_type_at(ts, t->rtype) : NULL;
	struct go_type chan = { .kind = GO_CHAN, .bytes = 8, .name = t ? t->name : "" };
	struct value_label none = { 0, "" };

	switch (t ? t->kind : SNAP_TYPE_UNKNOWN) {
	case SNAP_TYPE_RTYPE:
		if (rt && rt->bytes && t->array)
			value_put_row(v, rt, data, n / rt->bytes, t->name);
		else if (rt)
			value_put(v, rt, data, none);
		return;
	case SNAP_TYPE_MAP:
		if (rt)
			value_put_header(v, rt, data);
		return;
	case SNAP_TYPE_CHAN:
		chan.elem = t->rtype;
		value_put_header(v, &chan, data);
		return;
	case SNAP_TYPE_PART:
		rt = go_type_at(ts, t->elem);
		if (rt && rt->bytes)
			value_put_row(v, rt, data, n / rt->bytes, t->name);
		else
			value_put_words(v, data, n);
		return;
	case SNAP_TYPE_STRING:
		value_put_text(v, data, n);
		return;
	case SNAP_TYPE_CLOSURE:
		rt = go_type_at(ts, snap_closure_type(v->a->s, t->entry));
		if (rt && rt->bytes <= n) {
			value_put(v, rt, data, none);
			return;
		}
		value_put_words(v, data, n);
		return;
	default:
		if (!noscan)
			value_put_words(v, data, n);
		return;
	}
}

static struct err *add_values(struct agg *a, uint64_t id, const struct agg_object_opts *opts,
			      struct ans_object *o)
{
	const struct go_span *sp = go_heap_span_of(&a->s->heap, id);
	uint64_t header = sp ? go_span_header(sp) : 0;
	_cleanup_(value_tree_deinit) struct value_tree v = { 0 };
	struct err *err = value_tree_init(&v, a, opts, o);

	if (err)
		return err;
	v.base = o->addr;
	v.follow[v.nfollow++] = (struct value_follow){ .at = o->addr, .object = id };
	put_object(&v, type_of(a, id), o->addr + header, o->bytes - header, sp && sp->noscan);
	return v.err;
}

static struct err *add_raw(struct agg *a, taddr at, uint64_t n, struct ans_object *o)
{
	_cleanup_(freep) uint8_t *buf = NULL;
	uint8_t *kept;
	struct err *err;
	size_t got = 0;

	n = MIN(n, (uint64_t)OBJECT_READ_MAX);
	buf = zalloc(n + 1, 1);
	if (!buf)
		return &err_nomem;
	err = target_read_some(a->s->t, at, buf, n, &got);
	if (err)
		return err_prefix(err, "reading the bytes of " TADDR_FMT, at);
	kept = (uint8_t *)keep_bytes(&a->keep, buf, got);
	o->raw = kept;
	o->nraw = kept ? got : 0;
	return NULL;
}

/* The heap's part of the answer. */
static struct err *object_of_heap(struct agg *a, gnode v, const struct agg_object_opts *opts,
				  struct ans_object *o)
{
	uint64_t id = graph_object(a->g, v);
	struct err *err = NULL;

	fill_head(a, id, o);
	if (o->allocated)
		err = add_fields(a, id, opts, o);
	if (!err && o->allocated)
		err = add_values(a, id, opts, o);
	o->raw_withheld = opts->raw && opts->values != ANS_VALUES_FULL;
	if (!err && opts->raw && !o->raw_withheld)
		err = add_raw(a, o->addr, MIN(opts->raw, o->bytes), o);
	if (!err && o->allocated)
		err = add_references(a, v, opts->limit, o);
	if (!err && o->allocated)
		err = agg_origin(a, v, &o->origin);
	if (!err && a->g->rfirst && o->reached)
		err = add_referrers(a, v, opts->limit, o);
	return err;
}

/* Where in it the address lies that was asked for. */
static void place_asked(struct agg *a, const char *what, gnode v, struct ans_object *o)
{
	const struct go_span *sp = go_heap_span_of(&a->s->heap, graph_object(a->g, v));
	char name[256] = "";

	o->asked = strtoull(what, NULL, 16);
	if (o->asked <= o->addr + (sp ? go_span_header(sp) : 0) || o->asked - o->addr >= o->bytes)
		return;
	snapshot_field_name(a->s, graph_object(a->g, v), o->asked - o->addr, name, sizeof(name));
	o->inside =
		keepf(&a->keep, "+0x%" PRIx64 "%s%s", o->asked - o->addr, *name ? " " : "", name);
}

struct err *agg_object(struct agg *a, const char *what, const struct agg_object_opts *opts,
		       struct ans_object *ret)
{
	_cleanup_(ans_object_deinit) struct ans_object o = {
		.values_shown = opts->values == ANS_VALUES_FULL,
		.type = "",
		.type_from = "",
		.marks = "",
		.what = "object",
		.name = "",
		.inside = "",
	};
	uint64_t matches;
	size_t n = 0;
	gnode v = 0;
	struct err *err;

	if (a->asked)
		return kept_object_of(a, what);
	err = agg_find(a, what, &v, 1, &n, &matches);
	if (err)
		return err;
	if (!n)
		return err_usage("%s: no object and no variable; `limpet top` names types", what);
	if (!graph_is_object(a->g, v)) {
		err = agg_variable(a, v, what, opts, &o);
	} else {
		err = object_of_heap(a, v, opts, &o);
		if (!err && !strncmp(what, "0", 1))
			place_asked(a, what, v, &o);
	}
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = o;
	o = (struct ans_object){ 0 };
	return NULL;
}
