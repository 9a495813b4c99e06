/*
 * graph.h - who holds what: reach, dominators, retained bytes, paths, cuts.
 *
 * Compressed sparse rows.  Node 0 is the super-root, 1 .. nroots are roots, the
 * rest are heap slots in address order: object o is node 1 + nroots + o.
 *
 *   edges of v:  to[graph_first(v)] .. to[graph_last(v) - 1]
 *   objects:     graph_first(v) == first[o], graph_last(v) == first[o + 1], o = graph_object(v)
 *   the others:  rootfirst[v], rootfirst[v + 1]; their edges lie behind those of the objects
 *   first[0] == 0, first[nobjects] == rootfirst[0], rootfirst[nroots + 1] == m
 *   both never fall, 0 < to[e] < n; the super-root points at every root, and nothing else
 *
 * The arrays of the objects come from the snapshot and are not copied: the roots' edges
 * are hung behind them, that is why two index arrays are there.
 *
 * Knows only numbers: no addresses, no types, no text.  Sizes are bytes.
 * Cost: O(n + m) to build, semi-NCA dominators O(m log n) worst, near linear seen.
 * Node numbers are 32 bits (gnode); ERR_LIMIT beyond 2^32 - 2 nodes or edges.
 */
#ifndef LIMPET_GRAPH_GRAPH_H
#define LIMPET_GRAPH_GRAPH_H

#include "base/err.h"
#include "snapshot/snapshot.h"

typedef uint32_t gnode;
#define GRAPH_NONE UINT32_MAX

struct graph {
	uint32_t n;		/* nodes, super-root and roots included */
	uint32_t nroots;
	uint32_t m;
	uint32_t *first;	/* nobjects + 1 = n - nroots */
	uint32_t *rootfirst;	/* nroots + 2 */
	gnode *to;		/* m */
	/* backward, only between reachable nodes; made by graph_reverse() on demand */
	uint32_t *rfirst;	/* n + 1 */
	gnode *rto;
	/* results; NULL until computed */
	uint64_t *reached;	/* bit v: reachable from the super-root */
	uint64_t *live;		/* live.h; NULL: all of it */
	gnode *idom;		/* immediate dominator; GRAPH_NONE: unreachable or node 0 */
	uint64_t *retained;	/* bytes of v's dominator subtree, v included */
	uint64_t nreached_objects, reached_bytes;
	uint64_t bad_edges;	/* pointers of objects at free slots; verify says which */
	/* sizes */
	const struct snapshot *s;	/* borrowed; NULL for graphs from drawings (tests) */
	const uint32_t *node_bytes;	/* tests: size by node, else NULL */
	/* elements mapped at first, to and rto, for freeing */
	uint64_t first_cap, to_cap, rto_cap;
};

static inline gnode graph_node_of_object(const struct graph *g, uint64_t id)
{
	return (gnode)(1 + g->nroots + id);
}

static inline bool graph_is_object(const struct graph *g, gnode v)
{
	return v > g->nroots;
}

static inline uint64_t graph_object(const struct graph *g, gnode v)
{
	return (uint64_t)v - 1 - g->nroots;
}

static inline uint32_t graph_first(const struct graph *g, gnode v)
{
	return v > g->nroots ? g->first[v - 1 - g->nroots] : g->rootfirst[v];
}

static inline uint32_t graph_last(const struct graph *g, gnode v)
{
	return v > g->nroots ? g->first[v - g->nroots] : g->rootfirst[v + 1];
}

static inline bool graph_reached(const struct graph *g, gnode v)
{
	return g->reached[v >> 6] >> (v & 63) & 1;
}

/* Bytes of a node alone: slot size for objects, 0 for roots and the super-root. */
uint64_t graph_shallow(const struct graph *g, gnode v);

/* From a snapshot: roots first, then edges (taken over, e is emptied).  Computes reached. */
struct err *graph_create(struct snapshot *s, unsigned nthreads, struct graph **ret) MUST_CHECK;

/* From lists, for tests: edges (from[i], to[i]) between nodes; nodes 1..nroots hang off 0. */
struct err *graph_from_edges(uint32_t n, uint32_t nroots, const gnode *from, const gnode *to,
			     uint32_t m, const uint32_t *node_bytes, struct graph **ret) MUST_CHECK;
