/*
 * agg.h - from snapshot and graph to answers: every figure that limpet shows is made here.
 *
 * Right of the waist: no processes, no Go versions.  Field names and values are
 * looked up in the frozen twin while it lives; when it is gone they are simply
 * unknown (""), never an error.
 *
 * An agg borrows snapshot and graph, owns the texts of all answers made with it
 * and the index of dominator children.  agg_deinit() after the last rendering.
 */
#ifndef LIMPET_REPORT_AGG_H
#define LIMPET_REPORT_AGG_H

#include "find/find.h"
#include "graph/graph.h"
#include "graph/verify.h"
#include "report/answer.h"
#include "base/keep.h"

/*
 * A dominator tree and the index of its children.  Exact: what goes when a node goes.  Owner's:
 * the same over the owner's graph (graph/owner.h), in which pools, caches, timers, contexts …
 * pass on what they do not own.
 */
struct agg_dom {
	struct graph *g;
	const uint64_t *retained; /* by node */
	uint32_t *first;	  /* children of v: child[first[v]] .. child[first[v + 1] - 1] */
	gnode *child;
	uint64_t *objects;    /* by node 0 .. nroots: objects below; [0]: below no single root */
	const uint64_t *kept; /* bit by node: it counts; NULL: all do */
};

struct owner_rules;
struct kept;

struct agg_groups;

/* How much of a look a store keeps (report/kept.h). */
enum agg_keep {
	AGG_KEEP_BY_SIZE, /* full, of large heaps brief */
	AGG_KEEP_BRIEF, /* no trees, no populations, tables by type, root, goroutine, field, site */
	AGG_KEEP_FULL,
};

struct agg {
	struct snapshot *s;
	struct graph *g; /* NULL: memory and goroutines without a graph */
	unsigned nthreads;
	unsigned values; /* ANS_VALUES_*: of keys in expressions, of labels */
	unsigned detail; /* enum agg_keep */
	/* once they were asked for to be kept; NULL; fields by the exact tree */
	struct agg_groups *types, *fields;
	struct keep keep;
	/* dominator children, made by agg_dominators() */
	uint32_t *dom_first;
	gnode *dom_child;
	const struct ans_labels **label_sets; /* by set of snapshot/labels.h; NULL: not asked */
	uint64_t *top_objects; /* by node 0 .. nroots: objects below; [0]: below no single root */
	/* made by agg_owner() */
	unsigned trees; /* AGG_TREE_*: what report, tree and why show; 0: the exact one */
	const struct owner_rules *owners; /* owner.h; NULL: the built-in ones */
	struct agg_dom owner;		  /* g NULL: not made; g == agg.g: nothing passes on */
	uint64_t *owner_edges;		  /* by rule: references that pass on */
	/* of the bytes with pointers, those of unknown type; 0: not counted yet */
	uint64_t pointer_bytes, untyped_bytes;
	/* A store is asked (kept.h): s and g are NULL, and only what answers a command works. */
	struct kept *asked;
};

void agg_deinit(struct agg *a);

/* The same for those who look into containers: find/look.h. */
static inline struct look agg_look(const struct agg *a)
{
	return (struct look){ .s = a->s,
			      .g = a->g,
			      .nthreads = a->nthreads,
			      .keep = (struct keep *)(uintptr_t)&a->keep,
			      .dom_first = a->dom_first,
			      .dom_child = a->dom_child };
}

/* Dominators, retained bytes and the index of children, once. */
struct err *agg_dominators(struct agg *a) MUST_CHECK;
/* The owner's tree, once; with agg_dominators(). */
struct err *agg_owner(struct agg *a) MUST_CHECK;
/* A view of one of them; g NULL: it was not made. */
struct agg_dom agg_dom_of(const struct agg *a, enum agg_trees tree);
/*
 * Depth first through a tree: enter(arg, v) before what v dominates, leave(arg, v) behind it; not
 * for node 0.  Errors: enter's, NOMEM.
 */
struct err *agg_dom_walk(const struct agg_dom *d, struct err *(*enter)(void *arg, gnode v),
			 void (*leave)(void *arg, gnode v), void *arg) MUST_CHECK;
/* d->objects of a tree whose other members are there. */
struct err *agg_dom_count(struct agg_dom *d) MUST_CHECK;
/* Bytes that root r (0 .. nroots - 1) alone holds. */
uint64_t agg_root_retained(const struct agg *a, size_t r);

struct err *agg_head(struct agg *a, struct ans_head *ret) MUST_CHECK;
struct err *agg_exact(struct agg *a, const struct verify_result *v,
		      struct ans_exact *ret) MUST_CHECK;
