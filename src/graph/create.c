/*
 * create.c - the graph of a snapshot: its objects' edges taken over, its roots' hung behind.
 *
 * The only file of the core that calls into the snapshot.
 * Cost: one pass over the edges in place; no copy of them.
 */
#include "base/par.h"
#include "graph/live.h"
#include "graph/priv.h"

struct shift {
	gnode *to;
	gnode by;
};

static struct err *shift_some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct shift *s = arg;

	(void)worker;
	for (size_t e = lo; e < hi; e++)
		s->to[e] += s->by;
	return NULL;
}

static uint64_t count_root_edges(const struct snapshot *s)
{
	uint64_t n = 0;

	for (size_t r = 0; r < s->roots.n; r++)
		for (uint64_t i = 0; i < s->roots.v[r].nslots; i++)
			n += snapshot_is_object(s, s->slots.v[s->roots.v[r].first_slot + i].object);
	return n;
}

/* A conservative word at a free slot is no reference: runtime/mgcmark.go, scanConservative. */
static void hang_roots(struct graph *g)
{
	const struct snapshot *s = g->s;
	uint32_t at = g->rootfirst[0];

	for (uint32_t r = 0; r < g->nroots; r++)
		g->to[at++] = r + 1;
	for (uint32_t r = 0; r < g->nroots; r++) {
		const struct snap_root *root = &s->roots.v[r];

		g->rootfirst[r + 1] = at;
		for (uint64_t i = 0; i < root->nslots; i++) {
			uint64_t id = s->slots.v[root->first_slot + i].object;

			if (snapshot_is_object(s, id))
				g->to[at++] = graph_node_of_object(g, id);
		}
	}
	g->rootfirst[g->nroots + 1] = g->m = at;
}

static struct err *check_roots(const struct snapshot *s)
{
	for (size_t r = 0; r < s->roots.n; r++) {
		const struct snap_root *root = &s->roots.v[r];

		if (root->first_slot > s->slots.n || root->nslots > s->slots.n - root->first_slot)
			return err_bad_data("root %zu has slots outside the snapshot", r);
	}
	return NULL;
}

/* Take e's arrays; they are the graph's from here on, also when this fails later. */
static void take(struct graph *g, struct snap_edges *e)
{
	g->first_cap = e->n + 1;
	g->to_cap = e->to_cap;
	g->bad_edges = e->bad;
	g->first = STEAL(e->first);
	g->to = STEAL(e->to);
}

static struct err *make_room(struct graph *g, uint64_t edges)
{
	gnode *to;

	if (edges <= g->to_cap)
		return NULL;
	to = biggrow(g->to, g->to_cap, edges, sizeof(*to));
	if (!to)
		return &err_nomem;
	g->to = to;
	g->to_cap = edges;
	return NULL;
}

static struct err *adopt(struct graph *g, struct snap_edges *e, unsigned nthreads)
{
	uint64_t nroots = g->s->roots.n;
	uint64_t n = 1 + nroots + e->n;
	uint64_t edges = e->m + nroots + count_root_edges(g->s);
	struct shift shift = { .by = (gnode)(1 + nroots) };
	struct err *err;

	if (e->first_hi || n >= GRAPH_NONE || edges >= GRAPH_NONE)
		return err_new(ERR_LIMIT,
			       "%" PRIu64 " slots and %" PRIu64
			       " references: more than 4294967294 are not supported",
			       n, edges);
	take(g, e);
	g->n = (uint32_t)n;
	g->nroots = (uint32_t)nroots;
	g->rootfirst = zalloc(nroots + 2, sizeof(*g->rootfirst));
	if (!g->rootfirst)
		return &err_nomem;
	err = make_room(g, edges);
	if (err)
		return err;
	shift.to = g->to;
	err = par_for(nthreads, e->m, 1U << 20, shift_some, &shift);
	if (err)
		return err;
	g->rootfirst[0] = (uint32_t)e->m;
	hang_roots(g);
	return NULL;
}

struct err *graph_create(struct snapshot *s, unsigned nthreads, struct graph **ret)
{
	_cleanup_(graph_freep) struct graph *g = zalloc(1, sizeof(*g));
	_cleanup_(snapshot_edges_deinit) struct snap_edges e = { 0 };
	_cleanup_(graph_waits_deinit) struct graph_waits waits = { 0 };
	struct err *err;

	if (!g)
		return &err_nomem;
	g->s = s;
	err = check_roots(s);
	if (err)
		return err;
	nthreads = nthreads ? nthreads : par_default_threads();
	err = snapshot_edges(s, nthreads, &e);
	if (err)
		return err;
	err = adopt(g, &e, nthreads);
	if (err)
		return err;
	err = graph_waits_of(g, &waits);
	if (!err)
		err = graph_reach_late(g, &waits);
	if (err)
		return err;
	*ret = STEAL(g);
	return NULL;
}
