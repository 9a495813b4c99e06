/*
 * agg_tree_value.c - a value and all below it, as a reader of Go would write it down.
 *
 * Pointers, slices and boxes are followed to a depth; one that leads back to what is being
 * shown is a cycle.  Numbers and the bytes of strings are values of the program: shown in full,
 * hashed, or not at all; lengths, types and pointers are structure.  Reads a page cache.
 */
#include "report/agg_value.h"

#include "base/clean.h"
#include "base/str.h"

#include <stdio.h>

enum { TEXT_BYTES_MAX = 1 << 20, OUTSIDE_MAX = 1 << 20 /* elements outside of the heap */ };

struct err *value_tree_init(struct value_tree *v, struct agg *a, const struct agg_object_opts *opts,
			    struct ans_object *o)
{
	*v = (struct value_tree){ .a = a, .opts = opts, .o = o };
	return go_io_init(&v->io, a->s->go);
}

void value_tree_deinit(struct value_tree *v)
{
	go_io_deinit(&v->io);
}

static bool get(struct value_tree *v, taddr at, void *buf, size_t n)
{
	struct err *err = go_io_read(&v->io, at, buf, n);

	if (err)
		err_free(err);
	return !err;
}

struct ans_value *value_node(struct value_tree *v, const struct go_type *t, taddr at,
			     struct value_label l)
{
	struct ans_value n = {
		.depth = v->depth,
		.label = l.label,
		.name = l.name,
		.type = t && t->name ? t->name : "",
		.kind = t ? t->kind : 0,
		.note = "",
		.facts = "",
		.offset = at - v->base,
		.bytes = t ? t->bytes : 0,
		.at = at,
		.len = ANS_UNKNOWN,
		.cap = ANS_UNKNOWN,
	};

	if (v->err || v->o->values.n >= v->opts->limit) {
		for (size_t i = v->o->values.n; i--;)
			if (v->o->values.v[i].depth < v->depth) {
				v->o->values.v[i].more++;
				break;
			}
		return NULL;
	}
	if (!vec_push(&v->o->values, n)) {
		v->err = &err_nomem;
		return NULL;
	}
	return &v->o->values.v[v->o->values.n - 1];
}

/* Children of node i come next. */
static struct ans_value *node_at(struct value_tree *v, size_t i)
{
	return &v->o->values.v[i];
}

static bool full(const struct value_tree *v)
{
	return v->err || v->o->values.n >= v->opts->limit;
}

static const char *text_of_bytes(struct value_tree *v, taddr at, uint64_t len)
{
	uint64_t want = MIN(len, MIN(v->opts->bytes, (uint64_t)TEXT_BYTES_MAX));
	_cleanup_(freep) uint8_t *buf = NULL;
	_cleanup_(str_deinit) struct str s = { 0 };

	if (!len)
		return "\"\"";
	if (v->opts->values == ANS_VALUES_NONE)
		return NULL;
	buf = malloc(want + 1);
	if (!buf || !get(v, at, buf, want))
		return "(unreadable)";
	if (v->opts->values == ANS_VALUES_HASH)
		return value_hash(v->a, buf, want);
	if (value_left_out(v->a, buf, want))
		return "(left out)";
	value_quote(&s, (const char *)buf, want);
	if (want < len)
		str_put(&s, "\xe2\x80\xa6");
	return str_ok(&s) ? keepf(&v->a->keep, "%s", s.s) : "";
}

static const char *addr_text(struct value_tree *v, taddr at)
{
	return at ? keepf(&v->a->keep, TADDR_FMT, at) : "nil";
}

static const char *name_of_object(struct value_tree *v, taddr to)
{
	uint64_t id = go_heap_object_at(&v->a->s->heap, to);
	char buf[256];

	if (id == GO_NO_OBJECT)
		return "";
	return keepf(&v->a->keep, "%s", snapshot_type_name(v->a->s, id, buf, sizeof(buf)));
}

static bool has_finalizer(const struct value_tree *v, uint64_t id)
{
	const struct go_heap *h = &v->a->s->heap;
	taddr base = id == GO_NO_OBJECT ? 0 : go_heap_address(h, id, NULL);

	for (size_t i = 0; base && i < h->specials.n; i++)
		if (h->specials.v[i].kind == GO_SPECIAL_FINALIZER &&
		    h->specials.v[i].object == base)
			return true;
	return false;
}

