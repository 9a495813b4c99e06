/*
 * reach.c - which nodes the super-root reaches.
 *
 * Order does not matter here, so nodes wait in a small ring between stack and work,
 * and their index and edges are prefetched meanwhile: memory is read at bandwidth, not
 * at latency.  Cost: O(n + m), n / 8 bytes, and 4 bytes a node that waits.
 */
#include "graph/priv.h"

#define RING 32U /* nodes in flight; half of it between the two prefetches */

static void push_targets(struct reach *w, gnode v)
{
	const struct graph *g = w->g;

	for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
		reach_push(w, g->to[e]);
}

static void push_targets_without(struct reach *w, gnode v, gnode without)
{
	bool was = bit_has(w->bits, without);

	bit_set(w->bits, without); /* as if seen: it is not pushed */
	push_targets(w, v);
	if (!was)
		bit_clear(w->bits, without);
}

void reach_drain(struct reach *w, struct edge without)
{
	gnode ring[RING];
	size_t in = 0, out = 0;

	while (w->top || out < in) {
		if (w->top && in - out < RING) {
			gnode v = w->stack[--w->top];

			__builtin_prefetch(graph_first_at(w->g, v));
			ring[in++ % RING] = v;
			if (in >= out + RING / 2)
				__builtin_prefetch(
					&w->g->to[graph_first(w->g, ring[(in - RING / 2) % RING])]);
			continue;
		}
		gnode v = ring[out++ % RING];

		if (v == without.from)
			push_targets_without(w, v, without.to);
		else
			push_targets(w, v);
	}
}

struct err *reach_bits(const struct graph *g, struct edge without, uint64_t *bits)
{
	_cleanup_(big_deinit) struct big stack = { 0 };
	struct reach w = { .g = g, .bits = bits };

	if (!big_init(&stack, g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	w.stack = stack.p;
	reach_push(&w, 0);
	reach_drain(&w, without);
	return NULL;
}

struct err *graph_reach(struct graph *g)
{
	_cleanup_(big_deinit) struct big bits = { 0 };
	struct err *err;

	if (!big_init(&bits, bit_words(g), sizeof(uint64_t), BIG_DENSE))
		return &err_nomem;
	err = reach_bits(g, REACH_ALL, bits.p);
	if (err)
		return err;
	g->reached = big_steal(&bits);
	bits_measure(g, g->reached, &g->nreached_objects, &g->reached_bytes);
	return NULL;
}
