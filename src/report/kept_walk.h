/*
 * kept_walk.h - answers to tables and back: one walk for all of them, led by descriptions.
 *
 * A description is a table for the struct's own members, and parts: what stands in other tables.
 * HOW TO KEEP ONE MORE STRUCT: describe it in kept_types.c; nothing else knows how it is written.
 */
#ifndef LIMPET_REPORT_KEPT_WALK_H
#define LIMPET_REPORT_KEPT_WALK_H

#include "report/answer.h"
#include "store/rows.h"

enum kept_how {
	KEPT_ROWS,   /* a VEC: rows of the part's table below this one */
	KEPT_ONE,    /* a struct in this one: a row of the part's table, its id in a column here */
	KEPT_LABELS, /* const struct ans_labels *: as KEPT_ONE, but equal pointers are one row */
};

struct kept_part {
	uint8_t how;
	uint32_t offset;	    /* in the struct */
	const struct kept_type *of; /* NULL ends; KEPT_LABELS: any */
};

/*
 * A row in memory is the struct, and behind it the ids of its KEPT_ONE and KEPT_LABELS parts in
 * the order of parts: columns of them are KEPT_ID(struct, number).
 */
struct kept_type {
	struct store_table table;
	size_t bytes; /* of the struct */
	const struct kept_part *parts;
	void (*fix)(void *v); /* after reading: what no file may say; NULL: nothing to do */
};

#define KEPT_ID(s, k, column, about_)                                                              \
	{                                                                                          \
		.name = (column), .kind = STORE_INT | STORE_ZERO, .bytes = 8,                      \
		.offset = sizeof(s) + 8 * (k), .since = 1, .about = (about_)                       \
	}

/* For writing and for reading: what is shared between rows. */
struct kept_walk {
	struct store *x;
	struct keep *keep; /* reading: owns texts and labels */
	VEC(struct kept_shared {
		const struct ans_labels *labels;
		int64_t id;
	})
	shared;
};

void kept_walk_deinit(struct kept_walk *w);

/* n structs below parent; *ret_first (may be NULL): id of the first (ids need not be adjacent). */
struct err *kept_put(struct kept_walk *w, const struct kept_type *t, int64_t parent, const void *v,
		     size_t n, int64_t *ret_first) MUST_CHECK;
/*
 * All below parent; *ret_v is the caller's, as is what the structs own, also on error.  ret_ids and
 * ret_has may be NULL.
 */
struct err *kept_get(struct kept_walk *w, const struct kept_type *t, int64_t parent, void **ret_v,
		     size_t *ret_n, int64_t **ret_ids, bool *ret_has) MUST_CHECK;
/* The one of that id; *ret false: none, and v is zeroed. */
struct err *kept_get_one(struct kept_walk *w, const struct kept_type *t, int64_t id, void *v,
			 bool *ret) MUST_CHECK;

/* The first below parent (of answers of which there is one); none: *ret false. */
struct err *kept_get_first(struct kept_walk *w, const struct kept_type *t, int64_t parent, void *v,
			   int64_t *ret_id, bool *ret) MUST_CHECK;

#endif