/* mgc: a cycle is freed as a whole, but not one that its own finalizer's object is part of. */
static const char *cycle_note(struct value_tree *v, unsigned from, taddr at)
{
	const struct value_follow *f = &v->follow[from];
	const char *end = "harmless: the collector frees plain cycles";

	for (unsigned i = from; i < v->nfollow; i++)
		if (has_finalizer(v, v->follow[i].object))
			end = "with a finalizer on it: never freed";
	return keepf(&v->a->keep, "cycle: back to +0x%" PRIx64 " of " TADDR_FMT ", %s", at - f->at,
		     f->at, end);
}

/* Go on to what lies at `at`; false: too deep, or a cycle (then noted in node i). */
static bool follow(struct value_tree *v, size_t node, taddr at)
{
	uint64_t id = go_heap_object_at(&v->a->s->heap, at);
	taddr base = id == GO_NO_OBJECT ? at : go_heap_address(&v->a->s->heap, id, NULL);

	for (unsigned i = 0; i < v->nfollow; i++)
		if (v->follow[i].at == base) {
			node_at(v, node)->note = cycle_note(v, i, at);
			return false;
		}
	if (v->nfollow > v->opts->depth || v->nfollow >= VALUE_FOLLOW || full(v) ||
	    v->depth >= VALUE_NEST)
		return false;
	v->follow[v->nfollow++] = (struct value_follow){ .at = base, .object = id };
	return true;
}

/* Below node: offsets count from base. */
struct below {
	uint64_t base;
};

static struct below go_below(struct value_tree *v, taddr base)
{
	struct below b = { v->base };

	v->base = base;
	v->depth++;
	return b;
}

static void come_back(struct value_tree *v, struct below b)
{
	v->base = b.base;
	v->depth--;
}

taddr value_base(const struct value_tree *v, taddr at)
{
	uint64_t id = go_heap_object_at(&v->a->s->heap, at);

	return id == GO_NO_OBJECT ? at : go_heap_address(&v->a->s->heap, id, NULL);
}

static void put_pointee(struct value_tree *v, size_t node, const struct go_type *t, taddr at)
{
	struct below b;

	if (!t || !t->bytes || !follow(v, node, at))
		return;
	b = go_below(v, value_base(v, at));
	value_put(v, t, at, (struct value_label){ 0, "" });
	come_back(v, b);
	v->nfollow--;
}

static void put_elements(struct value_tree *v, size_t node, const struct go_type *t, taddr at,
			 uint64_t n)
{
	uint64_t shown = MIN(n, v->opts->width), i;

	for (i = 0; i < shown && !full(v); i++)
		value_put(
			v, t, at + i * t->bytes,
			(struct value_label){ ANS_LABEL_INDEX, keepf(&v->a->keep, "%" PRIu64, i) });
	node_at(v, node)->more = n - i;
}

static bool is_byte(const struct go_type *t)
{
	return t && t->kind == GO_UINT8;
}

/* How many of n elements there is memory for: a length may be a lie. */
static uint64_t room_for(const struct value_tree *v, taddr at, uint64_t n, uint64_t size)
{
	const struct go_heap *h = &v->a->s->heap;
	uint64_t id = go_heap_object_at(h, at), bytes = 0;
	taddr base = id == GO_NO_OBJECT ? 0 : go_heap_address(h, id, &bytes);

	return MIN(n, base ? (base + bytes - at) / size : (uint64_t)OUTSIDE_MAX);
}

static void put_slice(struct value_tree *v, size_t node, const struct go_type *t, const uint64_t *w)
{
	const struct go_type *e = go_type_at(v->a->s->rtypes, t->elem);
	struct ans_value *n = node_at(v, node);
	uint64_t shown;
	struct below b;

	n->to = w[0];
	n->len = w[1];
	n->cap = w[2];
	if (!w[0]) {
		n->text = "nil";
		return;
	}
	if (w[1] > w[2] || !e) {
		n->note = "not a slice: its length is larger than its capacity";
		return;
	}
	if (is_byte(e)) {
		n->text = text_of_bytes(v, w[0], w[1]);
		return;
	}
	n->text = w[1] && e->bytes ? NULL : "";
	n->more = w[1];
	if (!w[1] || !e->bytes || !follow(v, node, w[0]))
		return;
	b = go_below(v, value_base(v, w[0]));
	shown = room_for(v, w[0], w[1], e->bytes);
	put_elements(v, node, e, w[0], shown);
	if (shown < w[1])
		node_at(v, node)->note = "no such array: it is shorter than the slice";
	come_back(v, b);
	v->nfollow--;
}

