/*
 * agg_focus.h - private to the report room: trees of which only some objects count.
 */
#ifndef LIMPET_REPORT_AGG_FOCUS_H
#define LIMPET_REPORT_AGG_FOCUS_H

#include "report/agg.h"

/* What stands behind the views in a top_ask while it is answered. */
struct agg_focus {
	uint64_t *retained, *kept, *objects;
	size_t n;
};

/* Replace q's views by what q->focus and q->ignore leave of them. */
struct err *agg_focus(struct agg *a, struct top_ask *q, struct agg_focus *exact,
		      struct agg_focus *owner) MUST_CHECK;
void agg_focus_deinit(struct agg_focus *x);

#endif
