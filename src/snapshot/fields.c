/*
 * fields.c - names for an object's type, and for places inside it.
 *
 * By rtypes alone: field, element and part of a slice, string or interface.
 */
#include "snapshot/names.h"

#include "base/str.h"

#include <stdio.h>

#define MAX_DEPTH 32

const char *snapshot_type_name(const struct snapshot *s, uint64_t id, char *buf, size_t nbuf)
{
	uint32_t t = s->type_of && id < s->heap.nobjects ? s->type_of[id] : 0;
	const struct go_span *span;

	if (t)
		return s->types.v[t].name;
	span = id < s->heap.nobjects ? go_heap_span_of(&s->heap, id) : NULL;
	if (!span)
		return "~";
	snprintf(buf, nbuf, "~%" PRIu64 " B %s", span->elem_bytes,
		 span->noscan ? "noscan" : "scan");
	return buf;
}

/* The field that covers offset at; NULL: padding. */
static const struct go_type_field *field_at(struct snapshot *s, const struct go_type *t,
					    uint64_t at)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type *f = go_type_at(s->rtypes, t->fields[i].type);

		if (f && at >= t->fields[i].offset && at - t->fields[i].offset < f->bytes)
			return &t->fields[i];
	}
	return NULL;
}

/* One step into t; false when there is no deeper. */
static bool step(struct snapshot *s, const struct go_type **t, uint64_t *at, struct str *out)
{
	const struct go_type_field *f;
	const struct go_type *e;

	switch ((*t)->kind) {
	case GO_STRUCT:
		f = field_at(s, *t, *at);
		if (!f)
			return false;
		str_put(out, ".");
		str_put(out, f->name);
		*at -= f->offset;
		*t = go_type_at(s->rtypes, f->type);
		return *t;
	case GO_ARRAY:
		e = go_type_at(s->rtypes, (*t)->elem);
		if (!e || !e->bytes)
			return false;
		str_printf(out, "[%" PRIu64 "]", *at / e->bytes);
		*at %= e->bytes;
		*t = e;
		return true;
	default:
		return false;
	}
}

void snapshot_field_name(struct snapshot *s, uint64_t id, uint64_t at, char *buf, size_t nbuf)
{
	uint32_t number = s->type_of && id < s->heap.nobjects ? s->type_of[id] : 0;
	const struct snap_type *st = number ? &s->types.v[number] : NULL;
	const struct go_type *t;
	const struct go_span *span;
	struct str out = { 0 };

	if (nbuf)
		buf[0] = 0;
	if (!st || st->kind != SNAP_TYPE_RTYPE || !nbuf)
		return;
	span = go_heap_span_of(&s->heap, id);
	t = go_type_at(s->rtypes, st->rtype);
	if (!span || !t || !t->bytes || at < go_span_header(span))
		return;
	at -= go_span_header(span);
	if (st->array)
		str_printf(&out, "[%" PRIu64 "]", at / t->bytes);
	at %= t->bytes;
	for (unsigned i = 0; i < MAX_DEPTH && step(s, &t, &at, &out); i++)
		;
	if (str_ok(&out))
		snprintf(buf, nbuf, "%s", out.s);
	str_deinit(&out);
}
