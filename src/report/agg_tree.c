/*
 * agg_tree.c - the dominator tree from a node down, the heavy branches first.
 *
 * At most limit children a node and depth levels; what is left out is counted on a
 * line of its own.  Sorts the children of shown nodes only.
 */
#include "report/agg.h"
#include "report/kept.h"

struct planter {
	struct agg *a;
	struct agg_dom d; /* the tree that is shown */
	struct ans_tree *t;
	unsigned max_depth;
	size_t limit; /* children a node */
};

static int heavier(const void *x, const void *y, void *arg)
{
	const uint64_t *retained = ((const struct agg_dom *)arg)->retained;
	gnode p = *(const gnode *)x, q = *(const gnode *)y;

	if (retained[p] != retained[q])
		return retained[p] < retained[q] ? 1 : -1;
	return (p > q) - (p < q);
}

void agg_tree_sort(const struct agg_dom *d, gnode v)
{
	uint32_t lo = d->first[v], n = d->first[v + 1] - lo;

	if (n)
		qsort_r(d->child + lo, n, sizeof(gnode), heavier, (void *)(uintptr_t)d);
}

struct err *agg_tree_node(struct agg *a, gnode v, gnode parent, struct ans_tree_node *ret)
{
	struct ans_tree_node n = {
		.shallow = graph_shallow(a->g, v),
		.retained = a->g->retained[v],
	};
	struct err *err = agg_holder(a, v, GRAPH_NONE, &n.node);

	if (a->owner.objects)
		n.owner_retained = a->owner.retained[v];
	if (!err && parent != GRAPH_NONE && parent != 0) {
		struct ans_holder up;

		err = agg_holder(a, parent, v, &up);
		n.node.field = up.field;
		n.node.frame = up.frame;
	}
	if (!err)
		*ret = n;
	return err;
}

static struct err *push_node(struct planter *p, gnode v, unsigned depth, gnode parent)
{
	struct ans_tree_node n;
	struct err *err = agg_tree_node(p->a, v, parent, &n);

	if (err)
		return err;
	n.depth = depth;
	return vec_push(&p->t->nodes, n) ? NULL : &err_nomem;
}

static struct err *push_hidden(struct planter *p, struct ans_tree_node h)
{

	h.node = (struct ans_holder){
		.what = "skipped",
		.name = "",
		.type = "",
		.field = "",
		.frame = "",
		.count = h.hidden,
	};
	return vec_push(&p->t->nodes, h) ? NULL : &err_nomem;
}

static struct err *plant(struct planter *p, gnode v, unsigned depth, gnode parent);

static struct err *plant_children(struct planter *p, gnode v, unsigned depth)
{
	struct agg_dom *d = &p->d;
	uint32_t lo = d->first[v], n = d->first[v + 1] - lo;
	size_t shown = n < p->limit ? n : p->limit;
	struct ans_tree_node hidden = { .depth = depth, .hidden = n - shown };
	struct err *err = NULL;

	if (!n)
		return NULL;
	agg_tree_sort(d, v);
	for (size_t i = 0; i < shown && !err; i++)
		err = plant(p, d->child[lo + i], depth, v);
	for (size_t i = shown; i < n; i++) {
		hidden.hidden_bytes += p->a->g->retained[d->child[lo + i]];
		if (p->a->owner.objects)
			hidden.owner_hidden_bytes += p->a->owner.retained[d->child[lo + i]];
	}
	if (!err && shown < n)
		err = push_hidden(p, hidden);
	return err;
}

/* Depth is bounded by --depth, at most 64 (cmd_tree.c): the recursion is shallow. */
static struct err *plant(struct planter *p, gnode v, unsigned depth, gnode parent)
{
	struct err *err = push_node(p, v, depth, parent);

	if (err || depth >= p->max_depth)
		return err;
	return plant_children(p, v, depth + 1);
}

struct err *agg_tree(struct agg *a, const char *what, unsigned depth, size_t limit,
		     struct ans_tree *ret)
{
	_cleanup_(ans_tree_deinit) struct ans_tree t = { 0 };
	struct planter p = { .a = a, .t = &t, .max_depth = depth, .limit = limit };
	gnode v = 0;
	uint64_t matches;
	size_t n = 0;
	struct err *err;

	if (a->asked)
		return kept_tree_of(a, what, depth, limit, ret);
	err = a->trees & AGG_TREE_OWNER ? agg_owner(a) : agg_dominators(a);
	t.trees = a->trees ? a->trees : AGG_TREE_EXACT;
	p.d = agg_dom_of(a, t.trees == AGG_TREE_OWNER ? AGG_TREE_OWNER : AGG_TREE_EXACT);
	if (!err && what)
		err = agg_find(a, what, &v, 1, &n, &matches);
	if (!err && v && !graph_reached(a->g, v))
		err = err_usage("%s: nothing reaches it, so it holds nothing; see `limpet why`",
				what);
	if (err)
		return err;
	t.total_bytes = a->g->reached_bytes;
	err = plant(&p, v, 0, GRAPH_NONE);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = t;
	t = (struct ans_tree){ 0 };
	return NULL;
}
