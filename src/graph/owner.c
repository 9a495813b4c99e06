/*
 * owner.c - the owner's graph: costs of nodes (owner.h), then the edges that are kept.
 *
 * A node has two states: in a row of links, or not; what it costs to go on depends on it.  States
 * are expanded in the order of their costs, a depth-first walk over edges that cost nothing for
 * each; costs are small, so they wait in an array of stacks.  O(n + m): each state is expanded
 * once; its row is read once a state.
 */
#include "graph/owner.h"
#include "graph/priv.h"

#include <assert.h>

#define LEVELS (OWNER_COST_MAX + 1)
#define RING   32U /* states in flight, as in reach.c */

static_assert(OWNER_COST_MAX < 255, "both counts and the mark of none fit in 16 bits");

enum { STATE_OTHER, STATE_LINK, STATES };

/* 1 + chain << 8 + plain; 0: not reached. */
typedef uint16_t cost;

struct stack {
	VEC(uint64_t) q; /* node << 1 | state */
};

struct costing {
	const struct graph *g;
	const uint8_t *kind;
	cost *cost[STATES]; /* by node */
	/* the beads of v: bead[bead_first[v]] .. bead[bead_first[v + 1] - 1]; NULL: there are none
	 */
	uint32_t *bead_first;
	gnode *bead;
	struct stack stacks[2]
			   [LEVELS]; /* of this many CHAIN edges, and of one more; by plain ones */
	unsigned now;		     /* which of the two */
	unsigned chain, plain;	     /* what is being expanded */
};

struct err *graph_passing_create(const struct graph *g, struct graph_passing *ret)
{
	struct graph_passing p = { .m = g->m };

	p.kind = bigalloc((size_t)p.m + 1, sizeof(*p.kind));
	if (!p.kind)
		return &err_nomem;
	*ret = p;
	return NULL;
}

void graph_passing_deinit(struct graph_passing *p)
{
	bigfree(p->kind, (size_t)p->m + 1, sizeof(*p->kind));
	vec_free(&p->beads);
	*p = (struct graph_passing){ 0 };
}

static inline cost more_chain(cost c)
{
	return (c - 1) >> 8 < OWNER_COST_MAX ? (cost)(c + 256) : c;
}

static inline cost more_plain(cost c)
{
	return ((c - 1) & 255) < OWNER_COST_MAX ? (cost)(c + 1) : c;
}

/* What it costs to be behind an edge. */
static inline cost behind(uint8_t kind, unsigned state, cost c)
{
	switch (kind) {
	case EDGE_PLAIN:
		return more_plain(c);
	case EDGE_LINK:
		return state == STATE_LINK ? c : more_plain(c);
	case EDGE_CHAIN:
		return more_chain(c);
	default:
		return c;
	}
}

static inline bool is_less(cost a, cost b)
{
	return a && (!b || a < b);
}

static bool enter(struct costing *x, gnode v, unsigned state, cost c)
{
	unsigned of = (c - 1U) >> 8 == x->chain ? x->now : !x->now;

	if (!is_less(c, x->cost[state][v]))
		return true;
	x->cost[state][v] = c;
	/* Being in a row of links is never worse than not. */
	if (state == STATE_OTHER && x->cost[STATE_LINK][v] && x->cost[STATE_LINK][v] <= c)
		return true;
	return vec_push(&x->stacks[of][(c - 1) & 255].q, (uint64_t)v << 1 | state);
}

static inline uint32_t first_bead(const struct costing *x, gnode v)
{
	return x->bead_first ? x->bead_first[v] : 0;
}

static inline uint32_t last_bead(const struct costing *x, gnode v)
{
	return x->bead_first ? x->bead_first[v + 1] : 0;
}

static bool expand(struct costing *x, uint64_t entry)
{
	const struct graph *g = x->g;
	gnode v = (gnode)(entry >> 1);
	unsigned state = entry & 1;
	cost c = x->cost[state][v];
	bool ok = true;

	if (c != 1 + (x->chain << 8 | x->plain)) /* entered for less since */
		return true;
	for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end && ok; e++)
		ok = enter(x, g->to[e], x->kind[e] == EDGE_LINK ? STATE_LINK : STATE_OTHER,
			   behind(x->kind[e], state, c));
	for (uint32_t i = first_bead(x, v), end = last_bead(x, v); i < end && ok; i++)
		ok = enter(x, x->bead[i], STATE_OTHER, c);
	return ok;
}

static bool walk_level(struct costing *x, struct stack *st)
{
	uint64_t ring[RING];
	size_t in = 0, out = 0;
	bool ok = true;

	while ((st->q.n || out < in) && ok) {
		if (!st->q.n || in - out >= RING) {
			ok = expand(x, ring[out++ % RING]);
			continue;
		}
		ring[in % RING] = st->q.v[--st->q.n];
		__builtin_prefetch(graph_first_at(x->g, (gnode)(ring[in++ % RING] >> 1)));
		if (in >= out + RING / 2) {
			gnode v = (gnode)(ring[(in - RING / 2) % RING] >> 1);

			__builtin_prefetch(&x->g->to[graph_first(x->g, v)]);
		}
	}
	return ok;
}

static bool is_waiting(const struct stack *st)
{
	for (unsigned i = 0; i < LEVELS; i++)
		if (st[i].q.n)
			return true;
	return false;
}

static struct err *find_costs(struct costing *x)
{
	bool ok = enter(x, 0, STATE_OTHER, 1);

