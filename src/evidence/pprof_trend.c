/*
 * pprof_trend.c - rows of several profiles joined by name, and a robust slope of each.
 *
 * Cost: a graph a file, 8 bytes a file and place.
 */
#include "evidence/pprof_trend.h"

#include "evidence/gclog_priv.h"
#include "evidence/pprof_unit.h"

#include <math.h>

void pprof_trend_free(struct pprof_trend *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows.n; i++)
		free(t->rows.v[i].values);
	free(t->total.values);
	vec_free(&t->rows);
	free(t->x);
	keep_deinit(&t->keep);
	free(t);
}

const char *pprof_trend_word(enum pprof_trend_way w)
{
	static const char *const words[] = { "steady", "grows", "shrinks" };

	return words[w];
}

/* Rows are in the order of their names while they are joined. */
static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pprof_trend_row *)a)->name,
		      ((const struct pprof_trend_row *)b)->name);
}

static struct err *add_file(struct pprof_trend *t, const struct pprof *p, const struct pprof_ask *q,
			    const char *type, size_t file)
{
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;
	struct pprof_ask whole = *q;
	size_t known = t->rows.n;
	struct err *err = pprof_value_index(p, type, &whole.type);

	whole.nodes = 0;
	whole.node_fraction = whole.edge_fraction = 0;
	if (!err)
		err = pprof_graph_create(p, &whole, &g);
	if (err)
		return err;
	for (size_t i = 0; i < g->nodes.n; i++) {
		struct pprof_trend_row key = { .name = g->nodes.v[i].text };
		struct pprof_trend_row *r =
			known ? bsearch(&key, t->rows.v, known, sizeof(key), by_name) : NULL;

		t->total.values[file] = pprof_plus(t->total.values[file], g->nodes.v[i].flat);
		if (!r) {
			key.values = zalloc(t->n, sizeof(int64_t));
			key.name = keepf(&t->keep, "%s", key.name);
			if (!key.values || !vec_push(&t->rows, key)) {
				free(key.values);
				return &err_nomem;
			}
			r = &t->rows.v[t->rows.n - 1];
		}
		r->values[file] = pprof_plus(r->values[file], g->nodes.v[i].flat);
	}
	if (t->rows.n)
		qsort(t->rows.v, t->rows.n, sizeof(*t->rows.v), by_name);
	return keep_err(&t->keep);
}

static struct err *slope(const struct pprof_trend *t, struct pprof_trend_row *r)
{
	_cleanup_(freep) double *y = zalloc(t->n, sizeof(*y));
	struct gclog_slope s = { 0 };
	struct err *err;

	if (!y)
		return &err_nomem;
	for (size_t i = 0; i < t->n; i++)
		y[i] = (double)r->values[i];
	err = gclog_theil_sen(t->x, y, t->n, &s);
	if (err)
		return err;
	r->slope = s.slope;
	r->low = s.low;
	r->high = s.high;
	r->way = s.low > 0 ? PPROF_GROWS : s.high < 0 ? PPROF_SHRINKS : PPROF_STEADY;
	return NULL;
}

/* Hours where the profiles say when they were taken, each later than the one before. */
static void set_times(struct pprof_trend *t, struct pprof *const *p)
{
	bool timed = true;

	t->hours = true;
	for (size_t i = 0; i < t->n; i++) {
		timed &= p[i]->time_ns > 0;
		t->hours &= p[i]->time_ns > (i ? p[i - 1]->time_ns : 0);
	}
	t->unordered = timed && !t->hours;
	for (size_t i = 0; i < t->n; i++)
		t->x[i] = t->hours ? (double)(p[i]->time_ns - p[0]->time_ns) / 3600e9 : (double)i;
}

static int steeper(const void *pa, const void *pb)
{
	const struct pprof_trend_row *a = pa, *b = pb;
	bool grows_a = a->way == PPROF_GROWS, grows_b = b->way == PPROF_GROWS;
	double x = fabs(a->slope), y = fabs(b->slope);

	if (grows_a != grows_b)
		return grows_a ? -1 : 1;
	return x > y ? -1 : x < y ? 1 : strcmp(a->name, b->name);
}

struct err *pprof_trend_create(struct pprof *const *p, size_t n, const struct pprof_ask *q,
			       struct pprof_trend **ret)
{
	_cleanup_(pprof_trend_freep) struct pprof_trend *t = zalloc(1, sizeof(*t));
	const char *type = pprof_text(p[0], p[0]->types.v[q->type].type);
	struct err *err = NULL;

	if (!t)
		return &err_nomem;
	t->n = n;
	t->x = zalloc(n, sizeof(*t->x));
	t->total.values = zalloc(n, sizeof(int64_t));
	if (!t->x || !t->total.values)
		return &err_nomem;
	t->total.name = "(total)";
	set_times(t, p);
	for (size_t i = 0; i < n && !err; i++)
		err = add_file(t, p[i], q, type, i);
	for (size_t i = 0; i < t->rows.n && !err; i++)
		err = slope(t, &t->rows.v[i]);
	if (!err)
		err = slope(t, &t->total);
	if (err)
		return err;
	if (t->rows.n)
		qsort(t->rows.v, t->rows.n, sizeof(*t->rows.v), steeper);
	*ret = STEAL(t);
	return NULL;
}
