/*
 * agg_labels.h - private to the report room: labels of goroutines as answers, and by group.
 *
 * Keys that stand in the executable are structure and always shown; others, and all values, are
 * the program's, by a->values.
 */
#ifndef LIMPET_REPORT_AGG_LABELS_H
#define LIMPET_REPORT_AGG_LABELS_H

#include "report/agg.h"
#include "snapshot/labels.h"

/*
 * Goroutines by the labels that they carry: group 0 has none (or not that key), group 1 lost
 * theirs; the others in no order.
 */
struct agg_label_groups {
	uint32_t n;
	uint32_t *of;			  /* by goroutine, index in stacks.gs */
	const char **names;		  /* n */
	const struct ans_labels **labels; /* n; NULL for groups 0 and 1 */
};

/* key NULL: by all labels together.  Errors: ERR_UNSUPPORTED where evidence has no labels. */
struct err *agg_label_groups_make(struct agg *a, const char *key,
				  struct agg_label_groups *ret) MUST_CHECK;
void agg_label_groups_deinit(struct agg_label_groups *gs);

/* Labels of goroutine i (index in stacks.gs); *ret NULL: none. */
struct err *agg_labels_of(struct agg *a, size_t i, const struct ans_labels **ret) MUST_CHECK;

/*
 * What each group holds, its goroutines together, one row a group; behind these what others hold
 * and what is shared.  q: the owner's columns too where it has that tree, and of both only what is
 * in focus; NULL: the exact tree, all of it.  Caller frees the gs->n + AGG_LABEL_ROWS_MORE rows
 * with free().
 */
enum { AGG_LABEL_ROWS_MORE = 3 };
struct err *agg_label_rows(struct agg *a, const struct agg_label_groups *gs,
			   const struct top_ask *q, struct ans_row **ret) MUST_CHECK;

/*
 * Of each node of that tree's graph the group whose goroutines alone reach it; another number where
 * there is none.  Caller frees *ret with free().
 */
struct graph;
struct err *agg_label_nodes(struct agg *a, const struct agg_label_groups *gs,
			    const struct graph *g, uint32_t **ret) MUST_CHECK;

/* In words why there are no groups but 0 and 1; NULL: there are.  After agg_label_groups_make(). */
const char *agg_labels_missing(struct agg *a, const char *key, const struct agg_label_groups *gs);

/* Does any goroutine carry one? */
struct err *agg_labels_any(struct agg *a, bool *ret) MUST_CHECK;

#endif
