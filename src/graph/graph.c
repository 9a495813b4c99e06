/*
 * graph.c - the arrays of a graph: from lists, freeing, validating, sizes.
 *
 * Knows no process and no Go; a snapshot is only a table of spans here.
 * Cost: O(n + m); graph_shallow is a binary search over spans.
 */
#include "graph/priv.h"

#include <assert.h>
#include <sys/mman.h>

bool big_init(struct big *b, size_t n, size_t bytes, enum big_use use)
{
	void *p = bigalloc(n, bytes);

	*b = (struct big){ .p = p, .n = n, .bytes = bytes };
	if (!p)
		return false;
	/* Advice only: without huge pages all is right, and slower. */
	if (use == BIG_DENSE && n * bytes >= 4U << 20)
		(void)madvise(p, n * bytes, MADV_HUGEPAGE);
	return true;
}

void big_deinit(struct big *b)
{
	bigfree(b->p, b->n, b->bytes);
	b->p = NULL;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	bigfree(g->first, g->first_cap, sizeof(*g->first));
	bigfree(g->to, g->to_cap, sizeof(*g->to));
	free(g->rootfirst);
	bigfree(g->rfirst, (size_t)g->n + 1, sizeof(*g->rfirst));
	bigfree(g->rto, g->rto_cap, sizeof(*g->rto));
	bigfree(g->reached, bit_words(g), sizeof(*g->reached));
	bigfree(g->live, bit_words(g), sizeof(*g->live));
	bigfree(g->idom, g->n, sizeof(*g->idom));
	bigfree(g->retained, g->n, sizeof(*g->retained));
	free(g);
}

