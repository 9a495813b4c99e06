/*
 * agg_sites.h - private to the report room: the program's memory profile in answers.
 */
#ifndef LIMPET_REPORT_AGG_SITES_H
#define LIMPET_REPORT_AGG_SITES_H

#include "report/agg.h"
#include "snapshot/sites.h"

void agg_profile(const struct snap_sites *x, struct ans_profile *ret);

/* Of an object of which no sample tells: the places in the code that make its like; none: *o stays.
 */
struct err *agg_origin_code(struct agg *a, uint64_t object, struct ans_origin *o) MUST_CHECK;

#endif
