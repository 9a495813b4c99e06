/*
 * agg_pprof_labels.h - whose samples they are: rows of a profile by its labels.
 */
#ifndef LIMPET_REPORT_AGG_PPROF_LABELS_H
#define LIMPET_REPORT_AGG_PPROF_LABELS_H

#include "evidence/pprof_graph.h"
#include "report/answer_pprof.h"

/*
 * Rows behind those that are there, and the head.  key: of that label alone, NULL: of all of a
 * sample's.  values: ANS_VALUES_*: what is shown of the labels' values (docs/labels.md).
 */
struct err *agg_pprof_labels(const struct pprof *p, const struct pprof_ask *q, const char *key,
			     unsigned values, struct ans_pprof_top *a) MUST_CHECK;

/* Values of labels become what the policy lets out of a profile that is written. */
void agg_pprof_labels_hide(struct pprof *p, unsigned values);

#endif
