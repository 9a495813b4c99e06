/*
 * agg.c - the agg itself: dominators and what lies below each root.
 *
 * The index of children costs 8 bytes a node, one walk over the reachable nodes
 * counts what lies below each root: O(n).
 */
#include "report/agg.h"

void agg_deinit(struct agg *a)
{
	free(a->dom_first);
	free(a->dom_child);
	free(a->top_objects);
	free(a->label_sets);
	keep_deinit(&a->keep);
	*a = (struct agg){ 0 };
}

/* Objects in the dominator subtree of v, v included; stack is reused between calls. */
struct gnode_stack {
	VEC(gnode) q;
};

static struct err *count_below(const struct agg *a, gnode v, struct gnode_stack *st, uint64_t *ret)
{
	uint64_t n = 0;

	st->q.n = 0;
	if (!vec_push(&st->q, v))
		return &err_nomem;
	while (st->q.n) {
		gnode x = st->q.v[--st->q.n];

		n += graph_is_object(a->g, x);
		for (uint32_t i = a->dom_first[x]; i < a->dom_first[x + 1]; i++)
			if (!vec_push(&st->q, a->dom_child[i]))
				return &err_nomem;
	}
	*ret = n;
	return NULL;
}

static struct err *count_roots(struct agg *a)
{
	struct gnode_stack st = { 0 };
	struct err *err = NULL;
	uint64_t held = 0;

	a->top_objects = zalloc((size_t)a->g->nroots + 1, sizeof(*a->top_objects));
	if (!a->top_objects)
		return &err_nomem;
	for (gnode r = 1; r <= a->g->nroots && !err; r++) {
		err = count_below(a, r, &st, &a->top_objects[r]);
		held += a->top_objects[r];
	}
	vec_free(&st.q);
	a->top_objects[0] = a->g->nreached_objects - held;
	return err;
}

struct err *agg_dominators(struct agg *a)
{
	struct err *err;

	if (a->top_objects)
		return NULL;
	if (!a->g->idom) {
		err = graph_dominators(a->g, a->nthreads);
		if (err)
			return err_prefix(err, "dominators");
	}
	if (!a->dom_first) {
		err = graph_dom_children(a->g, &a->dom_first, &a->dom_child);
		if (err)
			return err_prefix(err, "dominator children");
	}
	return count_roots(a);
}

uint64_t agg_root_retained(const struct agg *a, size_t r)
{
	return a->g && a->g->retained && r < a->g->nroots ? a->g->retained[1 + r] : 0;
}
