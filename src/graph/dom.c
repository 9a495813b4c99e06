/*
 * dom.c - immediate dominators by semi-NCA (Georgiadis, "Linear-Time Algorithms for
 * Dominators and Related Problems", 2005), and what each node retains.
 *
 * All work is in preorder numbers k of reachable nodes: what lies near in the tree lies
 * near in memory.  An edge u -> w with k(u) < k(w) comes from an ancestor, so it is a
 * bound for semi[w] and need not be stored; only the others are kept backward.
 * Half of a heap are nodes without edges that one edge leads to: these leaves dominate nothing,
 * and who points to them is their dominator.  They are left out, and hung on at the end.
 * Cost: O(m log n) worst, near linear seen; 24 bytes a reachable node that is no such leaf and 4 to
 * 12 an edge that goes against the preorder, all given back.
 */
#include "graph/priv.h"

#include <assert.h>

/* Linked part of the spanning forest: one cache line a hop. */
struct link {
	uint32_t up;   /* an ancestor; linked iff greater than the number now worked on */
	uint32_t semi; /* least semi on the way from here to below `up` */
};

/*
 * By number.  Semidominator and backward edges are asked for together: one line, not two.
 * Backward edges of k from greater numbers: rto[row[k].first] .. rto[row[k + 1].first - 1].
 */
struct row {
	uint32_t semi;
	uint32_t first;
};

/* An edge against the preorder, by numbers. */
struct pair {
	uint32_t from, to;
};

struct dom {
	const struct graph *g;
	uint32_t n; /* reachable nodes but the leaves */
	uint32_t npairs;
	struct big easy;   /* bit by node: a leaf, as above */
	struct big pre;	   /* by node: preorder number */
	struct big vertex; /* by number: node */
	struct big parent; /* by number: tree parent, then immediate dominator */
	struct big row;
	struct big pairs;
	struct big rto;
	struct big link;
};

static void dom_deinit(struct dom *d)
{
	big_deinit(&d->easy);
	big_deinit(&d->pre);
	big_deinit(&d->vertex);
	big_deinit(&d->parent);
	big_deinit(&d->row);
	big_deinit(&d->pairs);
	big_deinit(&d->rto);
	big_deinit(&d->link);
}

#define NEXT 6U /* children asked for ahead */

struct frame {
	uint32_t number;
	uint32_t at, end; /* edges still to follow */
};

struct dfs {
	const struct graph *g;
	uint64_t *seen;
	uint64_t *leaf; /* has no edges: most nodes, and their index need not be looked at */
	struct frame *stack;
	size_t depth;
	uint32_t *pre, *parent;
	gnode *vertex;
	uint32_t next;
};

static void dfs_enter(struct dfs *s, gnode v, uint32_t parent)
{
	struct frame f = { .number = s->next++ };

	bit_set(s->seen, v);
	s->vertex[f.number] = v;
	s->parent[f.number] = parent;
	if (bit_has(s->leaf, v))
		return;
	f.at = graph_first(s->g, v);
	f.end = graph_last(s->g, v);
	s->stack[s->depth++] = f;
	/* The index of the children is needed next. */
	for (uint32_t e = f.at; e < f.end && e - f.at < NEXT; e++)
		if (!bit_has(s->leaf, s->g->to[e]))
			__builtin_prefetch(graph_first_at(s->g, s->g->to[e]));
}

/* Brothers: their edges, and further on their index. */
static inline void dfs_soon(const struct dfs *s, const struct frame *f)
{
	if (f->at < f->end && !bit_has(s->leaf, s->g->to[f->at]))
		__builtin_prefetch(&s->g->to[graph_first(s->g, s->g->to[f->at])]);
	if (f->end - f->at > NEXT)
		__builtin_prefetch(graph_first_at(s->g, s->g->to[f->at + NEXT]));
}

static void find_leaves(struct dfs *s)
{
	for (gnode v = 0; v < s->g->n; v++)
		if (graph_first(s->g, v) == graph_last(s->g, v))
			bit_set(s->leaf, v);
}

/*
 * easy: reachable, no edges, one edge leads to it (two of one node are two).  Returns how many of
 * the reachable nodes are not.  Those count as seen.
 */
