/*
 * agg_expr.c - one step after the other through typed memory, as Go would write it.
 *
 * A value (a field, an element, a variable) points to an object; the type that it says is
 * there, or the object's own, tells which field of it points to the next.  Costs one read of
 * each object on the way, of containers one of their entries.
 */
#include "report/agg_expr.h"

#include <stdio.h>

enum { DIRECT_MAX = 8, VARS_BACK = 64 };

/* Memory whose type the value in hand tells. */
enum expr_how { EXPR_VALUE, EXPR_POINTED, EXPR_ELEMENTS };

struct expr_place {
	const struct go_type *type; /* of one */
	taddr at;
	uint64_t n, len;
	enum expr_how how;
};

void expr_deinit(struct expr *e)
{
	str_deinit(&e->go);
	str_deinit(&e->dlv);
}

void expr_clear(struct str *s)
{
	s->n = 0;
	if (s->s)
		s->s[0] = 0;
}

void expr_put(struct expr *e, const char *text)
{
	str_put(&e->go, text);
	str_put(&e->dlv, text);
}

/* "f(x)" around what is there. */
void expr_wrap(struct str *s, const char *before, const char *after)
{
	struct str whole = { 0 };

	str_put(&whole, before);
	str_putn(&whole, s->s ? s->s : "", s->n);
	str_put(&whole, after);
	str_deinit(s);
	*s = whole;
}

static bool read_at(const struct expr *e, taddr at, void *buf, size_t n)
{
	size_t got = 0;

	err_free(target_read_some(e->a->s->t, at, buf, n, &got));
	return got == n;
}

static struct err *ignore_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg, (void)id, (void)type, (void)word0;
	return NULL;
}

static struct err *see_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct expr_words *w = arg;

	(void)id, (void)before;
	if (w->n < EXPR_WORDS && go_heap_object_at(w->h, value) == w->want) {
		w->at[w->n] = w->base + at;
		w->value[w->n++] = value;
	}
	return NULL;
}

static void ignore_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg, (void)addr, (void)nbytes;
}

void expr_find_words(const struct expr *e, uint64_t id, uint64_t next, struct expr_words *ret)
{
	static const struct go_scan_ops ops = {
		.object = ignore_object,
		.pointer = see_pointer,
		.lost = ignore_lost,
	};
	const struct go_heap *h = &e->a->s->heap;

	*ret = (struct expr_words){ .h = h, .want = next, .base = go_heap_address(h, id, NULL) };
	err_free(go_heap_scan_object(e->a->s->go, h, id, &ops, ret));
}

/* The step has no words: begin anew at an address. */
static void restart(struct expr *e, const struct go_type *t, taddr at, const char *why)
{
	char addr[32];

	e->unsaid += !e->blind;
	e->last_unsaid = e->blind ? e->last_unsaid : why;
	e->blind = true;
	expr_clear(&e->go);
	expr_clear(&e->dlv);
	snprintf(addr, sizeof(addr), ")(" TADDR_FMT ")", at);
	expr_put(e, "(*");
	if (t)
		expr_type(e->a->s->rtypes, t, &e->go, &e->dlv);
	else
		expr_put(e, "unsafe.Pointer");
	expr_put(e, addr);
}

/* The object's own type as a place; false: not known. */
static bool own_type(const struct expr *e, uint64_t id, struct expr_place *ret)
{
	const struct snapshot *s = e->a->s;
	uint32_t number = s->type_of ? s->type_of[id] : 0;
	const struct go_span *sp = go_heap_span_of(&s->heap, id);
	const struct go_type *t;
	uint64_t bytes;

	if (!number || !sp || s->types.v[number].kind != SNAP_TYPE_RTYPE)
		return false;
	t = go_type_at(s->rtypes, s->types.v[number].rtype);
	if (!t || !t->bytes)
		return false;
	*ret = (struct expr_place){ .type = t, .n = 1, .len = 1, .how = EXPR_POINTED };
	ret->at = go_heap_address(&s->heap, id, &bytes) + go_span_header(sp);
	if (s->types.v[number].array)
		ret->n = ret->len = (bytes - go_span_header(sp)) / t->bytes;
	return true;
}

static bool enter_slice(const struct expr *e, struct expr_place *ret)
{
	const struct go_type *t = go_type_at(e->a->s->rtypes, e->type->elem);
	uint64_t w[3];

	if (!t || !t->bytes || !e->at || !read_at(e, e->at, w, sizeof(w)) || w[0] != e->to)
		return false;
	*ret = (struct expr_place){
		.type = t, .at = e->to, .n = w[2], .len = MIN(w[1], w[2]), .how = EXPR_ELEMENTS
	};
	return w[2] <= (1ULL << 46) / t->bytes;
}

