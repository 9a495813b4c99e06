/*
 * pprof_sort.c - a call graph as it is shown: texts of its nodes, their order, the order of their
 * edges, the unit of its figures.
 *
 * Source: NodeInfo.NameComponents(), Nodes.Sort(), entropyScore(), edgeList in
 * internal/graph/graph.go; selectOutputUnit() in internal/report/report.go of google/pprof.
 */
#include "base/str.h"
#include "evidence/pprof_graph_priv.h"
#include "evidence/pprof_unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "0000000000401000 main.f /src/main.go:12" */
static const char *node_text(struct keep *k, const struct pprof_node *n)
{
	char head[24] = "", tail[64] = "";
	const char *gap = n->address && *n->name ? " " : "";
	bool file = n->line || *n->file;

	if (n->address)
		snprintf(head, sizeof(head), "%016" PRIx64, n->address);
	if (n->line && n->column)
		snprintf(tail, sizeof(tail), ":%" PRId64 ":%" PRId64, n->line, n->column);
	else if (n->line)
		snprintf(tail, sizeof(tail), ":%" PRId64, n->line);
	if (!*head && !file && *n->name)
		return n->name;
	if (file)
		return keepf(k, "%s%s%s%s%s%s", head, gap, n->name, *head || *n->name ? " " : "",
			     n->file, tail);
	if (*n->name)
		return keepf(k, "%s%s%s", head, gap, n->name);
	if (*n->object)
		return keepf(k, "%s%s[%s]", head, *head ? " " : "", base_of(n->object));
	return keepf(k, "%s%s<unknown>", head, *head ? " " : "");
}

static struct pprof_node make_node(struct pprof_making *m, const struct pprof_sums *s, size_t i,
				   struct keep *keep)
{
	const struct pprof_key *k = &m->keys.v[i];
	struct pprof_node n = {
		.name = m->texts.text.v[k->name],
		.file = m->texts.text.v[k->file],
		.object = m->texts.text.v[k->object],
		.line = k->line,
		.column = k->column,
		.start_line = k->start_line,
		.address = k->address,
		.flat = s->node[i].flat,
		.cum = s->node[i].cum,
	};

	n.text = node_text(keep, &n);
	return n;
}

struct scored {
	const struct pprof_node *n;
	int64_t score;
	uint32_t made;
};

/* "Less" of two names: as texts, addresses as numbers. */
static int by_name(const struct pprof_node *a, const struct pprof_node *b)
{
	if (a->address && b->address && a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return strcmp(a->text, b->text);
}

static int by_size(int64_t a, int64_t b)
{
	int64_t x = pprof_abs(a), y = pprof_abs(b);

	return x > y ? -1 : x < y;
}

static int compare(const void *pa, const void *pb)
{
	const struct scored *a = pa, *b = pb;
	int c = by_size(a->score, b->score);

	if (!c)
		c = by_name(a->n, b->n);
	if (!c)
		c = by_size(a->n->flat, b->n->flat);
	if (!c)
		c = by_size(a->n->cum, b->n->cum);
	return c ? c : a->made < b->made ? -1 : 1;
}

static double share(int64_t v, int64_t total)
{
	double f = (double)pprof_abs(v) / (double)total;

	return f > 0 ? -f * log2(f) : 0;
}

/* How much the calls in one direction say: 0 for a function that is called from one place only. */
static double entropy(const struct pprof_sums *s, const uint32_t *edge, size_t n, int64_t self)
{
	int64_t total = self;
	double score = 0;

	for (size_t i = 0; i < n; i++)
		if (s->edges.v[edge[i]].e.weight > 0)
			total = pprof_plus(total, s->edges.v[edge[i]].e.weight);
	if (!total)
		return 0;
	for (size_t i = 0; i < n; i++)
		score += share(s->edges.v[edge[i]].e.weight, total);
	return score + (self > 0 ? share(self, total) : 0);
}

/* Edges by node, as numbers in s->edges: first[node] .. first[node + 1]. */
struct sides {
	uint32_t *first_in, *in, *first_out, *out;
};

static void sides_deinit(struct sides *d)
{
	free(d->first_in);
	free(d->in);
	free(d->first_out);
	free(d->out);
}

static struct err *sides_make(const struct pprof_sums *s, size_t nnodes, struct sides *d)
{
	size_t n = s->edges.n;

	d->first_in = zalloc(nnodes + 2, sizeof(uint32_t));
	d->first_out = zalloc(nnodes + 2, sizeof(uint32_t));
	d->in = zalloc(n + 1, sizeof(uint32_t));
	d->out = zalloc(n + 1, sizeof(uint32_t));
	if (!d->first_in || !d->first_out || !d->in || !d->out)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		d->first_in[s->edges.v[i].e.to + 2]++;
		d->first_out[s->edges.v[i].e.from + 2]++;
	}
	for (size_t i = 2; i < nnodes + 2; i++) {
		d->first_in[i] += d->first_in[i - 1];
		d->first_out[i] += d->first_out[i - 1];
	}
	/* filling moves each begin to the next one's */
	for (size_t i = 0; i < n; i++) {
		d->in[d->first_in[s->edges.v[i].e.to + 1]++] = (uint32_t)i;
		d->out[d->first_out[s->edges.v[i].e.from + 1]++] = (uint32_t)i;
	}
	return NULL;
}

