/*
 * pprof_graph.c - a call graph, trimmed as pprof trims it.
 *
 * Small nodes are found in a first pass over the samples; each time some are left out another pass
 * sums up what is left, so that calls across them are joined.  Cost: at most three passes.
 * Source: newTrimmedGraph() in internal/report/report.go of google/pprof.
 */
#include "evidence/pprof_graph.h"

#include "evidence/pprof_graph_priv.h"
#include "evidence/pprof_unit.h"

void pprof_graph_free(struct pprof_graph *g)
{
	if (!g)
		return;
	vec_free(&g->nodes);
	vec_free(&g->edges);
	vec_free(&g->in);
	vec_free(&g->out);
	vec_free(&g->made);
	keep_deinit(&g->keep);
	free(g);
}

static bool of_base(const struct pprof *p, const struct pprof_walk *s)
{
	for (uint32_t i = 0; i < s->nlabels; i++) {
		const struct pprof_label *l = &p->labels.v[s->first_label + i];

		if (!strcmp(pprof_text(p, l->key), "pprof::base") &&
		    !strcmp(pprof_text(p, l->text), "true"))
			return true;
	}
	return false;
}

static int64_t total_of(const struct pprof *p, unsigned type, bool *ret_negative)
{
	struct pprof_walk w = { 0 };
	int64_t all = 0, base = 0;

	*ret_negative = false;
	while (pprof_next(p, &w)) {
		int64_t v = pprof_abs(w.values[type]);

		*ret_negative |= w.values[type] < 0;
		all = pprof_plus(all, v);
		if (w.nlabels && of_base(p, &w))
			base = pprof_plus(base, v);
	}
	return base > 0 ? base : all;
}

int64_t pprof_total(const struct pprof *p, unsigned type)
{
	bool negative;

	return total_of(p, type, &negative);
}

int64_t pprof_round_down(double x)
{
	if (!(x > -0x1p63))
		return INT64_MIN;
	return x < 0x1p63 ? (int64_t)x : INT64_MAX;
}

static bool is_there(const struct pprof_sums *s, size_t i)
{
	return !s->node[i].left_out && (s->node[i].cum || s->node[i].flat);
}

static size_t count(const struct pprof_making *m, const struct pprof_sums *s, int64_t *ret_flat)
{
	size_t n = 0;

	*ret_flat = 0;
	for (size_t i = 0; i < m->keys.n; i++)
		if (is_there(s, i)) {
			n++;
			*ret_flat = pprof_plus(*ret_flat, s->node[i].flat);
		}
	return n;
}

static int64_t cutoff(int64_t total, double fraction)
{
	return pprof_abs(pprof_round_down((double)total * fraction));
}

/* Nodes whose cum is below it; their number. */
static size_t leave_out_small(const struct pprof_making *m, struct pprof_sums *s, int64_t least)
{
	size_t n = 0;

	for (size_t i = 0; i < m->keys.n; i++)
		if (is_there(s, i) && pprof_abs(s->node[i].cum) < least) {
			n++;
			s->node[i].left_out = true;
		}
	/* what had nothing is not in the set that is kept, either */
	for (size_t i = 0; n && i < m->keys.n; i++)
		if (!s->node[i].cum && !s->node[i].flat)
			s->node[i].left_out = true;
	return n;
}

/*
 * Calls of less.  A node whose samples cancel each other out (in a diff) is none of the answer's,
 * but calls to and from it are its neighbours'.
 */
static size_t drop_small_edges(struct pprof_sums *s, int64_t least)
{
	size_t kept = 0, n = s->edges.n, dropped = 0;

	for (size_t i = 0; i < n; i++) {
		const struct pprof_edge *e = &s->edges.v[i].e;
		bool small = is_there(s, e->to) && pprof_abs(e->weight) < least;

		dropped += small;
		if (!small && (is_there(s, e->from) || is_there(s, e->to)))
			s->edges.v[kept++] = s->edges.v[i];
	}
	s->edges.n = kept;
	return dropped;
}

/* Only the first so many, in the order of the answer; sums are made anew. */
static struct err *limit(struct pprof_making *m, struct pprof_sums *s, struct pprof_graph *g,
			 int64_t least_edge)
{
	_cleanup_(freep) uint8_t *keep = NULL;
	struct err *err;

	if (!m->q->nodes || g->all_nodes <= m->q->nodes)
		return NULL;
	drop_small_edges(s, least_edge);
	err = pprof_graph_finish(m, s, g);
	if (err)
		return err;
	keep = zalloc(m->keys.n + 1, 1);
	if (!keep)
		return &err_nomem;
	for (size_t i = 0; i < MIN(m->q->nodes, g->nodes.n); i++)
		keep[g->made.v[i]] = 1;
	for (size_t i = 0; i < m->keys.n; i++)
		s->node[i].left_out = !keep[i];
	return pprof_sums_make(m, s);
}

static struct err *trim(struct pprof_making *m, struct pprof_sums *s, struct pprof_graph *g)
{
	struct err *err = pprof_sums_make(m, s);
	int64_t flat, least_edge;

	if (err)
		return err;
	count(m, s, &flat);
	least_edge = cutoff(flat, m->q->edge_fraction);
	g->dropped_nodes = leave_out_small(m, s, cutoff(flat, m->q->node_fraction));
	if (g->dropped_nodes)
		err = pprof_sums_make(m, s);
	if (err)
		return err;
	g->all_nodes = count(m, s, &flat);
	err = limit(m, s, g, least_edge);
	if (err)
		return err;
	g->dropped_edges = drop_small_edges(s, least_edge);
	return pprof_graph_finish(m, s, g);
}

static struct err *make(struct pprof_making *m, struct pprof_graph *g)
{
	_cleanup_(pprof_sums_deinit) struct pprof_sums s = { 0 };
	struct err *err = trim(m, &s, g);

	g->unmatched = pprof_pick_unmatched(m->pick);
	return err ? err : keep_err(&g->keep);
}

struct err *pprof_graph_create(const struct pprof *p, const struct pprof_ask *q,
			       struct pprof_graph **ret)
{
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = zalloc(1, sizeof(*g));
	_cleanup_(pprof_pick_freep) struct pprof_pick *pick = NULL;
	_cleanup_(pprof_making_deinit) struct pprof_making m = { 0 };
	struct err *err;

	if (!g)
		return &err_nomem;
	g->p = p;
	g->type = q->type;
	g->total = total_of(p, q->type, &g->negative);
	err = pprof_pick_create(p, &q->filters, &pick);
	if (!err)
		err = pprof_making_init(p, q, pick, &g->keep, &m);
	if (!err)
		err = make(&m, g);
	if (err)
		return err;
	*ret = STEAL(g);
	return NULL;
}
