/*
 * pool_values.h - what the values of one sync.Pool hold: memory of their own (buffers, parts of
 * them), and what others left in them.
 *
 * Only what a value alone holds counts: what somebody else holds too is not kept by the pool.
 * All sizes are bytes of the exact tree.
 */
#ifndef LIMPET_FIND_POOL_VALUES_H
#define LIMPET_FIND_POOL_VALUES_H

#include "find/content.h"

/* How sure it is that such an object is not a part of the pooled value. */
enum pool_foreign {
	POOL_OWN,
	POOL_MAYBE,   /* of a type that others know, too */
	POOL_FOREIGN, /* of one request, connection …; entries of a map; of somebody else's package
		       */
};

struct pool_value {
	gnode node;
	const struct go_type *type; /* what was put in; NULL unknown */
	uint64_t own, foreign;
	uint64_t objects;      /* foreign ones, each with all below it counted once */
	uint8_t sure;	       /* enum pool_foreign: of the largest foreign one */
	gnode largest, holder; /* largest foreign one, and the object that points to it */
	uint64_t largest_bytes;
};

struct pool_view {
	const struct look_pool *pool;
	VEC(struct pool_value) v;
};

typedef struct err *pool_view_fn(struct find *f, const struct pool_view *p);

/* fn for each pool whose values retain at least so much. */
struct err *pool_views(struct find *f, uint64_t least, pool_view_fn *fn) MUST_CHECK;

#endif
