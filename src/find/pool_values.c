/*
 * pool_values.c - own or foreign: the object graph below each pooled value, as far as the value
 * alone holds it.
 *
 * Its own are memory without pointers, arrays of slices, empty maps, and structs that only types
 * inside the pooled type know: parts that it was made with.  A library's type owns what is of its
 * module.  Foreign are requests, connections, contexts and files, the entries of maps, and structs
 * of types that others hold as well.
 *
 * What dominates is only held through it, so a foreign object takes its retained bytes with it.
 * O(objects below), bounded; types are searched once for each that is met.
 */
#include "find/pool_values.h"

enum {
	MAX_NODES = 1 << 14, /* of one value */
	MAX_TOTAL = 1 << 20, /* of one pool */
	MAX_INSIDE = 4096,
	NSEEN = 1 << 15,
	VERDICTS = 64,
	LEAST_WALKED = 4096,
};

struct work {
	struct find *f;
	const struct look *l;
	struct go_io io;
	struct pool_view view;
	struct pool_value *now; /* that is walked through */
	uint32_t total;		/* nodes so far */
	/* dominated nodes met, open addressing; and in order */
	gnode seen[NSEEN];
	uint32_t used[NSEEN], nused;
	gnode queue[NSEEN];
	uint32_t head, tail;
	/* rtypes inside of the pooled type, ascending once sorted */
	const struct go_type *pooled;
	VEC(taddr) inside;
	struct {
		taddr type;
		uint8_t what;
	} verdict[VERDICTS];
};

static bool begins(const char *path, const char *with)
{
	size_t n = strlen(with);

	return !strncmp(path, with, n) && (!path[n] || path[n] == '/');
}

/* Things of one request, connection or query. */
static bool passing(const char *package)
{
	static const char *const list[] = { "net",	    "context", "mime/multipart",
					    "database/sql", "os",      "io" };

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (begins(package, list[i]))
			return true;
	return false;
}

/* Module of a package among those that the program was built with; "" its own. */
static size_t module_bytes(const struct go *go, const char *package)
{
	for (const char *p = go->dependencies; p && *p;) {
		size_t n = strcspn(p, "\n");

		if (n && !strncmp(package, p, n) && (!package[n] || package[n] == '/'))
			return n;
		p += n + (p[n] == '\n');
	}
	return 0;
}

