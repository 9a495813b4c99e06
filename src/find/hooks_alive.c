/*
 * hooks_alive.c - of the nodes that hooks reach, those that the program has anyway; and sums.
 *
 * What is reachable and not among them is alive: it hangs on a plain root.  So one pass over the
 * edges of all that is not among them finds where life enters; from there it spreads.
 */
#include "find/hooks.h"

#include "base/par.h"

enum { GRAIN = 1 << 16 };

struct seeding {
	const struct hooks *h;
	uint64_t *in;	 /* by node: bit: it is one of them */
	uint64_t *seeds; /* by place */
};

static void seed_targets(const struct seeding *s, gnode v)
{
	const struct graph *g = s->h->g;

	for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++) {
		gnode t = g->to[e];

		if (go_bit(s->in, t)) {
			uint32_t place = s->h->index[t] - 1;

			__atomic_fetch_or(&s->seeds[place >> 6], 1ULL << (place & 63),
					  __ATOMIC_RELAXED);
		}
	}
}

static struct err *seed_some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct seeding *s = arg;
	const struct graph *g = s->h->g;

	(void)worker;
	for (size_t v = lo + g->nroots + 1; v < hi + g->nroots + 1; v++)
		if (graph_reached(g, (gnode)v) && !go_bit(s->in, v))
			seed_targets(s, (gnode)v);
	return NULL;
}

/* Roots, but for those of hooks that are not surely alive. */
static struct err *seed_roots(const struct seeding *s)
{
	const struct hooks *h = s->h;
	_cleanup_(freep) uint8_t *skip = zalloc((size_t)h->g->nroots + 1, 1);

	if (!skip)
		return &err_nomem;
	for (size_t i = 0; i < h->n; i++)
		skip[h->v[i].root] = h->v[i].state != HOOK_ALIVE;
	for (uint32_t r = 1; r <= h->g->nroots; r++)
		if (!skip[r])
			seed_targets(s, r);
	return NULL;
}

static struct err *spread_life(struct hooks *h, const uint64_t *seeds, uint64_t *alive)
{
	hooks_list list = { 0 };
	struct err *err = NULL;

	for (size_t i = 0; i < h->nodes.n && !err; i++)
		if (go_bit(seeds, i) && !vec_push(&list, (uint32_t)i))
			err = &err_nomem;
	if (!err)
		err = hooks_spread(h, &list, alive);
	vec_free(&list);
	return err;
}

struct err *hooks_find_alive(struct hooks *h, unsigned nthreads)
{
	size_t nwords = (h->nodes.n + h->n + 63) / 64 + 1, lo = (size_t)h->g->nroots + 1;
	_cleanup_(freep) uint64_t *seeds = zalloc(nwords, 8);
	_cleanup_(freep) uint64_t *alive = zalloc(nwords, 8);
	size_t nin = ((size_t)h->g->n + 63) / 64;
	struct seeding s = { .h = h, .in = bigalloc(nin, 8), .seeds = seeds };
	struct err *err = seeds && alive && s.in ? NULL : &err_nomem;

	for (size_t i = 0; i < h->nodes.n && !err; i++)
		s.in[h->nodes.v[i] >> 6] |= 1ULL << (h->nodes.v[i] & 63);
	if (!err)
		err = seed_roots(&s);
	if (!err)
		err = par_for(nthreads, h->g->n - lo, GRAIN, seed_some, &s);
	bigfree(s.in, nin, 8);
	if (!err)
		err = spread_life(h, seeds, alive);
	if (!err)
		h->alive = STEAL(alive);
	return err;
}

enum { NOBODY = UINT32_MAX };

/* label of the target and label of who holds it: the same, or several. */
static uint32_t join(uint32_t x, uint32_t y, uint32_t several)
{
	if (x == NOBODY || x == y)
		return y;
	return several;
}

static struct err *label_all(const struct hooks *h, hooks_list *queue, uint32_t several,
			     uint32_t *label)
{
	while (queue->n) {
		struct hooks_step x = { .from = queue->v[--queue->n] };
		uint32_t to;

		while (hooks_next(h, &x, &to)) {
			uint32_t l = join(label[to], label[x.from], several);

			if (go_bit(h->alive, to) || l == label[to])
				continue;
			label[to] = l;
			if (!vec_push(queue, to))
				return &err_nomem;
		}
	}
	return NULL;
}

struct err *hooks_measure(const struct hooks *h, const uint32_t *group, uint32_t ngroups,
			  struct hooks_sum *sum)
{
	_cleanup_(freep) uint32_t *label = zalloc(h->nodes.n + h->n, sizeof(*label));
	hooks_list queue = { 0 };
	struct err *err = label ? NULL : &err_nomem;

	memset(sum, 0, sizeof(*sum) * (ngroups + 1));
	if (!h->alive)
		return err;
	if (!err)
		memset(label, 0xff, (h->nodes.n + h->n) * sizeof(*label));
	for (size_t i = 0; i < h->n && !err; i++) {
		if (h->v[i].state != HOOK_OWN || group[i] >= ngroups)
			continue;
		label[h->nodes.n + i] = group[i];
		if (!vec_push(&queue, (uint32_t)(h->nodes.n + i)))
			err = &err_nomem;
	}
	if (!err)
		err = label_all(h, &queue, ngroups, label);
	for (size_t i = 0; i < h->nodes.n && !err; i++) {
		if (label[i] == NOBODY)
			continue;
		sum[label[i]].bytes += graph_shallow(h->g, h->nodes.v[i]);
		sum[label[i]].objects++;
	}
	vec_free(&queue);
	return err;
}
