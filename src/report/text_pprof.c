/*
 * text_pprof.c - profiles as tables: the columns of `go tool pprof -top`, -tree and -peek.
 *
 * Source: printText(), printTree(), reportLabels() in internal/report/report.go of google/pprof.
 */
#include "evidence/pprof_unit.h"
#include "report/pprof_view.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void line(struct str *o, const char *key, const char *text)
{
	str_printf(o, "%s: ", key);
	text_clean(o, text);
	str_put(o, "\n");
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *trimmed(const char *s)
{
	return s + strspn(s, " ");
}

static void put_duration(struct str *o, const struct pprof *p, unsigned type)
{
	const char *unit = pprof_text(p, p->types.v[type].unit), *out;
	int64_t total = pprof_total(p, type);
	char duration[PPROF_VALUE_MAX], all[PPROF_VALUE_MAX], share[16] = "";
	double ns = pprof_scale(total, unit, "nanoseconds", &out);

	pprof_value(duration, p->duration_ns, "nanoseconds", "auto");
	pprof_value(all, total, unit, "auto");
	str_printf(o, "Duration: %s, Total samples = ", duration);
	text_clean(o, all);
	if (!strcmp(out, "ns") && total)
		str_printf(o, " (%s)",
			   trimmed(pprof_percent(share, pprof_round_down(ns), p->duration_ns)));
	str_put(o, "\n");
}

void text_pprof_about(struct str *o, const struct pprof *p, unsigned type)
{
	time_t s = (time_t)(p->time_ns / 1000000000);
	struct tm tm;
	char when[40];

	if (p->mappings.n && *pprof_text(p, p->mappings.v[0].file))
		line(o, "File", base_of(pprof_text(p, p->mappings.v[0].file)));
	for (size_t i = 0; i < p->comments.n && i < 20; i++)
		if (*pprof_text(p, p->comments.v[i]) != '#')
			line(o, "Comment", pprof_text(p, p->comments.v[i]));
	line(o, "Type", pprof_text(p, p->types.v[type].type));
	if (p->time_ns && gmtime_r(&s, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm))
		line(o, "Time", when);
	if (p->duration_ns)
		put_duration(o, p, type);
	if (p->damage)
		str_printf(o, "Not whole: %s; these are the samples before that\n", p->damage);
}

static void put_filters(struct str *o, const struct pprof_filters *f)
{
	const struct {
		const char *name, *text;
	} row[] = {
		{ "focus", f->focus },
		{ "ignore", f->ignore },
		{ "hide", f->hide },
		{ "show", f->show },
		{ "show-from", f->show_from },
		{ "tag-focus", f->tag_focus },
		{ "tag-ignore", f->tag_ignore },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		if (!row[i].text)
			continue;
		str_printf(o, "%s   %s=", any ? "" : "Active filters:\n", row[i].name);
		text_clean(o, row[i].text);
		str_put(o, "\n");
		any = true;
	}
}

void text_pprof_unmatched(struct str *o, unsigned bits)
{
	static const char *const name[] = { "focus",	 "ignore",    "hide",	   "show",
					    "show-from", "tag-focus", "tag-ignore" };

	for (unsigned i = 0; i < ARRAY_LEN(name); i++)
		if (bits & 1U << i)
			str_printf(o, "--%s matched nothing\n", name[i]);
}

static char *value(char buf[static PPROF_VALUE_MAX], const struct pprof_graph *g, int64_t v)
{
	return pprof_value(buf, v, g->value_unit, g->unit);
}

void text_pprof_head(struct str *o, const struct pprof_graph *g, const struct pprof_ask *q)
{
	char a[PPROF_VALUE_MAX], b[PPROF_VALUE_MAX], share[16];
	int64_t shown = 0;

	text_pprof_about(o, g->p, g->type);
	put_filters(o, &q->filters);
	for (size_t i = 0; i < g->nodes.n; i++)
		shown = pprof_plus(shown, g->nodes.v[i].flat);
	str_printf(o, "Showing nodes accounting for %s, %s of %s total\n", value(a, g, shown),
		   trimmed(pprof_percent(share, shown, g->total)), value(b, g, g->total));
	if (g->total && g->dropped_nodes)
		str_printf(o, "Dropped %zu node%s (cum <= %s)\n", g->dropped_nodes,
			   g->dropped_nodes > 1 ? "s" : "",
			   value(a, g,
				 pprof_abs(pprof_round_down((double)g->total * q->node_fraction))));
	if (g->total && g->nodes.n && g->nodes.n < g->all_nodes)
		str_printf(o, "Showing top %zu nodes out of %zu\n", g->nodes.n, g->all_nodes);
	text_pprof_unmatched(o, g->unmatched);
}

const char *text_pprof_inlined(const struct pprof_graph *g, const struct pprof_node *n)
{
	bool yes = false, no = false;

	for (uint32_t i = 0; i < n->nin; i++) {
		const struct pprof_edge *e = &g->edges.v[g->in.v[n->first_in + i]];

		yes = yes || e->inlined;
		no = no || !e->inlined;
	}
	return !yes ? "" : no ? " (partial-inline)" : " (inline)";
}

/* "    1.50MB  4.31% 90.10%    3.50MB 10.05%" */
static void put_figures(struct str *o, const struct pprof_graph *g, const struct pprof_node *n,
			int64_t sum)
{
	char flat[PPROF_VALUE_MAX], cum[PPROF_VALUE_MAX], share[3][16];

	str_printf(o, "%10s %s %s %10s %s", value(flat, g, n->flat),
		   pprof_percent(share[0], n->flat, g->total),
		   pprof_percent(share[1], sum, g->total), value(cum, g, n->cum),
		   pprof_percent(share[2], n->cum, g->total));
}

void text_pprof_rows(struct str *o, const struct pprof_graph *g)
{
	int64_t sum = 0;

	str_put(o, "      flat  flat%   sum%        cum   cum%\n");
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pprof_node *n = &g->nodes.v[i];

		sum = pprof_plus(sum, n->flat);
		put_figures(o, g, n, sum);
		str_put(o, "  ");
		text_clean(o, n->text);
		str_printf(o, "%s\n", text_pprof_inlined(g, n));
	}
}