static bool enter_pointer(struct expr *e, struct expr_place *ret)
{
	const struct go_type *t = go_type_at(e->a->s->rtypes, e->type->elem);

	if (!t || !t->bytes)
		return false;
	*ret = (struct expr_place){ .type = t, .at = e->to, .n = 1, .len = 1, .how = EXPR_POINTED };
	return true;
}

/* unsafe.Pointer to an object whose type is known: Go converts it. */
static bool enter_unsafe(struct expr *e, uint64_t id, struct expr_place *ret)
{
	struct str go = { 0 }, dlv = { 0 };

	if (!own_type(e, id, ret) || e->to < ret->at || (e->to - ret->at) % ret->type->bytes ||
	    (e->to - ret->at) / ret->type->bytes)
		return false;
	expr_put(e, ")");
	str_put(&go, "(*");
	str_put(&dlv, "(*");
	expr_type(e->a->s->rtypes, ret->type, &go, &dlv);
	str_put(&go, ")(");
	str_put(&dlv, ")(");
	expr_wrap(&e->go, go.s ? go.s : "", "");
	expr_wrap(&e->dlv, dlv.s ? dlv.s : "", "");
	str_deinit(&go);
	str_deinit(&dlv);
	ret->n = ret->len = 1;
	return true;
}

/* The dynamic value; true: it lies in a box of its own.  False with e->type set: look again. */
static bool enter_interface(struct expr *e, struct expr_place *ret)
{
	struct go_types *ts = e->a->s->rtypes;
	const struct go_type *t;
	taddr word0, type;
	struct str path = { 0 };
	uint64_t off;

	if (!e->at || !read_at(e, e->at, &word0, sizeof(word0))) {
		e->type = NULL;
		return false;
	}
	type = go_itab_type(ts, word0);
	t = go_type_at(ts, type ? type : word0);
	e->type = NULL;
	if (!t)
		return false;
	str_put(&e->go, ".(");
	str_put(&e->go, t->name);
	str_put(&e->go, ")");
	str_put(&e->dlv, ".(data)");
	if (!t->direct_iface) {
		*ret = (struct expr_place){
			.type = t, .at = e->to, .n = 1, .len = 1, .how = EXPR_VALUE
		};
		return true;
	}
	e->at = e->word_at;
	if (expr_leaf(ts, t, 0, &path, &e->type, &off) && path.n)
		expr_put(e, path.s);
	str_deinit(&path);
	return false;
}

/* What the value in hand says of the memory that it points to. */
static bool enter(struct expr *e, uint64_t id, struct expr_place *ret)
{
	if (e->inside && e->type) {
		*ret = (struct expr_place){
			.type = e->type, .at = e->at, .n = 1, .len = 1, .how = EXPR_VALUE
		};
		return true;
	}
	for (unsigned i = 0; e->type && i < DIRECT_MAX; i++) {
		switch (e->type->kind) {
		case GO_POINTER:
			return enter_pointer(e, ret);
		case GO_SLICE:
			return enter_slice(e, ret);
		case GO_UNSAFE_POINTER:
			return enter_unsafe(e, id, ret);
		case GO_INTERFACE:
			if (enter_interface(e, ret))
				return true;
			break;
		default:
			return false;
		}
	}
	return false;
}

/* Text of element i of the place, to which a path will be appended. */
static void put_element(struct expr *e, const struct expr_place *pl, uint64_t i, const char *path)
{
	char text[64];

	if (pl->how == EXPR_POINTED) {
		bool amp = e->go.n && e->go.s[0] == '&';

		if (amp) { /* *&x */
			memmove(e->go.s, e->go.s + 1, e->go.n--);
			memmove(e->dlv.s, e->dlv.s + 1, e->dlv.n--);
		} else if (!*path) {
			expr_wrap(&e->go, "(*", ")");
			expr_wrap(&e->dlv, "(*", ")");
		}
	} else if (pl->how == EXPR_ELEMENTS) {
		if (i >= pl->len) {
			snprintf(text, sizeof(text), "[:%" PRIu64 "]", pl->n);
			expr_put(e, text);
		}
		snprintf(text, sizeof(text), "[%" PRIu64 "]", i);
		expr_put(e, text);
	}
	expr_put(e, path);
}