static int64_t picture_score(const struct pprof_sums *s, const struct sides *d, size_t i)
{
	size_t nin = d->first_in[i + 1] - d->first_in[i];
	size_t nout = d->first_out[i + 1] - d->first_out[i];
	const struct pprof_sum *n = &s->node[i];
	double score = nin ? entropy(s, d->in + d->first_in[i], nin, 0) : 1;

	score += nout ? entropy(s, d->out + d->first_out[i], nout, n->flat) : 1;
	return pprof_plus(pprof_round_down(score * (double)n->cum), n->flat);
}

static int64_t score(const struct pprof_sums *s, const struct sides *d, enum pprof_order o,
		     size_t i)
{
	switch (o) {
	case PPROF_ORDER_CUM:
		return s->node[i].cum;
	case PPROF_ORDER_NAME:
		return 0;
	case PPROF_ORDER_PICTURE:
		return picture_score(s, d, i);
	default:
		return s->node[i].flat;
	}
}

static bool is_there(const struct pprof_sum *n)
{
	return !n->left_out && (n->cum || n->flat);
}

/* Its samples cancel each other out; only its neighbours know it. */
static bool is_ghost(const struct pprof_sum *n, const struct sides *d, size_t i)
{
	return !is_there(n) &&
	       (d->first_in[i] < d->first_in[i + 1] || d->first_out[i] < d->first_out[i + 1]);
}

struct raw_nodes {
	VEC(struct pprof_node) v;
};

static void raw_deinit(struct raw_nodes *r)
{
	vec_free(&r->v);
}

/* Nodes in their order, ghosts behind them; made: which of the maker's each is. */
static struct err *put_nodes(struct pprof_making *m, const struct pprof_sums *s,
			     const struct sides *d, struct pprof_graph *g)
{
	_cleanup_(raw_deinit) struct raw_nodes raw = { 0 };
	_cleanup_(freep) struct scored *order = NULL;
	size_t n = 0, all = 0;

	for (size_t i = 0; i < m->keys.n; i++)
		all += is_there(&s->node[i]) || is_ghost(&s->node[i], d, i);
	order = zalloc(all + 1, sizeof(*order));
	if (!order || !vec_reserve(&raw.v, all + 1) || !vec_reserve(&g->nodes, all + 1) ||
	    !vec_reserve(&g->made, all + 1))
		return &err_nomem;
	for (size_t i = 0; i < m->keys.n; i++) {
		if (!is_there(&s->node[i]))
			continue;
		raw.v.v[n] = make_node(m, s, i, &g->keep);
		order[n] = (struct scored){ &raw.v.v[n], score(s, d, m->q->order, i), (uint32_t)i };
		n++;
	}
	qsort(order, n, sizeof(*order), compare);
	g->nodes.n = n;
	g->made.n = all;
	for (size_t i = 0; i < n; i++) {
		g->nodes.v[i] = *order[i].n;
		g->made.v[i] = order[i].made;
	}
	for (size_t i = 0; i < m->keys.n; i++)
		if (is_ghost(&s->node[i], d, i)) {
			g->nodes.v[n] = make_node(m, s, i, &g->keep);
			g->made.v[n++] = (uint32_t)i;
		}
	return keep_err(&g->keep);
}