struct err *agg_memory(struct agg *a, struct ans_memory *ret) MUST_CHECK;

enum top_sort {
	TOP_SORT_DEFAULT, /* retained; by site as pprof does: shallow */
	TOP_SORT_RETAINED,
	TOP_SORT_SHALLOW,
	TOP_SORT_COUNT,
	TOP_SORT_CUM,	/* sites: allocated there and below */
	TOP_SORT_ALLOC, /* sites: allocated since the program began */
};

struct top_ask {
	const char *by;	 /* "type": a word of the table in agg_by.c */
	const char *arg; /* set by agg_top(): what stands behind the colon, "label:tenant"; NULL */
	enum top_sort sort;
	size_t limit, npaths;
	const char *focus, *ignore; /* agg_focus.c: regular expressions; NULL */
	unsigned trees; /* AGG_TREE_*; 0: the exact one.  The owner's alone: it is sorted by */
	struct agg_dom exact, owner; /* set by agg_top(); owner.g NULL: not asked for */
	unsigned package_depth;	     /* elements of a path that tell packages apart; 0: all */
	enum agg_trees tree;	     /* set by agg_top() for groups that differ by tree */
	bool lines;		     /* sites: rows are lines of source, not functions */
};

/* ERR_USAGE, with the words that there are. */
struct err *agg_by_check(const char *by) MUST_CHECK;
/* ERR_USAGE: one of them is no regular expression. */
struct err *agg_focus_check(const char *focus, const char *ignore) MUST_CHECK;
/* Word i of that table, NULL behind the last. */
const char *agg_by_word(size_t i);

/*
 * Rows of a table, largest first; npaths of them with the path of their biggest one.
 *
 * Retained counts each byte once within a row: objects that are dominated by another
 * of the same group do not add again.  By root and by goroutine all rows together,
 * with the "(held by …)" rows, are exactly the reachable bytes.
 */
struct err *agg_top(struct agg *a, const struct top_ask *q, struct ans_top *ret) MUST_CHECK;

/* Paths and origins of rows of agg_top(), whose biggest ones are among those of ways. */
struct err *agg_top_ways(struct agg *a, const char *by, const struct graph_ways *ways,
			 struct ans_row *rows, size_t n) MUST_CHECK;

/* Describe one node; next: the node that it holds (its field is named), or GRAPH_NONE. */
struct err *agg_holder(struct agg *a, gnode v, gnode next, struct ans_holder *ret) MUST_CHECK;
/* path[0] is a root; long ones lose their middle ("skipped"). */
struct err *agg_holders(struct agg *a, const gnode *path, size_t len,
			struct ans_path *ret) MUST_CHECK;
/*
 * The ways to n reachable nodes (GRAPH_NONE: none) that say who holds them: through all that
 * dominate each; max_visits: how many nodes may be looked at for one before its shortest way will
 * do.  Needs dominators.  Numbers only: another thread may make texts of the agg meanwhile.
 */
struct agg_ways;
struct err *agg_ways_find(const struct agg *a, const gnode *v, size_t n, uint64_t max_visits,
			  struct agg_ways **ret) MUST_CHECK;
void agg_ways_free(struct agg_ways *w);
/* The same in words.  ret[n] empty. */
struct err *agg_ways_paths(struct agg *a, const struct agg_ways *w,
			   struct ans_path *ret) MUST_CHECK;
/* The shortest way to v that leads not through a goroutine, if there is one; empty: unreachable. */
struct err *agg_lasting_path(struct agg *a, gnode v, struct ans_path *ret) MUST_CHECK;
/* From a root down the dominator tree as long as one child holds most of it. */
struct err *agg_chain(struct agg *a, gnode root, struct ans_path *ret) MUST_CHECK;

/* What the user named: "0xc000123", "goroutine:17", "main.Session", a global's name. */
struct err *agg_find(struct agg *a, const char *what, gnode *nodes, size_t max, size_t *ret_n,
		     uint64_t *ret_matches) MUST_CHECK;

/* Where an object was allocated.  Of one that is not sampled only after graph_dominators(). */
struct err *agg_origin(struct agg *a, gnode v, struct ans_origin *ret) MUST_CHECK;

/* Of each of n WHATs at most max_items objects, with max_paths paths each. */
struct err *agg_why(struct agg *a, const char *const *what, size_t n, size_t max_items,
		    size_t max_paths, struct ans_why *ret) MUST_CHECK;
