/*
 * hooks.c - which hooks keep their own objects, and what goes with them.
 *
 * Most hooks are told by the dominator tree alone: what one plain root dominates is alive.  Only
 * what the others reach is looked at, and only a cycle among that needs a pass over the graph.
 */
#include "find/hooks.h"

#include <assert.h>

enum { UNKNOWN, PLAIN, UNSURE }; /* what dominates a node: a root that is no hook, or not that */

void hooks_deinit(struct hooks *h)
{
	vec_free(&h->nodes);
	if (h->index)
		bigfree(h->index, h->g->n, sizeof(*h->index));
	free(h->hook_of);
	free(h->component);
	free(h->alive);
	*h = (struct hooks){ 0 };
}

static int by_object(const void *x, const void *y)
{
	const struct hook *a = x, *b = y;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return (a->root > b->root) - (a->root < b->root);
}

static uint8_t dominated_by(const struct graph *g, uint8_t *status, gnode v)
{
	gnode u = v;
	uint8_t s;

	while (status[u] == UNKNOWN && g->idom[u] < g->n)
		u = g->idom[u];
	s = status[u] ? status[u] : UNSURE;
	for (u = v; status[u] == UNKNOWN && g->idom[u] < g->n; u = g->idom[u])
		status[u] = s;
	return s;
}

static uint8_t *root_status(const struct graph *g, const struct hook *v, size_t n)
{
	uint8_t *status = bigalloc(g->n, 1);

	if (!status)
		return NULL;
	status[0] = UNSURE;
	memset(status + 1, PLAIN, g->nroots);
	for (size_t i = 0; i < n; i++)
		status[v[i].root] = UNSURE;
	return status;
}

static struct err *take_targets(struct hooks *h, uint8_t *status, gnode v)
{
	const struct graph *g = h->g;

	for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++) {
		gnode t = g->to[e];

		if (h->index[t] || dominated_by(g, status, t) == PLAIN)
			continue;
		if (!vec_push(&h->nodes, t))
			return &err_nomem;
		h->index[t] = (uint32_t)h->nodes.n;
	}
	return NULL;
}

/* All nodes that hooks reach which are not surely alive; stops at what surely is. */
static struct err *take_nodes(struct hooks *h, uint8_t *status)
{
	struct err *err = NULL;

	for (size_t i = 0; i < h->n && !err; i++) {
		struct hook *k = &h->v[i];

		if (graph_reached(h->g, k->object) &&
		    dominated_by(h->g, status, k->object) == PLAIN) {
			k->state = HOOK_ALIVE;
			continue;
		}
		k->state = HOOK_PENDING;
		err = take_targets(h, status, k->root);
	}
	for (size_t i = 0; i < h->nodes.n && !err; i++)
		err = take_targets(h, status, h->nodes.v[i]);
	return err;
}

static struct err *join_hooks(struct hooks *h)
{
	h->hook_of = zalloc(h->nodes.n + 1, sizeof(*h->hook_of));
	if (!h->hook_of)
		return &err_nomem;
	for (size_t i = h->n; i-- > 0;) {
		uint32_t place = h->index[h->v[i].object];

		if (place && h->v[i].state != HOOK_ALIVE)
			h->hook_of[place - 1] = (uint32_t)i + 1;
	}
	return NULL;
}

bool hooks_next(const struct hooks *h, struct hooks_step *x, uint32_t *ret_to)
{
	uint32_t nplaces = (uint32_t)h->nodes.n, first, n, hook;
	bool place = x->from < nplaces;
	gnode v = place ? h->nodes.v[x->from] : h->v[x->from - nplaces].root;

	first = graph_first(h->g, v);
	n = graph_last(h->g, v) - first;
	while (x->at < n) {
		uint32_t to = h->index[h->g->to[first + x->at++]];

		if (to) {
			*ret_to = to - 1;
			return true;
		}
	}
	if (!place || !h->hook_of[x->from])
		return false;
	hook = h->hook_of[x->from] - 1 + (x->at++ - n);
	if (hook >= h->n || h->v[hook].object != v)
		return false;
	*ret_to = nplaces + hook;
	return true;
}

struct err *hooks_spread(const struct hooks *h, hooks_list *seeds, uint64_t *bits)
{
	while (seeds->n) {
		struct hooks_step x = { .from = seeds->v[--seeds->n] };
		uint32_t to;

		bits[x.from >> 6] |= 1ULL << (x.from & 63);
		while (hooks_next(h, &x, &to)) {
			if (go_bit(bits, to) || (h->alive && go_bit(h->alive, to)))
				continue;
			bits[to >> 6] |= 1ULL << (to & 63);
			if (!vec_push(seeds, to))
				return &err_nomem;
		}
	}
	return NULL;
}

