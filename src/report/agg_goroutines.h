/*
 * agg_goroutines.h - private to the report room: goroutines that are there already, in order or in
 * groups.
 */
#ifndef LIMPET_REPORT_AGG_GOROUTINES_H
#define LIMPET_REPORT_AGG_GOROUTINES_H

#include "report/agg.h"

/* Those that retain most first, at most limit; or in groups (but GROUP_LABEL), at most limit. */
struct err *agg_goroutines_settle(struct agg *a, enum goroutine_group by, size_t limit,
				  struct ans_goroutines *r) MUST_CHECK;
/* Groups of equal keys (one for each of r->gs); by stack of equal stacks too. */
struct err *agg_goroutines_by_key(struct ans_goroutines *r, enum goroutine_group by,
				  const char *const *key) MUST_CHECK;
/* Groups again, the biggest first. */
void agg_goroutines_order(struct ans_goroutines *r);

#endif