static int by_value(const void *x, const void *y)
{
	const taddr *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static bool is_inside(const struct work *w, taddr type)
{
	return w->inside.n && bsearch(&type, w->inside.v, w->inside.n, sizeof(taddr), by_value);
}

static bool add_inside(struct work *w, taddr type)
{
	for (size_t i = 0; i < w->inside.n; i++)
		if (w->inside.v[i] == type)
			return true;
	return !type || w->inside.n >= MAX_INSIDE || vec_push(&w->inside, type);
}

/* All types that a value of the pooled one can lead to. */
static bool learn_inside(struct work *w, const struct go_type *t)
{
	bool ok = true;

	w->inside.n = 0;
	memset(w->verdict, 0, sizeof(w->verdict));
	w->pooled = t;
	if (t)
		ok = add_inside(w, t->addr);
	for (size_t i = 0; i < w->inside.n && ok; i++) {
		const struct go_type *x = go_type_at(w->l->s->rtypes, w->inside.v[i]);

		ok = !x || (add_inside(w, x->elem) && add_inside(w, x->key));
		for (size_t k = 0; x && k < x->nfields && ok; k++)
			ok = add_inside(w, x->fields[k].type);
	}
	if (w->inside.n)
		qsort(w->inside.v, w->inside.n, sizeof(taddr), by_value);
	return ok;
}

/* What a type holds directly or behind pointers, slices, arrays. */
static bool leads_to(struct go_types *ts, taddr from, taddr to)
{
	for (unsigned i = 0; i < 4 && from; i++) {
		const struct go_type *t;

		if (from == to)
			return true;
		t = go_type_at(ts, from);
		if (!t || (t->kind != GO_POINTER && t->kind != GO_SLICE && t->kind != GO_ARRAY &&
			   t->kind != GO_CHAN && t->kind != GO_MAP))
			return false;
		from = t->elem;
	}
	return false;
}

/* Does a struct or a map that is no part of the pooled type hold such? */
static struct err *known_outside(struct work *w, taddr type, bool *ret)
{
	struct go_types *ts = w->l->s->rtypes;
	const taddr *all;
	size_t n;
	struct err *err = go_types_all(ts, &all, &n);

	*ret = false;
	for (size_t i = 0; i < n && !err && !*ret; i++) {
		const struct go_type *t = go_type_at(ts, all[i]);

		if (!t || (t->kind != GO_STRUCT && t->kind != GO_MAP) || is_inside(w, t->addr) ||
		    !strncmp(t->name, "map.", 4))
			continue;
		if (t->kind == GO_MAP)
			*ret = leads_to(ts, t->elem, type);
		for (size_t k = 0; k < t->nfields && !*ret; k++)
			*ret = leads_to(ts, t->fields[k].type, type);
	}
	return err;
}

static struct err *judge_struct(struct work *w, const struct go_type *t, uint8_t *ret)
{
	const struct go *go = w->l->s->go;
	const char *mine = w->pooled && w->pooled->pkg_path ? w->pooled->pkg_path : "";
	const char *its = t->pkg_path ? t->pkg_path : "";
	size_t module = module_bytes(go, mine);
	bool outside = false;
	struct err *err;

	*ret = POOL_OWN;
	if (!*its || !strcmp(its, "runtime"))
		return NULL;
	if (look_std_package(its)) {
		*ret = passing(its) && strcmp(its, mine) ? POOL_FOREIGN : POOL_OWN;
		return NULL;
	}
	if (look_std_package(mine)) {
		*ret = POOL_FOREIGN;
		return NULL;
	}
	if (module && module == module_bytes(go, its) && !strncmp(mine, its, module))
		return NULL;
	err = known_outside(w, t->addr, &outside);
	*ret = outside ? POOL_MAYBE : POOL_OWN;
	return err;
}

static struct err *judge_map(struct work *w, const struct go_type *t, uint64_t id, uint8_t *ret)
{
	struct look_facts facts;
	uint64_t bytes;
	struct go_place p = { content_data(w->l, id, &bytes), t };
	struct err *err = look_facts_read(w->l, &w->io, p, &facts);

	*ret = !err && look_fact(&facts, "len", 0) ? POOL_FOREIGN : POOL_OWN;
	return err;
}

static struct err *judge(struct work *w, gnode v, uint8_t *ret)
{
	const struct snapshot *s = w->l->s;
	uint64_t id = graph_object(w->l->g, v);
	const struct snap_type *st = &s->types.v[s->type_of[id]];
	const struct go_type *t = go_type_at(s->rtypes, st->rtype);
	size_t i;
	struct err *err;

	*ret = POOL_OWN;
	if (!snapshot_is_typed(s, id) || !t)
		return NULL;
	if (st->kind == SNAP_TYPE_MAP)
		return judge_map(w, t, id, ret);
	if (st->kind != SNAP_TYPE_RTYPE || st->array || t->kind != GO_STRUCT)
		return NULL;
	i = (size_t)(t->addr >> 5) % VERDICTS;
	if (w->verdict[i].type == t->addr) {
		*ret = w->verdict[i].what;
		return NULL;
	}
	err = judge_struct(w, t, ret);
	w->verdict[i].type = t->addr;
	w->verdict[i].what = *ret;
	return err;
}

static size_t place_of(const struct work *w, gnode v)
{
	size_t i = (v * 2654435761U >> 8) % NSEEN;

	while (w->seen[i] && w->seen[i] != v)
		i = (i + 1) % NSEEN;
	return i;
}

static bool is_marked(const struct work *w, gnode v)
{
	return w->seen[place_of(w, v)];
}

static void mark(struct work *w, gnode v)
{
	size_t i = place_of(w, v);

	w->seen[i] = v;
	w->used[w->nused++] = (uint32_t)i;
}

static void unmark_all(struct work *w)
{
	while (w->nused)
		w->seen[w->used[--w->nused]] = 0;
	w->head = w->tail = 0;
}

static void add_foreign(struct work *w, gnode from, gnode to, uint8_t what)
{
	uint64_t bytes = w->l->g->retained[to];
	struct pool_value *x = w->now;

	x->foreign += bytes;
	x->objects++;
	if (bytes <= x->largest_bytes)
		return;
	x->largest_bytes = bytes;
	x->largest = to;
	x->holder = from;
	x->sure = what;
}

/* The value dominates what its marked ones dominate; whoever dominates a node is met before it. */
static struct err *follow(struct work *w, gnode from, gnode to)
{
	const struct graph *g = w->l->g;
	uint8_t what;
	struct err *err;

	if (!graph_is_object(g, to) || w->nused >= MAX_NODES || is_marked(w, to) ||
	    !is_marked(w, g->idom[to]))
		return NULL;
	err = judge(w, to, &what);
	if (err)
		return err;
	mark(w, to);
	if (what == POOL_OWN)
		w->queue[w->tail++] = to;
	else
		add_foreign(w, from, to, what);
	return NULL;
}

static struct err *walk(struct work *w, struct pool_value *x)
{
	const struct graph *g = w->l->g;
	struct err *err = NULL;

	w->now = x;
	mark(w, x->node);
	w->queue[w->tail++] = x->node;
	while (w->head < w->tail && !err && w->total++ < MAX_TOTAL) {
		gnode v = w->queue[w->head++];

		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end && !err; e++)
			err = follow(w, v, g->to[e]);
	}
	unmark_all(w);
	return err;
}

