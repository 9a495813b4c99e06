/*
 * pprof_list_view.h - functions line by line as text and JSON.
 */
#ifndef LIMPET_REPORT_PPROF_LIST_VIEW_H
#define LIMPET_REPORT_PPROF_LIST_VIEW_H

#include "base/str.h"
#include "evidence/pprof_list.h"

void text_pprof_list(struct str *o, const struct pprof_list *l);
/* "rows": with their lines; into the open object. */
struct jw;
void json_pprof_list(struct jw *j, const struct pprof_list *l);

#endif
