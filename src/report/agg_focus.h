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

/* What names say of what they stand for: bits, of several names those of each. */
enum { AGG_WANTED = 1, AGG_UNWANTED = 2 };

/* Do these bits keep it?  Without --focus all is wanted. */
static inline bool agg_focus_keeps(const struct top_ask *q, uint8_t bits)
{
	return (!q->focus || (bits & AGG_WANTED)) && !(bits & AGG_UNWANTED);
}

/* Of n names; those of v[i] at name(arg, i, 0), name(arg, i, 1), … until NULL. */
struct err *agg_focus_names(const struct top_ask *q, size_t n,
			    const char *(*name)(const void *arg, size_t i, unsigned k),
			    const void *arg, uint8_t *ret) MUST_CHECK;

#endif
