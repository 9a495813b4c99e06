/*
 * pprof_ratio_view.h - what each place allocated and what of it is there, as text and JSON.
 */
#ifndef LIMPET_REPORT_PPROF_RATIO_VIEW_H
#define LIMPET_REPORT_PPROF_RATIO_VIEW_H

#include "base/str.h"
#include "evidence/pprof_ratio.h"

void text_pprof_ratios(struct str *o, const struct pprof *p, const struct pprof_ratios *r,
		       size_t limit);
void json_doc_pprof_ratios(struct str *o, const struct pprof *p, const struct pprof_ratios *r,
			   size_t limit);

#endif
