/*
 * agg_diff.h - from looks to the answer of `limpet diff`: every figure of it is made here.
 */
#ifndef LIMPET_REPORT_AGG_DIFF_H
#define LIMPET_REPORT_AGG_DIFF_H

#include "find/diff.h"
#include "report/answer_diff.h"
#include "store/store.h"

enum diff_sort {
	DIFF_SORT_GROWTH, /* bytes */
	DIFF_SORT_RETAINED,
	DIFF_SORT_OBJECTS, /* growth of their number */
	DIFF_SORT_OLD,
	DIFF_SORT_NEW,
	DIFF_SORT_BORN,
	DIFF_SORT_DIED,
	DIFF_SORT_SURVIVED,
	DIFF_SORT_NAME
};

/* A look: its objects, and the store with all its answers. */
struct diff_look {
	const char *name; /* as asked for */
	struct ident *x;
	struct store *store;
	uint64_t requests;
};

struct diff_ask {
	const char *by; /* a word of agg_diff_by(); NULL: type, and the others in brief */
	enum diff_sort sort;
	size_t limit;
	bool force;				  /* also other programs */
	const struct ans_diff_followed *followed; /* NULL: not */
};

/* Errors: USAGE, with the words that there are. */
struct err *agg_diff_check(const char *by, const char *sort, enum diff_sort *ret) MUST_CHECK;

/*
 * Looks in the order of time.  Errors: USAGE: they are not in that order, or are of different
 * programs and force is not set.
 */
struct err *agg_diff(const struct diff_look *looks, size_t nlooks, const struct diff_ask *q,
		     struct ans_diff *ret) MUST_CHECK;

#endif
