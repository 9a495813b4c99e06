/*
 * kept_since.h - two looks that are both kept, compared as `report --since` compares.
 */
#ifndef LIMPET_REPORT_KEPT_SINCE_H
#define LIMPET_REPORT_KEPT_SINCE_H

#include "find/since.h"
#include "store/store.h"

/* What both stores say of growth; both may go then. */
struct kept_since {
	struct find_since *then; /* matched */
	struct find_since *now;
	struct since_survivors survivors; /* empty: not one process */
};

/* Errors: UNSUPPORTED: one of them does not hold it. */
struct err *kept_since_open(struct store *then, struct store *now,
			    struct kept_since *ret) MUST_CHECK;
void kept_since_deinit(struct kept_since *k);

struct agg;
struct ans_findings;
/* Growth and what follows of it, into the findings of a store; these are in order afterwards. */
struct err *kept_since_judge(struct agg *a, const struct kept_since *k,
			     struct ans_findings *all) MUST_CHECK;

#endif
