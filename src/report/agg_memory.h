/*
 * agg_memory.h - private to the report room: tables of memory by kind of evidence.
 */
#ifndef LIMPET_REPORT_AGG_MEMORY_H
#define LIMPET_REPORT_AGG_MEMORY_H

#include "report/agg.h"

/* Of a heap dump that has MemStats. */
struct err *agg_memory_dump(const struct agg *a, struct ans_memory *ret) MUST_CHECK;

#endif