static void put_array(struct value_tree *v, size_t node, const struct go_type *t, taddr at)
{
	const struct go_type *e = go_type_at(v->a->s->rtypes, t->elem);
	struct below b;

	node_at(v, node)->len = t->len;
	if (!e || !e->bytes || (t->len && e->bytes > t->bytes / t->len))
		return;
	if (is_byte(e)) {
		node_at(v, node)->text = text_of_bytes(v, at, t->len);
		return;
	}
	if (v->depth >= VALUE_NEST)
		return;
	b = go_below(v, v->base);
	put_elements(v, node, e, at, t->len);
	come_back(v, b);
}

static void put_struct(struct value_tree *v, size_t node, const struct go_type *t, taddr at)
{
	const struct go_cont *c = go_cont_of(v->a->s->rtypes, t);
	struct go_place p = { .at = at, .type = t };
	struct below b;

	if (c) {
		const char *facts =
			value_facts(v, c, p, &node_at(v, node)->len, &node_at(v, node)->cap);

		node_at(v, node)->facts = facts;
	}
	if (v->depth >= VALUE_NEST)
		return;
	if (c && go_cont_holds(c)) {
		value_put_container(v, c, p, node);
		return;
	}
	b = go_below(v, v->base);
	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type_field *f = &t->fields[i];
		const struct go_type *ft = go_type_at(v->a->s->rtypes, f->type);

		if (ft && f->offset <= t->bytes && ft->bytes <= t->bytes - f->offset)
			value_put(v, ft, at + f->offset,
				  (struct value_label){ ANS_LABEL_FIELD, f->name ? f->name : "?" });
	}
	come_back(v, b);
}

static void put_interface(struct value_tree *v, size_t node, const struct go_type *t, taddr at)
{
	struct go_place p = { 0 };
	struct err *err = go_iface_value(&v->io, v->a->s->rtypes, (struct go_place){ at, t }, &p);
	uint64_t word = 0;
	struct below b;

	if (err) {
		err_free(err);
		node_at(v, node)->text = "(unreadable)";
		return;
	}
	if (!p.type) {
		node_at(v, node)->text = "nil";
		return;
	}
	get(v, at + 8, &word, sizeof(word));
	node_at(v, node)->to = word;
	node_at(v, node)->text = keepf(&v->a->keep, "%s(" TADDR_FMT ")", p.type->name, word);
	if (p.at == at + 8) { /* in the word itself */
		if (v->depth >= VALUE_NEST)
			return;
		b = go_below(v, v->base);
		value_put(v, p.type, p.at, (struct value_label){ 0, "" });
		come_back(v, b);
		return;
	}
	put_pointee(v, node, p.type, p.at);
}

static void put_func(struct value_tree *v, size_t node, taddr to)
{
	struct ans_value *n = node_at(v, node);
	struct go_func f;
	uint64_t pc = 0;

	n->text = addr_text(v, to);
	if (to && get(v, to, &pc, sizeof(pc)) && go_func_at(v->a->s->go, pc, &f) && f.entry == pc)
		n->text = keepf(&v->a->keep, "%s", f.name);
	n->note = name_of_object(v, to);
}

/* unsafe.Pointer: what it points to is known by its object alone. */
static void put_unsafe(struct value_tree *v, size_t node, taddr to)
{
	const struct snapshot *s = v->a->s;
	uint64_t id = go_heap_object_at(&s->heap, to);
	uint32_t number = id != GO_NO_OBJECT && s->type_of ? s->type_of[id] : 0;
	const struct snap_type *t = number ? &s->types.v[number] : NULL;
	const struct go_span *sp = number ? go_heap_span_of(&s->heap, id) : NULL;

	node_at(v, node)->note = name_of_object(v, to);
	if (!t || t->kind != SNAP_TYPE_RTYPE || t->array || !sp ||
	    to != go_heap_address(&s->heap, id, NULL) + go_span_header(sp))
		return;
	put_pointee(v, node, go_type_at(s->rtypes, t->rtype), to);
}

static void put_pointer(struct value_tree *v, size_t node, const struct go_type *t, taddr at)
{
	struct go_types *ts = v->a->s->rtypes;
	const struct go_cont *c;
	uint64_t to = 0;

	if (!get(v, at, &to, sizeof(to))) {
		node_at(v, node)->text = "(unreadable)";
		return;
	}
	node_at(v, node)->to = to;
	node_at(v, node)->text = addr_text(v, to);
	if (!to)
		return;
	switch (t->kind) {
	case GO_POINTER:
		put_pointee(v, node, go_type_at(ts, t->elem), to);
		return;
	case GO_FUNC:
		put_func(v, node, to);
		return;
	case GO_UNSAFE_POINTER:
		put_unsafe(v, node, to);
		return;
	default: /* a map, a channel */
		c = go_cont_of(ts, t);
		if (c)
			value_put_container(v, c, (struct go_place){ .at = to, .type = t }, node);
		return;
	}
}

