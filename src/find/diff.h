/*
 * diff.h - several looks at one process, object by object.
 *
 * For every group of objects and every two looks i <= j: how many of those that were first seen at
 * look i are still there at look j.  All that a diff says follows from these numbers:
 *
 *   at look j there are         sum over i <= j of n[i][j]
 *   of OLD (0) survived to j    n[0][j]
 *   born between j - 1 and j    n[j][j]
 *   died between j - 1 and j    sum over i < j of n[i][j - 1] - n[i][j]
 *   n[i][j] >= n[i][j + 1]
 *   a cache turns over, a leak does not:  n[i][j] falls with j, or stays
 *
 * To be there is to be reachable.  A group is that of the object where it was seen last.  Time: one
 * pass over all looks at once; memory: a span of each look, and a table of groups.
 */
#ifndef LIMPET_FIND_DIFF_H
#define LIMPET_FIND_DIFF_H

#include "find/ident.h"

enum { DIFF_LOOKS = 8 };

enum diff_by {
	DIFF_TYPE,
	DIFF_HOLDER,
	DIFF_FIELD,
	DIFF_SIZE,	  /* the slot's size */
	DIFF_TYPE_HOLDER, /* both: "main.Session under main.cache" */
	DIFF_BYS
};

struct diff_count {
	uint64_t objects, bytes;
};

/*
 * Are looks, in the order of time, of one process (enum find_same)?  *ret_why: no, in words; "".
 * Errors: USAGE: of one process, and in another order.
 */
struct err *diff_same(struct ident *const *looks, size_t nlooks, uint8_t *ret_same,
		      const char **ret_why) MUST_CHECK;

/* Counts are arrays of nlooks; [first seen][look] for i <= j, 0 elsewhere. */
struct diff_row {
	const char *name;	   /* of the keep */
	const char *type, *holder; /* DIFF_TYPE_HOLDER; else NULL */
	uint64_t elem_bytes;	   /* DIFF_SIZE; else 0 */
	unsigned nlooks;
	struct diff_count (*n)[DIFF_LOOKS];
	struct diff_count *maybe;    /* [j]: of those counted as surviving from j - 1 to j: may be
				      * others in reused slots (ident.h, k >= 2) */
	struct diff_count *reused;   /* [j]: born between j - 1 and j in a slot where another had
				      * been at an earlier look; slots of spans that were cut anew
				      * for another size are not counted */
	struct diff_count maybe_all; /* of n[0][nlooks - 1]: "maybe" at any step */
	struct diff_count *revived;  /* [j]: of those born: had been there, and could not be reached
				      * at look j - 1 (a weak pointer, a finalizer, a loss) */
};

struct diff {
	struct keep keep;
	size_t nlooks;
	struct ident_head head[DIFF_LOOKS]; /* texts of the keep */
	bool exact[DIFF_LOOKS];		    /* [j]: nothing is "maybe" between j - 1 and j */
	uint32_t cycles[DIFF_LOOKS];	    /* [j]: between j - 1 and j; UINT32_MAX unknown */
	bool by_name;			    /* diff_names(): all of a look is n[j][j] */
	VEC(struct diff_row) rows[DIFF_BYS];
	struct diff_row total;
};

/*
 * by: bits 1u << enum diff_by.  All looks of one process (find_since_match() says), in the order
 * of time.  Errors: USAGE (they are not), BAD_DATA, NOMEM.
 */
struct err *diff_run(struct ident *const *looks, size_t nlooks, unsigned by,
		     struct diff *ret) MUST_CHECK;
/* Looks at any programs: what there is of each name, nothing of identity. */
struct err *diff_names(struct ident *const *looks, size_t nlooks, unsigned by,
		       struct diff *ret) MUST_CHECK;
void diff_deinit(struct diff *d);

/* One object that at least one look found. */
struct diff_object {
	taddr addr;
	uint64_t bytes;	      /* of its slot */
	unsigned first, last; /* looks */
	unsigned maybe;	      /* bit j: from j - 1 to j it may be another */
	const char *type;     /* of the last look; borrowed */
};
/* Every object of diff_run(), ascending by address.  Errors: as there, and each's. */
struct err *diff_each(struct ident *const *looks, size_t nlooks,
		      struct err *(*each)(void *arg, const struct diff_object *x),
		      void *arg) MUST_CHECK;

/* At look j. */
struct diff_count diff_there(const struct diff_row *r, size_t j);
struct diff_count diff_born(const struct diff_row *r, size_t j);     /* since look j - 1 */
struct diff_count diff_survived(const struct diff_row *r, size_t j); /* from look j - 1 */
struct diff_count diff_died(const struct diff_row *r, size_t j);     /* since look j - 1 */

#endif
