/*
 * agg_groups_module.c - objects by Go module: of their type's package, else of who holds them.
 *
 * Modules are those of the build info; a package belongs to the one with the longest path that it
 * begins with, without a dot in its first element to the standard library.  Bytes, strings, maps
 * of builtin types belong to the module of their nearest dominator that has one, at last to that of
 * the global's or goroutine's package.  O(n), 4 bytes a slot and 12 a level of the tree.
 */
#include "report/agg_groups.h"

enum { MODULE_UNKNOWN, MODULE_STD, MODULE_MAIN };
enum { MODULES_MAX = 4096 };
#define INHERIT UINT32_MAX

struct modules {
	struct agg *a;
	VEC(const char *) paths; /* those of the build info from MODULE_MAIN on */
	uint32_t *of_type;
};

static struct err *list_modules(struct modules *m)
{
	const struct go *go = m->a->s->go;
	const char *first = go->module_path && *go->module_path ? go->module_path : "(main module)";
	const char *p = go->dependencies ? go->dependencies : "";

	if (!vec_push(&m->paths, "(unknown)") || !vec_push(&m->paths, "std") ||
	    !vec_push(&m->paths, keepf(&m->a->keep, "%s", first)))
		return &err_nomem;
	while (*p && m->paths.n < MODULES_MAX) {
		size_t n = strcspn(p, "\n");

		if (n && !vec_push(&m->paths, keepn(&m->a->keep, p, n)))
			return &err_nomem;
		p += n + (p[n] != 0);
	}
	return keep_err(&m->a->keep);
}

static bool is_inside(const char *package, const char *module)
{
	size_t n = strlen(module);

	return !strncmp(package, module, n) &&
	       (!package[n] || package[n] == '/' || package[n] == '.');
}

static uint32_t module_of(const struct modules *m, const char *package)
{
	uint32_t best = MODULE_UNKNOWN;
	size_t slash = strcspn(package, "/"), dot = strcspn(package, ".");

	if (!strcmp(package, "main"))
		return MODULE_MAIN;
	if (*package == '(' || !*package)
		return INHERIT;
	for (uint32_t i = MODULE_MAIN; i < m->paths.n; i++)
		if (is_inside(package, m->paths.v[i]) &&
		    (!best || strlen(m->paths.v[i]) > strlen(m->paths.v[best])))
			best = i;
	if (best)
		return best;
	return dot >= slash || is_inside(package, "go") ? MODULE_STD : MODULE_UNKNOWN;
}

static uint32_t module_of_root(const struct modules *m, uint32_t root)
{
	static const char used_by[] = "global used by ";
	const struct snap_root *r = &m->a->s->roots.v[root];
	const char *name = r->name ? r->name : "";

	if (r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < m->a->s->stacks.gs.n)
		name = agg_goroutine_function(m->a, r->goroutine);
	else if (r->kind != SNAP_ROOT_GLOBAL)
		return MODULE_STD;
	else if (!strncmp(name, used_by, strlen(used_by)))
		name += strlen(used_by);
	else if (r->place)
		return MODULE_UNKNOWN;
	name = agg_package_of_symbol(m->a, name);
	return *name == '(' ? MODULE_UNKNOWN : module_of(m, name);
}

struct level {
	gnode node;
	uint32_t next, module;
};

/* Its own module, else that of who holds it. */
static uint32_t settle(const struct modules *m, const struct agg_dom *d, gnode v, uint32_t holder,
		       struct agg_groups *gs)
{
	const struct snapshot *s = m->a->s;
	uint32_t k = INHERIT;
	uint64_t id;

	if (!graph_is_object(d->g, v))
		return module_of_root(m, v - 1);
	id = graph_object(d->g, v);
	if (s->type_of && s->type_of[id] < s->types.n)
		k = m->of_type[s->type_of[id]];
	gs->group[id] = k == INHERIT ? holder : k;
	return gs->group[id];
}

static struct err *walk(const struct modules *m, const struct agg_dom *d, struct agg_groups *gs)
{
	VEC(struct level) st = { 0 };
	struct err *err = NULL;

	if (!vec_push(&st, (struct level){ 0, d->first[0], MODULE_UNKNOWN }))
		return &err_nomem;
	while (st.n && !err) {
		struct level *l = &st.v[st.n - 1], below = { 0 };

		if (l->next == d->first[l->node + 1]) {
			st.n--;
			continue;
		}
		below.node = d->child[l->next++];
		below.next = d->first[below.node];
		below.module = settle(m, d, below.node, l->module, gs);
		if (!vec_push(&st, below))
			err = &err_nomem;
	}
	vec_free(&st);
	return err;
}

static struct err *make(struct modules *m, const struct top_ask *q, struct agg_groups *gs)
{
	const struct snapshot *s = m->a->s;
	struct err *err = list_modules(m);

	if (err)
		return err;
	m->of_type = zalloc(s->types.n + 1, sizeof(*m->of_type));
	gs->names = zalloc(m->paths.n, sizeof(*gs->names));
	gs->group = bigalloc(gs->nobjects, sizeof(*gs->group));
	if (!m->of_type || !gs->names || !gs->group)
		return &err_nomem;
	m->of_type[0] = INHERIT;
	for (size_t i = 1; i < s->types.n; i++)
		m->of_type[i] = module_of(m, agg_package_of_type(m->a, &s->types.v[i]));
	for (gs->n = 0; gs->n < m->paths.n; gs->n++)
		gs->names[gs->n] = m->paths.v[gs->n];
	err = keep_err(&m->a->keep);
	return err ? err : walk(m, &q->exact, gs);
}

struct err *agg_groups_module(struct agg *a, const struct top_ask *q, struct agg_groups *ret)
{
	struct modules m = { .a = a };
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { .nobjects = a->s->heap.nobjects };
	struct err *err = make(&m, q, &gs);

	free(m.of_type);
	vec_free(&m.paths);
	if (err)
		return err;
	*ret = gs;
	gs = (struct agg_groups){ 0 };
	return NULL;
}
