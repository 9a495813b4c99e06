/*
 * look_pools.h - all sync.Pools, and what lies in them.
 *
 * A pool is known by its type where it lies (a field, a variable with a known type), else by its
 * shape: a global word that points to an array of one poolLocal a P, with the other fields of a
 * sync.Pool around it that fit.
 */
#ifndef LIMPET_FIND_LOOK_POOLS_H
#define LIMPET_FIND_LOOK_POOLS_H

#include "find/look.h"

struct look_pool {
	taddr at;
	uint64_t object, off; /* where it lies; GO_NO_OBJECT: not in the heap */
	uint32_t var;	      /* UINT32_MAX: none */
	uint32_t root;	      /* known by its shape: that root; UINT32_MAX: by its type */
};

struct look_pools {
	const struct go_type *type; /* NULL: the program has no pools */
	uint64_t local_off, size_off, victim_off, victim_size_off, new_off;
	uint64_t nps;
	VEC(struct look_pool) v; /* ascending by at, each once */
};

struct err *look_pools_of(const struct look *l, struct look_pools *ret) MUST_CHECK;
/* Those known by their shape alone. */
struct err *look_pools_by_shape(const struct look *l, struct look_pools *ret) MUST_CHECK;
void look_pools_deinit(struct look_pools *p);

/* "main.bufs", "main.Server.pool"; of the keep. */
const char *look_pool_name(const struct look *l, const struct look_pool *p);
/* "the pool main.bufs", "the pool that main.f uses". */
const char *look_pool_text(const struct look *l, const struct look_pool *p);
/* The func value of its New; 0: nil. */
taddr look_pool_new(const struct look *l, const struct look_pools *all, const struct look_pool *p);

struct look_pool_value {
	const char *label;	    /* "private", "shared", "victim private", "victim shared" */
	const struct go_type *type; /* what was put in: *bytes.Buffer */
	uint64_t object; /* that the pointer leads to, or that it lies in; GO_NO_OBJECT */
	taddr at;	 /* of what the pointer leads to */
};
typedef struct err *look_pool_value_fn(void *arg, const struct look_pool_value *v);
/* ERR_BAD_DATA: what was read does not hold together; values before it were told. */
struct err *look_pool_values(const struct look *l, struct go_io *io, const struct look_pools *all,
			     const struct look_pool *p, look_pool_value_fn *fn,
			     void *arg) MUST_CHECK;

/* Objects in pools, ascending ids. */
struct look_pooled {
	VEC(uint64_t) ids;
};
struct err *look_pooled_of(const struct look *l, const struct look_pools *all,
			   struct look_pooled *ret) MUST_CHECK;
void look_pooled_deinit(struct look_pooled *p);
/* Is the node one of them, or dominated by one? */
bool look_is_pooled(const struct look *l, const struct look_pooled *p, gnode v);

#endif
