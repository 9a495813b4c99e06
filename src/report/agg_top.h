/*
 * agg_top.h - private to the report room: the words of `top --by` and what each of them counts.
 *
 * HOW TO ADD A WORD: write one of the two functions below, declare it here, and put an entry
 * into the table of agg_by.c; --by, its errors and the fuzzer follow the table.
 *
 *   groups  each object is in one group: fill group[] and names[] (agg_groups.h); counting,
 *           retained bytes, sorting and the limit are then done by agg_top.c
 *   rows    the rows are not groups of objects: push them to t->rows, unsorted
 */
#ifndef LIMPET_REPORT_AGG_TOP_H
#define LIMPET_REPORT_AGG_TOP_H

#include "report/agg.h"

struct agg_groups;

enum {
	AGG_BY_ADDITIVE = 1, /* all rows add up: what falls below the limit becomes one more row */
	AGG_BY_ROOTS = 2,    /* a row's biggest is a root: its path goes down, not up */
	AGG_BY_ARG = 4,	     /* may be followed by an argument: "label:tenant" */
	AGG_BY_OWNER = 16,   /* rows: it fills owner_retained, too, where q->owner.g is there */
	AGG_BY_HOLDER = 32,  /* groups: they depend on the tree, q->tree */
	AGG_BY_SAMPLED = 8,  /* rows are estimates from a sample: shallow ones first */
};

struct agg_by {
	const char *word;
	const char *about; /* what one row is */
	unsigned flags;
	struct err *(*groups)(struct agg *a, const struct top_ask *q, struct agg_groups *ret);
	struct err *(*rows)(struct agg *a, const struct top_ask *q, struct ans_top *t);
};

/* The word that ask->by begins with; NULL: none.  *ret_arg: behind the colon, NULL without one. */
const struct agg_by *agg_by_named(const char *by, const char **ret_arg);

/* What was cut off before. */
struct agg_top_gone {
	struct ans_row sum;
	size_t n;
};
/* The order that is meant; ERR_USAGE: not of these rows. */
struct err *agg_top_sort(const struct agg_by *by, enum top_sort *sort) MUST_CHECK;
/* Largest first, at most limit; what falls off, and what had, becomes a remainder row. */
void agg_top_settle(struct keep *keep, const struct agg_by *by, enum top_sort sort, size_t limit,
		    const struct agg_top_gone *gone, struct ans_top *t);
/* The figures that add up. */
void agg_top_add(struct ans_row *sum, const struct ans_row *r);

struct err *agg_rows_root(struct agg *a, const struct top_ask *q, struct ans_top *t) MUST_CHECK;
struct err *agg_rows_goroutine(struct agg *a, const struct top_ask *q,
			       struct ans_top *t) MUST_CHECK;
struct err *agg_rows_site(struct agg *a, const struct top_ask *q, struct ans_top *t) MUST_CHECK;
struct err *agg_rows_label(struct agg *a, const struct top_ask *q, struct ans_top *t) MUST_CHECK;

#endif
