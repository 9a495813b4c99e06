/*
 * flow.c - how many ways lead from roots to a node that share no node: maximum flow.
 *
 * Each node but the two ends has an `in` and an `out` side with one unit between them.
 * Augmenting searches run backward from the node, breadth first, and end at the first
 * root: what lies far from the node is not looked at.  Where the dominator is not the
 * super-root the answer is 1 at once (Menger).
 * Cost: FLOW_LIMIT searches of O(edges that lead to the node), together at most
 * FLOW_WORK edges; when that ends first the number found is a lower bound (capped).
 */
#include "graph/priv.h"

#define FLOW_LIMIT 16U
#define FLOW_WORK  (64U << 20)

/* A node that a way goes through. */
struct hop {
	gnode prev, next;
};

/*
 * A free node has its sides merged: only its `out` is entered.  Of a used one,
 * `out` is entered along an edge to a node or from its own `in` (toward == itself),
 * `in` only from the `out` of its prev.
 */
struct flow {
	const struct graph *g;
	gnode v;
	uint64_t *used; /* a way goes through */
	uint64_t *out;	/* this search: out side seen */
	uint64_t *in;	/* of used nodes */
	struct hop *hop;
	gnode *toward; /* where the out side leads */
	gnode *queue;  /* nodes whose in side is to be looked at */
	uint32_t head, tail;
	uint64_t work;
};

static void seen_out(struct flow *f, gnode u, gnode toward)
{
	gnode x = u;

	if (u == f->v || bit_has(f->out, u))
		return;
	bit_set(f->out, u);
	f->toward[u] = toward;
	if (bit_has(f->used, u)) {
		/* Along the way's own edge u -> next, taken back. */
		x = f->hop[u].next;
		if (x == f->v || bit_has(f->in, x))
			return;
		bit_set(f->in, x);
	}
	f->queue[f->tail++] = x;
}

/* Root at which a new way can begin, or GRAPH_NONE. */
static gnode search(struct flow *f)
{
	const struct graph *g = f->g;

	f->head = f->tail = 0;
	f->queue[f->tail++] = f->v;
	while (f->head < f->tail && f->work < FLOW_WORK) {
		gnode w = f->queue[f->head++];

		if (w != f->v && graph_is_root(g, w))
			return w;
		f->work += g->rfirst[w + 1] - g->rfirst[w] + 1;
		for (uint32_t e = g->rfirst[w]; e < g->rfirst[w + 1]; e++)
			if (g->rto[e])
				seen_out(f, g->rto[e], w);
		if (bit_has(f->used, w))
			seen_out(f, w, w);
	}
	return GRAPH_NONE;
}

/*
 * Add the way that search found.  Where it meets a used node, that node keeps what comes
 * after it, and the old way before it goes on where the search says.
 */
static void augment(struct flow *f, gnode root)
{
	gnode from = 0, w = root;

	while (w != f->v) {
		if (!bit_has(f->used, w)) {
			bit_set(f->used, w);
			f->hop[w].prev = from;
			from = w;
		} else {
			gnode p = f->hop[w].prev;

			f->hop[w].prev = from;
			if (from)
				f->hop[from].next = w;
			while (f->toward[p] == p) {
				gnode q = f->hop[p].prev;

				bit_clear(f->used, p);
				p = q;
			}
			from = p;
		}
		w = f->toward[from];
		f->hop[from].next = w;
	}
}

/* Two bits a node: little beside what a search reads. */
static void forget(struct flow *f)
{
	memset(f->out, 0, bit_words(f->g) * sizeof(*f->out));
	memset(f->in, 0, bit_words(f->g) * sizeof(*f->in));
}

static struct err *collect_way(const struct flow *f, gnode root, struct graph_paths *ret)
{
	size_t len = 1, i = 0;
	gnode *path;

	for (gnode x = root; x != f->v; x = f->hop[x].next)
		len++;
	path = zalloc(len, sizeof(*path));
	if (!path)
		return &err_nomem;
	for (gnode x = root; x != f->v; x = f->hop[x].next)
		path[i++] = x;
	path[i] = f->v;
	ret->path[ret->n] = path;
	ret->len[ret->n++] = len;
	return NULL;
}

