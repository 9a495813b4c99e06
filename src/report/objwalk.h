/*
 * objwalk.h - all reachable objects with their references in a file's own terms: numbers that are
 * dense, ids of 32 bits, names of types and fields that stand once in a table.
 *
 * For the writers of foreign heap formats (heapsnapshot.c, hprof.c).  Knows no format, and shows no
 * value of the program.
 */
#ifndef LIMPET_REPORT_OBJWALK_H
#define LIMPET_REPORT_OBJWALK_H

#include "report/agg.h"

#define OBJWALK_NO_OFF UINT64_MAX

/* A pointer of an object: where in the slot (malloc header included), and to which node. */
struct obj_ref {
	uint64_t off; /* OBJWALK_NO_OFF: not known */
	gnode to;
};

struct obj {
	gnode node;
	uint64_t id, bytes;
	taddr addr; /* of its slot, as in all answers */
	const struct go_span *span;
	uint32_t type;		    /* in s->types, 0 unknown */
	const struct obj_ref *refs; /* as many as the graph has edges, repeats included */
	size_t n;
};

typedef struct err *obj_fn(void *arg, const struct obj *o);

/*
 * Each reachable object, in the order of memory; its type is fn's to name.  One read of the heap,
 * O(objects + edges).  Objects that cannot be read have the graph's edges, without places.
 */
struct err *objwalk(struct agg *a, obj_fn *fn, void *arg) MUST_CHECK;

/* References of root r (0 .. nroots - 1): its slots with objects, in the graph's order. */
typedef struct err *root_fn(void *arg, const struct snap_slot *sl, gnode to);
struct err *objwalk_root(struct agg *a, uint32_t r, root_fn *fn, void *arg) MUST_CHECK;

/* Rank of a reached node among all reached ones, node 0 has 0. */
struct obj_ranks {
	const struct graph *g;
	uint32_t *before; /* by 64 nodes */
	uint64_t n;	  /* reached nodes */
};
struct err *obj_ranks_create(const struct graph *g, struct obj_ranks *ret) MUST_CHECK;
static inline uint32_t obj_rank(const struct obj_ranks *r, gnode v)
{
	uint64_t below = r->g->reached[v >> 6] & ((1ULL << (v & 63)) - 1);

	return r->before[v >> 6] + (uint32_t)__builtin_popcountll(below);
}
static inline void obj_ranks_deinit(struct obj_ranks *r)
{
	free(r->before);
}

/*
 * Ids of objects for files that have 32 bits for them: the address less base where the heap lies
 * within 4 GiB, so that two files of one process agree; else eight times the node.  Multiples of
 * 4; what is no object gets others by obj_other_id().
 */
struct obj_ids {
	taddr base;
	bool by_node;
};
struct err *obj_ids_choose(const struct agg *a, struct obj_ids *ret) MUST_CHECK;
static inline uint32_t obj_id(const struct obj_ids *x, const struct agg *a, gnode v, taddr addr)
{
	uint32_t id = x->by_node ? (v - a->g->nroots) * 8 : (uint32_t)(addr - x->base);

	return id ? id : 4;
}
/* Of what is no object, n < 2^29; never one of the above. */
static inline uint32_t obj_other_id(uint32_t n)
{
	return n * 8 + 1;
}

/* Names, each once: objnames_text(x, number). */
struct objnames {
	struct agg *a;
	VEC(const char *) text;
	struct objname_key {
		uint64_t key;
		uint32_t name; /* 1 + its number; 0: none here */
	} * tab;
	size_t cap, n;
	uint64_t *stride; /* by type: of a row's or an array's elements; 0 */
};

struct err *objnames_create(struct agg *a, struct objnames *ret) MUST_CHECK;
void objnames_deinit(struct objnames *x);
/* A new one; its text is kept or static.  Errors: NOMEM. */
struct err *objnames_add(struct objnames *x, const char *text, uint32_t *ret) MUST_CHECK;
/* Of an object's type: "main.Session", "[]main.T", "~48 B scan". */
struct err *objnames_type(struct objnames *x, const struct obj *o, uint32_t *ret) MUST_CHECK;
/*
 * Of the field at an offset: ".buf" of any element of a row; "" where it has none: *ret_index says
 * which element or word it is.
 */
struct err *objnames_field(struct objnames *x, const struct obj *o, uint64_t off, uint32_t *ret,
			   uint64_t *ret_index) MUST_CHECK;
/* "cache map[string]*main.Session" of root r; kept. */
const char *objnames_root(struct agg *a, uint32_t r);
/* "main.worker: sess" of a root's slot; kept. */
const char *objnames_slot(struct agg *a, uint32_t r, const struct snap_slot *sl);

#endif