void graph_free(struct graph *g);
static inline void graph_freep(struct graph **g)
{
	graph_free(*g);
}

/* Equations above; *why is static text ("edge out of range"). */
bool graph_validate(const struct graph *g, const char **why);

/* Backward edges between reachable nodes. */
struct err *graph_reverse(struct graph *g, unsigned nthreads) MUST_CHECK;
/* idom and retained (semi-NCA). Frees its scratch memory. */
struct err *graph_dominators(struct graph *g, unsigned nthreads) MUST_CHECK;

/* Children of v in the dominator tree, largest retained first; at most max; returns the total number. */
size_t graph_dominated(const struct graph *g, gnode v, gnode *children, size_t max);
/*
 * The same for many parents: graph_dominated() scans all nodes each time, so build this index once.
 * Children of v: child[first[v]] .. child[first[v + 1] - 1], ascending by node.  Free both with free().
 */
struct err *graph_dom_children(const struct graph *g, uint32_t **ret_first, gnode **ret_child) MUST_CHECK;

/*
 * Shortest path from a root to v: path[0] is a root, path[len - 1] == v.
 * Caller frees *ret_path with free(). *ret_len == 0 if v is unreachable.
 */
struct err *graph_path(struct graph *g, gnode v, gnode **ret_path, size_t *ret_len) MUST_CHECK;

/*
 * Ways to several nodes from one walk: who discovered whom, from the super-root on, until all of
 * want[] are found.  A way as in graph_path(); len 0: it was not asked for, or is unreachable.
 * last[r] != 0 (may be NULL): what root r (0 .. nroots - 1) alone leads to is found through it, all else
 * through others, if that is longer.
 */
struct graph_ways {
	gnode *by;
	uint64_t n;
};
struct err *graph_ways_create(const struct graph *g, const gnode *want, size_t n,
			      const uint8_t *last, struct graph_ways *ret) MUST_CHECK;
void graph_ways_deinit(struct graph_ways *w);
struct err *graph_way(const struct graph_ways *w, gnode v, gnode **ret_path,
		      size_t *ret_len) MUST_CHECK;

/*
 * The way to v that says who holds it: through all its dominators, and between two of them the
 * shortest.  top: the outermost of them (node 0 left out); what no root alone holds has a top that
 * is no root: then the path begins with top.  Looks at no more than max_visits nodes; *ret_len 0:
 * that was not enough, or v is unreachable.  Needs graph_dominators().
 */
struct err *graph_held_path(const struct graph *g, gnode v, uint64_t max_visits, gnode **ret_path,
			    size_t *ret_len) MUST_CHECK;

/*
 * Which of nodes[] are entered by one edge alone (parallel ones count as one), that of their
 * dominator: if that edge goes, they go, with all that they dominate.  One pass over all edges for
 * all of them; stops to think, and says no, where more than a few million edges would have to be
 * looked at closely.  Needs graph_dominators(), not graph_reverse().
 */
struct err *graph_single_entries(const struct graph *g, const gnode *nodes, size_t n,
				 unsigned nthreads, uint8_t *ret) MUST_CHECK;

/* Up to max paths that share no node but v itself (shortest first, from distinct roots or not). */
struct graph_paths {
	gnode **path;
	size_t *len;
	size_t n;
	uint32_t independent;	/* number of node-disjoint paths from roots (max flow), capped at limit */
	bool capped;
	/* The last single edge on all paths whose cut frees v: cut_from -> cut_to; GRAPH_NONE if none. */
	gnode cut_from, cut_to;
};

struct err *graph_independent(struct graph *g, gnode v, size_t max, struct graph_paths *ret) MUST_CHECK;
void graph_paths_deinit(struct graph_paths *p);

/* That edge alone.  Needs graph_dominators() and graph_reverse() to have been done. */
struct err *graph_cut_edge(struct graph *g, gnode v, gnode *ret_from, gnode *ret_to) MUST_CHECK;

/* Bytes and objects that would be freed if edge from -> to went (all parallel ones). */
struct err *graph_cut(struct graph *g, gnode from, gnode to, uint64_t *ret_bytes,
		      uint64_t *ret_objects) MUST_CHECK;

#endif
