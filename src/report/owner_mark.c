/*
 * owner_mark.c - which edges of the graph pass on, by the rules.
 *
 * A row of edges is in the order of its object's pointer words, without those that lead nowhere;
 * words that a rule names come in that order, too.  So each takes the next edge of the row that
 * leads where the word does: of parallel edges it does not matter which one.
 * Words outside of the heap (globals) are gathered first, and met again at the roots' slots.
 */
#include "report/owner_mark.h"
#include "report/pop_priv.h"

#include "base/bytes.h"

/* Where a worker is in the row of the object that it is being shown. */
struct cursor {
	uint64_t object;
	uint32_t e;
};

struct root_word {
	taddr at;
	struct owner_word w;
};

struct marker {
	struct agg *a;
	const struct owner_rules *rules;
	struct graph_passing *p;
	uint64_t *counts;
	struct owner_types types;
	struct cursor *cursors; /* by worker */
	unsigned ncursors;
	VEC(struct root_word) words; /* only the first worker adds to them */
	uint8_t *keep;		     /* by root: the user says that it owns */
};

static void mark(struct marker *m, uint32_t e, unsigned how, size_t rule)
{
	uint64_t *bits = how == OWNER_CHAIN ? m->p->chain : m->p->plain;

	/* Neighbours in a word may be another worker's. */
	__atomic_fetch_or(&bits[e >> 6], 1ULL << (e & 63), __ATOMIC_RELAXED);
	__atomic_fetch_add(&m->counts[rule], 1, __ATOMIC_RELAXED);
}

static void mark_word(struct marker *m, struct cursor *c, gnode v, const struct owner_word *w,
		      taddr value)
{
	const struct graph *g = m->a->g;
	uint64_t to = go_heap_object_at(&m->a->s->heap, value);
	gnode t;

	if (!snapshot_is_object(m->a->s, to))
		return;
	t = graph_node_of_object(g, to);
	for (uint32_t e = c->e; e < graph_last(g, v); e++) {
		if (g->to[e] != t)
			continue;
		mark(m, e, w->how, w->rule);
		c->e = e + 1;
		return;
	}
}

static struct err *see_object(struct marker *m, const struct snap_place *p,
			      const struct owner_word *w, size_t n)
{
	gnode v = graph_node_of_object(m->a->g, p->object);
	struct cursor *c = &m->cursors[p->worker];

	if (c->object != p->object)
		*c = (struct cursor){ p->object, graph_first(m->a->g, v) };
	for (size_t i = 0; i < n; i++)
		if (w[i].off + 8 <= p->type->bytes)
			mark_word(m, c, v, &w[i], load_u64(p->bytes + w[i].off));
	return NULL;
}

static struct err *see(void *arg, const struct snap_place *p)
{
	struct marker *m = arg;
	size_t n;
	const struct owner_word *w = owner_words_of(&m->types, p->type->addr, &n);

	if (!w)
		return NULL;
	if (p->object != GO_NO_OBJECT)
		return see_object(m, p, w, n);
	for (size_t i = 0; i < n; i++)
		if (!vec_push(&m->words, (struct root_word){ p->at + w[i].off, w[i] }))
			return &err_nomem;
	return NULL;
}

/* "main.tracker.items": words of a global whose type is known. */
static struct err *see_global_field(struct marker *m, const struct snap_var *v, const char *field,
				    struct owner_word w)
{
	const struct go_type *t = go_type_at(m->a->s->rtypes, v->rtype), *f;
	uint64_t off;

	if (!t || !go_type_path(m->a->s->rtypes, t, field, &off, &f))
		return NULL;
	for (uint64_t i = 0; i + 8 <= f->bytes; i += 8)
		if (!vec_push(&m->words, (struct root_word){ v->at + off + i, w }))
			return &err_nomem;
	return NULL;
}

