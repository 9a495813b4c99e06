/*
 * owner.c - the owner's graph: costs of nodes level by level, then the edges that are kept.
 *
 * A node has two states: entered by a chain edge, or by another; what it costs to go on along
 * a chain depends on it.  Both costs are bytes.  The walk of one level is a depth-first one
 * over edges that cost nothing; edges that cost one wait for the next level.
 * Cost: each state is expanded once, its row read once a state: O(n + m).
 */
#include "graph/owner.h"
#include "graph/priv.h"

#include <assert.h>

#define NO_COST 255
#define RING	32U /* states in flight, as in reach.c */

static_assert(OWNER_COST_MAX < NO_COST, "a cost is not the mark of none");

enum { STATE_OTHER, STATE_CHAIN };

struct pending {
	VEC(uint64_t) q; /* node << 1 | state */
};

struct costing {
	const struct graph *g;
	const struct graph_passing *p;
	uint8_t *cost[2]; /* by state, by node */
	uint64_t *done;	  /* bit 2 * node + state: expanded */
	struct pending now, next;
	uint8_t level, next_level;
};

struct err *graph_passing_create(const struct graph *g, struct graph_passing *ret)
{
	struct graph_passing p = { .m = g->m };
	size_t words = ((size_t)p.m + 64) / 64;

	p.plain = bigalloc(words, sizeof(*p.plain));
	p.chain = bigalloc(words, sizeof(*p.chain));
	if (!p.plain || !p.chain) {
		graph_passing_deinit(&p);
		return &err_nomem;
	}
	*ret = p;
	return NULL;
}

void graph_passing_deinit(struct graph_passing *p)
{
	size_t words = ((size_t)p->m + 64) / 64;

	bigfree(p->plain, words, sizeof(*p->plain));
	bigfree(p->chain, words, sizeof(*p->chain));
	*p = (struct graph_passing){ 0 };
}

static inline bool edge_bit(const uint64_t *bits, uint32_t e)
{
	return bits[e >> 6] >> (e & 63) & 1;
}

/* Does the edge enter a structure, coming from that state? */
static inline unsigned weight(const struct graph_passing *p, uint32_t e, unsigned state)
{
	if (edge_bit(p->chain, e))
		return state != STATE_CHAIN;
	return edge_bit(p->plain, e);
}

static inline uint8_t cheaper(const struct costing *c, gnode v)
{
	return MIN(c->cost[STATE_OTHER][v], c->cost[STATE_CHAIN][v]);
}

/* A node was entered at that cost. */
static bool enter(struct costing *c, gnode v, unsigned state, uint8_t cost)
{
	uint64_t entry = (uint64_t)v << 1 | state;

	if (c->cost[state][v] <= cost)
		return true;
	c->cost[state][v] = cost;
	/* Entered otherwise no dearer, a chain's state can do all that this one can. */
	if (state == STATE_OTHER && c->cost[STATE_CHAIN][v] <= cost)
		return true;
	return cost == c->level ? vec_push(&c->now.q, entry) : vec_push(&c->next.q, entry);
}

static bool expand(struct costing *c, gnode v, unsigned state)
{
	const struct graph *g = c->g;
	bool ok = true;

	for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end && ok; e++) {
		bool chain = edge_bit(c->p->chain, e);
		uint8_t cost = weight(c->p, e, state) ? c->next_level : c->level;

		ok = enter(c, g->to[e], chain ? STATE_CHAIN : STATE_OTHER, cost);
	}
	return ok;
}

/* Due at this level, and not done yet. */
static bool due(struct costing *c, uint64_t entry)
{
	gnode v = (gnode)(entry >> 1);
	unsigned state = entry & 1;

	if (c->cost[state][v] != c->level || c->done[entry >> 6] >> (entry & 63) & 1)
		return false;
	c->done[entry >> 6] |= 1ULL << (entry & 63);
	return true;
}

