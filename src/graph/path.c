/*
 * path.c - the shortest way from a root to a node.
 *
 * Forward and breadth first, so no backward edges are needed; it ends at the node.
 * The queue is the order of discovery, so nodes ahead in it can be prefetched, and
 * who discovered whom is written in order.
 * Cost: O(n + m) worst, 8 bytes a node discovered.
 */
#include "graph/priv.h"

#define AHEAD 32U

struct bfs {
	const struct graph *g;
	uint64_t *seen;
	gnode *queue;
	uint32_t *by; /* position in queue of who discovered */
	uint32_t tail;
};

static void prefetch_ahead(const struct bfs *b, uint32_t head)
{
	if (head + AHEAD < b->tail)
		__builtin_prefetch(graph_first_at(b->g, b->queue[head + AHEAD]));
	if (head + AHEAD / 2 < b->tail)
		__builtin_prefetch(&b->g->to[graph_first(b->g, b->queue[head + AHEAD / 2])]);
}

/* Position of goal in the queue. */
static uint32_t search(struct bfs *b, gnode goal)
{
	bit_set(b->seen, 0);
	b->queue[b->tail++] = 0;
	for (uint32_t head = 0; head < b->tail; head++) {
		gnode v = b->queue[head];

		prefetch_ahead(b, head);
		for (uint32_t e = graph_first(b->g, v), end = graph_last(b->g, v); e < end; e++) {
			gnode w = b->g->to[e];

			if (bit_has(b->seen, w))
				continue;
			bit_set(b->seen, w);
			b->by[b->tail] = head;
			b->queue[b->tail++] = w;
			if (w == goal)
				return b->tail - 1;
		}
	}
	return GRAPH_NONE;
}

static struct err *trace_back(const struct bfs *b, uint32_t at, gnode **ret, size_t *ret_len)
{
	size_t len = 0;
	gnode *path;

	for (uint32_t i = at; i; i = b->by[i])
		len++;
	path = zalloc(len, sizeof(*path));
	if (!path)
		return &err_nomem;
	*ret_len = len;
	for (uint32_t i = at; i; i = b->by[i])
		path[--len] = b->queue[i];
	*ret = path;
	return NULL;
}

struct err *graph_path(struct graph *g, gnode v, gnode **ret_path, size_t *ret_len)
{
	_cleanup_(big_deinit) struct big seen = { 0 }, queue = { 0 }, by = { 0 };
	struct bfs b = { .g = g };
	uint32_t at = 0;

	if (!big_init(&seen, bit_words(g), sizeof(uint64_t), BIG_DENSE) ||
	    !big_init(&queue, g->n, sizeof(gnode), BIG_SPARSE) ||
	    !big_init(&by, g->n, sizeof(uint32_t), BIG_SPARSE))
		return &err_nomem;
	b.seen = seen.p;
	b.queue = queue.p;
	b.by = by.p;
	if (v && v < g->n && graph_reached(g, v))
		at = search(&b, v);
	return trace_back(&b, at == GRAPH_NONE ? 0 : at, ret_path, ret_len);
}
