/*
 * pprof_draw.h - profiles as pictures: a flame graph in one HTML file, a call graph for Graphviz.
 *
 * The HTML asks no network, and no text of a profile can become markup or script in it.
 */
#ifndef LIMPET_REPORT_PPROF_DRAW_H
#define LIMPET_REPORT_PPROF_DRAW_H

#include "base/str.h"
#include "evidence/pprof_flame.h"

void html_pprof_flame(struct str *o, const struct pprof *p, const struct pprof_ask *q,
		      const struct pprof_flame *f);
void dot_pprof(struct str *o, const struct pprof_graph *g, const struct pprof_ask *q);

#endif