static const char *scalar(struct value_tree *v, const struct go_type *t, taddr at)
{
	uint8_t buf[16] = { 0 };

	if (t->kind != GO_UINTPTR && v->opts->values == ANS_VALUES_NONE)
		return NULL;
	if (t->bytes > sizeof(buf) || !get(v, at, buf, t->bytes))
		return "(unreadable)";
	if (t->kind == GO_UINTPTR)
		return keepf(&v->a->keep, "0x%" PRIx64, load_u64(buf));
	return v->opts->values == ANS_VALUES_HASH ? value_hash(v->a, buf, t->bytes)
						  : value_scalar(v->a, t, buf);
}

static void put_words(struct value_tree *v, size_t node, const struct go_type *t, taddr at)
{
	uint64_t w[3] = { 0 };

	if (!get(v, at, w, t->kind == GO_STRING ? 16 : 24)) {
		node_at(v, node)->text = "(unreadable)";
		return;
	}
	if (t->kind == GO_SLICE) {
		put_slice(v, node, t, w);
		return;
	}
	node_at(v, node)->to = w[1] ? w[0] : 0;
	node_at(v, node)->len = w[1];
	node_at(v, node)->text = text_of_bytes(v, w[0], w[1]);
}

void value_put(struct value_tree *v, const struct go_type *t, taddr at, struct value_label l)
{
	struct ans_value *n = value_node(v, t, at, l);
	size_t node = v->o->values.n - 1;

	if (!n)
		return;
	if (!value_fits(t)) {
		if (t->bytes)
			n->note = "its type is damaged";
		else
			n->text = ""; /* struct{}, [0]T: all of it is shown */
		return;
	}
	switch (t->kind) {
	case GO_STRUCT:
		put_struct(v, node, t, at);
		break;
	case GO_ARRAY:
		put_array(v, node, t, at);
		break;
	case GO_STRING:
	case GO_SLICE:
		put_words(v, node, t, at);
		break;
	case GO_INTERFACE:
		put_interface(v, node, t, at);
		break;
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
	case GO_MAP:
	case GO_CHAN:
	case GO_FUNC:
		put_pointer(v, node, t, at);
		break;
	default:
		n->text = scalar(v, t, at);
		break;
	}
}

void value_put_row(struct value_tree *v, const struct go_type *t, taddr at, uint64_t n,
		   const char *type)
{
	struct ans_value *x = value_node(v, NULL, at, (struct value_label){ 0, "" });
	size_t node = v->o->values.n - 1;
	struct below b;

	if (!x || !t->bytes)
		return;
	x->type = type;
	x->kind = GO_SLICE;
	x->bytes = n * t->bytes;
	x->len = n;
	if (is_byte(t)) {
		x->text = text_of_bytes(v, at, n);
		return;
	}
	b = go_below(v, v->base);
	put_elements(v, node, t, at, n);
	come_back(v, b);
}

void value_put_text(struct value_tree *v, taddr at, uint64_t n)
{
	struct ans_value *x = value_node(v, NULL, at, (struct value_label){ 0, "" });

	if (!x)
		return;
	x->type = "string";
	x->kind = GO_STRING;
	x->bytes = x->len = n;
	x->note = "all bytes of the slot; what strings show of it may be less";
	x->text = text_of_bytes(v, at, n);
}

void value_put_words(struct value_tree *v, taddr at, uint64_t n)
{
	for (uint64_t off = 0; off + 8 <= n && !full(v); off += 8) {
		struct ans_value *x;
		uint64_t w;

		if (!get(v, at + off, &w, sizeof(w)) ||
		    go_heap_object_at(&v->a->s->heap, w) == GO_NO_OBJECT)
			continue;
		x = value_node(v, NULL, at + off,
			       (struct value_label){ ANS_LABEL_WORD,
						     keepf(&v->a->keep, "+0x%" PRIx64, off) });
		if (!x)
			return;
		x->bytes = 8;
		x->to = w;
		x->text = addr_text(v, w);
		x->note = name_of_object(v, w);
	}
}

void value_quote(struct str *o, const char *p, size_t n)
{
	str_put(o, "\"");
	for (size_t i = 0, k; i < n; i += k) {
		k = clean_char(p + i, n - i);
		if (p[i] == '"' || p[i] == '\\')
			str_printf(o, "\\%c", p[i]);
		else if (p[i] == '\n')
			str_put(o, "\\n");
		else if (!k)
			str_printf(o, "\\x%02x", (unsigned char)p[i]);
		else
			str_putn(o, p + i, k);
		k = k ? k : 1;
	}
	str_put(o, "\"");
}
