/*
 * ways.c - ways to many nodes from one walk, and the way through a node's dominators.
 *
 * The walk is breadth first and ends when all are found, so most of it is never made.
 * Cost: O(n + m) worst, 8 bytes a node discovered that has edges; between two dominators a small
 * walk of its own, whose marks are taken back one by one.
 */
#include "graph/priv.h"

#define AHEAD 32U

struct search {
	const struct graph *g;
	gnode *by;
	gnode *queue;
	uint32_t head, tail;
	uint64_t *wanted;
	uint64_t *dull; /* has no edges and is not wanted: most nodes, and no way leads over them */
	size_t left;
};

static void prefetch_ahead(const struct search *b)
{
	if (b->head + AHEAD < b->tail)
		__builtin_prefetch(graph_first_at(b->g, b->queue[b->head + AHEAD]));
	if (b->head + AHEAD / 2 < b->tail)
		__builtin_prefetch(&b->g->to[graph_first(b->g, b->queue[b->head + AHEAD / 2])]);
}

static void see(struct search *b, gnode w, gnode from)
{
	if (bit_has(b->dull, w) || b->by[w])
		return;
	b->by[w] = from + 1;
	b->queue[b->tail++] = w;
	if (!bit_has(b->wanted, w))
		return;
	bit_clear(b->wanted, w);
	b->left--;
}

/* by[]: 1 + who discovered it; 0: nobody yet. */
static void discover(struct search *b)
{
	for (; b->head < b->tail && b->left; b->head++) {
		gnode v = b->queue[b->head];

		prefetch_ahead(b);
		for (uint32_t e = graph_first(b->g, v), end = graph_last(b->g, v); e < end; e++)
			see(b, b->g->to[e], v);
	}
}

static void discover_all(struct search *b, const uint8_t *last)
{
	b->by[0] = 1;
	for (gnode r = 1; r <= b->g->nroots; r++)
		if (!last || !last[r - 1])
			see(b, r, 0);
	discover(b);
	for (gnode r = 1; r <= b->g->nroots && b->left; r++)
		see(b, r, 0);
	discover(b);
}

static void find_dull(struct search *b)
{
	for (gnode v = 0; v < b->g->n; v++)
		if (graph_first(b->g, v) == graph_last(b->g, v) && !bit_has(b->wanted, v))
			bit_set(b->dull, v);
}

