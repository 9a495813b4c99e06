/*
 * agg_expr_key.c - a map's key as Go writes it in brackets.
 *
 * Values of the program: only by the policy.  Two texts, for Go and for dlv, whose constants are
 * exact and whose maps are asked by constants and pointers only.
 */
#include "report/agg_expr.h"

#include "report/agg_value.h"

#include <stdio.h>

enum { KEY_TEXT_MAX = 512, KEY_DEPTH = 8, KEY_PARTS = 32 };

struct literal {
	struct agg *a;
	struct str *go, *dlv;
	bool whole;   /* the text is all of it */
	bool dlv_too; /* and dlv finds the entry by it */
	unsigned depth;
};

static void put(struct literal *l, const char *text)
{
	str_put(l->go, text);
	str_put(l->dlv, text);
}

static void put_lost(struct literal *l)
{
	put(l, "\xe2\x80\xa6");
	l->whole = false;
}

static bool get(const struct literal *l, taddr at, void *buf, size_t n)
{
	size_t got = 0;

	err_free(target_read_some(l->a->s->t, at, buf, n, &got));
	return got == n;
}

static void put_string(struct literal *l, taddr at)
{
	uint64_t w[2];
	uint8_t buf[KEY_TEXT_MAX];
	size_t n;

	l->dlv_too = l->dlv_too && l->depth <= 1; /* a composite would have to be allocated */
	if (!get(l, at, w, sizeof(w))) {
		put_lost(l);
		return;
	}
	n = (size_t)MIN(w[1], (uint64_t)sizeof(buf));
	if (n && !get(l, w[0], buf, n)) {
		put_lost(l);
		return;
	}
	if (l->a->values != ANS_VALUES_FULL || value_left_out(l->a, buf, n)) {
		put(l, "\"");
		put(l, value_hash(l->a, buf, n));
		put(l, "\"");
		l->whole = false;
		return;
	}
	value_quote(l->go, (const char *)buf, n);
	value_quote(l->dlv, (const char *)buf, n);
	if (n < w[1])
		put_lost(l);
}

/* dlv compares exactly: 0.1 is no float64. */
static void put_float(struct literal *l, const struct go_type *t, const uint8_t *p,
		      const char *text)
{
	char exact[64];
	double d;
	float f;

	if (t->bytes == 4) {
		memcpy(&f, p, 4);
		d = (double)f;
	} else {
		memcpy(&d, p, 8);
	}
	snprintf(exact, sizeof(exact), "%a", d);
	str_put(l->go, text);
	str_put(l->dlv, exact);
}

static void put_scalar(struct literal *l, const struct go_type *t, taddr at)
{
	uint8_t buf[16] = { 0 };
	const char *text;

	if (!value_fits(t) || t->bytes > sizeof(buf) || !get(l, at, buf, (size_t)t->bytes)) {
		put_lost(l);
		return;
	}
	if (l->a->values != ANS_VALUES_FULL) {
		put(l, value_hash(l->a, buf, (size_t)t->bytes));
		l->whole = false;
		return;
	}
	text = value_scalar(l->a, t, buf);
	if (t->kind == GO_FLOAT32 || t->kind == GO_FLOAT64)
		put_float(l, t, buf, text);
	else
		put(l, text);
	if (strcasestr(text, "nan") ||
	    strcasestr(text, "inf")) /* no literal, or equal to nothing */
		l->whole = false;
	if (t->kind == GO_COMPLEX64 || t->kind == GO_COMPLEX128)
		l->dlv_too = l->dlv_too && !strchr(text, '.');
}

static void put_type(struct literal *l, const struct go_type *t)
{
	put(l, t->name);
	l->dlv_too = false; /* "*ast.CompositeLit not implemented", or only without strings */
}

static void put_any(struct literal *l, const struct go_type *t, taddr at);