/* The pointer at word, by the type of the place: e becomes the value that it is part of. */
static bool follow(struct expr *e, const struct expr_place *pl, taddr word)
{
	struct go_types *ts = e->a->s->rtypes;
	_cleanup_(str_deinit) struct str path = { 0 };
	const struct go_type *leaf;
	uint64_t i, off, leaf_off;

	if (word < pl->at || (word - pl->at) / pl->type->bytes >= pl->n)
		return false;
	i = (word - pl->at) / pl->type->bytes;
	off = (word - pl->at) % pl->type->bytes;
	if (!expr_leaf(ts, pl->type, off, &path, &leaf, &leaf_off))
		return false;
	put_element(e, pl, i, path.n ? path.s : "");
	e->field = keepf(&e->a->keep, "%s", path.n ? path.s : "");
	if (pl->how == EXPR_ELEMENTS)
		e->field = keepf(&e->a->keep, "[%" PRIu64 "]%s", i, path.n ? path.s : "");
	e->type = leaf;
	e->blind = false;
	e->at = pl->at + i * pl->type->bytes + leaf_off;
	e->word_at = word;
	return true;
}

/* By the object's own type, whatever the value in hand says. */
static bool follow_own(struct expr *e, uint64_t id, taddr word)
{
	struct expr_place pl;
	struct expr_place one;
	uint64_t i;

	if (!own_type(e, id, &pl) || word < pl.at)
		return false;
	i = (word - pl.at) / pl.type->bytes;
	if (i >= pl.n)
		return false;
	one = pl;
	one.at += i * pl.type->bytes;
	one.n = one.len = 1;
	restart(e, one.type, one.at, "its holder's type does not tell this field");
	if (!follow(e, &one, word))
		return false;
	if (pl.n > 1)
		e->field = keepf(&e->a->keep, "[%" PRIu64 "]%s", i, e->field);
	return true;
}

static void follow_blind(struct expr *e, uint64_t id, taddr word)
{
	taddr base = go_heap_address(&e->a->s->heap, id, NULL);

	restart(e, NULL, word, "an object of unknown type");
	expr_wrap(&e->go, "*", "");
	expr_wrap(&e->dlv, "*", "");
	e->field = keepf(&e->a->keep, "+0x%" PRIx64, word - base);
	e->type = NULL;
	e->at = e->word_at = word;
}

void expr_dlv_at(struct expr *e, const struct go_type *t, taddr at, const char *path)
{
	_cleanup_(str_deinit) struct str ignored = { 0 };
	char addr[32];

	expr_clear(&e->dlv);
	str_put(&e->dlv, "(*");
	expr_type(e->a->s->rtypes, t, &ignored, &e->dlv);
	snprintf(addr, sizeof(addr), ")(" TADDR_FMT ")", at);
	str_put(&e->dlv, addr);
	if (!*path)
		expr_wrap(&e->dlv, "(*", ")");
	str_put(&e->dlv, path);
}

static void step_object(struct expr *e, uint64_t id, uint64_t next)
{
	struct expr_place pl = { 0 };
	struct expr_words w;
	bool known;

	expr_find_words(e, id, next, &w);
	known = enter(e, id, &pl);
	e->inside = false;
	for (unsigned i = 0; i < w.n; i++)
		if (known && follow(e, &pl, w.at[i])) {
			e->to = w.value[i];
			return;
		}
	for (unsigned i = 0; i < w.n; i++)
		if (follow_own(e, id, w.at[i])) {
			e->to = w.value[i];
			return;
		}
	e->to = w.n ? w.value[0] : go_heap_address(&e->a->s->heap, next, NULL);
	if (w.n) {
		follow_blind(e, id, w.at[0]);
		return;
	}
	restart(e, NULL, e->to, "no pointer was found there");
	e->field = "";
	e->type = NULL;
	e->at = e->word_at = 0;
}

/* Interfaces are looked through; false: to be entered as any other object. */
static bool is_container(struct expr *e)
{
	return !e->inside && e->type && (e->type->kind == GO_MAP || e->type->kind == GO_CHAN);
}

struct err *expr_step(struct expr *e, const gnode *path, size_t len, size_t *i)
{
	uint64_t id = graph_object(e->a->g, path[*i]);

	e->field = e->frame_of = e->var = e->what = e->key = "";
	if (*i + 1 >= len)
		return NULL;
	if (!is_container(e) || !expr_contained(e, path, len, i))
		step_object(e, id, graph_object(e->a->g, path[*i + 1]));
	if (e->go.n > EXPR_TEXT_MAX)
		restart(e, NULL, e->at, "the expression is too long");
	return e->go.bad || e->dlv.bad ? &err_nomem : NULL;
}

