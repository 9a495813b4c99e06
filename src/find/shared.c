/*
 * shared.c - holders of a few nodes, found by one pass over all edges: cheaper than to turn a large
 * graph round.
 *
 * A holder counts for the root that dominates it; of one that several roots hold nothing is said.
 */
#include "find/shared.h"

#include "base/par.h"
#include "graph/partition.h"

#include <pthread.h>

enum { GRAIN = 1 << 16, NODES_MAX = 64, PAIRS_MAX = 4096 };

struct pair {
	gnode from, to;
};

struct work {
	const struct look *l;
	const gnode *v;
	unsigned n;
	uint64_t *bits;
	pthread_mutex_t lock;
	VEC(struct pair) pairs;
};

static struct err *found(struct work *w, gnode from, gnode to)
{
	struct pair p = { from, to };
	struct err *err = NULL;

	pthread_mutex_lock(&w->lock);
	if (w->pairs.n < PAIRS_MAX && !vec_push(&w->pairs, p))
		err = &err_nomem;
	pthread_mutex_unlock(&w->lock);
	return err;
}

static struct err *look_back(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct work *w = arg;
	const struct graph *g = w->l->g;
	struct err *err = NULL;

	(void)worker;
	for (size_t u = MAX(lo, (size_t)1); u < hi && !err; u++) {
		uint32_t end = graph_last(g, (gnode)u);

		for (uint32_t e = graph_first(g, (gnode)u); e < end && !err; e++) {
			gnode to = g->to[e];

			if (w->bits[to >> 6] >> (to & 63) & 1 && graph_reached(g, (gnode)u))
				err = found(w, (gnode)u, to);
		}
	}
	return err;
}

static bool is_running(const struct look *l, gnode root)
{
	const struct snap_root *r = &l->s->roots.v[root - 1];

	return r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < l->s->stacks.gs.n &&
	       l->s->stacks.gs.v[r->goroutine].id != 1;
}

static void add_root(struct shared *x, unsigned *times, gnode root)
{
	unsigned i = 0;

	while (i < x->n && x->root[i] != root)
		i++;
	if (i == SHARED_ROOTS)
		return;
	if (i == x->n) {
		x->n++;
		x->root[i] = root;
		times[i] = 0;
	}
	times[i]++;
	for (; i && (times[i] > times[i - 1] ||
		     (times[i] == times[i - 1] && x->root[i] < x->root[i - 1]));
	     i--) {
		gnode r = x->root[i];
		unsigned t = times[i];

		x->root[i] = x->root[i - 1];
		times[i] = times[i - 1];
		x->root[i - 1] = r;
		times[i - 1] = t;
	}
}

static int by_edge(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;

	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return (a->from > b->from) - (a->from < b->from);
}

static const struct go_goroutine *goroutine_of(const struct look *l, gnode root)
{
	return &l->s->stacks.gs.v[l->s->roots.v[root - 1].goroutine];
}

static bool has_start(const struct shared *x, taddr start)
{
	for (unsigned i = 0; i < x->nstarts; i++)
		if (x->start[i] == start)
			return true;
	return false;
}

static void judge(struct work *w, struct shared *ret)
{
	unsigned times[SHARED_ROOTS] = { 0 };
	gnode counted = GRAPH_NONE;
	taddr start;

	if (w->pairs.n)
		qsort(w->pairs.v, w->pairs.n, sizeof(*w->pairs.v), by_edge);
	for (size_t i = 0; i < w->pairs.n; i++) {
		gnode root = look_owner(w->l, w->pairs.v[i].from);

		if (!root || root == GRAPH_NONE)
			continue;
		if (!is_running(w->l, root)) {
			add_root(ret, times, root);
			continue;
		}
		start = goroutine_of(w->l, root)->start_pc;
		if (!has_start(ret, start) && ret->nstarts < SHARED_STARTS)
			ret->start[ret->nstarts++] = start;
		ret->running += w->pairs.v[i].to != counted;
		counted = w->pairs.v[i].to;
	}
}

struct err *shared_holders(const struct look *l, const gnode *v, unsigned n, struct shared *ret)
{
	struct work w = { .l = l, .v = v, .n = MIN(n, (unsigned)NODES_MAX) };
	struct err *err;

	*ret = (struct shared){ .samples = w.n };
	w.bits = zalloc((size_t)l->g->n / 64 + 1, sizeof(uint64_t));
	if (!w.bits)
		return &err_nomem;
	for (unsigned i = 0; i < w.n; i++)
		w.bits[v[i] >> 6] |= 1ULL << (v[i] & 63);
	pthread_mutex_init(&w.lock, NULL);
	err = par_for(l->nthreads, l->g->n, GRAIN, look_back, &w);
	pthread_mutex_destroy(&w.lock);
	if (!err)
		judge(&w, ret);
	free(w.bits);
	vec_free(&w.pairs);
	return err;
}

struct err *shared_together(const struct look *l, const struct shared *x, uint64_t *ret_bytes,
			    uint64_t *ret_goroutines)
{
	const struct graph *g = l->g;
	_cleanup_(freep) uint32_t *group = NULL;
	_cleanup_(freep) uint32_t *owner = NULL;
	struct err *err;

	*ret_bytes = *ret_goroutines = 0;
	if (g->n > SHARED_NODES || !x->n)
		return NULL;
	group = zalloc(g->nroots + 1, sizeof(*group));
	if (!group)
		return &err_nomem;
	for (gnode r = 1; r <= g->nroots; r++) {
		bool with = is_running(l, r) && has_start(x, goroutine_of(l, r)->start_pc);

		group[r - 1] = with || r == x->root[0] ? 1 : 0;
		*ret_goroutines += with;
	}
	err = graph_partition(g, group, NULL, &owner);
	for (gnode v = g->nroots + 1; v < g->n && !err; v++)
		if (owner[v] == 1)
			*ret_bytes += graph_shallow(g, v);
	return err;
}
