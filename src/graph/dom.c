/*
 * dom.c - immediate dominators by semi-NCA (Georgiadis, "Linear-Time Algorithms for
 * Dominators and Related Problems", 2005), and what each node retains.
 *
 * All work is in preorder numbers k of reachable nodes: what lies near in the tree lies
 * near in memory.  An edge u -> w with k(u) < k(w) comes from an ancestor, so it is a
 * bound for semi[w] and need not be stored; only the others are kept backward.
 * Cost: O(m log n) worst, near linear seen; 28 bytes a reachable node and 4 an edge that
 * goes against the preorder, all given back.
 */
#include "graph/priv.h"

/* Linked part of the spanning forest: one cache line a hop. */
struct link {
	uint32_t up;   /* an ancestor; linked iff greater than the number now worked on */
	uint32_t semi; /* least semi on the way from here to below `up` */
};

struct dom {
	const struct graph *g;
	uint32_t n;	   /* reachable nodes */
	struct big pre;	   /* by node: preorder number, GRAPH_NONE */
	struct big vertex; /* by number: node */
	struct big parent; /* by number: tree parent, then immediate dominator */
	struct big semi;   /* by number: semidominator */
	struct big rfirst; /* by number: backward edges from greater numbers */
	struct big rto;
	struct big link;
};

static void dom_deinit(struct dom *d)
{
	big_deinit(&d->pre);
	big_deinit(&d->vertex);
	big_deinit(&d->parent);
	big_deinit(&d->semi);
	big_deinit(&d->rfirst);
	big_deinit(&d->rto);
	big_deinit(&d->link);
}

struct frame {
	uint32_t number;
	uint32_t at, end; /* edges still to follow */
};

struct dfs {
	const struct graph *g;
	uint64_t *seen;
	struct frame *stack;
	size_t depth;
	uint32_t *pre, *parent;
	gnode *vertex;
	uint32_t next;
};

static void dfs_enter(struct dfs *s, gnode v, uint32_t parent)
{
	struct frame f = { .number = s->next++ };

	f.at = graph_first(s->g, v);
	f.end = graph_last(s->g, v);
	bit_set(s->seen, v);
	s->pre[v] = f.number;
	s->vertex[f.number] = v;
	s->parent[f.number] = parent;
	if (f.at == f.end)
		return;
	s->stack[s->depth++] = f;
	/* The first child needs its edges next, its brothers a little later. */
	__builtin_prefetch(&s->g->to[f.at]);
}

static void dfs(struct dfs *s)
{
	const gnode *to = s->g->to;

	dfs_enter(s, 0, 0);
	while (s->depth) {
		struct frame *f = &s->stack[s->depth - 1];
		gnode v;

		if (f->at == f->end) {
			s->depth--;
			continue;
		}
		v = to[f->at++];
		if (f->at < f->end)
			__builtin_prefetch(graph_first_at(s->g, to[f->at]));
		if (!bit_has(s->seen, v))
			dfs_enter(s, v, f->number);
	}
}

static struct err *number_nodes(struct dom *d)
{
	_cleanup_(big_deinit) struct big seen = { 0 }, stack = { 0 };
	struct dfs s = { .g = d->g };
	uint64_t reached = 0;

	for (size_t i = 0; i < bit_words(d->g); i++)
		reached += (uint64_t)__builtin_popcountll(d->g->reached[i]);
	d->n = (uint32_t)reached;
	if (!big_init(&seen, bit_words(d->g), sizeof(uint64_t), BIG_DENSE) ||
	    !big_init(&stack, d->n, sizeof(struct frame), BIG_SPARSE) ||
	    !big_init(&d->pre, d->g->n, sizeof(uint32_t), BIG_DENSE) ||
	    !big_init(&d->vertex, d->n, sizeof(gnode), BIG_DENSE) ||
	    !big_init(&d->parent, d->n, sizeof(uint32_t), BIG_DENSE))
		return &err_nomem;
	s.seen = seen.p;
	s.stack = stack.p;
	s.pre = d->pre.p;
	s.vertex = d->vertex.p;
	s.parent = d->parent.p;
	dfs(&s);
	return NULL;
}

/* Rows are taken in node order: index and edges stream, only what is asked by number jumps. */
struct rows {
	const struct graph *g;
	const uint32_t *pre;
	uint32_t *semi, *first, *rto;
};

static inline void ask_soon(const struct rows *r, uint32_t e)
{
	if (e + 32 < r->g->m)
		__builtin_prefetch(&r->pre[r->g->to[e + 32]]);
}

/* Bounds of semi by ancestors; counts of the other edges. */
static void count_row(const struct rows *r, gnode v)
{
	uint32_t i = r->pre[v];

	for (uint32_t e = graph_first(r->g, v), end = graph_last(r->g, v); e < end; e++) {
		uint32_t j = r->pre[r->g->to[e]];

		ask_soon(r, e);
		if (i > j)
			r->first[j]++;
		else if (i < j && i < r->semi[j])
			r->semi[j] = i;
	}
}

/* Each index moves down from the end of its row to the beginning. */
static void turn_row(const struct rows *r, gnode v)
{
	uint32_t i = r->pre[v];

	for (uint32_t e = graph_first(r->g, v), end = graph_last(r->g, v); e < end; e++) {
		uint32_t j = r->pre[r->g->to[e]];

		ask_soon(r, e);
		if (i > j)
			r->rto[--r->first[j]] = i;
	}
}