static struct err *see_global_fields(struct marker *m, size_t rule)
{
	const struct owner_rule *r = &m->rules->v.v[rule];
	const struct snapshot *s = m->a->s;
	struct err *err = NULL;

	for (size_t i = 0; i < s->vars.n && !err; i++) {
		const struct snap_var *v = &s->vars.v[i];
		size_t n = v->name && v->frame == UINT32_MAX ? strlen(v->name) : 0;

		if (n && !strncmp(r->holder, v->name, n) && r->holder[n] == '.')
			err = see_global_field(
				m, v, r->holder + n + 1,
				(struct owner_word){ .rule = (uint16_t)rule, .how = r->how });
	}
	return err;
}

struct pool_words {
	struct marker *m;
	uint16_t rule;
};

static struct err *see_pool_word(void *arg, taddr at)
{
	struct pool_words *x = arg;
	struct root_word w = { at, { .rule = x->rule, .how = OWNER_PLAIN } };

	return vec_push(&x->m->words, w) ? NULL : &err_nomem;
}

/* Objects without an rtype, all of each one's edges. */
static struct err *mark_objects(struct marker *m)
{
	const struct snapshot *s = m->a->s;
	const struct graph *g = m->a->g;
	_cleanup_(freep) uint16_t *rule_of = zalloc(s->types.n + 1, sizeof(*rule_of));

	if (!rule_of)
		return &err_nomem;
	for (size_t i = 0; i < m->rules->v.n; i++)
		for (size_t t = 1; m->rules->v.v[i].what == OWNER_OBJECT && t < s->types.n; t++)
			if (s->types.v[t].name && !s->types.v[t].array &&
			    !strcmp(s->types.v[t].name, m->rules->v.v[i].holder))
				rule_of[t] = (uint16_t)(i + 1);
	for (uint64_t id = 0; s->type_of && id < s->heap.nobjects; id++) {
		gnode v = graph_node_of_object(g, id);
		uint16_t r = s->type_of[id] < s->types.n ? rule_of[s->type_of[id]] : 0;

		if (!r || !graph_reached(g, v))
			continue;
		for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++)
			mark(m, e, OWNER_PLAIN, r - 1U);
	}
	return NULL;
}

/* "runtime.allgs", or "global used by runtime.newproc1, runtime.main (bss+0x10)". */
static bool is_of_package(const struct snap_root *r, const char *package)
{
	static const char used_by[] = "global used by ";
	size_t n = strlen(package);
	const char *p = r->name ? r->name : "";

	if (strncmp(p, used_by, strlen(used_by)))
		return !r->place && !strncmp(p, package, n) && p[n] == '.';
	for (p += strlen(used_by);; p++) {
		if (strncmp(p, package, n) || p[n] != '.')
			return false;
		p += strcspn(p, ", ");
		if (*p != ',')
			return true;
		p++; /* and the blank */
	}
}

static bool is_about(const struct owner_rule *r, const struct snap_root *root)
{
	switch (r->what) {
	case OWNER_ROOTS:
		return r->root_kind == root->kind;
	case OWNER_GLOBALS:
		return root->kind == SNAP_ROOT_GLOBAL && is_of_package(root, r->holder);
	case OWNER_GLOBAL:
	case OWNER_NAMED:
		return root->kind == SNAP_ROOT_GLOBAL &&
		       ((root->name && !strcmp(root->name, r->holder)) ||
			(root->place && !strcmp(root->place, r->holder)));
	default:
		return false;
	}
}

static void mark_roots(struct marker *m)
{
	const struct snapshot *s = m->a->s;

	for (uint32_t i = 0; i < s->roots.n; i++) {
		size_t by = SIZE_MAX;

		for (size_t k = 0; k < m->rules->v.n; k++) {
			const struct owner_rule *r = &m->rules->v.v[k];

			if (!is_about(r, &s->roots.v[i]))
				continue;
			m->keep[i] |= r->how == OWNER_KEEP;
			by = by == SIZE_MAX ? k : by;
		}
		if (by != SIZE_MAX && !m->keep[i])
			mark(m, graph_edge_of_root(m->a->g, i), OWNER_PLAIN, by);
	}
}

