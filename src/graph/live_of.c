/*
 * live_of.c - what a snapshot's goroutines wait for, as nodes of its graph.
 *
 * A lock outside of the heap (a global) can be reached by anyone: its waiters are no late ones.
 */
#include "graph/live.h"

/* Root node of each goroutine; 0: none. */
static gnode *roots_by_goroutine(const struct graph *g)
{
	const struct snapshot *s = g->s;
	gnode *of = zalloc(s->stacks.gs.n + 1, sizeof(*of));

	for (uint32_t r = 0; of && r < g->nroots; r++)
		if (s->roots.v[r].kind == SNAP_ROOT_GOROUTINE &&
		    s->roots.v[r].goroutine < s->stacks.gs.n)
			of[s->roots.v[r].goroutine] = r + 1;
	return of;
}

static gnode node_at(const struct graph *g, taddr at)
{
	uint64_t id = at ? go_heap_object_at(&g->s->heap, at) : GO_NO_OBJECT;

	return id != GO_NO_OBJECT && snapshot_is_object(g->s, id) ? graph_node_of_object(g, id) : 0;
}

static bool anyone_can(const struct graph *g, const struct go_waiter *x)
{
	if (x->state != GO_WAIT_ON)
		return x->state != GO_WAIT_NEVER;
	for (size_t i = x->first; i < x->first + x->n; i++)
		if (!node_at(g, g->s->waits.things.v[i].at))
			return true;
	return false;
}

/* A sudog has a dozen pointers; what has many more is none, and would be searched for each. */
static bool is_small(const struct graph *g, gnode v)
{
	return graph_last(g, v) - graph_first(g, v) <= 32;
}

/* The runtime's lists lead to whoever waits, and from there to what for: that is no reason. */
static struct err *hide(const struct graph *g, const struct go_waiter *x, struct graph_waits *w)
{
	for (size_t i = x->first; i < x->first + x->n; i++) {
		const struct go_wait_thing *t = &g->s->waits.things.v[i];
		struct graph_hidden h = { node_at(g, t->sudog), node_at(g, t->at) };

		if (h.from && h.to && is_small(g, h.from) && !vec_push(&w->hidden, h))
			return &err_nomem;
	}
	return NULL;
}

static struct err *add(const struct graph *g, const struct go_waiter *x, gnode root,
		       struct graph_waits *w)
{
	struct graph_late l = { root, GRAPH_NONE };
	struct err *err = hide(g, x, w);

	if (err || !root || anyone_can(g, x))
		return err;
	if (x->state == GO_WAIT_NEVER)
		return vec_push(&w->late, l) ? NULL : &err_nomem;
	for (size_t i = x->first; i < x->first + x->n; i++) {
		l.thing = node_at(g, g->s->waits.things.v[i].at);
		if (!vec_push(&w->late, l))
			return &err_nomem;
	}
	return NULL;
}

struct err *graph_waits_of(const struct graph *g, struct graph_waits *ret)
{
	_cleanup_(freep) gnode *root = roots_by_goroutine(g);
	const struct go_waits *from = &g->s->waits;
	struct err *err = root ? NULL : &err_nomem;

	for (size_t i = 0; i < from->v.n && !err; i++)
		err = add(g, &from->v.v[i], root[from->v.v[i].g], ret);
	return err;
}
