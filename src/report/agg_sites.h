/*
 * agg_sites.h - private to the report room: the program's memory profile in answers.
 */
#ifndef LIMPET_REPORT_AGG_SITES_H
#define LIMPET_REPORT_AGG_SITES_H

#include "report/agg.h"
#include "snapshot/sites.h"

void agg_profile(const struct snap_sites *x, struct ans_profile *ret);

#endif