static int by_address(const void *x, const void *y)
{
	const struct root_word *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (b->w.how == OWNER_KEEP) - (a->w.how == OWNER_KEEP);
}

static int by_address_alone(const void *x, const void *y)
{
	const struct root_word *a = x, *b = y;

	return (a->at > b->at) - (a->at < b->at);
}

/* Of several words about one address the first: one that owns, if there is any. */
static void drop_twice(struct marker *m)
{
	size_t n = 0;

	if (m->words.n)
		qsort(m->words.v, m->words.n, sizeof(*m->words.v), by_address);
	for (size_t i = 0; i < m->words.n; i++)
		if (!n || m->words.v[i].at != m->words.v[n - 1].at)
			m->words.v[n++] = m->words.v[i];
	m->words.n = n;
}

/* As create.c hangs them: a slot that leads to an object is the next edge of its root. */
static void mark_slots(struct marker *m)
{
	const struct snapshot *s = m->a->s;

	drop_twice(m);
	for (uint32_t r = 0; m->words.n && r < s->roots.n; r++) {
		const struct snap_root *root = &s->roots.v[r];
		uint32_t e = graph_first(m->a->g, r + 1);

		for (uint64_t i = 0; i < root->nslots; i++) {
			const struct snap_slot *sl = &s->slots.v[root->first_slot + i];
			struct root_word at = { .at = sl->at };
			const struct root_word *w;

			if (!snapshot_is_object(s, sl->object))
				continue;
			w = sl->at ? bsearch(&at, m->words.v, m->words.n, sizeof(at),
					     by_address_alone)
				   : NULL;
			if (w && w->w.how != OWNER_KEEP && !m->keep[r])
				mark(m, e, w->w.how, w->w.rule);
			e++;
		}
	}
}

static struct err *gather(struct marker *m)
{
	_cleanup_(pop_reached_deinit) struct pop_reached reached = { 0 };
	struct err *err = pop_reached_make(m->a, &reached);

	if (!err)
		err = owner_types_make(m->a->s, m->rules, &m->types);
	if (!err)
		err = snapshot_each_typed(m->a->s, reached.bits, m->ncursors, m->types.addrs.v,
					  m->types.addrs.n, see, m);
	for (size_t i = 0; i < m->rules->v.n && !err; i++) {
		struct pool_words x = { m, (uint16_t)i };

		if (m->rules->v.v[i].what == OWNER_NAMED)
			err = see_global_fields(m, i);
		else if (m->rules->v.v[i].what == OWNER_POOL)
			err = pop_pool_words(m->a, see_pool_word, &x);
	}
	return err;
}

static void marker_deinit(struct marker *m)
{
	owner_types_deinit(&m->types);
	vec_free(&m->words);
	free(m->cursors);
	free(m->keep);
}

struct err *owner_mark(struct agg *a, const struct owner_rules *rules, struct graph_passing *p,
		       uint64_t *counts)
{
	_cleanup_(marker_deinit) struct marker m = {
		.a = a, .rules = rules, .p = p, .counts = counts, .ncursors = MAX(a->nthreads, 1U)
	};
	struct err *err;

	m.cursors = zalloc(m.ncursors, sizeof(*m.cursors));
	m.keep = zalloc(a->s->roots.n + 1, 1);
	if (!m.cursors || !m.keep)
		return &err_nomem;
	for (unsigned i = 0; i < m.ncursors; i++)
		m.cursors[i].object = GO_NO_OBJECT;
	err = gather(&m);
	if (!err)
		err = mark_objects(&m);
	if (err)
		return err;
	mark_roots(&m);
	mark_slots(&m);
	return NULL;
}
