/*
 * owner_mark.c - which edges of the graph pass on, by the rules.
 *
 * A row of edges is in the order of its object's pointer words, without those that lead nowhere.
 * So of the words that rules name, in that order, each takes the next edge of the row that leads
 * where the word does: of parallel edges it does not matter which one.  Words outside of the heap
 * (globals) are gathered first, and met again at the roots' slots.
 */
#include "report/owner_mark.h"
#include "report/pop_priv.h"

#include "base/bytes.h"

/* A word that a rule names, in the object or at the address that is being looked at. */
struct named_word {
	uint64_t at; /* offset in the object's slot; address */
	taddr value;
	struct owner_word w;
	uint32_t order; /* outer types come before those inside them */
};

/* What a worker has seen of an object: its words, until the next object comes. */
struct seeing {
	uint64_t object;
	VEC(struct named_word) words;
	VEC(struct graph_bead) beads;
	/* the list of the last element */
	taddr list;
	gnode string;
};

struct marker {
	struct agg *a;
	const struct owner_rules *rules;
	struct graph_passing *p;
	uint64_t *counts;
	struct owner_types types;
	struct seeing *seeing; /* by worker */
	unsigned nworkers;
	VEC(struct named_word) words; /* of globals; only the first worker adds to them */
	uint8_t *keep;		      /* by root: the user says that it owns */
};

static void mark(struct marker *m, uint32_t e, const struct owner_word *w)
{
	static const uint8_t kind[] = { [OWNER_PLAIN] = EDGE_PLAIN,
					[OWNER_LINK] = EDGE_LINK,
					[OWNER_CHAIN] = EDGE_CHAIN,
					[OWNER_BACK] = EDGE_CHAIN };

	m->p->kind[e] = kind[w->how];
	__atomic_fetch_add(&m->counts[w->rule], 1, __ATOMIC_RELAXED);
}

static int by_place(const void *x, const void *y)
{
	const struct named_word *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if ((a->w.how == OWNER_KEEP) != (b->w.how == OWNER_KEEP))
		return a->w.how == OWNER_KEEP ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* Sort, and of several words about one place leave the first; *n: how many are left. */
static void settle(struct named_word *v, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		v[i].order = (uint32_t)i;
	if (*n > 1)
		qsort(v, *n, sizeof(*v), by_place);
	for (size_t i = 0; i < *n; i++)
		if (!kept || v[i].at != v[kept - 1].at)
			v[kept++] = v[i];
	*n = kept;
}

/* The list that an element points back at: an object, or a global. */
static gnode string_of(const struct marker *m, taddr list)
{
	const struct snapshot *s = m->a->s;
	uint64_t id = go_heap_object_at(&s->heap, list);

	if (id != GO_NO_OBJECT)
		return snapshot_is_object(s, id) ? graph_node_of_object(m->a->g, id) : GRAPH_NONE;
	return owner_root_at(s, list);
}

static struct err *add_bead(struct marker *m, struct seeing *x, gnode v, taddr list)
{
	struct graph_bead b = { .bead = v };

	if (x->list != list)
		x->string = string_of(m, list);
	x->list = list;
	b.string = x->string;
	if (b.string == GRAPH_NONE || !graph_reached(m->a->g, b.string) || b.string == v)
		return NULL;
	return vec_push(&x->beads, b) ? NULL : &err_nomem;
}

/* The words of an object against its row: each takes the next edge that leads where it does. */
static struct err *mark_object(struct marker *m, struct seeing *x)
{
	const struct graph *g = m->a->g;
	gnode v = graph_node_of_object(g, x->object);
	uint32_t e = graph_first(g, v);
	struct err *err = NULL;

	settle(x->words.v, &x->words.n);
	for (size_t i = 0; i < x->words.n && !err; i++) {
		const struct named_word *w = &x->words.v[i];
		uint64_t to = go_heap_object_at(&m->a->s->heap, w->value);
		gnode t;

		if (w->w.how == OWNER_BACK && w->value)
			err = add_bead(m, x, v, w->value);
		if (w->w.how == OWNER_KEEP || !snapshot_is_object(m->a->s, to))
			continue;
		t = graph_node_of_object(g, to);
		for (uint32_t k = e; k < graph_last(g, v); k++) {
			if (g->to[k] != t)
				continue;
			mark(m, k, &w->w);
			e = k + 1;
			break;
		}
	}
	x->words.n = 0;
	return err;
}

static struct err *see_object(struct marker *m, const struct snap_place *p,
			      const struct owner_word *w, size_t n)
{
	struct seeing *x = &m->seeing[p->worker];
	struct err *err = NULL;

	if (x->object != p->object && x->words.n)
		err = mark_object(m, x);
	x->object = p->object;
	for (size_t i = 0; i < n && !err; i++) {
		struct named_word word = { .at = p->off + w[i].off, .w = w[i] };

		if (w[i].off + 8 > p->type->bytes)
			continue;
		word.value = load_u64(p->bytes + w[i].off);
		if (!vec_push(&x->words, word))
			err = &err_nomem;
	}
	return err;
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
		if (!vec_push(&m->words, (struct named_word){ .at = p->at + w[i].off, .w = w[i] }))
			return &err_nomem;
	return NULL;
}

static struct err *see_static(void *arg, const struct go_type *t, taddr at)
{
	struct marker *m = arg;
	size_t n;
	const struct owner_word *w = owner_words_of(&m->types, t->addr, &n);

	for (size_t i = 0; i < n; i++)
		if (!vec_push(&m->words, (struct named_word){ .at = at + w[i].off, .w = w[i] }))
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
		if (!vec_push(&m->words, (struct named_word){ .at = v->at + off + i, .w = w }))
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
	struct named_word w = { .at = at, .w = { .rule = x->rule, .how = OWNER_PLAIN } };

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
			mark(m, e, &(struct owner_word){ .rule = (uint16_t)(r - 1) });
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
	p += strlen(used_by);
	while (!strncmp(p, package, n) && p[n] == '.') {
		p += strcspn(p, ", ");
		if (*p != ',')
			return true;
		p += 1 + (p[1] == ' ');
	}
	return false;
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
			mark(m, graph_edge_of_root(m->a->g, i),
			     &(struct owner_word){ .rule = (uint16_t)by });
	}
}

