/*
 * kept_put_tree.c - the heavy nodes of the dominator trees into a store, and why the heaviest of
 * them live.
 *
 * A node is kept if it retains no less than a power of two that leaves few enough; with it go all
 * that dominate it, for they retain more.  Cost: one pass over the nodes a tree; for every thing
 * explained a few searches of the graph, so fewer of them where it is large.
 */
#include "report/kept_put.h"

#include "report/kept.h"

/* Node visits that explanations may cost together, about. */
#define VISITS_MAX 4000000U

/* The least that a kept node retains, so that at most max are. */
static uint64_t least_of(const struct agg_dom *d, uint64_t max)
{
	uint64_t n[65] = { 0 }, all = 0;
	unsigned k = 64;

	for (gnode v = 1; v < d->g->n; v++)
		if (d->retained[v])
			n[64 - __builtin_clzll(d->retained[v])]++;
	while (k && all + n[k] <= max)
		all += n[k--];
	return (uint64_t)1 << k; /* those of k bits are too many: what has more is kept */
}

struct open_node {
	gnode v;
	uint64_t up; /* id of its dominator */
};

struct planting {
	struct putting *p;
	struct agg_dom d;
	uint8_t tree;
	uint64_t least;
	uint64_t next; /* id */
	VEC(struct open_node) open;
};

static void add_up_children(struct planting *t, gnode v, struct kept_node *k)
{
	const struct agg *a = t->p->a;

	for (uint32_t i = t->d.first[v]; i < t->d.first[v + 1]; i++) {
		k->children++;
		k->children_bytes += a->g->retained[t->d.child[i]];
		if (a->owner.objects)
			k->children_owner += a->owner.retained[t->d.child[i]];
	}
}

/* The heavy ones wait on the stack, the heaviest on top. */
static struct err *open_children(struct planting *t, gnode v, uint64_t id)
{
	agg_tree_sort(&t->d, v);
	for (uint32_t i = t->d.first[v + 1]; i-- > t->d.first[v];)
		if (t->d.retained[t->d.child[i]] >= t->least &&
		    !vec_push(&t->open, (struct open_node){ t->d.child[i], id }))
			return &err_nomem;
	return NULL;
}

static struct err *plant(struct planting *t, struct open_node o, gnode parent)
{
	struct kept_node k = { .up = o.up, .tree = t->tree };
	struct err *err = agg_tree_node(t->p->a, o.v, parent, &k.node);

	add_up_children(t, o.v, &k);
	if (!err)
		err = kept_put(&t->p->w, &kept_tree_node, 0, &k, 1, NULL);
	t->next++;
	return err ? err : open_children(t, o.v, t->next - 1);
}

static struct err *put_tree(struct putting *p, enum agg_trees tree, uint64_t *next)
{
	struct planting t = { .p = p, .d = agg_dom_of(p->a, tree), .next = *next };
	struct err *err = NULL;

	t.tree = (uint8_t)tree;
	t.least = least_of(&t.d, KEPT_NODES_MAX);
	if (tree == AGG_TREE_EXACT)
		p->totals.limit_least_tree = t.least;
	if (!vec_push(&t.open, (struct open_node){ 0, 0 }))
		return &err_nomem;
	while (t.open.n && !err) {
		struct open_node o = t.open.v[--t.open.n];

		err = plant(&t, o, o.v ? t.d.g->idom[o.v] : GRAPH_NONE);
	}
	vec_free(&t.open);
	*next = t.next;
	return err;
}

struct err *kept_put_trees(struct putting *p)
{
	uint64_t next = 1;
	struct err *err = put_tree(p, AGG_TREE_EXACT, &next);

	p->totals.tree_bytes = p->a->g->reached_bytes;
	if (!err && p->trees == AGG_TREE_BOTH)
		err = put_tree(p, AGG_TREE_OWNER, &next);
	return err;
}

struct item {
	gnode v;
	uint64_t retained;
};
typedef VEC(struct item) items;

static int most_first(const void *x, const void *y)
{
	const struct item *p = x, *q = y;

	if (p->retained != q->retained)
		return p->retained < q->retained ? 1 : -1;
	return (p->v > q->v) - (p->v < q->v);
}

/* All roots, and objects that retain no less than least. */
static struct err *heavy_nodes(const struct agg *a, uint64_t least, items *ret)
{
	for (gnode v = 1; v < a->g->n; v++)
		if (graph_reached(a->g, v) &&
		    (!graph_is_object(a->g, v) || a->g->retained[v] >= least) &&
		    !vec_push(ret, (struct item){ v, a->g->retained[v] }))
			return &err_nomem;
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), most_first);
	return NULL;
}

static struct err *put_item(struct putting *p, gnode v)
{
	struct ans_why_item it = { .asked = "" };
	struct err *err = agg_why_node(p->a, v, KEPT_PATHS, &it);

	if (!err)
		err = kept_put(&p->w, &kept_why_item, 0, &it, 1, NULL);
	for (size_t i = 0; i < it.paths.n; i++)
		ans_path_deinit(&it.paths.v[i]);
	vec_free(&it.paths);
	ans_path_deinit(&it.owner);
	ans_origin_deinit(&it.origin);
	return err;
}

struct err *kept_put_why(struct putting *p)
{
	items v = { 0 };
	const struct graph *g = p->a->g;
	size_t max = MIN(VISITS_MAX / (g->n + 1) + 1, (size_t)KEPT_ITEMS_MAX);
	size_t objects = 0, roots = 0;
	struct agg_dom d = agg_dom_of(p->a, AGG_TREE_EXACT);
	struct err *err = heavy_nodes(p->a, least_of(&d, KEPT_NODES_MAX), &v);

	if (!err)
		err = kept_put(&p->w, &kept_why_item, 0, NULL, 0, NULL);
	for (size_t i = 0; i < v.n && !err; i++)
		if (graph_is_object(g, v.v[i].v) ? objects++ < max : roots++ < KEPT_ROOTS_MAX)
			err = put_item(p, v.v[i].v);
	vec_free(&v);
	return err;
}
