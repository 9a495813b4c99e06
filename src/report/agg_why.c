/*
 * agg_why.c - why is it alive: paths, independent holders, and the one edge to cut.
 *
 * Roots are their own reason.  Costs one search of the graph a path, and a bounded
 * flow for the independent ones.
 */
#include "report/agg.h"
#include "report/kept.h"

static const char *note_for_root(struct agg *a, gnode v)
{
	const struct snap_root *r = &a->s->roots.v[v - 1];

	if (r->kind == SNAP_ROOT_GOROUTINE)
		return "a goroutine is a root: it lives, with all that its stack holds, until it returns";
	if (r->kind == SNAP_ROOT_GLOBAL)
		return "a global variable is a root: what it holds lives until it is assigned anew";
	return "a root of the collector";
}

static struct err *add_cut(struct agg *a, gnode from, gnode to, struct ans_cut *cut)
{
	struct err *err;

	if (from == GRAPH_NONE || to == GRAPH_NONE)
		return NULL;
	err = graph_cut(a->g, from, to, &cut->bytes, &cut->objects);
	if (!err)
		err = agg_holder(a, from, to, &cut->from);
	if (!err)
		err = agg_holder(a, to, GRAPH_NONE, &cut->to);
	cut->found = !err;
	return err;
}

static struct err *add_paths(struct agg *a, const struct graph_paths *ps, struct ans_why_item *it)
{
	for (size_t i = 0; i < ps->n; i++) {
		struct ans_path p = { 0 };
		struct err *err = agg_holders(a, ps->path[i], ps->len[i], &p);

		if (err)
			return err;
		if (!vec_push(&it->paths, p)) {
			ans_path_deinit(&p);
			return &err_nomem;
		}
	}
	it->independent = ps->independent;
	it->capped = ps->capped;
	return NULL;
}

/* How its owner comes to it. */
static struct err *add_owner(struct agg *a, gnode v, struct ans_why_item *it)
{
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 0;
	struct err *err;

	if (!a->owner.objects)
		return NULL;
	err = graph_path(a->owner.g, v, &path, &len);
	return err || !len ? err : agg_holders(a, path, len, &it->owner);
}

static struct err *explain_object(struct agg *a, gnode v, size_t max_paths, struct ans_why_item *it)
{
	struct graph_paths ps = { .cut_from = GRAPH_NONE, .cut_to = GRAPH_NONE };
	struct err *err = graph_independent(a->g, v, max_paths, &ps);

	if (err)
		return err;
	err = add_paths(a, &ps, it);
	if (!err)
		err = agg_origin(a, v, &it->origin);
	if (!err)
		err = add_cut(a, ps.cut_from, ps.cut_to, &it->cut);
	graph_paths_deinit(&ps);
	return err ? err : add_owner(a, v, it);
}

struct err *agg_why_node(struct agg *a, gnode v, size_t max_paths, struct ans_why_item *it)
{
	struct err *err = agg_holder(a, v, GRAPH_NONE, &it->what);

	it->note = "";
	if (err)
		return err;
	it->reachable = graph_reached(a->g, v);
	if (!graph_is_object(a->g, v)) {
		it->note = note_for_root(a, v);
		return NULL;
	}
	if (!it->reachable) {
		bool is = snapshot_is_object(a->s, graph_object(a->g, v));

		it->note = is ? "garbage: nothing that the collector treats as a root reaches it"
			      : "a free slot: no object lives there now";
		return NULL;
	}
	return explain_object(a, v, max_paths, it);
}

static struct err *explain_what(struct agg *a, const char *what, size_t max_items, size_t max_paths,
				struct ans_why *w)
{
	_cleanup_(freep) gnode *nodes = zalloc(max_items + 1, sizeof(*nodes));
	uint64_t matches = 0;
	struct err *err;
	size_t n = 0;

	if (!nodes)
		return &err_nomem;
	err = agg_find(a, what, nodes, max_items, &n, &matches);
	w->matches += matches;
	for (size_t i = 0; i < n && !err; i++) {
		struct ans_why_item it = { .asked = what };

		if (!vec_push(&w->items, it))
			return &err_nomem;
		err = agg_why_node(a, nodes[i], max_paths, &w->items.v[w->items.n - 1]);
	}
	return err;
}

struct err *agg_why(struct agg *a, const char *const *what, size_t n, size_t max_items,
		    size_t max_paths, struct ans_why *ret)
{
	_cleanup_(ans_why_deinit) struct ans_why w = { .asked = n ? what[0] : "", .nasked = n };
	struct err *err;

	if (a->asked)
		return kept_why_of(a, what, n, max_items, max_paths, ret);
	err = a->trees & AGG_TREE_OWNER ? agg_owner(a) : NULL;
	for (size_t i = 0; i < n && !err; i++)
		err = explain_what(a, what[i], max_items, max_paths, &w);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = w;
	w = (struct ans_why){ 0 };
	return NULL;
}
