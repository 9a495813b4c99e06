/*
 * agg_pprof_parts.h - what a profile's figures are, in words.
 */
#ifndef LIMPET_REPORT_AGG_PPROF_PARTS_H
#define LIMPET_REPORT_AGG_PPROF_PARTS_H

#include "evidence/pprof.h"
#include "report/answer_pprof.h"

/* Notes and parts of one more file. */
struct err *agg_pprof_parts(const struct pprof *p, unsigned type,
			    struct ans_pprof_head *a) MUST_CHECK;

#endif