static void sort_by_length(struct graph_paths *p)
{
	for (size_t i = 1; i < p->n; i++) {
		gnode *path = p->path[i];
		size_t len = p->len[i], j = i;

		for (; j && p->len[j - 1] > len; j--) {
			p->path[j] = p->path[j - 1];
			p->len[j] = p->len[j - 1];
		}
		p->path[j] = path;
		p->len[j] = len;
	}
}

static struct err *collect_ways(const struct flow *f, struct graph_paths *ret)
{
	struct err *err = NULL;

	/* A way begins at a used root that the super-root comes before. */
	for (gnode r = 1; r <= f->g->nroots && ret->n < ret->independent && !err; r++)
		if (bit_has(f->used, r) && !f->hop[r].prev)
			err = collect_way(f, r, ret);
	sort_by_length(ret);
	return err;
}

static struct err *max_flow(struct flow *f, struct graph_paths *ret)
{
	while (ret->independent < FLOW_LIMIT) {
		gnode root = search(f);

		if (root == GRAPH_NONE)
			break;
		augment(f, root);
		ret->independent++;
		forget(f);
	}
	ret->capped = ret->independent == FLOW_LIMIT || f->work >= FLOW_WORK;
	return collect_ways(f, ret);
}

static struct err *run_flow(const struct graph *g, gnode v, struct graph_paths *ret)
{
	_cleanup_(big_deinit) struct big used = { 0 }, out = { 0 }, in = { 0 }, hop = { 0 },
					 toward = { 0 }, queue = { 0 };
	struct flow f = { .g = g, .v = v };

	/* Twice n in the queue: a used node may be entered on both sides. */
	if (!big_init(&used, bit_words(g), 8, BIG_SPARSE) ||
	    !big_init(&out, bit_words(g), 8, BIG_SPARSE) ||
	    !big_init(&in, bit_words(g), 8, BIG_SPARSE) ||
	    !big_init(&hop, g->n, sizeof(struct hop), BIG_SPARSE) ||
	    !big_init(&toward, g->n, sizeof(gnode), BIG_SPARSE) ||
	    !big_init(&queue, (size_t)g->n * 2, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	f.used = used.p;
	f.out = out.p;
	f.in = in.p;
	f.hop = hop.p;
	f.toward = toward.p;
	f.queue = queue.p;
	return max_flow(&f, ret);
}

/* One way: the shortest. */
static struct err *single_way(struct graph *g, gnode v, struct graph_paths *ret)
{
	struct err *err = graph_path(g, v, &ret->path[0], &ret->len[0]);

	if (err)
		return err;
	ret->n = ret->independent = ret->path[0] && ret->len[0] ? 1 : 0;
	if (!ret->n)
		free(STEAL(ret->path[0]));
	return NULL;
}

static void keep_first(struct graph_paths *p, size_t max)
{
	while (p->n > max)
		free(p->path[--p->n]);
}

/* Where FLOW_WORK was too little for even one search, the shortest way is the lower bound. */
static struct err *find_ways(struct graph *g, gnode v, struct graph_paths *ret)
{
	struct err *err;

	if (!v || v >= g->n || !graph_reached(g, v))
		return NULL;
	if (g->idom[v] != 0 || graph_is_root(g, v))
		return single_way(g, v, ret);
	err = run_flow(g, v, ret);
	if (err || ret->n)
		return err;
	err = single_way(g, v, ret);
	ret->capped = true;
	return err;
}

struct err *graph_independent(struct graph *g, gnode v, size_t max, struct graph_paths *ret)
{
	_cleanup_(graph_paths_deinit) struct graph_paths p = { 0 };
	struct err *err;

	err = graph_reverse(g, 0);
	if (!err)
		err = graph_dominators(g, 0);
	if (err)
		return err;
	p.path = zalloc(FLOW_LIMIT, sizeof(*p.path));
	p.len = zalloc(FLOW_LIMIT, sizeof(*p.len));
	if (!p.path || !p.len)
		return &err_nomem;
	err = find_ways(g, v, &p);
	if (!err)
		err = graph_cut_edge(g, v, &p.cut_from, &p.cut_to);
	if (err)
		return err;
	keep_first(&p, max);
	*ret = p;
	p = (struct graph_paths){ 0 };
	return NULL;
}

void graph_paths_deinit(struct graph_paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->path[i]);
	free(p->path);
	free(p->len);
	*p = (struct graph_paths){ 0 };
}
