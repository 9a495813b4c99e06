/*
 * diff_priv.h - between diff.c (who survived) and diff_rows.c (counted by what).
 */
#ifndef LIMPET_FIND_DIFF_PRIV_H
#define LIMPET_FIND_DIFF_PRIV_H

#include "find/diff.h"

/* Numbers of keys: of two numbers, of a hash of a text. */
struct diff_hash {
	uint64_t *key;
	uint32_t *value; /* row + 1; 0: free */
	size_t n, cap;	 /* cap: a power of two */
};

struct diff_tables {
	struct diff *d;
	struct ident *const *looks;
	unsigned by;				  /* asked for */
	uint32_t *row[DIFF_LOOKS][IDENT_COLUMNS]; /* by group: row + 1; 0: not met yet */
	struct diff_hash names[IDENT_COLUMNS], sizes, pairs;
	uint64_t last_pair[DIFF_LOOKS]; /* groups of the last object, and its row */
	uint32_t last_row[DIFF_LOOKS];
};

/* What became of an object: looks as bits j. */
struct diff_fate {
	unsigned first, last;
	unsigned maybe, reused, revived;
};

struct err *diff_tables_init(struct diff_tables *t, struct diff *d, struct ident *const *looks,
			     unsigned by) MUST_CHECK;
void diff_tables_deinit(struct diff_tables *t);
/* One object more, in slot of look f->last's span.  Errors: BAD_DATA, NOMEM. */
struct err *diff_count_object(struct diff_tables *t, const struct ident_span *sp, uint32_t slot,
			      const struct diff_fate *f) MUST_CHECK;
/* From "first seen, last seen" to "first seen, still there". */
void diff_tables_finish(struct diff_tables *t);

#endif
