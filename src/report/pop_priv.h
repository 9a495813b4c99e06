/*
 * pop_priv.h - what the makers of populations share; private to the report room.
 */
#ifndef LIMPET_REPORT_POP_PRIV_H
#define LIMPET_REPORT_POP_PRIV_H

#include "find/look.h"
#include "report/pop.h"

#include <pthread.h>

extern const struct pop_family pop_types, pop_finalizers, pop_maps, pop_slices, pop_strings,
	pop_chans, pop_timers, pop_contexts,
	pop_pools, pop_fds;

/* A further table of the answer; sort is the key of one of its columns. */
struct pop_table *pop_table_add(struct ans_pop *p, const char *key, const char *title,
				const struct pop_col *cols, const char *sort, size_t limit);

/* Take a row over; what falls off is added to the rest.  Its path must be empty. */
struct err *pop_offer(struct pop_table *t, const struct pop_row *r) MUST_CHECK;

/* Last rows fall, the others are sorted; then finish (may be NULL) fills texts, and paths are made.
 */
typedef struct err *pop_finish_fn(struct agg *a, void *arg, struct pop_row *r);
struct err *pop_settle(struct agg *a, struct pop_table *t, pop_finish_fn *finish,
		       void *arg) MUST_CHECK;

/* Rows that were settled before, by another order and a smaller limit. */
void pop_again(struct pop_table *t);

struct err *pop_total(struct ans_pop *p, const char *key, const char *title, uint8_t form,
		      uint64_t n) MUST_CHECK;
struct err *pop_note(struct agg *a, struct ans_pop *p, const char *fmt, ...) MUST_CHECK
	PRINTF_LIKE(3, 4);

/* Bits by object id of what is reachable, as snapshot_each_place() wants them; bigalloc'd. */
struct pop_reached {
	uint64_t *bits;
	uint64_t n; /* words */
};
struct err *pop_reached_make(const struct agg *a, struct pop_reached *ret) MUST_CHECK;
void pop_reached_deinit(struct pop_reached *r);
static inline bool pop_object_reached(const struct agg *a, uint64_t id)
{
	return id < a->s->heap.nobjects && graph_reached(a->g, graph_node_of_object(a->g, id));
}

/*
 * Places of some kinds, gathered for one thread: addresses with their types, sorted by
 * what they point to, and of those that point to the same thing with one type the first.
 */
struct pop_ref {
	taddr to;		    /* first word of the value */
	const struct go_type *type; /* of the place */
	uint64_t object;	    /* where the place lies, or GO_NO_OBJECT */
	uint64_t off;
	uint32_t var;
};
struct pop_refs {
	VEC(struct pop_ref) v;
	uint64_t places; /* before equal ones went */
};
struct err *pop_refs_of_pointers(struct agg *a, uint8_t kind, struct pop_refs *ret) MUST_CHECK;
void pop_refs_deinit(struct pop_refs *r);

/* "main.Session.buf", "main.cache", "goroutine 17 local x": where a place lies. */
const char *pop_place_name(struct agg *a, uint64_t object, uint64_t off, uint32_t var);

/* Node of the object at an address; GRAPH_NONE: none, or not reachable. */
gnode pop_node_at(const struct agg *a, taddr addr);
struct err *pop_facts_read(struct agg *a, struct go_io *io, struct go_place p,
			   struct look_facts *ret) MUST_CHECK;

/* All reachable objects that are containers of that word (go_cont_word). */
typedef struct err *pop_object_fn(struct agg *a, void *arg, uint64_t id, struct go_place p);
struct err *pop_objects_of(struct agg *a, const char *word, pop_object_fn *fn,
			   void *arg) MUST_CHECK;

uint64_t pop_retained(const struct agg *a, gnode v);
const char *pop_pc_name(const struct agg *a, taddr pc);
/* Name of the one root that dominates node v; "(several roots)". */
const char *pop_owner(struct agg *a, gnode v);
/* Name of the function whose func value lies at fn; "" unknown. */
const char *pop_func_name(struct agg *a, taddr fn);

/* Words of globals that hold what lies in a sync.Pool; known by their shape. */
struct err *pop_pool_words(struct agg *a, struct err *(*fn)(void *arg, taddr at),
			   void *arg) MUST_CHECK;

/* Text of the program by the policy: itself, a hash, or NULL. */
const char *pop_value(struct agg *a, unsigned values, const uint8_t *text, size_t n, uint64_t len);

#endif