static uint32_t find_easy(struct dfs *s, uint64_t *easy)
{
	const struct graph *g = s->g;
	uint64_t left = 0;

	/* in seen: met; in easy: met again */
	for (uint32_t e = 0; e < g->m; e++) {
		if (bit_has(s->seen, g->to[e]))
			bit_set(easy, g->to[e]);
		else
			bit_set(s->seen, g->to[e]);
	}
	for (size_t i = 0; i < bit_words(g); i++) {
		easy[i] = s->seen[i] & ~easy[i] & s->leaf[i] & g->reached[i];
		s->seen[i] = easy[i];
		left += (uint64_t)__builtin_popcountll(g->reached[i] & ~easy[i]);
	}
	return (uint32_t)left;
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
		dfs_soon(s, f);
		if (!bit_has(s->seen, v))
			dfs_enter(s, v, f->number);
	}
}

/* Not while walking: these writes jump, and here they do not wait for each other. */
static void invert(const struct dfs *s)
{
	for (uint32_t k = 0; k < s->next; k++)
		s->pre[s->vertex[k]] = k;
}

static struct err *number_nodes(struct dom *d)
{
	_cleanup_(big_deinit) struct big seen = { 0 }, leaf = { 0 }, stack = { 0 };
	struct dfs s = { .g = d->g };

	if (!big_init(&seen, bit_words(d->g), sizeof(uint64_t), BIG_DENSE) ||
	    !big_init(&leaf, bit_words(d->g), sizeof(uint64_t), BIG_DENSE) ||
	    !big_init(&d->easy, bit_words(d->g), sizeof(uint64_t), BIG_DENSE))
		return &err_nomem;
	s.seen = seen.p;
	s.leaf = leaf.p;
	find_leaves(&s);
	d->n = find_easy(&s, d->easy.p);
	if (!big_init(&stack, d->n, sizeof(struct frame), BIG_SPARSE) ||
	    !big_init(&d->pre, d->g->n, sizeof(uint32_t), BIG_DENSE) ||
	    !big_init(&d->vertex, d->n, sizeof(gnode), BIG_DENSE) ||
	    !big_init(&d->parent, d->n, sizeof(uint32_t), BIG_DENSE))
		return &err_nomem;
	s.stack = stack.p;
	s.pre = d->pre.p;
	s.vertex = d->vertex.p;
	s.parent = d->parent.p;
	dfs(&s);
	big_deinit(&stack);
	invert(&s);
	return NULL;
}

/* Rows are taken in node order: index and edges stream, only what is asked by number jumps. */
struct turn {
	const struct graph *g;
	const uint64_t *easy;
	const uint32_t *pre;
	struct row *row;
	struct pair *pair;
	uint32_t npairs;
};

/* Two steps ahead of use: the number of a target, then its row. */
static inline void ask_soon(const struct turn *t, uint32_t e)
{
	if (e + 48 < t->g->m) {
		__builtin_prefetch(&t->pre[t->g->to[e + 48]]);
		__builtin_prefetch(&t->row[t->pre[t->g->to[e + 24]]], 1);
	}
}

/* Edges from ancestors bound semi; the others are counted and noted. */
static void take_row(struct turn *t, gnode v)
{
	uint32_t i = t->pre[v];

	for (uint32_t e = graph_first(t->g, v), end = graph_last(t->g, v); e < end; e++) {
		uint32_t j;

		ask_soon(t, e);
		if (bit_has(t->easy, t->g->to[e]))
			continue;
		j = t->pre[t->g->to[e]];
		if (i > j) {
			t->row[j].first++;
			t->pair[t->npairs++] = (struct pair){ .from = i, .to = j };
		} else if (i < j && i < t->row[j].semi) {
			t->row[j].semi = i;
		}
	}
}

static struct err *take_rows(struct dom *d)
{
	struct turn t = { .g = d->g, .easy = d->easy.p, .pre = d->pre.p };
	const uint32_t *parent = d->parent.p;

	if (!big_init(&d->row, (size_t)d->n + 1, sizeof(struct row), BIG_DENSE) ||
	    !big_init(&d->pairs, d->g->m, sizeof(struct pair), BIG_SPARSE))
		return &err_nomem;
	t.row = d->row.p;
	t.pair = d->pairs.p;
	for (uint32_t k = 0; k < d->n; k++)
		t.row[k].semi = parent[k];
	for (gnode v = 0; v < d->g->n; v++)
		if (graph_reached(d->g, v))
			take_row(&t, v);
	d->npairs = t.npairs;
	big_deinit(&d->pre);
	return NULL;
}