enum side { CALLERS, CALLEES };

static void put_edges(struct str *o, const struct pprof_graph *g, const struct pprof_node *n,
		      enum side side)
{
	uint32_t count = side == CALLERS ? n->nin : n->nout;
	const uint32_t *edge = side == CALLERS ? g->in.v + n->first_in : g->out.v + n->first_out;
	char weight[PPROF_VALUE_MAX], share[16];

	for (uint32_t i = 0; i < count; i++) {
		const struct pprof_edge *e = &g->edges.v[edge[i]];

		str_printf(o, "%50s %s |   ", value(weight, g, e->weight),
			   pprof_percent(share, e->weight, n->cum));
		text_clean(o, g->nodes.v[side == CALLERS ? e->from : e->to].text);
		str_printf(o, "%s\n", e->inlined ? " (inline)" : "");
	}
}

#define SEPARATOR "----------------------------------------------------------+-------------\n"

void text_pprof_tree(struct str *o, const struct pprof_graph *g, struct pattern *only,
		     size_t *ret_n)
{
	int64_t sum = 0;

	*ret_n = 0;
	str_put(o,
		SEPARATOR "      flat  flat%   sum%        cum   cum%   calls calls% + context\n");
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pprof_node *n = &g->nodes.v[i];

		if (only && !pattern_matches(only, n->text))
			continue;
		++*ret_n;
		str_put(o, SEPARATOR);
		put_edges(o, g, n, CALLERS);
		sum = pprof_plus(sum, n->flat);
		put_figures(o, g, n, sum);
		str_put(o, "                | ");
		text_clean(o, n->text);
		str_put(o, "\n");
		put_edges(o, g, n, CALLEES);
	}
	if (*ret_n)
		str_put(o, SEPARATOR);
}
