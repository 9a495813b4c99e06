/*
 * hooks.h - finalizers and cleanups that hold their own objects.
 *
 * A hook is what waits for an object's end: a finalizer, a cleanup.  While it waits, its words are
 * roots (runtime/mgcmark.go, markrootSpans: a finalizer's function and what its object points to,
 * a cleanup's function and argument), and it waits as long as its object is reached.  So
 *
 *   object -> its hooks -> what their roots point to
 *
 * joined to the graph's edges makes a graph H of which can be said, for good:
 *
 *   ALIVE    its object is reached in H from a root that is no hook: the program has it
 *   OWN      not that, and the object and its hook lie in one strongly connected component of H:
 *            the hook keeps the object, the object the hook; the collector never lets go
 *   HELD     not that, and reached from an OWN one: waits for ever, too
 *   PENDING  all others: it will run, or has only to be swept
 *
 * The program can get at an OWN object again only from the function of a PENDING hook that
 * reaches it, or by a weak pointer: then it is loose, and nothing is proved.
 *
 * Knows only nodes: no addresses, no types.
 */
#ifndef LIMPET_FIND_HOOKS_H
#define LIMPET_FIND_HOOKS_H

#include "base/mem.h"
#include "graph/graph.h"

enum hook_state { HOOK_ALIVE, HOOK_OWN, HOOK_HELD, HOOK_PENDING };

struct hook {
	gnode object;	    /* its node; may be unreachable */
	gnode root;	    /* node of the special's root */
	uint32_t user;	    /* the caller's */
	uint32_t component; /* OWN: those of one component are one cycle */
	uint8_t state;	    /* enum hook_state */
	bool loose;	    /* OWN: see above */
};

struct hooks {
	const struct graph *g;
	struct hook *v; /* ascending by object; borrowed */
	size_t n;
	/* nodes that hooks which are not surely alive reach; place: index in it */
	VEC(gnode) nodes;
	uint32_t *index;     /* by node: 1 + place, 0: none of them; bigalloc'd */
	uint32_t *hook_of;   /* by place: 1 + its first hook */
	uint32_t *component; /* by place, then by hook */
	uint64_t *alive;     /* by place: bit; NULL: there are no cycles */
	size_t nown;
};

/*
 * Sort hooks by object and set their states; while nown is 0, ALIVE and PENDING are not told apart.
 * weak: objects that a weak pointer which the program may have leads to.  g has reached and idom.
 * Cost: O(what hooks reach), and one pass over all edges if there is a cycle through a hook.
 */
struct err *hooks_solve(const struct graph *g, unsigned nthreads, struct hook *v, size_t n,
			const gnode *weak, size_t nweak, struct hooks *ret) MUST_CHECK;
void hooks_deinit(struct hooks *h);

struct hooks_sum {
	uint64_t bytes, objects;
};

/*
 * What goes if all OWN hooks of one group go; group[i] of hook i: 0 .. ngroups - 1, others are left
 * out.  sum[ngroups]: what several groups hold.
 */
struct err *hooks_measure(const struct hooks *h, const uint32_t *group, uint32_t ngroups,
			  struct hooks_sum *sum) MUST_CHECK;

/*
 * The shortest way from an OWN hook back to its object: path[len - 1] is the object.  Caller frees
 * with free().
 */
struct err *hooks_circle(const struct hooks *h, size_t hook, gnode **ret_path,
			 size_t *ret_len) MUST_CHECK;

/* Private: one step along H from a place or hook; nodes.n + i is hook i. */
struct hooks_step {
	uint32_t from;
	uint32_t at;
};
bool hooks_next(const struct hooks *h, struct hooks_step *x, uint32_t *ret_to);
/* Private: sets component (hooks_scc.c), alive (hooks_alive.c). */
struct err *hooks_components(struct hooks *h) MUST_CHECK;
struct err *hooks_find_alive(struct hooks *h, unsigned nthreads) MUST_CHECK;

/* Bits over places and hooks; all that is reached from the seeds, without what is alive. */
typedef VEC(uint32_t) hooks_list;
struct err *hooks_spread(const struct hooks *h, hooks_list *seeds, uint64_t *bits) MUST_CHECK;

#endif
