/*
 * kept_get.h - private to the report room: what those share who answer from a store.
 */
#ifndef LIMPET_REPORT_KEPT_GET_H
#define LIMPET_REPORT_KEPT_GET_H

#include "report/kept_types.h"

struct kept {
	struct kept_walk w;
	struct kept_totals totals;
	VEC(struct ans_cost) costs;
};

/* "FILE: WHAT; give a process or a core": UNSUPPORTED. */
struct err *kept_lacks(const struct kept *k, const char *what) MUST_CHECK;
/* The owner's figures are taken out of answers that were not asked for them. */
void kept_strip_holder(struct ans_holder *h);
void kept_strip_path(struct ans_path *p);

#endif
