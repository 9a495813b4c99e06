/*
 * dot_pprof.c - a call graph for Graphviz: `limpet tree PROFILE --format dot | dot -Tsvg`.
 *
 * A box's size of letters is its share of flat, its red its share of cum (green: less than before);
 * a dotted edge leads over functions that were left out.
 */
#include "report/pprof_draw.h"

#include "base/clean.h"
#include "evidence/pprof_unit.h"

#include <math.h>
#include <stdio.h>

/* Within quotes of dot; names are cut where a box would be a page. */
static void put_quoted(struct str *o, const char *s)
{
	_cleanup_(freep) char *clean = strndup(s, 200);

	if (!clean) {
		o->bad = true;
		return;
	}
	clean_in_place(clean);
	for (const char *c = clean; *c; c++) {
		if (*c == '"' || *c == '\\')
			str_putn(o, "\\", 1);
		str_putn(o, c, 1);
	}
}

static double share(int64_t v, int64_t total)
{
	double s = total ? (double)v / (double)pprof_abs(total) : 0;

	return MAX(-1.0, MIN(1.0, s));
}

static void put_color(struct str *o, double s)
{
	unsigned pale = (unsigned)(237 - 150 * pow(fabs(s), 0.5));

	str_printf(o, "\"#%02x%02x%02x\"", s < 0 ? pale : 237, s < 0 ? 237 : pale, pale);
}

static void put_node(struct str *o, const struct pprof_graph *g, size_t i, int64_t most)
{
	const struct pprof_node *n = &g->nodes.v[i];
	char flat[PPROF_VALUE_MAX], cum[PPROF_VALUE_MAX], p[2][16];
	double letters = 8 + 16 * sqrt(fabs(share(n->flat, most)));

	str_printf(o, "N%zu [label=\"", i + 1);
	put_quoted(o, n->text);
	str_printf(o, "\\n%s (%s)\\nof %s (%s)\" fontsize=%.0f fillcolor=",
		   pprof_value(flat, n->flat, g->value_unit, g->unit),
		   pprof_percent(p[0], n->flat, g->total) + strspn(p[0], " "),
		   pprof_value(cum, n->cum, g->value_unit, g->unit),
		   pprof_percent(p[1], n->cum, g->total) + strspn(p[1], " "), letters);
	put_color(o, share(n->cum, g->total));
	str_put(o, "]\n");
}

static void put_edge(struct str *o, const struct pprof_graph *g, const struct pprof_edge *e)
{
	char v[PPROF_VALUE_MAX];
	double s = fabs(share(e->weight, g->total));

	str_printf(o, "N%u -> N%u [label=\" %s%s\" weight=%.0f penwidth=%.0f%s]\n", e->from + 1,
		   e->to + 1, pprof_value(v, e->weight, g->value_unit, g->unit),
		   e->inlined ? "\\n(inline)" : "", 1 + 100 * s, 1 + 5 * s,
		   e->residual ? " style=dotted" : "");
}

void dot_pprof(struct str *o, const struct pprof_graph *g, const struct pprof_ask *q)
{
	int64_t most = 0;
	char v[PPROF_VALUE_MAX];

	(void)q;
	for (size_t i = 0; i < g->nodes.n; i++)
		most = MAX(most, pprof_abs(g->nodes.v[i].flat));
	str_put(o, "digraph \"");
	put_quoted(o, g->p->name);
	str_put(o,
		"\" {\nnode [style=filled shape=box fontname=\"sans\"]\nL [shape=note fontsize=14 "
		"fillcolor=\"#f8f8f8\" label=\"");
	put_quoted(o, g->p->name);
	str_put(o, "\\l");
	put_quoted(o, pprof_text(g->p, g->p->types.v[g->type].type));
	str_printf(o, ", %s in all\\l%zu of %zu functions\\l\"]\n",
		   pprof_value(v, g->total, g->value_unit, g->unit), g->nodes.n,
		   g->all_nodes + g->dropped_nodes);
	for (size_t i = 0; i < g->nodes.n; i++)
		put_node(o, g, i, most);
	for (size_t i = 0; i < g->edges.n; i++)
		if (g->edges.v[i].from < g->nodes.n && g->edges.v[i].to < g->nodes.n)
			put_edge(o, g, &g->edges.v[i]);
	str_put(o, "}\n");
}
