/*
 * pprof_diff_view.h - differences of profiles, and trends, as text and JSON.
 */
#ifndef LIMPET_REPORT_PPROF_DIFF_VIEW_H
#define LIMPET_REPORT_PPROF_DIFF_VIEW_H

#include "base/str.h"
#include "evidence/pprof_diff.h"
#include "evidence/pprof_trend.h"

/* What was compared, and what must be known of it: sentences, "" where there is nothing. */
struct pprof_diff_said {
	const struct pprof *old, *new;
	const struct pprof_ask *q;
	enum pprof_share share;
	enum pprof_scaling scaling;
};

void text_pprof_diff(struct str *o, const struct pprof_diff_said *s, const struct pprof_changes *c);
void json_doc_pprof_diff(struct str *o, const struct pprof_diff_said *s,
			 const struct pprof_changes *c);

void text_pprof_trend(struct str *o, struct pprof *const *p, unsigned type,
		      const struct pprof_trend *t, size_t limit);
void json_doc_pprof_trend(struct str *o, struct pprof *const *p, unsigned type,
			  const struct pprof_trend *t, size_t limit);

#endif
