/*
 * agg.c - the agg itself: both dominator trees and what lies below each root.
 *
 * The index of children costs 8 bytes a node, one walk over the reachable nodes
 * counts what lies below each root: O(n).
 */
#include "report/agg_groups.h"
#include "report/kept.h"
#include "report/owner_mark.h"

/* Objects in the dominator subtree of v, v included; stack is reused between calls. */
struct gnode_stack {
	VEC(gnode) q;
};

static struct err *count_below(const struct agg_dom *d, gnode v, struct gnode_stack *st,
			       uint64_t *ret)
{
	uint64_t n = 0;

	st->q.n = 0;
	if (!vec_push(&st->q, v))
		return &err_nomem;
	while (st->q.n) {
		gnode x = st->q.v[--st->q.n];

		n += graph_is_object(d->g, x) && (!d->kept || d->kept[x >> 6] >> (x & 63) & 1);
		for (uint32_t i = d->first[x]; i < d->first[x + 1]; i++)
			if (!vec_push(&st->q, d->child[i]))
				return &err_nomem;
	}
	*ret = n;
	return NULL;
}

struct err *agg_dom_count(struct agg_dom *d)
{
	struct gnode_stack st = { 0 };
	struct err *err = NULL;
	uint64_t held = 0, all = d->g->nreached_objects;

	d->objects = zalloc((size_t)d->g->nroots + 1, sizeof(*d->objects));
	if (!d->objects)
		return &err_nomem;
	for (gnode r = 1; r <= d->g->nroots && !err; r++) {
		err = count_below(d, r, &st, &d->objects[r]);
		held += d->objects[r];
	}
	if (d->kept && !err)
		err = count_below(d, 0, &st, &all);
	vec_free(&st.q);
	d->objects[0] = all - held;
	return err;
}

static struct err *index_tree(struct agg_dom *d, unsigned nthreads)
{
	struct err *err = NULL;

	if (!d->g->idom)
		err = err_prefix(graph_dominators(d->g, nthreads), "dominators");
	d->retained = d->g->retained;
	if (!err && !d->first)
		err = err_prefix(graph_dom_children(d->g, &d->first, &d->child),
				 "dominator children");
	return err ? err : agg_dom_count(d);
}

struct agg_dom agg_dom_of(const struct agg *a, enum agg_trees tree)
{
	if (tree == AGG_TREE_OWNER)
		return a->owner;
	return (struct agg_dom){ .g = a->g,
				 .retained = a->g->retained,
				 .first = a->dom_first,
				 .child = a->dom_child,
				 .objects = a->top_objects };
}

struct err *agg_dominators(struct agg *a)
{
	struct agg_dom d;
	struct err *err;

	if (a->asked || a->top_objects)
		return NULL;
	d = agg_dom_of(a, AGG_TREE_EXACT);
	err = index_tree(&d, a->nthreads);
	a->dom_first = d.first;
	a->dom_child = d.child;
	a->top_objects = d.objects;
	return err;
}

static void owner_deinit(struct agg *a)
{
	free(a->owner_edges);
	a->owner_edges = NULL;
	if (a->owner.g != a->g) {
		free(a->owner.first);
		free(a->owner.child);
		free(a->owner.objects);
		graph_free(a->owner.g);
	}
	a->owner = (struct agg_dom){ 0 };
}

static struct err *make_owner(struct agg *a, const struct owner_rules *rules,
			      struct graph_passing *p)
{
	uint64_t edges = 0;
	struct err *err;

	owner_deinit(a); /* of a try that failed */
	a->owner_edges = zalloc(rules->v.n, sizeof(*a->owner_edges));
	if (!a->owner_edges)
		return &err_nomem;
	err = err_prefix(owner_mark(a, rules, p, a->owner_edges), "owners");
	for (size_t i = 0; i < rules->v.n; i++)
		edges += a->owner_edges[i];
	if (err || !edges) {
		a->owner = err ? a->owner : agg_dom_of(a, AGG_TREE_EXACT);
		return err;
	}
	err = graph_owner(a->g, p, &a->owner.g);
	return err ? err : index_tree(&a->owner, a->nthreads);
}

struct err *agg_owner(struct agg *a)
{
	_cleanup_(owner_rules_deinit) struct owner_rules builtin = { 0 };
	struct graph_passing p = { 0 };
	struct err *err;

	if (a->asked)
		return NULL;
	err = agg_dominators(a);
	if (err || a->owner.objects)
		return err;
	if (!a->owners)
		err = owner_rules_create(NULL, &builtin);
	if (!err)
		err = graph_passing_create(a->g, &p);
	if (!err)
		err = make_owner(a, a->owners ? a->owners : &builtin, &p);
	graph_passing_deinit(&p);
	return err;
}

void agg_deinit(struct agg *a)
{
	if (a->types)
		agg_groups_deinit(a->types);
	free(a->types);
	if (a->fields)
		agg_groups_deinit(a->fields);
	free(a->fields);
	owner_deinit(a);
	free(a->dom_first);
	free(a->dom_child);
	free(a->top_objects);
	free(a->label_sets);
	kept_free(a->asked);
	keep_deinit(&a->keep);
	*a = (struct agg){ 0 };
}

uint64_t agg_root_retained(const struct agg *a, size_t r)
{
	return a->g && a->g->retained && r < a->g->nroots ? a->g->retained[1 + r] : 0;
}
