/*
 * agg_object.c - one object: type, fields with values, who points at it, what it points at.
 *
 * Reads the object from the frozen twin.  Values are shown only when the caller's
 * policy says so; pointers are always shown, they are structure and no data.
 */
#include "report/agg.h"
#include "report/agg_value.h"
#include "snapshot/dump.h"

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

static const char *type_from(const struct agg *a, uint64_t id)
{
	const struct snapshot *s = a->s;
	uint32_t t = s->type_of ? s->type_of[id] : 0;

	if (!t || t >= s->types.n)
		return "unknown";
	switch (s->types.v[t].kind) {
	case SNAP_TYPE_RTYPE:
		return "runtime type";
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

static struct err *add_fields(struct agg *a, uint64_t id, unsigned values, size_t limit,
			      struct ans_object *o)
{
	const struct go_span *sp = go_heap_span_of(&a->s->heap, id);
	uint64_t header = sp ? go_span_header(sp) : 0;
	uint32_t t = a->s->type_of ? a->s->type_of[id] : 0;
	_cleanup_(freep) uint8_t *image = NULL;
	uint64_t nbytes = MIN(o->bytes - header, (uint64_t)OBJECT_READ_MAX);
	const struct go_type *rt = NULL;
	size_t got = 0;
	struct err *err;

	if (t >= a->s->types.n)
		t = 0;
	if (t && a->s->types.v[t].kind == SNAP_TYPE_RTYPE)
		rt = go_type_at(a->s->rtypes, a->s->types.v[t].rtype);
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
	return value_fields(a, rt, t && a->s->types.v[t].array, image, got, values, limit, o);
}

/* Of the memory profile's sample, where the evidence has one. */
static struct err *add_site(const struct agg *a, uint64_t id, struct ans_object *o)
{
	const struct dump_bucket *b = snap_dump_site(a->s, id);

	for (size_t i = 0; b && i < b->nlines; i++) {
		const struct dump_line *l = &a->s->dump->d->lines.v[b->first_line + i];
		struct ans_frame f = { l->function, l->file, (int)MIN(l->line, (uint64_t)INT32_MAX),
				       false };

		if (!vec_push(&o->allocated_at, f))
			return &err_nomem;
	}
	return NULL;
}

struct err *agg_object(struct agg *a, const char *what, unsigned values, size_t limit,
		       struct ans_object *ret)
{
	_cleanup_(ans_object_deinit) struct ans_object o = { .values_shown =
								     values == ANS_VALUES_FULL };
	uint64_t id, matches;
	size_t n = 0;
	gnode v = 0;
	struct err *err = agg_find(a, what, &v, 1, &n, &matches);

	if (err)
		return err;
	if (!n || !graph_is_object(a->g, v))
		return err_usage("%s: not an object of the heap; `limpet why` takes it", what);
	id = graph_object(a->g, v);
	o.marks = "";
	fill_head(a, id, &o);
	o.asked = o.addr;
	err = o.allocated ? add_fields(a, id, values, limit, &o) : NULL;
	if (!err && o.allocated)
		err = add_references(a, v, limit, &o);
	if (!err && o.allocated)
		err = add_site(a, id, &o);
	if (!err && a->g->rfirst && o.reached)
		err = add_referrers(a, v, limit, &o);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = o;
	o = (struct ans_object){ 0 };
	return NULL;
}
