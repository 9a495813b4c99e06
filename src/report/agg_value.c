/*
 * agg_value.c - typed bytes as names and values.
 *
 * Structs and small arrays are flattened to leaves (".a.b", "[3].x").  Numbers,
 * booleans and the bytes of strings are values of the program: shown in full, as a
 * hash, or not at all.  Lengths, capacities and pointers are structure.
 */
#include "report/agg_value.h"

#include <math.h>
#include <stdio.h>

enum { VALUE_DEPTH = 12, STRING_MAX = 128, NAME_MAX_BYTES = 400 };

struct emitter {
	struct agg *a;
	const uint8_t *image;
	size_t got;
	unsigned values;
	size_t limit;
	struct ans_object *o;
	struct err *err;
	char name[NAME_MAX_BYTES];
};

bool value_left_out(const struct agg *a, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return n && target_left_out(a->s->t);
}

/* FNV-1a: enough to see that two values are equal, no way back for long ones. */
const char *value_hash(struct agg *a, const uint8_t *p, size_t n)
{
	uint64_t h = 14695981039346656037U;

	if (value_left_out(a, p, n))
		return "\xe2\x80\xa6";
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211U;
	return keepf(&a->keep, "\xe2\x80\xa6%04" PRIx64, h & 0xffff);
}

static void emit(struct emitter *e, uint64_t at, const struct go_type *t, const char *value,
		 taddr to)
{
	struct ans_field f = { .offset = at, .value = value, .to = to, .to_type = "" };
	char buf[256];
	uint64_t id;

	if (e->o->nfields++ >= e->limit || e->err)
		return;
	f.name = keepf(&e->a->keep, "%s", e->name);
	f.type = t && t->name ? t->name : "";
	id = to ? go_heap_object_at(&e->a->s->heap, to) : GO_NO_OBJECT;
	if (id != GO_NO_OBJECT)
		f.to_type =
			keepf(&e->a->keep, "%s", snapshot_type_name(e->a->s, id, buf, sizeof(buf)));
	if (!vec_push(&e->o->fields, f))
		e->err = &err_nomem;
}

static uint64_t number(const uint8_t *p, uint64_t nbytes)
{
	switch (nbytes) {
	case 1:
		return *p;
	case 2:
		return load_u16(p);
	case 4:
		return load_u32(p);
	default:
		return load_u64(p);
	}
}