struct err *graph_ways_create(const struct graph *g, const gnode *want, size_t n,
			      const uint8_t *last, struct graph_ways *ret)
{
	_cleanup_(big_deinit) struct big wanted = { 0 }, dull = { 0 }, queue = { 0 }, by = { 0 };
	struct search b = { .g = g };

	if (!big_init(&wanted, bit_words(g), sizeof(uint64_t), BIG_SPARSE) ||
	    !big_init(&dull, bit_words(g), sizeof(uint64_t), BIG_DENSE) ||
	    !big_init(&queue, g->n, sizeof(gnode), BIG_SPARSE) ||
	    !big_init(&by, g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		if (!want[i] || want[i] >= g->n || !graph_reached(g, want[i]) ||
		    bit_has(wanted.p, want[i]))
			continue;
		bit_set(wanted.p, want[i]);
		b.left++;
	}
	b.by = by.p;
	b.queue = queue.p;
	b.wanted = wanted.p;
	b.dull = dull.p;
	if (b.left)
		find_dull(&b);
	discover_all(&b, last);
	ret->n = g->n;
	ret->by = big_steal(&by);
	return NULL;
}

void graph_ways_deinit(struct graph_ways *w)
{
	if (w->by)
		bigfree(w->by, w->n, sizeof(*w->by));
	*w = (struct graph_ways){ 0 };
}

static struct err *copy_back(const gnode *last_first, size_t len, gnode **ret, size_t *ret_len)
{
	gnode *path = zalloc(len, sizeof(*path));

	if (!path)
		return &err_nomem;
	for (size_t i = 0; i < len; i++)
		path[i] = last_first[len - 1 - i];
	*ret = path;
	*ret_len = len;
	return NULL;
}

struct gnodes {
	VEC(gnode) q;
};

static void gnodes_deinit(struct gnodes *x)
{
	vec_free(&x->q);
}

struct err *graph_way(const struct graph_ways *w, gnode v, gnode **ret_path, size_t *ret_len)
{
	_cleanup_(gnodes_deinit) struct gnodes p = { 0 };

	for (; v < w->n && v && w->by[v]; v = w->by[v] - 1)
		if (!vec_push(&p.q, v))
			return &err_nomem;
	return copy_back(p.q.v, p.q.n, ret_path, ret_len);
}

/* Between two dominators. */
struct hop {
	const struct graph *g;
	uint64_t *seen;
	struct gnodes queue;
	VEC(uint32_t) by; /* place in the queue of who discovered it */
	uint64_t left;	  /* nodes that may be looked at */
};

static bool has_edge(const struct graph *g, gnode from, gnode to)
{
	for (uint32_t e = graph_first(g, from), end = graph_last(g, from); e < end; e++)
		if (g->to[e] == to)
			return true;
	return false;
}

/* Place of `to` in the queue, GRAPH_NONE: not found with what was left. */
static uint32_t hop_search(struct hop *h, gnode from, gnode to, struct err **ret_err)
{
	for (uint32_t head = 0; head < h->queue.q.n; head++) {
		gnode v = h->queue.q.v[head];

		for (uint32_t e = graph_first(h->g, v), end = graph_last(h->g, v); e < end; e++) {
			gnode w = h->g->to[e];

			/* what is retained outside leads back only through from itself */
			if (bit_has(h->seen, w) || (w != to && h->g->idom[w] == h->g->idom[from]))
				continue;
			if (!h->left--) {
				h->left = 0;
				return GRAPH_NONE;
			}
			if (!vec_push(&h->queue.q, w) || !vec_push(&h->by, head)) {
				*ret_err = &err_nomem;
				return GRAPH_NONE;
			}
			bit_set(h->seen, w);
			if (w == to)
				return (uint32_t)h->queue.q.n - 1;
		}
	}
	return GRAPH_NONE;
}

static void hop_forget(struct hop *h)
{
	for (size_t i = 0; i < h->queue.q.n; i++)
		bit_clear(h->seen, h->queue.q.v[i]);
	h->queue.q.n = 0;
	h->by.n = 0;
}

/* Appends the nodes before `to` on the way from `from`, last first, and `from` itself. */
static struct err *hop_over(struct hop *h, gnode from, gnode to, struct gnodes *p)
{
	struct err *err = NULL;
	uint32_t at;

	if (has_edge(h->g, from, to))
		return vec_push(&p->q, from) ? NULL : &err_nomem;
	if (!vec_push(&h->queue.q, from) || !vec_push(&h->by, 0))
		return &err_nomem;
	bit_set(h->seen, from);
	at = hop_search(h, from, to, &err);
	while (!err && at != GRAPH_NONE && at) {
		at = h->by.v[at];
		if (!vec_push(&p->q, h->queue.q.v[at]))
			err = &err_nomem;
	}
	hop_forget(h);
	if (!err && at == GRAPH_NONE)
		p->q.n = 0;
	return err;
}

struct err *graph_held_path(const struct graph *g, gnode v, uint64_t max_visits, gnode **ret_path,
			    size_t *ret_len)
{
	_cleanup_(big_deinit) struct big seen = { 0 };
	_cleanup_(gnodes_deinit) struct gnodes p = { 0 };
	struct hop h = { .g = g, .left = max_visits };
	struct err *err = NULL;

	*ret_len = 0;
	*ret_path = NULL;
	if (!v || v >= g->n || !graph_reached(g, v))
		return NULL;
	if (!big_init(&seen, bit_words(g), sizeof(uint64_t), BIG_SPARSE) || !vec_push(&p.q, v))
		return &err_nomem;
	h.seen = seen.p;
	for (gnode w = v; !err && p.q.n && g->idom[w] != 0 && g->idom[w] != GRAPH_NONE;
	     w = g->idom[w])
		err = hop_over(&h, g->idom[w], w, &p);
	gnodes_deinit(&h.queue);
	vec_free(&h.by);
	return err || !p.q.n ? err : copy_back(p.q.v, p.q.n, ret_path, ret_len);
}