static int by_address(const void *x, const void *y)
{
	const struct named_word *a = x, *b = y;

	return (a->at > b->at) - (a->at < b->at);
}

/* As create.c hangs them: a slot that leads to an object is the next edge of its root. */
static void mark_slots(struct marker *m)
{
	const struct snapshot *s = m->a->s;

	settle(m->words.v, &m->words.n);
	for (uint32_t r = 0; m->words.n && r < s->roots.n; r++) {
		const struct snap_root *root = &s->roots.v[r];
		uint32_t e = graph_first(m->a->g, r + 1);

		for (uint64_t i = 0; i < root->nslots; i++) {
			const struct snap_slot *sl = &s->slots.v[root->first_slot + i];
			struct named_word at = { .at = sl->at };
			const struct named_word *w;

			if (!snapshot_is_object(s, sl->object))
				continue;
			w = sl->at ? bsearch(&at, m->words.v, m->words.n, sizeof(at), by_address)
				   : NULL;
			if (w && w->w.how != OWNER_KEEP && !m->keep[r])
				mark(m, e, &w->w);
			e++;
		}
	}
}

/* Objects that workers were at when the walk ended; beads of all of them. */
static struct err *finish_objects(struct marker *m)
{
	struct err *err = NULL;

	for (unsigned i = 0; i < m->nworkers && !err; i++) {
		struct seeing *x = &m->seeing[i];

		if (x->words.n)
			err = mark_object(m, x);
		for (size_t k = 0; k < x->beads.n && !err; k++)
			if (!vec_push(&m->p->beads, x->beads.v[k]))
				err = &err_nomem;
		vec_free(&x->beads);
	}
	return err;
}

static struct err *see_globals(struct marker *m)
{
	struct err *err = owner_statics(m->a->s, see_static, m);

	for (size_t i = 0; i < m->rules->v.n && !err; i++) {
		struct pool_words x = { m, (uint16_t)i };

		if (m->rules->v.v[i].what == OWNER_NAMED)
			err = see_global_fields(m, i);
		else if (m->rules->v.v[i].what == OWNER_POOL)
			err = pop_pool_words(m->a, see_pool_word, &x);
	}
	return err;
}

static struct err *gather(struct marker *m)
{
	_cleanup_(pop_reached_deinit) struct pop_reached reached = { 0 };
	struct err *err = pop_reached_make(m->a, &reached);

	if (!err)
		err = owner_types_make(m->a->s, m->rules, &m->types);
	if (!err)
		err = snapshot_each_typed(m->a->s, reached.bits, m->nworkers, m->types.addrs.v,
					  m->types.addrs.n, see, m);
	if (!err)
		err = finish_objects(m);
	return err ? err : see_globals(m);
}

static void marker_deinit(struct marker *m)
{
	owner_types_deinit(&m->types);
	vec_free(&m->words);
	for (unsigned i = 0; m->seeing && i < m->nworkers; i++) {
		vec_free(&m->seeing[i].words);
		vec_free(&m->seeing[i].beads);
	}
	free(m->seeing);
	free(m->keep);
}

struct err *owner_mark(struct agg *a, const struct owner_rules *rules, struct graph_passing *p,
		       uint64_t *counts)
{
	_cleanup_(marker_deinit) struct marker m = {
		.a = a, .rules = rules, .p = p, .counts = counts, .nworkers = MAX(a->nthreads, 1U)
	};
	struct err *err;

	m.seeing = zalloc(m.nworkers, sizeof(*m.seeing));
	m.keep = zalloc(a->s->roots.n + 1, 1);
	if (!m.seeing || !m.keep)
		return &err_nomem;
	err = gather(&m);
	if (!err)
		err = mark_objects(&m);
	if (err)
		return err;
	mark_roots(&m);
	mark_slots(&m);
	return NULL;
}
