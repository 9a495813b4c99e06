/*
 * gclog.h - what a GC log says (evidence/gclog.h), as text, JSON and a picture.
 *
 * Prefixes of lines are somebody else's text: cleaned on the way out.
 */
#ifndef LIMPET_REPORT_GCLOG_H
#define LIMPET_REPORT_GCLOG_H

#include "base/str.h"
#include "evidence/gclog.h"
#include "report/text.h"

struct ans_gclog {
	const struct gclog *g;
	const char *path; /* as the user wrote it */
	size_t main;	  /* stream that is shown: g->main, or another that was asked for */
	size_t limit;	  /* streams; cycles of JSON, the newest */
	size_t cycles;	  /* of text: a table of that many, the newest; 0: none */
	unsigned columns; /* of the chart */
};

void text_gclog(struct str *o, enum text_style st, const struct ans_gclog *a);
void text_gclog_chart(struct str *o, enum text_style st, const struct ans_gclog *a);
void json_doc_gclog(struct str *o, const struct ans_gclog *a);
void svg_gclog(struct str *o, const struct ans_gclog *a);

#endif
