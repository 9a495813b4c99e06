/*
 * agg_gotext.h - from goroutines as text to answers.
 */
#ifndef LIMPET_REPORT_AGG_GOTEXT_H
#define LIMPET_REPORT_AGG_GOTEXT_H

#include "evidence/gotext.h"
#include "report/agg.h"
#include "report/answer_gotext.h"

struct gotext_ask {
	enum goroutine_group by; /* GROUP_NONE: a list */
	const char *key;	 /* of GROUP_LABEL; NULL: all labels together */
	bool leaked_only;
	size_t limit;
	unsigned values;  /* ANS_VALUES_*: of labels */
	bool messages;	  /* what panics say, too */
	const char *file; /* as the user wrote it */
};

/* All but the tree; g outlives it. */
struct err *agg_gotext(const struct gotext *g, const struct gotext_ask *q,
		       struct ans_gotext *ret) MUST_CHECK;
/* Who started whom, into ret->tree; with agg_gotext(). */
struct err *agg_gotext_tree(const struct gotext *g, size_t limit,
			    struct ans_gotext *ret) MUST_CHECK;
/* Of that the first levels; how many nodes lie deeper: ret->tree_cut. */
void agg_gotext_tree_cut(struct ans_gotext *ret, unsigned levels);
/* by: "function" (NULL), "package", "file", "line", "state", "creator".  Errors: USAGE. */
struct err *agg_gotext_top(const struct gotext *g, struct keep *k, const char *by, size_t limit,
			   struct ans_gotext_top *ret) MUST_CHECK;

/* Of "k: v, …" or "\"k\":\"v\"", as tracebacks and profiles have labels.  NULL: none. */
const struct ans_labels *gotext_labels(struct keep *k, const char *text, unsigned values);

/* The findings alone: ret->findings and what it needs. */
struct err *agg_gotext_findings(const struct gotext *g, const struct gotext_series *s,
				const struct gotext_suspects *x, const struct gotext_locks *l,
				struct ans_gotext *ret) MUST_CHECK;

#endif