static void put_struct(struct literal *l, const struct go_type *t, taddr at)
{
	unsigned n = 0;

	put_type(l, t);
	put(l, "{");
	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type_field *f = &t->fields[i];
		const struct go_type *ft = go_type_at(l->a->s->rtypes, f->type);

		if (!f->name || !strcmp(f->name, "_"))
			continue;
		put(l, n++ ? ", " : "");
		if (!ft || f->offset > t->bytes || ft->bytes > t->bytes - f->offset ||
		    n > KEY_PARTS) {
			put_lost(l);
			break;
		}
		put(l, f->name);
		put(l, ": ");
		put_any(l, ft, at + f->offset);
	}
	put(l, "}");
}

static void put_array(struct literal *l, const struct go_type *t, taddr at)
{
	const struct go_type *e = go_type_at(l->a->s->rtypes, t->elem);

	put_type(l, t);
	put(l, "{");
	for (uint64_t i = 0; i < t->len; i++) {
		put(l, i ? ", " : "");
		if (!e || !e->bytes || i >= KEY_PARTS || i * e->bytes >= t->bytes) {
			put_lost(l);
			break;
		}
		put_any(l, e, at + i * e->bytes);
	}
	put(l, "}");
}

/* What a constant is without being told its type. */
static bool is_default(const struct go_type *t)
{
	return !strcmp(t->name, "int") || !strcmp(t->name, "string") || !strcmp(t->name, "bool");
}

static void put_interface(struct literal *l, const struct go_type *t, taddr at)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct go_place p = { 0 };
	bool bare;

	l->dlv_too = false;
	err_free(go_io_init(&io, l->a->s->go));
	if (!io.mem) {
		put_lost(l);
		return;
	}
	err_free(go_iface_value(&io, l->a->s->rtypes, (struct go_place){ at, t }, &p));
	if (!p.type) {
		put(l, "nil");
		return;
	}
	bare = is_default(p.type) || p.type->kind > GO_COMPLEX128;
	if (p.type->kind == GO_STRING)
		bare = is_default(p.type);
	if (!bare) {
		put(l, p.type->name);
		put(l, "(");
	}
	put_any(l, p.type, p.at);
	put(l, bare ? "" : ")");
}

/* An identity: no literal of Go names it, dlv converts a number. */
static void put_pointer(struct literal *l, const struct go_type *t, taddr at)
{
	const struct go_type *e;
	uint64_t to;

	l->dlv_too = l->dlv_too && l->depth <= 1 && t->kind == GO_POINTER;
	if (!get(l, at, &to, sizeof(to))) {
		put_lost(l);
		return;
	}
	if (!to) {
		put(l, "nil");
		return;
	}
	str_printf(l->go, "(%s)(" TADDR_FMT ")", t->name, to);
	e = t->kind == GO_POINTER ? go_type_at(l->a->s->rtypes, t->elem) : NULL;
	str_printf(l->dlv, "(*\"%s\")(" TADDR_FMT ")", e ? go_type_full(l->a->s->rtypes, e) : "",
		   to);
}

static void put_any(struct literal *l, const struct go_type *t, taddr at)
{
	if (++l->depth > KEY_DEPTH || !t->kind || l->go->n > KEY_TEXT_MAX || !value_fits(t)) {
		put_lost(l);
	} else if (t->kind <= GO_COMPLEX128) {
		put_scalar(l, t, at);
	} else {
		switch (t->kind) {
		case GO_STRING:
			put_string(l, at);
			break;
		case GO_STRUCT:
			put_struct(l, t, at);
			break;
		case GO_ARRAY:
			put_array(l, t, at);
			break;
		case GO_INTERFACE:
			put_interface(l, t, at);
			break;
		case GO_POINTER:
		case GO_CHAN:
		case GO_UNSAFE_POINTER:
			put_pointer(l, t, at);
			break;
		default: /* no key of a map */
			put_lost(l);
			break;
		}
	}
	l->depth--;
}

bool expr_key(struct agg *a, struct go_place key, struct str *go, struct str *dlv)
{
	struct literal l = { .a = a, .go = go, .dlv = dlv, .whole = true, .dlv_too = true };

	if (!key.type || !key.at) {
		put_lost(&l);
		return false;
	}
	put_any(&l, key.type, key.at);
	return l.whole && l.dlv_too;
}