/* How much of an object is shown. */
struct agg_object_opts {
	unsigned values; /* ANS_VALUES_* */
	size_t limit;	 /* lines; referrers and references each, too */
	unsigned depth;	 /* of pointers, slices, boxes that are followed */
	uint64_t width;	 /* elements of each slice, array, map, queue */
	uint64_t bytes;	 /* of each string */
	uint64_t raw;	 /* bytes of the object as they are; 0: none */
};

/* WHAT as in agg_find(): an object, a global, a goroutine's locals. */
struct err *agg_object(struct agg *a, const char *what, const struct agg_object_opts *opts,
		       struct ans_object *ret) MUST_CHECK;
/* v as a node of the tree, below parent (GRAPH_NONE, 0: it is the first). */
struct err *agg_tree_node(struct agg *a, gnode v, gnode parent,
			  struct ans_tree_node *ret) MUST_CHECK;
/* Why is v alive: one item of agg_why(). */
struct err *agg_why_node(struct agg *a, gnode v, size_t max_paths,
			 struct ans_why_item *ret) MUST_CHECK;
/* Its children, the heavy ones first. */
void agg_tree_sort(const struct agg_dom *d, gnode v);
/* what NULL: from the super-root. */
struct err *agg_tree(struct agg *a, const char *what, unsigned depth, size_t limit,
		     struct ans_tree *ret) MUST_CHECK;

enum goroutine_group { GROUP_NONE, GROUP_STACK, GROUP_STATE, GROUP_CREATOR, GROUP_LABEL };

enum goroutine_which { GOROUTINES_ALL, GOROUTINES_LEAKED };

struct goroutines_ask {
	enum goroutine_group by;
	const char *key; /* by label, of that key alone; NULL: by all labels together */
	enum goroutine_which which;
	size_t limit;
};

/* Errors: UNSUPPORTED where leaked ones are asked for and cannot be told. */
struct err *agg_goroutines(struct agg *a, const struct goroutines_ask *q,
			   struct ans_goroutines *ret) MUST_CHECK;
/*
 * Group goroutines by equal frames: order[] lists goroutine indices, equal ones adjacent;
 * caller frees both with free().  first[k] .. first[k + 1]: group k.
 */
struct err *agg_stack_groups(const struct snapshot *s, size_t **ret_order, size_t **ret_first,
			     size_t *ret_ngroups) MUST_CHECK;
/* What goroutine i was started with: "main.worker". */
const char *agg_goroutine_function(const struct agg *a, size_t i);
/* Goroutine i alone, with its stack: one more in ret. */
struct err *agg_goroutine(struct agg *a, size_t i, struct ans_goroutines *ret) MUST_CHECK;
/* "main.worker [chan receive]" of goroutine i. */
const char *agg_goroutine_name(struct agg *a, size_t i);

/* Servers, clients and pools, their limits and what hangs on them; most used first. */
struct err *agg_audit(struct agg *a, size_t limit, struct ans_audit *ret) MUST_CHECK;

/* Locks on which goroutines wait, the most waiters first; of each at most limit waiters. */
struct err *agg_locks(struct agg *a, size_t limit, struct ans_locks *ret) MUST_CHECK;

struct report_ask {
	size_t findings, tables;	/* at most so many rows, of each table; findings 0: all */
	const struct find_since *since; /* an earlier look, matched; NULL: none */
	const char *since_file;
	const struct kept_since *kept_since; /* of a store: since and more; NULL: none */
	struct find_since **since_ret;	     /* agg_findings() makes of this look what a later one
					      * compares with; NULL: not asked for */
	const struct known *known;	     /* known.h; NULL: none */
	const char *const *ignored;	     /* signatures */
	size_t nignored;
	const struct source *source;   /* source.h; NULL: not asked for */
	int64_t now_unix_s;	       /* for the ends of known findings */
	const struct join_file *joins; /* join.h: other evidence; NULL: none */
	size_t njoins;
};

/* What is known of the process that was looked at. */
struct find_process agg_process(const struct agg *a);
/* This look, to be the earlier one of another; needs dominators. */
struct err *agg_since_create(struct agg *a, struct find_since **ret) MUST_CHECK;
/* Now the later look is there. */
void agg_since_match(struct agg *a, struct find_since *since);
void agg_since(struct agg *a, const struct report_ask *ask, struct ans_since *ret);

/*
 * What the detectors say, largest first, with holder chains and the rest; memory may be NULL.
 * Needs dominators.
 */
struct err *agg_findings(struct agg *a, const struct ans_memory *memory,
			 const struct report_ask *ask, struct ans_findings *ret) MUST_CHECK;

/* All but the head, which comes last: its pause may not be over yet. */
struct err *agg_report(struct agg *a, const struct verify_result *v, const struct report_ask *ask,
		       struct ans_report *ret) MUST_CHECK;

#endif
