/*
 * entries.c - of some nodes: is there one edge alone through which they are reached?
 *
 * A forward pass over all edges finds those that lead to a marked node and do not come from its
 * dominator; such an edge is harmless if it comes from below the node itself.  Which marked node
 * is the nearest above a node of the dominator tree is noted on the way up, so each node is
 * climbed over once.  Cost: m looks at a bit, 4 bytes a node that is climbed over.
 */
#include "base/par.h"
#include "graph/priv.h"

enum { GRAIN = 1 << 16 };
#define CLOSE_LOOKS (4U << 20)

struct suspect_edge {
	gnode from, to;
};

struct pass {
	const struct graph *g;
	const uint64_t *marked;
	struct found {
		VEC(struct suspect_edge) e;
		bool full;
	} * found; /* by worker */
};

static struct err *scan(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct pass *p = arg;
	const struct graph *g = p->g;
	struct found *f = &p->found[worker];

	for (gnode v = (gnode)lo; v < hi; v++) {
		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++) {
			gnode w = g->to[e];

			if (!bit_has(p->marked, w) || g->idom[w] == v || w == v ||
			    !graph_reached(g, v))
				continue;
			if (f->e.n >= CLOSE_LOOKS)
				f->full = true;
			else if (!vec_push(&f->e, (struct suspect_edge){ v, w }))
				return &err_nomem;
		}
	}
	return NULL;
}

/* The nearest marked one among v and its dominators; 0: none. */
static gnode nearest(const struct graph *g, const uint64_t *marked, gnode *near, gnode v)
{
	gnode x = v, found;

	while (x && x != GRAPH_NONE && !near[x] && !bit_has(marked, x))
		x = g->idom[x];
	found = !x || x == GRAPH_NONE ? 0 : bit_has(marked, x) ? x : near[x] - 1;
	for (gnode y = v; y != x; y = g->idom[y])
		near[y] = found + 1;
	return found;
}

/* Does w, which is marked, dominate v? */
static bool is_above(const struct graph *g, const uint64_t *marked, gnode *near, gnode w, gnode v)
{
	gnode x = nearest(g, marked, near, v);

	while (x && x != w)
		x = nearest(g, marked, near, g->idom[x]);
	return x == w;
}

static struct err *pass_all(struct pass *p, unsigned nthreads, gnode *near, uint64_t *bad)
{
	struct err *err = par_for(nthreads, p->g->n, GRAIN, scan, p);

	for (unsigned i = 0; i < nthreads && !err; i++) {
		const struct found *f = &p->found[i];

		for (size_t k = 0; k < f->e.n; k++) {
			const struct suspect_edge *e = &f->e.v[k];

			if (!bit_has(bad, e->to) &&
			    !is_above(p->g, p->marked, near, e->to, e->from))
				bit_set(bad, e->to);
		}
	}
	return err;
}

static bool any_full(const struct pass *p, unsigned nthreads)
{
	for (unsigned i = 0; i < nthreads; i++)
		if (p->found[i].full)
			return true;
	return false;
}

struct err *graph_single_entries(const struct graph *g, const gnode *nodes, size_t n,
				 unsigned nthreads, uint8_t *ret)
{
	_cleanup_(big_deinit) struct big marked = { 0 }, bad = { 0 }, near = { 0 };
	_cleanup_(freep) struct found *found = NULL;
	struct pass p = { .g = g };
	struct err *err;

	nthreads = MAX(nthreads, 1U);
	p.found = found = zalloc(nthreads, sizeof(*found));
	if (!found || !big_init(&marked, bit_words(g), sizeof(uint64_t), BIG_SPARSE) ||
	    !big_init(&bad, bit_words(g), sizeof(uint64_t), BIG_SPARSE) ||
	    !big_init(&near, g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	p.marked = marked.p;
	for (size_t i = 0; i < n; i++)
		if (nodes[i] && nodes[i] < g->n && graph_reached(g, nodes[i]))
			bit_set(marked.p, nodes[i]);
	err = pass_all(&p, nthreads, near.p, bad.p);
	for (size_t i = 0; i < n && !err; i++)
		ret[i] = nodes[i] < g->n && bit_has(marked.p, nodes[i]) &&
			 !bit_has(bad.p, nodes[i]) && !any_full(&p, nthreads);
	for (unsigned i = 0; i < nthreads; i++)
		vec_free(&found[i].e);
	return err;
}
