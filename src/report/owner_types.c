/*
 * owner_types.c - which words of which types pass on: rules by name become offsets.
 *
 * Every struct type that an object or a variable has inside is looked at once; a rule's field is
 * found by its name, so that a library may move it.  Knows no objects.  O(types x rules).
 */
#include "report/owner_mark.h"

#include <stdio.h>

enum { DEPTH = 16, ARRAY_WORDS = 64, STEPS_MAX = 4096, TYPES_MAX = 1 << 20 };

struct seen {
	taddr *tab;
	size_t n, cap;
};

struct looker {
	struct go_types *ts;
	const struct owner_rules *rules;
	struct owner_types *out;
	struct seen seen;
	VEC(taddr) todo;
	unsigned steps; /* of one field: types that lie nest without end */
};

static size_t place_of(const struct seen *s, taddr t)
{
	size_t i = (size_t)(t * 0x9e3779b97f4a7c15ULL >> 20) & (s->cap - 1);

	while (s->tab[i] && s->tab[i] != t)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static struct err *grow(struct seen *s)
{
	struct seen wide = { .cap = s->cap ? s->cap * 2 : 1024, .n = s->n };

	wide.tab = zalloc(wide.cap, sizeof(*wide.tab));
	if (!wide.tab)
		return &err_nomem;
	for (size_t i = 0; i < s->cap; i++)
		if (s->tab[i])
			wide.tab[place_of(&wide, s->tab[i])] = s->tab[i];
	free(s->tab);
	*s = wide;
	return NULL;
}

static struct err *want(struct looker *l, taddr t)
{
	struct err *err;
	size_t i;

	if (!t || l->seen.n >= TYPES_MAX)
		return NULL;
	if (2 * l->seen.n >= l->seen.cap) {
		err = grow(&l->seen);
		if (err)
			return err;
	}
	i = place_of(&l->seen, t);
	if (l->seen.tab[i])
		return NULL;
	l->seen.tab[i] = t;
	l->seen.n++;
	return vec_push(&l->todo, t) ? NULL : &err_nomem;
}

/* Every pointer word of a value of t at off. */
static struct err *add_words(struct looker *l, const struct go_type *t, uint64_t off,
			     struct owner_word w, unsigned depth)
{
	struct err *err = NULL;

	if (!t || depth > DEPTH || off > UINT32_MAX || ++l->steps > STEPS_MAX)
		return NULL;
	switch (t->kind) {
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
	case GO_MAP:
	case GO_CHAN:
	case GO_FUNC:
	case GO_SLICE:
	case GO_STRING:
	case GO_INTERFACE:
		w.off = (uint32_t)off + (t->kind == GO_INTERFACE ? 8 : 0);
		return vec_push(&l->out->words, w) ? NULL : &err_nomem;
	case GO_STRUCT:
		for (size_t i = 0; i < t->nfields && !err; i++)
			err = add_words(l, go_type_at(l->ts, t->fields[i].type),
					off + t->fields[i].offset, w, depth + 1);
		return err;
	case GO_ARRAY: {
		const struct go_type *e = go_type_at(l->ts, t->elem);

		for (uint64_t i = 0; e && i < MIN(t->len, (uint64_t)ARRAY_WORDS) && !err; i++)
			err = add_words(l, e, off + i * e->bytes, w, depth + 1);
		return err;
	}
	default:
		return NULL;
	}
}

static struct err *add_field(struct looker *l, const struct go_type *t, const char *field,
			     struct owner_word w)
{
	const struct go_type *f = t;
	uint64_t off = 0;

	l->steps = 0;
	if (field && !go_type_path(l->ts, t, field, &off, &f))
		return NULL;
	return add_words(l, f, off, w, 0);
}

static bool is_named(struct looker *l, taddr type, const char *name)
{
	const struct go_type *t = go_type_at(l->ts, type);

	return t && t->named && !strcmp(go_type_full(l->ts, t), name);
}

static bool is_list(struct looker *l, const struct go_type *t)
{
	if (t && t->kind == GO_POINTER)
		return is_named(l, t->elem, "container/list.List");
	return t && is_named(l, t->addr, "container/list.List");
}

static bool is_map_of_elements(struct looker *l, const struct go_type *t)
{
	const struct go_type *e = t && t->kind == GO_MAP ? go_type_at(l->ts, t->elem) : NULL;

	return e && e->kind == GO_POINTER && is_named(l, e->elem, "container/list.Element");
}

/* A list.List and a map of its elements side by side. */
static struct err *add_lru(struct looker *l, const struct go_type *t, struct owner_word w)
{
	unsigned lists = 0, maps = 0;
	struct err *err = NULL;

	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type *f = go_type_at(l->ts, t->fields[i].type);

		lists += is_list(l, f);
		maps += is_map_of_elements(l, f);
	}
	l->steps = 0;
	for (size_t i = 0; lists && maps && i < t->nfields && !err; i++) {
		const struct go_type *f = go_type_at(l->ts, t->fields[i].type);

		if (is_list(l, f) || is_map_of_elements(l, f))
			err = add_words(l, f, t->fields[i].offset, w, 0);
	}
	return err;
}