	while (ok && is_waiting(x->stacks[x->now])) {
		for (x->plain = 0; x->plain < LEVELS && ok; x->plain++)
			ok = walk_level(x, &x->stacks[x->now][x->plain]);
		x->now = !x->now;
		x->chain++;
	}
	for (unsigned i = 0; i < 2 * LEVELS; i++)
		vec_free(&x->stacks[i / LEVELS][i % LEVELS].q);
	return ok ? NULL : &err_nomem;
}

static inline cost best(const struct costing *x, gnode v)
{
	cost a = x->cost[STATE_OTHER][v], b = x->cost[STATE_LINK][v];

	return is_less(b, a) ? b : a;
}

static inline bool is_kept(const struct costing *x, gnode v, uint32_t e)
{
	cost from = 0;

	if (!v) /* graph.h: the super-root points at every root */
		return true;
	for (unsigned state = 0; state < STATES; state++) {
		cost c = x->cost[state][v];

		c = c ? behind(x->kind[e], state, c) : 0;
		from = is_less(c, from) ? c : from;
	}
	return from && from == best(x, x->g->to[e]);
}

/* The row of v in the owner's graph; to NULL: only its length. */
static uint64_t keep_row(const struct costing *x, gnode v, gnode *to)
{
	const struct graph *g = x->g;
	uint64_t n = 0;

	if (!graph_reached(g, v))
		return 0;
	for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
		if (is_kept(x, v, e)) {
			if (to)
				to[n] = g->to[e];
			n++;
		}
	for (uint32_t i = first_bead(x, v), end = last_bead(x, v); i < end; i++)
		if (best(x, v) == best(x, x->bead[i])) {
			if (to)
				to[n] = x->bead[i];
			n++;
		}
	return n;
}

/* Rows in the order of the arrays: objects, the super-root, roots. */
static void copy_kept(const struct costing *x, struct graph *o)
{
	const struct graph *g = x->g;
	uint32_t nobj = g->n - 1 - g->nroots, at = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		gnode v = i < nobj ? i + 1 + g->nroots : i - nobj;

		*(i < nobj ? &o->first[i] : &o->rootfirst[v]) = at;
		at += (uint32_t)keep_row(x, v, o->to + at);
	}
	o->first[nobj] = o->rootfirst[0];
	o->rootfirst[g->nroots + 1] = o->m = at;
}

static struct err *build(const struct costing *x, struct graph **ret)
{
	const struct graph *g = x->g;
	_cleanup_(graph_freep) struct graph *o = zalloc(1, sizeof(*o));
	size_t words = bit_words(g);

	if (!o)
		return &err_nomem;
	o->n = g->n;
	o->nroots = g->nroots;
	o->s = g->s;
	o->node_bytes = g->node_bytes;
	o->nreached_objects = g->nreached_objects;
	o->reached_bytes = g->reached_bytes;
	o->first_cap = (uint64_t)g->n - g->nroots;
	for (gnode v = 0; v < g->n; v++)
		o->to_cap += keep_row(x, v, NULL);
	if (o->to_cap >= GRAPH_NONE)
		return err_new(ERR_LIMIT, "more than 4294967294 references are not supported");
	o->first = bigalloc(o->first_cap, sizeof(*o->first));
	o->to = bigalloc(o->to_cap, sizeof(*o->to));
	o->rootfirst = zalloc((size_t)g->nroots + 2, sizeof(*o->rootfirst));
	o->reached = bigalloc(words, sizeof(*o->reached));
	if (!o->first || !o->to || !o->rootfirst || !o->reached)
		return &err_nomem;
	memcpy(o->reached, g->reached, words * sizeof(*o->reached));
	copy_kept(x, o);
	*ret = STEAL(o);
	return NULL;
}

/* Counting sort by string. */
static void sort_beads(struct costing *x, const struct graph_passing *p)
{
	uint32_t n = x->g->n;

	for (size_t i = 0; i < p->beads.n; i++)
		x->bead_first[p->beads.v[i].string + 1]++;
	for (gnode v = 0; v < n; v++)
		x->bead_first[v + 1] += x->bead_first[v];
	for (size_t i = p->beads.n; i-- > 0;)
		x->bead[--x->bead_first[p->beads.v[i].string + 1]] = p->beads.v[i].bead;
	/* Each index v + 1 now is the beginning of v's. */
	memmove(x->bead_first, x->bead_first + 1, n * sizeof(*x->bead_first));
	x->bead_first[n] = (uint32_t)p->beads.n;
}

struct err *graph_owner(const struct graph *g, const struct graph_passing *p, struct graph **ret)
{
	_cleanup_(big_deinit) struct big other = { 0 }, link = { 0 }, first = { 0 }, bead = { 0 };
	_cleanup_(freep) struct costing *x = zalloc(1, sizeof(*x));
	struct err *err;

	/* Few nodes are ever in a row of links: most pages of those are never there. */
	if (!x || !big_init(&other, g->n, sizeof(cost), BIG_DENSE) ||
	    !big_init(&link, g->n, sizeof(cost), BIG_SPARSE))
		return &err_nomem;
	if (p->beads.n >= GRAPH_NONE)
		return err_new(ERR_LIMIT, "more than 4294967294 elements of lists");
	if (p->beads.n && (!big_init(&first, (size_t)g->n + 1, sizeof(uint32_t), BIG_DENSE) ||
			   !big_init(&bead, p->beads.n, sizeof(gnode), BIG_DENSE)))
		return &err_nomem;
	x->g = g;
	x->kind = p->kind;
	x->cost[STATE_OTHER] = other.p;
	x->cost[STATE_LINK] = link.p;
	x->bead_first = first.p;
	x->bead = bead.p;
	if (p->beads.n)
		sort_beads(x, p);
	err = find_costs(x);
	return err ? err : build(x, ret);
}
