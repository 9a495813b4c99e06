/*
 * priv.h - what the files of the graph room share, and nobody else sees.
 *
 * Scratch arrays with a scope guard, bit sets over nodes, and reach with one edge left out.
 */
#ifndef LIMPET_GRAPH_PRIV_H
#define LIMPET_GRAPH_PRIV_H

#include "graph/graph.h"

/*
 * DENSE: every page will be touched: huge pages, for these walks are bound by TLB misses.
 * SPARSE: few pages will be: each touched page costs 4 KiB, not 2 MiB.
 */
enum big_use { BIG_DENSE, BIG_SPARSE };

/* n zeroed elements that end with the scope (big_deinit), or are stolen (big_steal). */
struct big {
	void *p;
	size_t n;
	size_t bytes;
};

bool big_init(struct big *b, size_t n, size_t bytes, enum big_use use);
void big_deinit(struct big *b);

static inline void *big_steal(struct big *b)
{
	return STEAL(b->p);
}

static inline bool bit_has(const uint64_t *bits, gnode v)
{
	return bits[v >> 6] >> (v & 63) & 1;
}

static inline void bit_set(uint64_t *bits, gnode v)
{
	bits[v >> 6] |= 1ULL << (v & 63);
}

static inline void bit_clear(uint64_t *bits, gnode v)
{
	bits[v >> 6] &= ~(1ULL << (v & 63));
}

static inline size_t bit_words(const struct graph *g)
{
	return ((size_t)g->n + 63) / 64;
}

/* Where graph_first() of v lies, for prefetching. */
static inline const uint32_t *graph_first_at(const struct graph *g, gnode v)
{
	return v > g->nroots ? &g->first[v - 1 - g->nroots] : &g->rootfirst[v];
}

static inline bool graph_is_root(const struct graph *g, gnode v)
{
	return v != 0 && v <= g->nroots;
}

/* An edge that is not there (all parallel ones); from == GRAPH_NONE: none. */
struct edge {
	gnode from, to;
};

#define REACH_ALL ((struct edge){ GRAPH_NONE, GRAPH_NONE })

/* A walk that can go on after more has been pushed.  stack has room for n nodes. */
struct reach {
	const struct graph *g;
	uint64_t *bits; /* seen */
	gnode *stack;
	size_t top;
	const uint64_t *watched; /* NULL: none */
	gnode *met;		 /* watched ones, as they are seen; room for all of them */
	size_t nmet;
};

static inline void reach_push(struct reach *w, gnode v)
{
	if (bit_has(w->bits, v))
		return;
	bit_set(w->bits, v);
	w->stack[w->top++] = v;
	if (w->watched && bit_has(w->watched, v))
		w->met[w->nmet++] = v;
}

void reach_drain(struct reach *w, struct edge without);

/* Set the bit of each node reachable from the super-root; bits are all zero before. */
struct err *reach_bits(const struct graph *g, struct edge without, uint64_t *bits) MUST_CHECK;

/* Objects in a set of nodes, and their bytes. */
void bits_measure(const struct graph *g, const uint64_t *bits, uint64_t *ret_objects,
		  uint64_t *ret_bytes);

/* reached, nreached_objects, reached_bytes of a graph whose edges are complete. */
struct err *graph_reach(struct graph *g) MUST_CHECK;

/* dst[v] = shallow bytes for each reached object, 0 elsewhere. */
void graph_fill_sizes(const struct graph *g, uint64_t *dst);

#endif
