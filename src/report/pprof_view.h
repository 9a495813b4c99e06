/*
 * pprof_view.h - answers about profiles as text and JSON.
 *
 * Text has the figures, units and rounding of `go tool pprof`, so that both can be read side by
 * side; JSON has exact integers in the profile's own unit.
 */
#ifndef LIMPET_REPORT_PPROF_VIEW_H
#define LIMPET_REPORT_PPROF_VIEW_H

#include "evidence/pattern.h"
#include "evidence/pprof_graph.h"
#include "report/json.h"

/* "Type: inuse_space", "Time: …", what was filtered and left out. */
void text_pprof_head(struct str *o, const struct pprof_graph *g, const struct pprof_ask *q);
/* The first lines of it alone. */
void text_pprof_about(struct str *o, const struct pprof *p, unsigned type);
/* " (inline)", " (partial-inline)", "": by the calls to it that are shown. */
const char *text_pprof_inlined(const struct pprof_graph *g, const struct pprof_node *n);
/* What filters matched nothing. */
void text_pprof_unmatched(struct str *o, unsigned bits);
/* Rows of flat and cum, as pprof -top. */
void text_pprof_rows(struct str *o, const struct pprof_graph *g);
/* Callers above, callees below, as pprof -tree; only: of nodes with a match, as -peek, NULL: all.
 * *ret_n: how many. */
void text_pprof_tree(struct str *o, const struct pprof_graph *g, struct pattern *only,
		     size_t *ret_n);

/* Keys of the head into the open object: "schema" … "type", "unit", "total". */
void json_pprof_head(struct jw *j, const struct pprof *p, unsigned type, int64_t total);
void json_pprof_rows(struct jw *j, const struct pprof_graph *g); /* "rows": with callers, callees */
void json_doc_pprof(struct str *o, const struct pprof_graph *g);
void json_doc_pprof_tree(struct str *o, const struct pprof_graph *g, struct pattern *only,
			 size_t *ret_n);

#endif