/* Does a type's name, without what it was instantiated with, begin text?  What follows is a field.
 */
static bool begins(const char *name, const char *text, const char **ret_field)
{
	size_t n = strcspn(name, "[");

	if (!n || strncmp(name, text, n) || (text[n] && text[n] != '.'))
		return false;
	*ret_field = text[n] ? text + n + 1 : NULL;
	return true;
}

/* Of a type without a name nothing is known. */
static struct err *apply(struct looker *l, const struct go_type *t, const char *full,
			 const struct owner_rule *r, struct owner_word w)
{
	size_t n = r->holder ? strlen(r->holder) : 0;
	const char *field;

	switch (r->what) {
	case OWNER_FIELD:
		if (!strcmp(full, r->holder) ||
		    (n && r->holder[n - 1] == '[' && !strncmp(full, r->holder, n)))
			return add_field(l, t, r->field, w);
		return NULL;
	case OWNER_LRU:
		return add_lru(l, t, w);
	case OWNER_NAMED:
		if (t->named &&
		    (begins(t->name, r->holder, &field) || begins(full, r->holder, &field)))
			return add_field(l, t, field, w);
		return NULL;
	default:
		return NULL;
	}
}

static int by_offset(const void *x, const void *y)
{
	const struct owner_word *a = x, *b = y;

	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	return (a->rule < b->rule) -
	       (a->rule > b->rule); /* the user's come last, and are first here */
}

static struct err *look_at(struct looker *l, const struct go_type *t)
{
	const char *full = t->named ? go_type_full(l->ts, t) : "";
	struct owner_types *o = l->out;
	struct owner_type x = { .type = t->addr, .first = (uint32_t)o->words.n };
	struct err *err = NULL;

	for (size_t i = 0; i < l->rules->v.n && !err; i++) {
		const struct owner_rule *r = &l->rules->v.v[i];

		err = apply(l, t, full, r,
			    (struct owner_word){ .how = r->how, .rule = (uint16_t)i });
	}
	if (err || o->words.n == x.first)
		return err;
	qsort(o->words.v + x.first, o->words.n - x.first, sizeof(*o->words.v), by_offset);
	x.n = (uint32_t)(o->words.n - x.first);
	return vec_push(&o->v, x) ? NULL : &err_nomem;
}

static struct err *visit(struct looker *l, taddr type)
{
	const struct go_type *t = go_type_at(l->ts, type);
	struct err *err;

	if (!t || (t->kind != GO_STRUCT && t->kind != GO_ARRAY))
		return NULL;
	if (t->kind == GO_ARRAY)
		return want(l, t->elem);
	err = look_at(l, t);
	for (size_t i = 0; i < t->nfields && !err; i++)
		err = want(l, t->fields[i].type);
	return err;
}

static int by_type(const void *x, const void *y)
{
	const struct owner_type *a = x, *b = y;

	return (a->type > b->type) - (a->type < b->type);
}

static struct err *look(struct looker *l, const struct snapshot *s)
{
	struct err *err = NULL;

	for (size_t i = 0; i < s->types.n && !err; i++) {
		err = want(l, s->types.v[i].rtype);
		if (!err)
			err = want(l, s->types.v[i].elem);
	}
	for (size_t i = 0; i < s->vars.n && !err; i++)
		err = want(l, s->vars.v[i].rtype);
	while (l->todo.n && !err)
		err = visit(l, l->todo.v[--l->todo.n]);
	return err;
}

struct err *owner_types_make(const struct snapshot *s, const struct owner_rules *rules,
			     struct owner_types *ret)
{
	_cleanup_(owner_types_deinit) struct owner_types o = { 0 };
	struct looker l = { .ts = s->rtypes, .rules = rules, .out = &o };
	struct err *err = look(&l, s);

	free(l.seen.tab);
	vec_free(&l.todo);
	if (err)
		return err;
	if (o.v.n)
		qsort(o.v.v, o.v.n, sizeof(*o.v.v), by_type);
	for (size_t i = 0; i < o.v.n; i++)
		if (!vec_push(&o.addrs, o.v.v[i].type))
			return &err_nomem;
	*ret = o;
	o = (struct owner_types){ 0 };
	return NULL;
}

const struct owner_word *owner_words_of(const struct owner_types *o, taddr type, size_t *ret_n)
{
	struct owner_type want = { .type = type };
	const struct owner_type *t =
		o->v.n ? bsearch(&want, o->v.v, o->v.n, sizeof(want), by_type) : NULL;

	*ret_n = t ? t->n : 0;
	return t ? o->words.v + t->first : NULL;
}

void owner_types_deinit(struct owner_types *o)
{
	vec_free(&o->v);
	vec_free(&o->words);
	vec_free(&o->addrs);
}