static int heavier(const struct pprof_graph *g, uint32_t x, uint32_t y)
{
	const struct pprof_edge *a = &g->edges.v[x], *b = &g->edges.v[y];
	int c = a->weight != b->weight ? by_size(a->weight, b->weight) : 0;

	if (!c)
		c = strcmp(g->nodes.v[a->from].text, g->nodes.v[b->from].text);
	if (!c)
		c = strcmp(g->nodes.v[a->to].text, g->nodes.v[b->to].text);
	return c ? c : x < y ? -1 : 1;
}

static int compare_edges(const void *a, const void *b, void *g)
{
	return heavier(g, *(const uint32_t *)a, *(const uint32_t *)b);
}

static struct err *put_edges(const struct pprof_making *m, const struct pprof_sums *s,
			     const struct sides *d, struct pprof_graph *g)
{
	_cleanup_(freep) uint32_t *at = zalloc(m->keys.n + 1, sizeof(*at));

	if (!at || !vec_reserve(&g->edges, s->edges.n + 1) ||
	    !vec_reserve(&g->in, s->edges.n + 1) || !vec_reserve(&g->out, s->edges.n + 1))
		return &err_nomem;
	for (size_t i = 0; i < g->made.n; i++)
		at[g->made.v[i]] = (uint32_t)i;
	g->edges.n = g->in.n = g->out.n = s->edges.n;
	for (size_t i = 0; i < s->edges.n; i++) {
		g->edges.v[i] = s->edges.v[i].e;
		g->edges.v[i].from = at[g->edges.v[i].from];
		g->edges.v[i].to = at[g->edges.v[i].to];
		g->in.v[i] = d->in[i];
		g->out.v[i] = d->out[i];
	}
	for (size_t i = 0; i < g->nodes.n; i++) {
		struct pprof_node *n = &g->nodes.v[i];
		uint32_t k = g->made.v[i];

		n->first_in = d->first_in[k];
		n->nin = d->first_in[k + 1] - n->first_in;
		n->first_out = d->first_out[k];
		n->nout = d->first_out[k + 1] - n->first_out;
		qsort_r(g->in.v + n->first_in, n->nin, sizeof(uint32_t), compare_edges, g);
		qsort_r(g->out.v + n->first_out, n->nout, sizeof(uint32_t), compare_edges, g);
	}
	return NULL;
}

static void choose_unit(struct pprof_graph *g)
{
	int64_t least = 0;

	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pprof_node *n = &g->nodes.v[i];
		int64_t v = pprof_abs(n->flat ? n->flat : n->cum);

		if (v > 0 && (!least || v < least))
			least = v;
	}
	g->value_unit = pprof_text(g->p, g->p->types.v[g->type].unit);
	g->unit = g->nodes.n ? pprof_unit_for(least, g->total, g->value_unit) : "minimum";
}

struct err *pprof_graph_finish(struct pprof_making *m, struct pprof_sums *s, struct pprof_graph *g)
{
	_cleanup_(sides_deinit) struct sides d = { 0 };
	struct err *err = sides_make(s, m->keys.n, &d);

	if (!err)
		err = put_nodes(m, s, &d, g);
	if (!err)
		err = put_edges(m, s, &d, g);
	choose_unit(g);
	return err;
}
