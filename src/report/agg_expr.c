/*
 * agg_expr.c - one step after the other through typed memory, as Go would write it.
 *
 * A value (a field, an element, a variable) points to an object; the type that it says is
 * there, or the object's own, tells which field of it points to the next.  Costs one read of
 * each object on the way, of containers one of their entries.
 */
#include "report/agg_expr.h"

#include <stdio.h>

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
void expr_restart(struct expr *e, const struct go_type *t, taddr at, const char *why)
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

/* Before a path is appended to a pointer: Go follows it by itself, and of *&x remains x. */
static void deref(struct str *s, const char *path)
{
	if (s->n && s->s[0] == '&')
		memmove(s->s, s->s + 1, s->n--);
	else if (!*path)
		expr_wrap(s, "(*", ")");
}

/* Text of element i of the place, to which a path will be appended. */
static void put_element(struct expr *e, const struct expr_place *pl, uint64_t i, const char *path)
{
	char text[64];

	if (pl->how == EXPR_POINTED) {
		deref(&e->go, path);
		deref(&e->dlv, path);
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

/*
 * A variable of a closure, ".sess": Go has no words for it, dlv has; ".&n": by reference, the
 * closure has the address of n.  Of what no DWARF tells nothing is said to dlv.
 */
static void put_captured(struct expr *e, const struct expr_place *pl, const char *path)
{
	if (path[0] == '.' && path[1] == '&') {
		expr_wrap(&e->go, "&", ".");
		expr_wrap(&e->dlv, "&", ".");
		path += 2;
	}
	expr_put(e, path);
	if (pl->how == EXPR_CAPTURED_BLIND) {
		expr_dlv_at(e, e->type, e->at, "");
		e->unsaid += !e->blind;
		e->last_unsaid = "a variable of a closure that DWARF does not name";
	}
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
	e->field = keepf(&e->a->keep, "%s", path.n ? path.s : "");
	if (pl->how == EXPR_ELEMENTS)
		e->field = keepf(&e->a->keep, "[%" PRIu64 "]%s", i, path.n ? path.s : "");
	e->type = leaf;
	e->at = pl->at + i * pl->type->bytes + leaf_off;
	e->word_at = word;
	if (pl->how == EXPR_CAPTURED || pl->how == EXPR_CAPTURED_BLIND)
		put_captured(e, pl, path.n ? path.s : "");
	else
		put_element(e, pl, i, path.n ? path.s : "");
	e->blind = e->inner = false;
	return true;
}

/* "sync.entry[any,any]", not "map[string]int" or "[]int". */
static bool is_generic(const char *full)
{
	for (const char *p = strchr(full, '['); p; p = strchr(p + 1, '['))
		if (p > full &&
		    (p[-1] == '_' || (p[-1] >= '0' && p[-1] <= '9') ||
		     ((p[-1] | 0x20) >= 'a' && (p[-1] | 0x20) <= 'z')) &&
		    (p - full < 3 || strncmp(p - 3, "map", 3)))
			return true;
	return false;
}

/* Literals of types are spelled in another way by DWARF; of generics it has often only shapes, and
 * of the runtime not all. */
bool expr_dlv_names(const struct expr *e, const struct go_type *t)
{
	const char *full = go_type_full(e->a->s->rtypes, t);

	return !strcmp(full, "interface {}") ||
	       (strncmp(full, "runtime.", 8) && !is_generic(full) && !strstr(full, "func(") &&
		!strstr(full, "struct {") && !strstr(full, "interface {"));
}

void expr_dlv_at(struct expr *e, const struct go_type *t, taddr at, const char *path)
{
	_cleanup_(str_deinit) struct str ignored = { 0 };
	char addr[32];

	expr_clear(&e->dlv);
	e->untyped = !expr_dlv_names(e, t);
	if (e->untyped) {
		str_printf(&e->dlv, "(*(*unsafe.Pointer)(" TADDR_FMT "))", e->word_at);
		return;
	}
	str_put(&e->dlv, "(*");
	expr_type(e->a->s->rtypes, t, &ignored, &e->dlv);
	snprintf(addr, sizeof(addr), ")(" TADDR_FMT ")", at);
	str_put(&e->dlv, addr);
	if (!*path)
		expr_wrap(&e->dlv, "(*", ")");
	str_put(&e->dlv, path);
}

/* The value in hand points to the place pl, but as another type (time.Timer: its own is larger). */
static bool convert(struct expr *e, const struct expr_place *pl)
{
	_cleanup_(str_deinit) struct str go = { 0 }, dlv = { 0 };

	if (e->blind || !e->type || e->type->kind != GO_POINTER || e->to != pl->at)
		return false;
	str_put(&go, "(*");
	str_put(&dlv, "(*");
	expr_type(e->a->s->rtypes, pl->type, &go, &dlv);
	str_put(&go, ")(unsafe.Pointer(");
	str_put(&dlv, ")(unsafe.Pointer(");
	if (!str_ok(&go) || !str_ok(&dlv))
		return false;
	expr_wrap(&e->go, go.s, "))");
	expr_wrap(&e->dlv, dlv.s, "))");
	e->unnamed = !expr_dlv_names(e, pl->type);
	return true;
}

/* By the object's own type, whatever the value in hand says. */
static bool follow_own(struct expr *e, uint64_t id, taddr word)
{
	struct expr_place pl;
	struct expr_place one;
	uint64_t i;

	if (!expr_own_type(e, id, &pl) || word < pl.at)
		return false;
	i = (word - pl.at) / pl.type->bytes;
	if (i >= pl.n)
		return false;
	one = pl;
	one.at += i * pl.type->bytes;
	one.n = one.len = 1;
	if (!convert(e, &one))
		expr_restart(e, one.type, one.at, "its holder's type does not tell this field");
	if (!follow(e, &one, word))
		return false;
	if (!expr_dlv_names(e, one.type))
		expr_dlv_at(e, e->type, e->at, "");
	if (pl.n > 1)
		e->field = keepf(&e->a->keep, "[%" PRIu64 "]%s", i, e->field);
	return true;
}

static void follow_blind(struct expr *e, uint64_t id, taddr word)
{
	taddr base = go_heap_address(&e->a->s->heap, id, NULL);

	expr_restart(e, NULL, word, "an object of unknown type");
	expr_wrap(&e->go, "*", "");
	expr_wrap(&e->dlv, "*", "");
	e->field = keepf(&e->a->keep, "+0x%" PRIx64, word - base);
	e->type = NULL;
	e->at = e->word_at = word;
}

/* To what a map or a channel is made of: no value of the program lies between. */
static void follow_inner(struct expr *e, uint64_t id, taddr word)
{
	bool map = e->type && e->type->kind == GO_MAP;
	_cleanup_(str_deinit) struct str go = { 0 };

	str_putn(&go, e->go.s ? e->go.s : "", e->go.n);
	if (!e->inner)
		str_put(&go, map ? "/*memory of the map*/" : "/*memory of the channel*/");
	follow_blind(e, id, word);
	expr_clear(&e->go);
	str_putn(&e->go, go.s ? go.s : "", go.n);
	if (!e->inner)
		e->last_unsaid = map ? "memory of a map itself" : "memory of a channel itself";
	e->inner = true;
}

/* Interfaces are looked through; false: to be entered as any other object. */
static bool is_container(struct expr *e)
{
	return !e->inside && e->type && (e->type->kind == GO_MAP || e->type->kind == GO_CHAN);
}

static void step_object(struct expr *e, uint64_t id, uint64_t next)
{
	bool inner = e->inner || is_container(e), known;
	struct expr_place pl = { 0 };
	struct expr_words w;

	expr_find_words(e, id, next, &w);
	known = expr_enter(e, id, &pl);
	e->inside = false;
	for (unsigned i = 0; i < w.n; i++)
		if (known && follow(e, &pl, w.at[i])) {
			e->to = w.value[i];
			return;
		}
	for (unsigned i = 0; i < w.n && !inner; i++)
		if (follow_own(e, id, w.at[i])) {
			e->to = w.value[i];
			return;
		}
	e->to = w.n ? w.value[0] : go_heap_address(&e->a->s->heap, next, NULL);
	if (w.n && inner)
		follow_inner(e, id, w.at[0]);
	else if (w.n)
		follow_blind(e, id, w.at[0]);
	if (w.n)
		return;
	expr_restart(e, NULL, e->to, "no pointer was found there");
	e->field = "";
	e->type = NULL;
	e->at = e->word_at = 0;
}

/* Begin anew where the value lies. */
static void shorten(struct expr *e)
{
	if (e->at && e->type)
		expr_restart(e, e->type, e->at, "the expression is too long");
	else
		expr_restart(e, NULL, e->word_at, "the expression is too long");
	expr_wrap(&e->go, "(*", ")");
	expr_wrap(&e->dlv, "(*", ")");
	e->blind = false;
}

struct err *expr_step(struct expr *e, const gnode *path, size_t len, size_t *i)
{
	uint64_t id = graph_object(e->a->g, path[*i]);
	bool untyped;

	e->field = e->frame_of = e->var = e->what = e->key = "";
	if (*i + 1 >= len)
		return NULL;
	if (!e->inside)
		expr_unwrap(e);
	untyped = e->untyped;
	e->untyped = false;
	e->unnamed = false;
	if (!is_container(e) || !expr_contained(e, path, len, i))
		step_object(e, id, graph_object(e->a->g, path[*i + 1]));
	if (untyped && e->type && e->at)
		expr_dlv_at(e, e->type, e->at, "");
	if (e->unnamed && e->type && e->at && !e->blind) {
		expr_dlv_at(e, e->type, e->at, "");
		e->unsaid++;
		e->last_unsaid = "a conversion to a type that DWARF may not name";
	}
	if (e->go.n > EXPR_TEXT_MAX || e->dlv.n > EXPR_TEXT_MAX)
		shorten(e);
	return e->go.bad || e->dlv.bad ? &err_nomem : NULL;
}
