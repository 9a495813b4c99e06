/*
 * fuzz_pprof_views.c - any bytes as a profile, looked at in every way: by all that nodes can be,
 * with filters, as a tree of stacks, line by line, as a difference and a trend.
 *
 * Sums that must agree are asserted: a tree of stacks has what the graph has; a difference from
 * itself is nothing.
 */
#include "evidence/pprof_diff.h"
#include "evidence/pprof_flame.h"
#include "evidence/pprof_list.h"
#include "evidence/pprof_parts.h"
#include "evidence/pprof_ratio.h"
#include "evidence/pprof_sense.h"
#include "evidence/pprof_trend.h"
#include "evidence/pprof_unit.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Taken from the input's first byte, so that mutations choose. */
static struct pprof_filters filters(uint8_t choice)
{
	struct pprof_filters f = { .inlines = choice & 1 ? PPROF_NO_INLINES : PPROF_INLINES };

	f.focus = choice & 2 ? "main|\\(" : NULL;
	f.ignore = choice & 4 ? "runtime" : NULL;
	f.hide = choice & 8 ? "func1|lib" : NULL;
	f.show = choice & 16 ? "a|main" : NULL;
	f.show_from = choice & 32 ? "m" : NULL;
	f.tag_focus = choice & 64 ? "1kb:" : NULL;
	f.tag_ignore = choice & 128 ? "t=0" : NULL;
	return f;
}

static void check_graph(const struct pprof_graph *g)
{
	assert(g->nodes.n <= g->made.n && g->in.n == g->edges.n && g->out.n == g->edges.n);
	for (size_t i = 0; i < g->edges.n; i++)
		assert(g->edges.v[i].from < g->made.n && g->edges.v[i].to < g->made.n);
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pprof_node *k = &g->nodes.v[i];

		assert(*k->text && (size_t)k->first_in + k->nin <= g->in.n);
		assert((size_t)k->first_out + k->nout <= g->out.n);
		for (uint32_t e = 0; e < k->nin; e++)
			assert(g->edges.v[g->in.v[k->first_in + e]].to == i);
		for (uint32_t e = 0; e < k->nout; e++)
			assert(g->edges.v[g->out.v[k->first_out + e]].from == i);
	}
}

static void graphs(const struct pprof *p, struct pprof_ask q)
{
	_cleanup_(pprof_flame_freep) struct pprof_flame *f = NULL;
	int64_t flat = 0;
	struct err *err;

	for (unsigned by = PPROF_BY_FUNCTION; by <= PPROF_BY_SOURCE; by++) {
		_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;

		q.by = (enum pprof_by)by;
		q.order = (enum pprof_order)(by % 4);
		q.nodes = by == PPROF_BY_LINE ? 3 : 0;
		q.node_fraction = q.edge_fraction = by == PPROF_BY_FILE ? 0.1 : 0;
		err = pprof_graph_create(p, &q, &g);
		if (err) {
			err_free(err);
			return;
		}
		check_graph(g);
		if (by == PPROF_BY_FUNCTION)
			for (size_t i = 0; i < g->nodes.n; i++)
				flat = pprof_plus(flat, g->nodes.v[i].flat);
	}
	q.by = PPROF_BY_FUNCTION;
	err = pprof_flame_create(p, &q, 50, &f);
	err_free(err);
	if (!f)
		return;
	for (size_t i = 0; i < f->nodes.n; i++) {
		assert(f->nodes.v[i].name < f->names.n);
		assert(!i ||
		       (f->nodes.v[i].depth && f->nodes.v[i].depth <= f->nodes.v[i - 1].depth + 1));
		/* the root's own: samples without frames */
		flat = pprof_plus(flat, (int64_t)(0 - (uint64_t)f->nodes.v[i].self));
		flat = pprof_plus(flat, (int64_t)(0 - (uint64_t)f->nodes.v[i].smaller));
	}
	flat = pprof_plus(flat, f->nodes.n ? f->nodes.v[0].self : 0);
	assert(flat == 0);
}

static void others(struct pprof *p, struct pprof_ask q)
{
	_cleanup_(pprof_changes_freep) struct pprof_changes *c = NULL;
	_cleanup_(pprof_ratios_freep) struct pprof_ratios *r = NULL;
	_cleanup_(pprof_trend_freep) struct pprof_trend *t = NULL;
	_cleanup_(pprof_list_freep) struct pprof_list *l = NULL;
	_cleanup_(pattern_freep) struct pattern *which = NULL;
	struct pprof *same[] = { p, p, p };
	int64_t parts[PPROF_PARTS];

	pprof_parts(p, q.type, parts);
	assert(*pprof_sense_words(pprof_sense(p, q.type)));
	err_free(pprof_changes_create(p, p, &q, PPROF_OF_CHANGE, PPROF_AS_IS, &c));
	for (size_t i = 0; c && i < c->g->nodes.n; i++)
		assert(!"something of nothing");
	err_free(pprof_ratios_create(p, &q, &r));
	err_free(pprof_trend_create(same, 3, &q, &t));
	err_free(pattern_create("list", ".", &which));
	err_free(pprof_list_create(p, &q, which, NULL, &l));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(input_closep) struct input *in = NULL;
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	struct pprof_ask q = { 0 };
	struct err *err;

	if (n < 2)
		return 0;
	err = input_bytes(data + 1, n - 1, "fuzz", &in);
	if (!err)
		err = pprof_read(in, &p);
	if (!err)
		err = pprof_value_index(p, NULL, &q.type);
	if (err) {
		err_free(err);
		return 0;
	}
	q.filters = filters(data[0]);
	graphs(p, q);
	others(p, q);
	return 0;
}
