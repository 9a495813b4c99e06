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
	uint64_t *fixed; /* bit: that node is; NULL: none */
	gnode *stack;	 /* 2 n: each node waits twice at most */
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

	if (now == w->owner[v] || (w->fixed && bit_has(w->fixed, v)))
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

/* Two fixed ones may be the same node: the first is believed. */
static bool is_first(const struct walk *w, gnode v)
{
	return v < w->g->n && graph_reached(w->g, v) && !bit_has(w->fixed, v);
}

/* Their nodes get their group, and nothing that comes later changes it. */
static bool fix_nodes(struct walk *w, const struct graph_fixed *f)
{
	w->fixed = zalloc(bit_words(w->g), sizeof(*w->fixed));
	if (!w->fixed)
		return false;
	for (size_t i = 0; i < f->n; i++) {
		if (!is_first(w, f->node[i]))
			continue;
		if (f->group[i] != GRAPH_NONE)
			reach_node(w, f->node[i], f->group[i]);
		bit_set(w->fixed, f->node[i]);
	}
	return true;
}

struct err *graph_partition(const struct graph *g, const uint32_t *group,
			    const struct graph_fixed *fixed, uint32_t **ret_owner)
{
	_cleanup_(freep) uint32_t *owner = malloc(((size_t)g->n + 1) * sizeof(*owner));
	_cleanup_(big_deinit) struct big stack = { 0 };
	struct walk w = { .g = g, .owner = owner };

	if (!owner || !big_init(&stack, 2 * (size_t)g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	memset(owner, 0xff, (size_t)g->n * sizeof(*owner));
	w.stack = stack.p;
	if (fixed && !fix_nodes(&w, fixed))
		return &err_nomem;
	walk_on(&w);
	for (uint32_t r = 0; r < g->nroots; r++) {
		if (group[r] == GRAPH_NONE)
			continue;
		reach_node(&w, r + 1, group[r]);
		walk_on(&w);
	}
	free(w.fixed);
	*ret_owner = STEAL(owner);
	return NULL;
}

static void reach_bit(struct walk *w, uint64_t *bits, gnode v)
{
	if (bit_has(bits, v) || (w->fixed && bit_has(w->fixed, v)))
		return;
	bit_set(bits, v);
	w->stack[w->top++] = v;
}

/* Those of group k are where the walk begins; nobody goes through the others. */
static bool fix_for(struct walk *w, const struct graph_fixed *f, uint32_t k, uint64_t *bits)
{
	w->fixed = zalloc(bit_words(w->g), sizeof(*w->fixed));
	if (!w->fixed)
		return false;
	for (size_t i = 0; i < f->n; i++) {
		if (!is_first(w, f->node[i]))
			continue;
		if (f->group[i] == k)
			reach_bit(w, bits, f->node[i]);
		bit_set(w->fixed, f->node[i]);
	}
	return true;
}

struct err *graph_reach_of(const struct graph *g, const uint32_t *group,
			   const struct graph_fixed *fixed, uint32_t k, uint64_t *bits)
{
	_cleanup_(big_deinit) struct big stack = { 0 };
	struct walk w = { .g = g };

	if (!big_init(&stack, g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	w.stack = stack.p;
	if (fixed && !fix_for(&w, fixed, k, bits))
		return &err_nomem;
	for (uint32_t r = 0; r < g->nroots; r++)
		if (group[r] == k)
			reach_bit(&w, bits, r + 1);
	while (w.top) {
		gnode v = w.stack[--w.top];

		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
			reach_bit(&w, bits, g->to[e]);
	}
	free(w.fixed);
	return NULL;
}