/* Last span that begins at or before object id; NULL if there is none. */
static const struct go_span *span_of(const struct go_heap *h, uint64_t id)
{
	size_t lo = 0, hi = h->spans.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (h->spans.v[mid].first <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &h->spans.v[lo - 1] : NULL;
}

uint64_t graph_shallow(const struct graph *g, gnode v)
{
	const struct go_span *sp;

	if (g->node_bytes)
		return g->node_bytes[v];
	if (!g->s || !graph_is_object(g, v))
		return 0;
	sp = span_of(&g->s->heap, graph_object(g, v));
	return sp && graph_object(g, v) - sp->first < sp->nelems ? sp->elem_bytes : 0;
}

/* Bits set in [lo, hi). */
static uint64_t bits_count(const uint64_t *bits, uint64_t lo, uint64_t hi)
{
	uint64_t n = 0;

	while (lo < hi) {
		uint64_t left = MIN(hi - lo, 64 - (lo & 63));
		uint64_t mask = left == 64 ? UINT64_MAX : (1ULL << left) - 1;

		n += (uint64_t)__builtin_popcountll(bits[lo >> 6] >> (lo & 63) & mask);
		lo += left;
	}
	return n;
}

void bits_measure(const struct graph *g, const uint64_t *bits, uint64_t *ret_objects,
		  uint64_t *ret_bytes)
{
	uint64_t base = 1 + (uint64_t)g->nroots;
	uint64_t bytes = 0;

	*ret_objects = bits_count(bits, base, g->n);
	for (gnode v = 0; g->node_bytes && v < g->n; v++)
		bytes += bit_has(bits, v) ? g->node_bytes[v] : 0;
	for (size_t i = 0; !g->node_bytes && g->s && i < g->s->heap.spans.n; i++) {
		const struct go_span *sp = &g->s->heap.spans.v[i];
		uint64_t lo = base + sp->first;

		if (lo + sp->nelems <= g->n)
			bytes += sp->elem_bytes * bits_count(bits, lo, lo + sp->nelems);
	}
	*ret_bytes = bytes;
}

void graph_fill_sizes(const struct graph *g, uint64_t *dst)
{
	uint64_t base = 1 + (uint64_t)g->nroots;

	for (gnode v = 0; g->node_bytes && v < g->n; v++)
		dst[v] = graph_reached(g, v) ? g->node_bytes[v] : 0;
	for (size_t i = 0; !g->node_bytes && g->s && i < g->s->heap.spans.n; i++) {
		const struct go_span *sp = &g->s->heap.spans.v[i];
		uint64_t lo = base + sp->first;

		for (uint64_t v = lo; v < lo + sp->nelems && v < g->n; v++)
			dst[v] = graph_reached(g, (gnode)v) ? sp->elem_bytes : 0;
	}
}

/* Counting sort by source.  first[] of all nodes, then cut into the two index arrays. */
static void lay_out(struct graph *g, const gnode *from, const gnode *to, uint32_t m)
{
	uint32_t nobj = g->n - 1 - g->nroots;
	uint32_t at = 0;

	for (uint32_t i = 0; i < m; i++) {
		if (from[i] > g->nroots)
			g->first[from[i] - g->nroots]++;
		else if (from[i])
			g->rootfirst[from[i] + 1]++;
	}
	for (uint32_t o = 0; o < nobj; o++)
		g->first[o + 1] += g->first[o];
	at = g->first[nobj];
	g->rootfirst[0] = at;
	g->rootfirst[1] = at += g->nroots;
	for (uint32_t r = 1; r <= g->nroots; r++)
		g->rootfirst[r + 1] = at += g->rootfirst[r + 1];
	g->m = at;
	for (uint32_t r = 0; r < g->nroots; r++)
		g->to[g->rootfirst[0] + r] = r + 1;
	/* Fill backwards: the index of a row moves down from its end, to its beginning. */
	for (uint32_t i = m; i-- > 0;) {
		if (from[i] > g->nroots)
			g->to[--g->first[from[i] - g->nroots]] = to[i];
		else if (from[i])
			g->to[--g->rootfirst[from[i] + 1]] = to[i];
	}
	/* Now index k + 1 holds the beginning of row k. */
	memmove(g->first, g->first + 1, nobj * sizeof(*g->first));
	g->first[nobj] = g->rootfirst[0];
	memmove(g->rootfirst + 1, g->rootfirst + 2, g->nroots * sizeof(*g->rootfirst));
	g->rootfirst[g->nroots + 1] = g->m;
}

struct err *graph_from_edges(uint32_t n, uint32_t nroots, const gnode *from, const gnode *to,
			     uint32_t m, const uint32_t *node_bytes, struct graph **ret)
{
	_cleanup_(graph_freep) struct graph *g = zalloc(1, sizeof(*g));
	struct err *err;

	if (!g)
		return &err_nomem;
	if (n < 1 || nroots > n - 1 || n == GRAPH_NONE || m > UINT32_MAX - 1 - nroots)
		return err_new(ERR_LIMIT, "graph of %u nodes, %u roots, %u edges", n, nroots, m);
	for (uint32_t i = 0; i < m; i++)
		if (from[i] >= n || to[i] >= n || !to[i])
			return err_bad_data("edge %u: %u -> %u of %u nodes", i, from[i], to[i], n);
	g->n = n;
	g->nroots = nroots;
	g->node_bytes = node_bytes;
	g->first_cap = (uint64_t)n - nroots;
	g->to_cap = (uint64_t)m + nroots;
	g->first = bigalloc(g->first_cap, sizeof(*g->first));
	g->to = bigalloc(g->to_cap, sizeof(*g->to));
	g->rootfirst = zalloc((size_t)nroots + 2, sizeof(*g->rootfirst));
	if (!g->first || !g->to || !g->rootfirst)
		return &err_nomem;
	lay_out(g, from, to, m);
	err = graph_reach(g);
	if (err)
		return err;
	*ret = STEAL(g);
	return NULL;
}

static bool bad(const char **why, const char *text)
{
	*why = text;
	return false;
}

static bool validate_index(const struct graph *g, const char **why)
{
	uint32_t nobj = g->n - 1 - g->nroots;

	if (g->first[0] != 0)
		return bad(why, "first edge of first object is not 0");
	if (g->first[nobj] != g->rootfirst[0])
		return bad(why, "roots' edges do not follow the objects'");
	if (g->rootfirst[g->nroots + 1] != g->m)
		return bad(why, "last edge is not m");
	for (gnode v = 0; v < g->n; v++)
		if (graph_first(g, v) > graph_last(g, v))
			return bad(why, "index falls");
	return true;
}

static bool validate_reverse(const struct graph *g, const char **why)
{
	if (g->rfirst[0] != 0)
		return bad(why, "backward edges of node 0");
	for (gnode v = 0; v < g->n; v++)
		if (g->rfirst[v] > g->rfirst[v + 1])
			return bad(why, "backward index falls");
	for (uint32_t e = 0; e < g->rfirst[g->n]; e++)
		if (g->rto[e] >= g->n || !graph_reached(g, g->rto[e]))
			return bad(why, "backward edge from an unreachable node");
	return true;
}

static bool validate_results(const struct graph *g, const char **why)
{
	for (gnode v = 1; v < g->n; v++) {
		if (graph_reached(g, v) != (g->idom[v] != GRAPH_NONE))
			return bad(why, "reachable and dominated differ");
		if (!graph_reached(g, v))
			continue;
		if (g->idom[v] >= g->n || !graph_reached(g, g->idom[v]) || g->idom[v] == v)
			return bad(why, "dominator out of range");
		if (g->retained[v] > g->retained[g->idom[v]])
			return bad(why, "retained more than its dominator");
	}
	return true;
}

bool graph_validate(const struct graph *g, const char **why)
{
	if (g->n < 1 || g->nroots > g->n - 1)
		return bad(why, "more roots than nodes");
	if (!validate_index(g, why))
		return false;
	for (uint32_t e = 0; e < g->m; e++)
		if (!g->to[e] || g->to[e] >= g->n)
			return bad(why, "edge out of range");
	if (g->rootfirst[1] - g->rootfirst[0] != g->nroots)
		return bad(why, "super-root does not point at every root");
	for (uint32_t r = 0; r < g->nroots; r++)
		if (g->to[g->rootfirst[0] + r] != r + 1)
			return bad(why, "super-root does not point at every root");
	if (g->rfirst && !validate_reverse(g, why))
		return false;
	return !g->idom || !g->retained || validate_results(g, why);
}