static struct err *keep_value(void *arg, const struct look_pool_value *v)
{
	struct work *w = arg;
	struct pool_value x = { .type = v->type, .node = GRAPH_NONE };

	if (v->object == GO_NO_OBJECT || !look_reached(w->l, v->object))
		return NULL;
	x.node = graph_node_of_object(w->l->g, v->object);
	return vec_push(&w->view.v, x) ? NULL : &err_nomem;
}

static struct err *see_values(struct work *w)
{
	struct err *err = NULL;

	for (size_t i = 0; i < w->view.v.n && !err; i++) {
		struct pool_value *x = &w->view.v.v[i];
		uint64_t all = w->l->g->retained[x->node];
		const struct go_type *t = x->type;

		if (t && t->kind == GO_POINTER)
			t = go_type_at(w->l->s->rtypes, t->elem);
		if (t != w->pooled && !learn_inside(w, t))
			return &err_nomem;
		if (all >= LEAST_WALKED)
			err = walk(w, x);
		x->foreign = MIN(x->foreign, all);
		x->own = all - x->foreign;
	}
	return err;
}

static struct err *see_pool(struct work *w, const struct look_pools *all, const struct look_pool *p,
			    uint64_t least, pool_view_fn *fn)
{
	uint64_t sum = 0;
	struct err *err;

	w->view.v.n = 0;
	w->view.pool = p;
	err = look_pool_values(w->l, &w->io, all, p, keep_value, w);
	if (err && err->code != ERR_NOMEM && err->code != ERR_GONE) {
		err_free(err); /* being changed at this instant: what was told before is there */
		err = NULL;
	}
	for (size_t i = 0; i < w->view.v.n; i++)
		sum += w->l->g->retained[w->view.v.v[i].node];
	if (err || sum < least)
		return err;
	w->total = 0;
	err = see_values(w);
	return err ? err : fn(w->f, &w->view);
}

static void work_free(struct work **w)
{
	if (!*w)
		return;
	go_io_deinit(&(*w)->io);
	vec_free(&(*w)->view.v);
	vec_free(&(*w)->inside);
	free(*w);
}

struct err *pool_views(struct find *f, uint64_t least, pool_view_fn *fn)
{
	_cleanup_(work_free) struct work *w = NULL;
	const struct look_pools *all;
	struct err *err = content_pools(f, &all);

	if (err || !all->v.n || !f->l.s->type_of)
		return err;
	w = zalloc(1, sizeof(*w));
	if (!w)
		return &err_nomem;
	w->f = f;
	w->l = &f->l;
	err = go_io_init_sparse(&w->io, f->l.s->go);
	for (size_t i = 0; i < all->v.n && !err; i++)
		err = see_pool(w, all, &all->v.v[i], least, fn);
	return err;
}
