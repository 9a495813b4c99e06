/*
 * owner.c - the owner's graph: K and C of each node (owner.h), then the edges that are kept.
 *
 * Both are found level by level: the walk of one level is a depth-first one over edges that
 * cost nothing, edges that cost one wait for the next.  For C a node has two states: entered
 * by a chain edge, or by another; what it costs to go on along the chain depends on it.
 * Cost: each state is expanded once, its row is read once a state: O(n + m).
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
	const uint8_t *k; /* K by node; NULL while it is being found */
	uint8_t *cost[2]; /* by state, by node: of what is being found */
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

static inline uint8_t plus(uint8_t cost, unsigned more)
{
	return (uint8_t)MIN(cost + more, (unsigned)OWNER_COST_MAX);
}

/* On a path to its target with the fewest plain edges? */
static inline bool is_tight(const struct costing *c, gnode v, uint32_t e)
{
	return plus(c->k[v], edge_bit(c->p->plain, e)) == c->k[c->g->to[e]];
}

/* Entered in that state at that cost.  What a chain's state can do at no more, need not be done. */
static bool enter(struct costing *c, gnode v, unsigned state, uint8_t cost)
{
	uint64_t entry = (uint64_t)v << 1 | state;

	if (c->cost[state][v] <= cost)
		return true;
	c->cost[state][v] = cost;
	if (state == STATE_OTHER && c->cost[STATE_CHAIN][v] <= cost)
		return true;
	return cost == c->level ? vec_push(&c->now.q, entry) : vec_push(&c->next.q, entry);
}

static bool expand_k(struct costing *c, gnode v)
{
	const struct graph *g = c->g;
	bool ok = true;

	for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end && ok; e++)
		ok = enter(c, g->to[e], STATE_OTHER,
			   edge_bit(c->p->plain, e) ? c->next_level : c->level);
	return ok;
}

static bool expand_c(struct costing *c, gnode v, unsigned state)
{
	const struct graph *g = c->g;
	bool ok = true;

	for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end && ok; e++) {
		bool chain = edge_bit(c->p->chain, e);

		if (is_tight(c, v, e))
			ok = enter(c, g->to[e], chain ? STATE_CHAIN : STATE_OTHER,
				   chain && state != STATE_CHAIN ? c->next_level : c->level);
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

static bool expand(struct costing *c, uint64_t entry)
{
	if (!due(c, entry))
		return true;
	return c->k ? expand_c(c, (gnode)(entry >> 1), entry & 1)
		    : expand_k(c, (gnode)(entry >> 1));
}

static bool walk_level(struct costing *c)
{
	uint64_t ring[RING];
	size_t in = 0, out = 0;
	bool ok = true;

	while ((c->now.q.n || out < in) && ok) {
		if (!c->now.q.n || in - out >= RING) {
			ok = expand(c, ring[out++ % RING]);
			continue;
		}
		ring[in % RING] = c->now.q.v[--c->now.q.n];
		__builtin_prefetch(graph_first_at(c->g, (gnode)(ring[in++ % RING] >> 1)));
		if (in >= out + RING / 2) {
			gnode v = (gnode)(ring[(in - RING / 2) % RING] >> 1);

			__builtin_prefetch(&c->g->to[graph_first(c->g, v)]);
		}
	}
	return ok;
}

static struct err *find_costs(struct costing *c)
{
	bool ok;

	for (unsigned state = 0; state < 2; state++)
		memset(c->cost[state], NO_COST, c->g->n);
	memset(c->done, 0, ((size_t)c->g->n * 2 + 63) / 64 * sizeof(*c->done));
	c->level = 0;
	ok = enter(c, 0, STATE_OTHER, 0);
	while (ok && c->now.q.n) {
		struct pending was;

		c->next_level = plus(c->level, 1);
		ok = walk_level(c);
		c->level = c->next_level;
		was = c->now;
		c->now = c->next;
		c->next = was;
		c->next.q.n = 0;
	}
	c->now.q.n = c->next.q.n = 0;
	return ok ? NULL : &err_nomem;
}

static inline bool is_kept(const struct costing *c, gnode v, uint32_t e)
{
	gnode to = c->g->to[e];
	unsigned best = NO_COST, from = NO_COST;

	if (!v) /* graph.h: the super-root points at every root */
		return true;
	if (!is_tight(c, v, e))
		return false;
	if (!edge_bit(c->p->chain, e))
		return true;
	if (c->cost[STATE_OTHER][v] != NO_COST)
		from = plus(c->cost[STATE_OTHER][v], 1);
	if (c->cost[STATE_CHAIN][v] != NO_COST)
		from = MIN(from, (unsigned)c->cost[STATE_CHAIN][v]);
	for (unsigned state = 0; state < 2; state++)
		best = MIN(best, (unsigned)c->cost[state][to]);
	return from == best;
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
			if (is_kept(c, v, e))
				o->to[at++] = g->to[e];
	}
	o->first[nobj] = o->rootfirst[0];
	o->rootfirst[g->nroots + 1] = o->m = at;
}

static uint64_t count_kept(const struct costing *c)
{
	const struct graph *g = c->g;
	uint64_t kept = 0;

	for (gnode v = 0; v < g->n; v++) {
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
	_cleanup_(big_deinit) struct big k = { 0 }, other = { 0 }, chain = { 0 }, done = { 0 };
	struct costing c = { .g = g, .p = p };
	struct err *err;

	if (!big_init(&k, g->n, 1, BIG_DENSE) || !big_init(&other, g->n, 1, BIG_DENSE) ||
	    !big_init(&chain, g->n, 1, BIG_DENSE) ||
	    !big_init(&done, ((size_t)g->n * 2 + 63) / 64, sizeof(uint64_t), BIG_DENSE))
		return &err_nomem;
	c.done = done.p;
	c.cost[STATE_OTHER] = k.p;
	c.cost[STATE_CHAIN] = chain.p;
	err = find_costs(&c);
	c.k = k.p;
	c.cost[STATE_OTHER] = other.p;
	if (!err)
		err = find_costs(&c);
	vec_free(&c.now.q);
	vec_free(&c.next.q);
	return err ? err : build(&c, ret);
}
