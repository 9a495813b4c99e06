/*
 * text_value.c - values as Go source would spell them, one line a field, offsets at the left.
 *
 *     +0x0    user: &main.node{                    // *main.node -> 0xc000012000
 *     +0x8        val: 17,                         // int
 */
#include "report/text.h"

#include "goruntime/types.h"

#include <inttypes.h>

enum { COLUMN = 48 };

struct printer {
	struct str *o;
	const struct ans_value *v;
	size_t n;
};

/* First node behind i and all below it. */
static size_t behind(const struct printer *p, size_t i)
{
	size_t k = i + 1;

	while (k < p->n && p->v[k].depth > p->v[i].depth)
		k++;
	return k;
}

static bool has_children(const struct printer *p, size_t i)
{
	return i + 1 < p->n && p->v[i + 1].depth > p->v[i].depth;
}

static bool composite(uint8_t kind)
{
	return kind == GO_STRUCT || kind == GO_ARRAY || kind == GO_SLICE || kind == GO_MAP ||
	       kind == GO_CHAN;
}

/* Pointers and interfaces are spelled by what is behind them. */
static bool passes_on(const struct ans_value *v)
{
	return v->kind == GO_POINTER || v->kind == GO_INTERFACE || v->kind == GO_UNSAFE_POINTER;
}

static void put_comment(struct str *o, size_t line, const struct ans_value *v)
{
	size_t used = 0;

	for (size_t i = line; i < o->n; i++) /* columns, not bytes */
		used += ((unsigned char)o->s[i] & 0xc0) != 0x80;
	str_printf(o, "%*s// ", used < COLUMN ? (int)(COLUMN - used) : 1, "");
	if (*v->type)
		text_clean(o, v->type);
	else
		str_put(o, "of unknown type");
	if (v->len != ANS_UNKNOWN && !*v->facts)
		str_printf(o, ", len %" PRIu64, v->len);
	if (v->cap != ANS_UNKNOWN && !*v->facts)
		str_printf(o, " cap %" PRIu64, v->cap);
	if (*v->facts) {
		str_put(o, ", ");
		text_clean(o, v->facts);
	}
	if (v->to)
		str_printf(o, " -> " TADDR_FMT, v->to);
	if (*v->note) {
		str_put(o, " (");
		text_clean(o, v->note);
		str_put(o, ")");
	}
	str_put(o, "\n");
}

static void put_scalar(struct str *o, const struct ans_value *v)
{
	if (!v->text && composite(v->kind))
		text_clean(o, *v->type ? v->type : "");
	if (!v->text)
		str_put(o, composite(v->kind) ? "{\xe2\x80\xa6}" : "\xe2\x80\xa6");
	else if (v->to && v->kind == GO_POINTER) {
		str_put(o, "(");
		text_clean(o, v->type);
		str_printf(o, ")(" TADDR_FMT ")", v->to);
	} else if (!*v->text && composite(v->kind)) {
		text_clean(o, v->type);
		str_put(o, "{}");
	} else
		text_clean(o, v->text);
}

static void put_label(struct str *o, const struct ans_value *v)
{
	if (v->label == ANS_LABEL_NONE || v->map_entry)
		return;
	text_clean(o, v->name);
	str_put(o, ": ");
}

static void put_value(struct printer *p, size_t i, unsigned indent);

static void start_line(struct printer *p, const struct ans_value *v, unsigned indent)
{
	str_printf(p->o, "  +0x%-5" PRIx64 " %*s", v->offset, (int)(4 * indent), "");
}

/* Braces around the children of node i. */
static void put_children(struct printer *p, size_t i, unsigned indent)
{
	size_t end = behind(p, i);

	for (size_t k = i + 1; k < end; k = behind(p, k))
		put_value(p, k, indent + 1);
	if (p->v[i].more)
		str_printf(p->o, "%*s\xe2\x80\xa6 %" PRIu64 " more\n", 11 + (int)(4 * (indent + 1)),
			   "", p->v[i].more);
	str_printf(p->o, "%*s}", 11 + (int)(4 * indent), "");
	str_put(p->o, indent ? ",\n" : "\n");
}

/* The rest of a line that has begun, and what is below. */
static void put_rest(struct printer *p, size_t i, size_t line, const struct ans_value *lead,
		     unsigned indent)
{
	const struct ans_value *v = &p->v[i];

	while (passes_on(v) && has_children(p, i)) {
		if (v->kind != GO_INTERFACE)
			str_put(p->o, "&");
		v = &p->v[++i];
	}
	if (has_children(p, i)) {
		text_clean(p->o, *v->type || !v->label ? v->type : "");
		str_put(p->o, "{");
		put_comment(p->o, line, *lead->note || lead->to ? lead : v);
		put_children(p, i, indent);
		return;
	}
	put_scalar(p->o, v);
	str_put(p->o, indent ? "," : "");
	put_comment(p->o, line, lead == v || !*v->note ? lead : v);
}

/* "k7": value; a key that is itself composite stands on lines of its own. */
static void put_entry(struct printer *p, size_t i, unsigned indent)
{
	size_t line = p->o->n, key = i + 1, elem = behind(p, key), end = behind(p, i);

	if (key >= end)
		return;
	if (has_children(p, key)) {
		put_value(p, key, indent);
		if (elem < end)
			put_value(p, elem, indent + 1);
		return;
	}
	start_line(p, elem < end ? &p->v[elem] : &p->v[key], indent);
	put_scalar(p->o, &p->v[key]);
	str_put(p->o, ": ");
	if (elem < end)
		put_rest(p, elem, line, &p->v[elem], indent);
	else
		str_put(p->o, "\xe2\x80\xa6\n");
}

static void put_value(struct printer *p, size_t i, unsigned indent)
{
	const struct ans_value *v = &p->v[i];
	size_t line = p->o->n;

	if (v->map_entry) {
		put_entry(p, i, indent);
		return;
	}
	start_line(p, v, indent);
	put_label(p->o, v);
	put_rest(p, i, line, v, indent);
}

void text_values(struct str *o, const struct ans_value *v, size_t n)
{
	struct printer p = { .o = o, .v = v, .n = n };

	for (size_t i = 0; i < n; i = behind(&p, i))
		put_value(&p, i, 0);
}

/* As hexdump -C. */
void text_raw(struct str *o, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 16) {
		str_printf(o, "  +0x%04zx ", i);
		for (size_t k = i; k < i + 16; k++)
			if (k < n)
				str_printf(o, k % 8 ? " %02x" : "  %02x", p[k]);
			else
				str_put(o, k % 8 ? "   " : "    ");
		str_put(o, "  |");
		for (size_t k = i; k < i + 16 && k < n; k++)
			str_putn(o, p[k] >= 0x20 && p[k] < 0x7f ? (const char *)p + k : ".", 1);
		str_put(o, "|\n");
	}
}
