/*
 * shared.h - who holds what several roots hold together; private to the find room.
 */
#ifndef LIMPET_FIND_SHARED_H
#define LIMPET_FIND_SHARED_H

#include "find/find.h"

enum { SHARED_ROOTS = 6, SHARED_STARTS = 4 };

struct shared {
	gnode root[SHARED_ROOTS]; /* that dominate holders, the most frequent first */
	unsigned n;
	unsigned samples, running;  /* looked at; of these held by goroutines other than main's */
	taddr start[SHARED_STARTS]; /* entries of these goroutines, different ones */
	unsigned nstarts;
};

/* Roots that hold these nodes, n of them at most 64.  O(edges), all threads.  Errors: NOMEM. */
struct err *shared_holders(const struct look *l, const gnode *v, unsigned n,
			   struct shared *ret) MUST_CHECK;

/*
 * What would go if the first of these roots and all goroutines with these entries went together;
 * not beyond SHARED_NODES nodes: then 0.  O(nodes + edges).
 */
#define SHARED_NODES (4U << 20)
struct err *shared_together(const struct look *l, const struct shared *x, uint64_t *ret_bytes,
			    uint64_t *ret_goroutines) MUST_CHECK;

/* Bits by node: what goroutines reach from their stacks in at most depth steps.  Free with free().
 */
struct err *shared_near_stacks(const struct look *l, unsigned depth, uint64_t **ret) MUST_CHECK;

#endif