static const char *float_text(struct keep *k, const uint8_t *p, uint64_t nbytes)
{
	const char *text;
	double d = 0;
	float f;

	memcpy(&f, p, 4);
	memcpy(&d, p, nbytes == 4 ? 4 : 8);
	if (nbytes == 4 ? isnan(f) : isnan(d))
		return "NaN";
	if (nbytes == 4 ? isinf(f) : isinf(d))
		return p[nbytes - 1] & 0x80 ? "-Inf" : "+Inf";
	/* the shortest that reads back as the same number, as strconv.FormatFloat has it */
	if (nbytes == 4) {
		memcpy(&f, p, 4);
		for (int digits = 6; digits < 9; digits++) {
			text = keepf(k, "%.*g", digits, (double)f);
			if (strtof(text, NULL) == f)
				return text;
		}
		return keepf(k, "%.9g", (double)f);
	}
	memcpy(&d, p, 8);
	for (int digits = 15; digits < 17; digits++) {
		text = keepf(k, "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			return text;
	}
	return keepf(k, "%.17g", d);
}

/* "(1-2i)"; of a part that is no number as fmt has it. */
static const char *complex_text(struct keep *k, const uint8_t *p, uint64_t nbytes)
{
	const char *imag = float_text(k, p + nbytes, nbytes);

	return keepf(k, "(%s%s%si)", float_text(k, p, nbytes),
		     *imag == '-' || *imag == '+' ? "" : "+", imag);
}

const char *value_scalar(struct agg *a, const struct go_type *t, const uint8_t *p)
{
	struct keep *k = &a->keep;
	uint64_t x = number(p, t->bytes);
	unsigned shift = t->bytes < 8 ? 64 - 8 * (unsigned)t->bytes : 0;

	switch (t->kind) {
	case GO_BOOL:
		return x ? "true" : "false";
	case GO_INT:
	case GO_INT8:
	case GO_INT16:
	case GO_INT32:
	case GO_INT64:
		return keepf(k, "%" PRId64, (int64_t)(x << shift) >> shift);
	case GO_FLOAT32:
	case GO_FLOAT64:
		return float_text(k, p, t->bytes);
	case GO_COMPLEX64:
	case GO_COMPLEX128:
		return complex_text(k, p, t->bytes / 2);
	default:
		return keepf(k, "%" PRIu64, x);
	}
}

static const char *scalar_text(struct emitter *e, const struct go_type *t, const uint8_t *p)
{
	if (e->values == ANS_VALUES_NONE)
		return NULL;
	return e->values == ANS_VALUES_HASH ? value_hash(e->a, p, t->bytes)
					    : value_scalar(e->a, t, p);
}

static const char *string_text(struct emitter *e, taddr at, uint64_t len)
{
	struct keep *k = &e->a->keep;
	uint8_t buf[STRING_MAX];
	size_t want = len < STRING_MAX ? (size_t)len : STRING_MAX, got = 0;
	struct err *err;

	if (!len)
		return "\"\"";
	if (e->values == ANS_VALUES_NONE)
		return keepf(k, "len %" PRIu64, len);
	err = target_read_some(e->a->s->t, at, buf, want, &got);
	if (err || got < want) {
		err_free(err);
		return keepf(k, "len %" PRIu64 ", unreadable", len);
	}
	if (e->values == ANS_VALUES_HASH)
		return keepf(k, "len %" PRIu64 " %s", len, value_hash(e->a, buf, got));
	if (value_left_out(e->a, buf, got))
		return keepf(k, "len %" PRIu64 ", left out", len);
	return keepf(k, "\"%.*s\"%s", (int)strnlen((char *)buf, got), (char *)buf,
		     len > want ? "\xe2\x80\xa6" : "");
}

static void emit_words(struct emitter *e, uint64_t at, const struct go_type *t)
{
	const uint8_t *p = e->image + at;
	struct keep *k = &e->a->keep;
	taddr w = load_u64(p);

	switch (t->kind) {
	case GO_STRING:
		emit(e, at, t, string_text(e, w, load_u64(p + 8)), w);
		break;
	case GO_SLICE:
		emit(e, at, t,
		     w ? keepf(k, "len %" PRIu64 " cap %" PRIu64, load_u64(p + 8), load_u64(p + 16))
		       : "nil",
		     w);
		break;
	case GO_INTERFACE:
		emit(e, at, t, w ? keepf(k, TADDR_FMT, load_u64(p + 8)) : "nil",
		     w ? load_u64(p + 8) : 0);
		break;
	default:
		emit(e, at, t, w ? keepf(k, TADDR_FMT, w) : "nil", w);
		break;
	}
}

bool value_fits(const struct go_type *t)
{
	switch (t->kind) {
	case GO_STRING:
	case GO_INTERFACE:
		return t->bytes >= 16;
	case GO_SLICE:
		return t->bytes >= 24;
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
	case GO_MAP:
	case GO_CHAN:
	case GO_FUNC:
		return t->bytes >= 8;
	case GO_COMPLEX64:
		return t->bytes == 8;
	case GO_COMPLEX128:
		return t->bytes == 16;
	case GO_STRUCT:
	case GO_ARRAY:
		return t->bytes > 0;
	default:
		return t->bytes == 1 || t->bytes == 2 || t->bytes == 4 || t->bytes == 8;
	}
}

static void walk(struct emitter *e, uint64_t at, const struct go_type *t, unsigned depth);

static void walk_part(struct emitter *e, uint64_t at, taddr type, unsigned depth, const char *fmt,
		      const char *name, uint64_t index)
{
	const struct go_type *t = go_type_at(e->a->s->rtypes, type);
	size_t len = strlen(e->name);

	if (*fmt == '.')
		snprintf(e->name + len, sizeof(e->name) - len, ".%s", name);
	else
		snprintf(e->name + len, sizeof(e->name) - len, "[%" PRIu64 "]", index);
	if (t && t->bytes)
		walk(e, at, t, depth + 1);
	e->name[len] = 0;
}

static void walk(struct emitter *e, uint64_t at, const struct go_type *t, unsigned depth)
{
	if (depth > VALUE_DEPTH || at > e->got || t->bytes > e->got - at || e->err ||
	    !value_fits(t))
		return;
	switch (t->kind) {
	case GO_STRUCT:
		for (size_t i = 0; i < t->nfields; i++)
			if (t->fields[i].offset <= t->bytes)
				walk_part(e, at + t->fields[i].offset, t->fields[i].type, depth,
					  ".", t->fields[i].name ? t->fields[i].name : "?", 0);
		break;
	case GO_ARRAY: {
		uint64_t n = t->len, step = n ? t->bytes / n : 0;

		for (uint64_t i = 0; step && i < n && e->o->nfields <= e->limit; i++)
			walk_part(e, at + i * step, t->elem, depth, "[", NULL, i);
		break;
	}
	case GO_STRING:
	case GO_SLICE:
	case GO_INTERFACE:
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
	case GO_MAP:
	case GO_CHAN:
	case GO_FUNC:
		emit_words(e, at, t);
		break;
	default:
		emit(e, at, t, scalar_text(e, t, e->image + at), 0);
		break;
	}
}

/* Unknown type: words that point into the heap. */
static void walk_words(struct emitter *e)
{
	for (uint64_t at = 0; at + 8 <= e->got; at += 8) {
		taddr w = load_u64(e->image + at);

		if (go_heap_object_at(&e->a->s->heap, w) == GO_NO_OBJECT)
			continue;
		snprintf(e->name, sizeof(e->name), "+0x%" PRIx64, at);
		emit(e, at, NULL, keepf(&e->a->keep, TADDR_FMT, w), w);
	}
	e->name[0] = 0;
}

struct err *value_fields(struct agg *a, const struct go_type *rt, bool array, const uint8_t *image,
			 size_t got, unsigned values, size_t limit, struct ans_object *o)
{
	struct emitter e = {
		.a = a,
		.image = image,
		.got = got,
		.values = values,
		.limit = limit,
		.o = o,
	};
	uint64_t n;

	if (!rt || !rt->bytes || !value_fits(rt)) {
		walk_words(&e);
		return e.err;
	}
	n = array ? got / rt->bytes : 1;
	for (uint64_t i = 0; i < n && !e.err && o->nfields <= limit; i++) {
		e.name[0] = 0;
		if (array)
			snprintf(e.name, sizeof(e.name), "[%" PRIu64 "]", i);
		walk(&e, i * rt->bytes, rt, 0);
	}
	return e.err;
}
