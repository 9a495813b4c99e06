/*
 * pprof_top.h - the rows of one or several profiles as text and as JSON.
 *
 * Keys and figures are those of pprof_view.h; this also takes what several files add up to.
 */
#ifndef LIMPET_REPORT_PPROF_TOP_H
#define LIMPET_REPORT_PPROF_TOP_H

#include "report/answer_pprof.h"
#include "report/json.h"
#include "report/text.h"

void text_pprof_words(struct str *o, const struct ans_pprof_head *a); /* the head, in words */
void text_pprof_top(struct str *o, enum text_style st, const struct ans_pprof_top *a);

struct pprof;
void json_doc_pprof_memory(struct str *o, const struct pprof *p, const struct ans_memory *a);
void json_doc_pprof_top(struct str *o, const struct ans_pprof_top *a);

#endif
