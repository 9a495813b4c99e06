/*
 * reverse.c - who points at what, between reachable nodes only.
 *
 * Counting sort by target, sources ascending in each row.  Each worker owns a range of
 * targets and scans all edges: the scan streams, the random writes are what costs, and
 * no atomics are needed.  Cost: O(n + m), 4 bytes a node and a reachable edge.
 */
#include "base/par.h"
#include "graph/priv.h"

struct turn {
	const struct graph *g;
	uint32_t *at; /* at[v + 1]: count, then running index of row v */
	gnode *rto;
};

/* Ask for the count of an edge that will come soon. */
static void soon(const struct turn *t, uint32_t e)
{
	if (e + 24 < t->g->m)
		__builtin_prefetch(&t->at[t->g->to[e + 24] + 1], 1);
}

static struct err *count(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct turn *t = arg;
	const struct graph *g = t->g;

	(void)worker;
	for (gnode v = 0; v < g->n; v++) {
		if (!graph_reached(g, v))
			continue;
		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++) {
			soon(t, e);
			if (g->to[e] >= lo && g->to[e] < hi)
				t->at[g->to[e] + 1]++;
		}
	}
	return NULL;
}

static struct err *fill(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct turn *t = arg;
	const struct graph *g = t->g;

	(void)worker;
	for (gnode v = 0; v < g->n; v++) {
		if (!graph_reached(g, v))
			continue;
		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++) {
			soon(t, e);
			if (g->to[e] >= lo && g->to[e] < hi)
				t->rto[t->at[g->to[e] + 1]++] = v;
		}
	}
	return NULL;
}

/* at[v + 1] from count of row v to its beginning; returns the sum. */
static uint32_t sum_up(const struct graph *g, uint32_t *at)
{
	uint32_t sum = 0;

	at[0] = 0;
	for (gnode v = 0; v < g->n; v++) {
		uint32_t k = at[v + 1];

		at[v + 1] = sum;
		sum += k;
	}
	return sum;
}

struct err *graph_reverse(struct graph *g, unsigned nthreads)
{
	_cleanup_(big_deinit) struct big at = { 0 }, rto = { 0 };
	struct turn t = { .g = g };
	size_t grain;
	uint32_t sum;
	struct err *err;

	if (g->rfirst)
		return NULL;
	nthreads = nthreads ? MIN(nthreads, 4U) : MIN(par_default_threads(), 4U);
	grain = ((size_t)g->n + nthreads - 1) / nthreads;
	if (!big_init(&at, (size_t)g->n + 1, sizeof(uint32_t), BIG_DENSE))
		return &err_nomem;
	t.at = at.p;
	err = par_for(nthreads, g->n, grain, count, &t);
	if (err)
		return err;
	sum = sum_up(g, t.at);
	if (!big_init(&rto, sum, sizeof(gnode), BIG_DENSE))
		return &err_nomem;
	t.rto = rto.p;
	err = par_for(nthreads, g->n, grain, fill, &t);
	if (err)
		return err;
	/* Filling moved each index to the end of its row: at[v + 1] is what it must be. */
	g->rto_cap = sum;
	g->rto = big_steal(&rto);
	g->rfirst = big_steal(&at);
	return NULL;
}