static size_t nwords(const struct hooks *h)
{
	return (h->nodes.n + h->n + 63) / 64 + 1;
}

/* Hooks in one component with their objects; alive: only those that are not. */
static void mark_own(struct hooks *h)
{
	h->nown = 0;
	for (size_t i = 0; i < h->n; i++) {
		struct hook *k = &h->v[i];
		uint32_t place = h->index[k->object];

		if (k->state != HOOK_ALIVE && !place && graph_reached(h->g, k->object))
			k->state = HOOK_ALIVE; /* and not by a hook that is not alive */
		if (k->state == HOOK_ALIVE || !place)
			continue;
		k->state = HOOK_PENDING;
		if (h->alive && go_bit(h->alive, place - 1)) {
			k->state = HOOK_ALIVE;
		} else if (h->component[place - 1] == h->component[h->nodes.n + i]) {
			k->state = HOOK_OWN;
			k->component = h->component[place - 1];
			h->nown++;
		}
	}
}

static struct err *push_state(const struct hooks *h, uint8_t state, hooks_list *seeds)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].state == state && !vec_push(seeds, (uint32_t)(h->nodes.n + i)))
			return &err_nomem;
	return NULL;
}

static struct err *mark_held(struct hooks *h)
{
	_cleanup_(freep) uint64_t *bits = zalloc(nwords(h), 8);
	hooks_list seeds = { 0 };
	struct err *err = bits ? push_state(h, HOOK_OWN, &seeds) : &err_nomem;

	if (!err)
		err = hooks_spread(h, &seeds, bits);
	for (size_t i = 0; i < h->n && !err; i++) {
		uint32_t place = h->index[h->v[i].object];

		if (h->v[i].state == HOOK_PENDING && place && go_bit(bits, place - 1))
			h->v[i].state = HOOK_HELD;
	}
	vec_free(&seeds);
	return err;
}

/* What the program may yet get into its hands. */
static struct err *mark_loose(struct hooks *h, const gnode *weak, size_t nweak)
{
	_cleanup_(freep) uint64_t *bits = zalloc(nwords(h), 8);
	hooks_list seeds = { 0 };
	struct err *err = bits ? push_state(h, HOOK_PENDING, &seeds) : &err_nomem;

	for (size_t i = 0; i < nweak && !err; i++) {
		uint32_t place = weak[i] < h->g->n ? h->index[weak[i]] : 0;

		if (place && !go_bit(h->alive, place - 1) && !vec_push(&seeds, place - 1))
			err = &err_nomem;
	}
	if (!err)
		err = hooks_spread(h, &seeds, bits);
	for (size_t i = 0; i < h->n && !err; i++) {
		uint32_t place = h->index[h->v[i].object];

		h->v[i].loose = h->v[i].state == HOOK_OWN && go_bit(bits, place - 1);
	}
	vec_free(&seeds);
	return err;
}

struct err *hooks_solve(const struct graph *g, unsigned nthreads, struct hook *v, size_t n,
			const gnode *weak, size_t nweak, struct hooks *ret)
{
	_cleanup_(hooks_deinit) struct hooks h = { .g = g, .v = v, .n = n };
	uint8_t *status;
	struct err *err;

	if (n > UINT32_MAX / 2 - g->n / 2)
		return NULL; /* more than have numbers here: nothing is said of them */
	if (n)
		qsort(v, n, sizeof(*v), by_object);
	h.index = bigalloc(g->n, sizeof(*h.index));
	status = root_status(g, v, n);
	err = h.index && status ? take_nodes(&h, status) : &err_nomem;
	bigfree(status, g->n, 1);
	if (!err)
		err = join_hooks(&h);
	if (!err)
		err = hooks_components(&h);
	if (err)
		return err;
	mark_own(&h);
	if (h.nown) {
		err = hooks_find_alive(&h, nthreads);
		if (err)
			return err;
		mark_own(&h);
	}
	if (h.nown)
		err = mark_held(&h);
	if (h.nown && !err)
		err = mark_loose(&h, weak, nweak);
	if (err)
		return err;
	*ret = h;
	h = (struct hooks){ 0 };
	return NULL;
}