/* The variable that address lies in; frame UINT32_MAX: a global. */
static const struct snap_var *var_at(const struct expr *e, taddr at, uint32_t frame)
{
	const struct snapshot *s = e->a->s;
	const struct snap_var *best = NULL;
	size_t lo = 0, hi = s->vars.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->vars.v[mid].at <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (unsigned k = 0; lo && k < VARS_BACK; k++) {
		const struct snap_var *v = &s->vars.v[--lo];
		const struct go_type *t = go_type_at(s->rtypes, v->rtype);

		if (t && at - v->at < t->bytes && v->frame == frame &&
		    (!best || v->rank > best->rank))
			best = v;
	}
	return best;
}

/* The frame's number as dlv counts them: inlined calls are frames of their own. */
static unsigned frame_number(const struct expr *e, const struct go_goroutine *gr, uint32_t frame)
{
	const struct go_stacks *st = &e->a->s->stacks;
	struct go_line lines[64];
	unsigned n = 0;

	for (size_t i = gr->first_frame; i < st->frames.n && i <= frame; i++) {
		size_t k = go_lines_at(e->a->s->go, go_frame_line_pc(&st->frames.v[i]), lines,
				       ARRAY_LEN(lines));

		n += k ? (unsigned)k : 1;
	}
	return n ? n - 1 : 0;
}

static bool put_local(struct expr *e, const struct snap_var *v)
{
	const char *name = *v->name == '&' ? v->name + 1 : v->name;

	if (!expr_identifier(name, strlen(name)))
		return false;
	expr_put(e, v->name);
	return true;
}

/* The root's variable holds the pointer at slot sl. */
static bool begin_var(struct expr *e, const struct snap_root *r, const struct snap_slot *sl)
{
	const struct snapshot *s = e->a->s;
	const struct snap_var *v = sl->at ? var_at(e, sl->at, sl->frame) : NULL;
	_cleanup_(str_deinit) struct str path = { 0 };
	const struct go_type *leaf;
	uint64_t off;

	if (!v || !v->name ||
	    !expr_leaf(s->rtypes, go_type_at(s->rtypes, v->rtype), sl->at - v->at, &path, &leaf,
		       &off))
		return false;
	if (r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < s->stacks.gs.n) {
		const struct go_goroutine *gr = &s->stacks.gs.v[r->goroutine];

		if (!put_local(e, v))
			return false;
		e->goroutine = gr->id;
		e->frame = frame_number(e, gr, sl->frame);
	} else if (!expr_global(v->name, &e->go, &e->dlv)) {
		return false;
	}
	if (path.n)
		expr_put(e, path.s);
	e->var = v->name;
	e->field = keepf(&e->a->keep, "%s", path.n ? path.s : "");
	e->type = leaf;
	e->at = v->at + off;
	e->word_at = sl->at;
	e->to = sl->value;
	return true;
}

static const char *why_root(const struct snap_root *r, const struct snap_slot *sl)
{
	if (r->kind == SNAP_ROOT_GLOBAL)
		return "a global of unknown type";
	if (r->kind != SNAP_ROOT_GOROUTINE)
		return "a table of the runtime";
	if (sl->flags & (GO_SLOT_REGISTER | GO_SLOT_DEFER | GO_SLOT_PANIC | GO_SLOT_G))
		return "no variable of a goroutine";
	return "a stack slot without a name";
}

struct err *expr_begin(struct expr *e, gnode root, uint64_t next)
{
	const struct snapshot *s = e->a->s;
	const struct snap_root *r = &s->roots.v[root - 1];
	const struct snap_slot *first = NULL;

	e->field = e->frame_of = e->var = e->what = e->key = "";
	for (uint64_t i = r->first_slot; i < r->first_slot + r->nslots && i < s->slots.n; i++) {
		const struct snap_slot *sl = &s->slots.v[i];

		if (sl->object != next)
			continue;
		if (begin_var(e, r, sl))
			return NULL;
		first = first ? first : sl;
	}
	e->to = first ? first->value : go_heap_address(&s->heap, next, NULL);
	e->word_at = e->at = first ? first->at : 0;
	restart(e, NULL, e->word_at ? e->word_at : e->to,
		first ? why_root(r, first) : "no pointer was found there");
	if (e->word_at) {
		expr_wrap(&e->go, "*", "");
		expr_wrap(&e->dlv, "*", "");
	}
	return e->go.bad || e->dlv.bad ? &err_nomem : NULL;
}