static struct err *turn_edges(struct dom *d)
{
	struct rows r = { .g = d->g, .pre = d->pre.p };
	uint32_t sum = 0;

	if (!big_init(&d->semi, d->n, sizeof(uint32_t), BIG_DENSE) ||
	    !big_init(&d->rfirst, (size_t)d->n + 1, sizeof(uint32_t), BIG_DENSE))
		return &err_nomem;
	r.semi = d->semi.p;
	r.first = d->rfirst.p;
	memcpy(r.semi, d->parent.p, d->n * sizeof(uint32_t));
	for (gnode v = 0; v < d->g->n; v++)
		if (graph_reached(d->g, v))
			count_row(&r, v);
	for (uint32_t k = 0; k < d->n; k++)
		r.first[k] = sum += r.first[k];
	r.first[d->n] = sum;
	if (!big_init(&d->rto, sum, sizeof(uint32_t), BIG_DENSE))
		return &err_nomem;
	r.rto = d->rto.p;
	for (gnode v = 0; v < d->g->n; v++)
		if (graph_reached(d->g, v))
			turn_row(&r, v);
	big_deinit(&d->pre);
	return NULL;
}

/*
 * Least semi on the tree path from u up to below the first unlinked number (≤ k), with
 * path compression.  No recursion and no stack: on the way up the links are turned to
 * point down, on the way back they are set to the top.
 */
static uint32_t least_semi(struct link *link, uint32_t u, uint32_t k)
{
	uint32_t x = u, below = GRAPH_NONE;
	uint32_t top, least;

	while (link[x].up > k) {
		uint32_t up = link[x].up;

		link[x].up = below;
		below = x;
		x = up;
	}
	top = link[x].up;
	least = link[x].semi;
	while (below != GRAPH_NONE) {
		uint32_t down = link[below].up;

		link[below].up = top;
		least = MIN(least, link[below].semi);
		link[below].semi = least;
		below = down;
	}
	return least;
}

static struct err *semidominators(struct dom *d)
{
	const uint32_t *parent = d->parent.p, *first = d->rfirst.p, *rto = d->rto.p;
	uint32_t *semi = d->semi.p;
	struct link *link;

	if (!big_init(&d->link, d->n, sizeof(*link), BIG_DENSE))
		return &err_nomem;
	link = d->link.p;
	for (uint32_t k = d->n; k-- > 1;) {
		uint32_t s = semi[k];

		for (uint32_t e = first[k + 1]; e-- > first[k];) {
			if (e >= 24)
				__builtin_prefetch(&link[rto[e - 24]], 1);
			s = MIN(s, least_semi(link, rto[e], k));
		}
		semi[k] = s;
		link[k] = (struct link){ .up = parent[k], .semi = s };
	}
	big_deinit(&d->link);
	big_deinit(&d->rfirst);
	big_deinit(&d->rto);
	return NULL;
}

/* idom[k] = nearest ancestor in the dominator tree so far that is not below semi[k]. */
static void nearest_common(struct dom *d)
{
	uint32_t *idom = d->parent.p;
	const uint32_t *semi = d->semi.p;

	for (uint32_t k = 1; k < d->n; k++) {
		uint32_t x = idom[k];

		while (x > semi[k])
			x = idom[x];
		idom[k] = x;
	}
	big_deinit(&d->semi);
}

/* Children have greater numbers than their dominators: one pass from the back. */
static void sum_retained(const struct dom *d, gnode *idom, uint64_t *retained)
{
	const gnode *vertex = d->vertex.p;
	const uint32_t *up = d->parent.p;

	graph_fill_sizes(d->g, retained);
	for (uint32_t k = d->n; k-- > 1;) {
		if (k > 24) {
			__builtin_prefetch(&retained[vertex[k - 16]], 1);
			__builtin_prefetch(&idom[vertex[k - 16]], 1);
			__builtin_prefetch(&vertex[up[k - 24]]);
		}
		idom[vertex[k]] = vertex[up[k]];
		retained[vertex[up[k]]] += retained[vertex[k]];
	}
}

static struct err *results(struct dom *d, struct graph *g)
{
	_cleanup_(big_deinit) struct big idom = { 0 }, retained = { 0 };

	if (!big_init(&idom, g->n, sizeof(gnode), BIG_DENSE) ||
	    !big_init(&retained, g->n, sizeof(uint64_t), BIG_DENSE))
		return &err_nomem;
	memset(idom.p, 0xff, g->n * sizeof(gnode)); /* GRAPH_NONE */
	sum_retained(d, idom.p, retained.p);
	g->idom = big_steal(&idom);
	g->retained = big_steal(&retained);
	return NULL;
}

struct err *graph_dominators(struct graph *g, unsigned nthreads)
{
	_cleanup_(dom_deinit) struct dom d = { .g = g };
	struct err *err;

	(void)nthreads; /* a depth-first order is made by one */
	if (g->idom)
		return NULL;
	err = number_nodes(&d);
	if (err)
		return err;
	err = turn_edges(&d);
	if (err)
		return err;
	err = semidominators(&d);
	if (err)
		return err;
	nearest_common(&d);
	return results(&d, g);
}