/* Counting sort of the pairs by target. */
static struct err *turn_edges(struct dom *d)
{
	const struct pair *pair = d->pairs.p;
	struct row *row = d->row.p;
	uint32_t *rto, sum = 0;

	if (!big_init(&d->rto, d->npairs, sizeof(uint32_t), BIG_DENSE))
		return &err_nomem;
	rto = d->rto.p;
	for (uint32_t k = 0; k < d->n; k++)
		row[k].first = sum += row[k].first;
	row[d->n].first = sum;
	/* Each index moves down from the end of its row to the beginning. */
	for (uint32_t i = 0; i < d->npairs; i++) {
		if (i + 48 < d->npairs) {
			__builtin_prefetch(&row[pair[i + 48].to], 1);
			__builtin_prefetch(&rto[row[pair[i + 24].to].first], 1);
		}
		rto[--row[pair[i].to].first] = pair[i].from;
	}
	big_deinit(&d->pairs);
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

/*
 * One step ahead of use, and no second one along `up`: what is not linked yet must not be
 * read, and asking whether it is costs more than it gains (measured).
 */
static inline void link_soon(const struct link *link, const uint32_t *rto, uint32_t e)
{
	if (e >= 24)
		__builtin_prefetch(&link[rto[e - 24]], 1);
}

static struct err *semidominators(struct dom *d)
{
	const uint32_t *parent = d->parent.p, *rto = d->rto.p;
	struct row *row = d->row.p;
	struct link *link;

	/* By number, but as long as all nodes: it becomes retained[] afterwards. */
	if (!big_init(&d->link, d->g->n, sizeof(*link), BIG_DENSE))
		return &err_nomem;
	link = d->link.p;
	for (uint32_t k = d->n; k-- > 1;) {
		uint32_t s = row[k].semi;

		for (uint32_t e = row[k + 1].first; e-- > row[k].first;) {
			link_soon(link, rto, e);
			s = MIN(s, least_semi(link, rto[e], k));
		}
		row[k].semi = s;
		link[k] = (struct link){ .up = parent[k], .semi = s };
	}
	big_deinit(&d->rto);
	return NULL;
}

/* idom[k] = nearest ancestor in the dominator tree so far that is not below semi[k]. */
static void nearest_common(struct dom *d)
{
	uint32_t *idom = d->parent.p;
	const struct row *row = d->row.p;

	for (uint32_t k = 1; k < d->n; k++) {
		uint32_t x = idom[k];

		while (x > row[k].semi)
			x = idom[x];
		idom[k] = x;
	}
	big_deinit(&d->row);
}

static void hang_leaves(const struct dom *d, gnode *idom, uint64_t *retained)
{
	const struct graph *g = d->g;
	const uint64_t *easy = d->easy.p;

	for (gnode v = 0; v < g->n; v++) {
		if (!graph_reached(g, v))
			continue;
		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++) {
			if (!bit_has(easy, g->to[e]))
				continue;
			idom[g->to[e]] = v;
			retained[v] += retained[g->to[e]];
		}
	}
}

/* Children have greater numbers than their dominators: one pass from the back. */
static void sum_retained(const struct dom *d, gnode *idom, uint64_t *retained)
{
	const gnode *vertex = d->vertex.p;
	const uint32_t *up = d->parent.p;

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

/* Pages that are there already cost nothing to get: links end where retained bytes begin. */
static_assert(sizeof(struct link) == sizeof(uint64_t), "link becomes retained");

static struct err *results(struct dom *d, struct graph *g)
{
	_cleanup_(big_deinit) struct big idom = { 0 };

	if (!big_init(&idom, g->n, sizeof(gnode), BIG_DENSE))
		return &err_nomem;
	memset(idom.p, 0xff, g->n * sizeof(gnode)); /* GRAPH_NONE */
	memset(d->link.p, 0, g->n * sizeof(uint64_t));
	graph_fill_sizes(g, d->link.p);
	hang_leaves(d, idom.p, d->link.p);
	sum_retained(d, idom.p, d->link.p);
	g->idom = big_steal(&idom);
	g->retained = big_steal(&d->link);
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
	err = take_rows(&d);
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
