/*
 * near.c - what goroutines have at hand: objects a few steps from their stacks.
 *
 * What is there is most likely in use.  O(edges that are walked), at most WALK_MAX nodes.
 */
#include "find/shared.h"

enum { WALK_MAX = 4 << 20 };

struct walk {
	const struct graph *g;
	uint64_t *bits;
	VEC(gnode) now, next;
	size_t n;
};

static bool step(struct walk *w, gnode from)
{
	for (uint32_t e = graph_first(w->g, from); e < graph_last(w->g, from); e++) {
		gnode v = w->g->to[e];

		if (w->bits[v >> 6] >> (v & 63) & 1 || w->n >= WALK_MAX)
			continue;
		w->bits[v >> 6] |= 1ULL << (v & 63);
		w->n++;
		if (!vec_push(&w->next, v))
			return false;
	}
	return true;
}

static bool begin(struct walk *w, const struct look *l)
{
	for (size_t r = 0; r < l->s->roots.n; r++)
		if (l->s->roots.v[r].kind == SNAP_ROOT_GOROUTINE && !step(w, (gnode)(1 + r)))
			return false;
	return true;
}

struct err *shared_near_stacks(const struct look *l, unsigned depth, uint64_t **ret)
{
	struct walk w = { .g = l->g };
	bool good;

	w.bits = zalloc((size_t)l->g->n / 64 + 1, sizeof(uint64_t));
	good = w.bits && begin(&w, l);
	for (unsigned d = 1; d < depth && good; d++) {
		vec_free(&w.now);
		w.now.v = w.next.v;
		w.now.n = w.next.n;
		w.now.cap = w.next.cap;
		w.next.v = NULL;
		w.next.n = w.next.cap = 0;
		for (size_t i = 0; i < w.now.n && good; i++)
			good = step(&w, w.now.v[i]);
	}
	vec_free(&w.now);
	vec_free(&w.next);
	if (!good) {
		free(w.bits);
		return &err_nomem;
	}
	*ret = w.bits;
	return NULL;
}
