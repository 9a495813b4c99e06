/*
 * partition.c - which group of roots reaches a node, if it is one alone.
 *
 * Each node climbs a ladder of three steps (nobody, one group, several) and is walked through
 * again when it climbs: that is twice at most.  Roots are taken in order of their nodes, so that
 * the roots of one group need not be neighbours.
 */
#include "graph/partition.h"

#include "graph/priv.h"

struct walk {
	const struct graph *g;
	uint32_t *owner;
	gnode *stack; /* 2 n: each node waits twice at most */
	size_t top;
};

/* What a node that was a's is when b reaches it, too. */
static uint32_t join(uint32_t a, uint32_t b)
{
	return a == GRAPH_NONE || a == b ? b : GRAPH_SHARED;
}

static void reach_node(struct walk *w, gnode v, uint32_t by)
{
	uint32_t now = join(w->owner[v], by);

	if (now == w->owner[v])
		return;
	w->owner[v] = now;
	w->stack[w->top++] = v;
}

static void walk_on(struct walk *w)
{
	const struct graph *g = w->g;

	while (w->top) {
		gnode v = w->stack[--w->top];

		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
			reach_node(w, g->to[e], w->owner[v]);
	}
}

struct err *graph_partition(const struct graph *g, const uint32_t *group, uint32_t **ret_owner)
{
	_cleanup_(freep) uint32_t *owner = malloc(((size_t)g->n + 1) * sizeof(*owner));
	_cleanup_(big_deinit) struct big stack = { 0 };
	struct walk w = { .g = g, .owner = owner };

	if (!owner || !big_init(&stack, 2 * (size_t)g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	memset(owner, 0xff, (size_t)g->n * sizeof(*owner));
	w.stack = stack.p;
	for (uint32_t r = 0; r < g->nroots; r++) {
		if (group[r] == GRAPH_NONE)
			continue;
		reach_node(&w, r + 1, group[r]);
		walk_on(&w);
	}
	*ret_owner = STEAL(owner);
	return NULL;
}

static void reach_bit(struct walk *w, uint64_t *bits, gnode v)
{
	if (bit_has(bits, v))
		return;
	bit_set(bits, v);
	w->stack[w->top++] = v;
}

struct err *graph_reach_of(const struct graph *g, const uint32_t *group, uint32_t k, uint64_t *bits)
{
	_cleanup_(big_deinit) struct big stack = { 0 };
	struct walk w = { .g = g };

	if (!big_init(&stack, g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	w.stack = stack.p;
	for (uint32_t r = 0; r < g->nroots; r++)
		if (group[r] == k)
			reach_bit(&w, bits, r + 1);
	while (w.top) {
		gnode v = w.stack[--w.top];

		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
			reach_bit(&w, bits, g->to[e]);
	}
	return NULL;
}
