/*
 * agg_top.h - private to the report room: the rows of `top` that roots make.
 */
#ifndef LIMPET_REPORT_AGG_TOP_H
#define LIMPET_REPORT_AGG_TOP_H

#include "report/agg.h"

struct err *agg_top_roots(struct agg *a, enum top_by by, struct ans_top *t) MUST_CHECK;

#endif
