/*
 * agg_path_lasting.c - the way to a thing that says where it belongs.
 *
 * What goroutines use lies in their frames, and those are the shortest ways; they say who uses it
 * now.  The shortest one that begins elsewhere is preferred, if there is one: a walk backward from
 * the thing until a root that is no goroutine.  O(what is seen), bounded; four bytes a node.
 */
#include "report/agg.h"

enum { SEEN_MAX = 1 << 20 };

struct walk {
	const struct agg *a;
	gnode *next; /* by node: towards v; 0 not seen */
	VEC(gnode) queue;
};

static bool is_goroutine(const struct agg *a, gnode v)
{
	return !graph_is_object(a->g, v) && a->s->roots.v[v - 1].kind == SNAP_ROOT_GOROUTINE;
}

/* A root from which v is reached, *ret; 0: none but goroutines. */
static struct err *walk_back(struct walk *w, gnode v, gnode *ret)
{
	const struct graph *g = w->a->g;

	*ret = 0;
	w->next[v] = v;
	if (!vec_push(&w->queue, v))
		return &err_nomem;
	for (size_t i = 0; i < w->queue.n && i < SEEN_MAX; i++) {
		gnode to = w->queue.v[i];

		for (uint32_t e = g->rfirst[to]; e < g->rfirst[to + 1]; e++) {
			gnode from = g->rto[e];

			if (!from || w->next[from] || is_goroutine(w->a, from))
				continue;
			w->next[from] = to;
			if (!graph_is_object(g, from)) {
				*ret = from;
				return NULL;
			}
			if (!vec_push(&w->queue, from))
				return &err_nomem;
		}
	}
	return NULL;
}

static struct err *take(struct agg *a, const struct walk *w, gnode root, gnode v,
			struct ans_path *ret)
{
	VEC(gnode) path = { 0 };
	struct err *err = NULL;

	for (gnode at = root; !err; at = w->next[at]) {
		if (!vec_push(&path, at))
			err = &err_nomem;
		if (at == v)
			break;
	}
	if (!err)
		err = agg_holders(a, path.v, path.n, ret);
	vec_free(&path);
	return err;
}

static struct err *any_path(struct agg *a, gnode v, struct ans_path *ret)
{
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 0;
	struct err *err = graph_path(a->g, v, &path, &len);

	return err || !len ? err : agg_holders(a, path, len, ret);
}

struct err *agg_lasting_path(struct agg *a, gnode v, struct ans_path *ret)
{
	struct walk w = { .a = a };
	struct err *err;
	gnode root = 0;

	if (v == GRAPH_NONE || !graph_is_object(a->g, v) || !graph_reached(a->g, v))
		return NULL;
	err = a->g->rfirst ? NULL : graph_reverse(a->g, a->nthreads);
	if (err)
		return err;
	w.next = bigalloc(a->g->n, sizeof(*w.next));
	err = w.next ? walk_back(&w, v, &root) : &err_nomem;
	if (!err)
		err = root ? take(a, &w, root, v, ret) : any_path(a, v, ret);
	bigfree(w.next, a->g->n, sizeof(*w.next));
	vec_free(&w.queue);
	return err;
}