static bool walk_level(struct costing *c)
{
	uint64_t ring[RING];
	size_t in = 0, out = 0;
	bool ok = true;

	while ((c->now.q.n || out < in) && ok) {
		uint64_t x;

		if (c->now.q.n && in - out < RING) {
			x = c->now.q.v[--c->now.q.n];
			__builtin_prefetch(graph_first_at(c->g, (gnode)(x >> 1)));
			ring[in++ % RING] = x;
			if (in >= out + RING / 2) {
				gnode v = (gnode)(ring[(in - RING / 2) % RING] >> 1);

				__builtin_prefetch(&c->g->to[graph_first(c->g, v)]);
			}
			continue;
		}
		x = ring[out++ % RING];
		if (due(c, x))
			ok = expand(c, (gnode)(x >> 1), x & 1);
	}
	return ok;
}

static struct err *find_costs(struct costing *c)
{
	bool ok = enter(c, 0, STATE_OTHER, 0);

	while (ok && c->now.q.n) {
		struct pending was;

		c->next_level = (uint8_t)MIN(c->level + 1, OWNER_COST_MAX);
		ok = walk_level(c);
		c->level = c->next_level;
		was = c->now;
		c->now = c->next;
		c->next = was;
		c->next.q.n = 0;
	}
	return ok ? NULL : &err_nomem;
}

/* Last on a cheapest path to its target? */
static inline bool is_kept(const struct costing *c, gnode v, uint32_t e)
{
	unsigned from = NO_COST;

	for (unsigned state = 0; state < 2; state++)
		if (c->cost[state][v] != NO_COST)
			from = MIN(from, c->cost[state][v] + weight(c->p, e, state));
	return MIN(from, (unsigned)OWNER_COST_MAX) == cheaper(c, c->g->to[e]);
}

/* Rows in the order of the arrays: objects, the super-root, roots. */
static void copy_kept(const struct costing *c, struct graph *o)
{
	const struct graph *g = c->g;
	uint32_t nobj = g->n - 1 - g->nroots, at = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		gnode v = i < nobj ? i + 1 + g->nroots : i - nobj;

		*(i < nobj ? &o->first[i] : &o->rootfirst[v]) = at;
		if (!graph_reached(g, v))
			continue;
		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
			if (!v || is_kept(c, v, e))
				o->to[at++] = g->to[e];
	}
	o->first[nobj] = o->rootfirst[0];
	o->rootfirst[g->nroots + 1] = o->m = at;
}

static uint64_t count_kept(const struct costing *c)
{
	const struct graph *g = c->g;
	uint64_t kept = g->nroots;

	for (gnode v = 1; v < g->n; v++) {
		if (!graph_reached(g, v))
			continue;
		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
			kept += is_kept(c, v, e);
	}
	return kept;
}

static struct err *build(const struct costing *c, struct graph **ret)
{
	const struct graph *g = c->g;
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
	o->to_cap = count_kept(c);
	o->first = bigalloc(o->first_cap, sizeof(*o->first));
	o->to = bigalloc(o->to_cap, sizeof(*o->to));
	o->rootfirst = zalloc((size_t)g->nroots + 2, sizeof(*o->rootfirst));
	o->reached = bigalloc(words, sizeof(*o->reached));
	if (!o->first || !o->to || !o->rootfirst || !o->reached)
		return &err_nomem;
	memcpy(o->reached, g->reached, words * sizeof(*o->reached));
	copy_kept(c, o);
	*ret = STEAL(o);
	return NULL;
}

struct err *graph_owner(const struct graph *g, const struct graph_passing *p, struct graph **ret)
{
	_cleanup_(big_deinit) struct big other = { 0 }, chain = { 0 }, done = { 0 };
	struct costing c = { .g = g, .p = p };
	struct err *err;

	if (!big_init(&other, g->n, 1, BIG_DENSE) || !big_init(&chain, g->n, 1, BIG_DENSE) ||
	    !big_init(&done, ((size_t)g->n * 2 + 63) / 64, sizeof(uint64_t), BIG_DENSE))
		return &err_nomem;
	c.cost[STATE_OTHER] = memset(other.p, NO_COST, g->n);
	c.cost[STATE_CHAIN] = memset(chain.p, NO_COST, g->n);
	c.done = done.p;
	err = find_costs(&c);
	vec_free(&c.now.q);
	vec_free(&c.next.q);
	return err ? err : build(&c, ret);
}
