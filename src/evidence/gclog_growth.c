/*
 * gclog_growth.c - what the live heap did while the program worked.
 *
 * The clock is what was allocated, not time: a cache that fills and a leak both stand still while
 * a program idles.  The work is cut into thirds; how much each added tells growth that goes on from
 * growth that ends.  O(n log n).
 */
#include "evidence/gclog_growth.h"

#include <math.h>

#define MIB 1048576.0

static int by_value(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;

	return (p > q) - (p < q);
}

static double middle(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Live heap where so much work was done: the middle one of those near, else between neighbours. */
static double level(const struct gclog_growth *g, double at, double *room)
{
	double half = g->work / 12;
	size_t n = 0, after = 0;

	for (size_t i = 0; i < g->n; i++)
		if (fabs(g->w[i] - at) <= half)
			room[n++] = g->y[i];
	if (n >= 3)
		return middle(room, n);
	while (after < g->n && g->w[after] < at)
		after++;
	if (after == 0)
		return g->y[0];
	if (after == g->n)
		return g->y[g->n - 1];
	if (g->w[after] <= g->w[after - 1])
		return g->y[after];
	return g->y[after - 1] + (g->y[after] - g->y[after - 1]) * (at - g->w[after - 1]) /
					 (g->w[after] - g->w[after - 1]);
}

/* How far it jumps from cycle to cycle, besides growing. */
static double jumps(const struct gclog_growth *g, double *room)
{
	size_t n = 0;

	for (size_t i = 2; i < g->n; i++)
		room[n++] = fabs(g->y[i] - 2 * g->y[i - 1] + g->y[i - 2]);
	return n ? 1.4826 / 2.4495 * middle(room, n) : 0;
}

/* From which share of the work on nearly all of the growth was there. */
static double filled_at(const struct gclog_growth *g, double *room)
{
	double last = level(g, g->work, room), rest = (last - g->y[0]) / 10;

	for (unsigned i = 0; i < 40; i++)
		if (level(g, g->work * i / 40, room) >= last - rest)
			return i / 40.0;
	return 1;
}

static struct err *slopes(struct gclog_growth *g, const struct gclog_stream *s,
			  struct gclog_stats *t)
{
	_cleanup_(freep) double *x = malloc((g->n + 1) * sizeof(*x));
	size_t from = 0, n;
	struct err *err;

	if (!x)
		return &err_nomem;
	while (from + 6 < g->n && g->w[from] < g->work / 3)
		from++;
	n = g->n - from;
	err = gclog_theil_sen(g->w + from, g->y + from, n, &g->by_work);
	for (size_t i = 0; i < n; i++)
		x[i] = (double)s->cycles.v[from + i].n;
	if (!err)
		err = gclog_theil_sen(x, g->y + from, n, &t->per_cycle);
	for (size_t i = 0; i < n; i++)
		x[i] = (double)s->cycles.v[from + i].at_ns / 3600e9;
	if (!err)
		err = gclog_theil_sen(x, g->y + from, n, &t->per_hour);
	t->by_hour = n >= 3 && (x[n - 1] - x[0]) * 3600 >= 30;
	return err;
}

/* By the slope of all its points: levels alone are off by a MiB. */
static struct err *late(struct gclog_growth *g, unsigned third)
{
	double from = g->work * third / 3, to = g->work * (third + 1) / 3;
	struct gclog_slope s;
	size_t i = 0, n = 0;
	struct err *err;

	while (i < g->n && g->w[i] < from)
		i++;
	while (i + n < g->n && g->w[i + n] <= to)
		n++;
	err = gclog_theil_sen(g->w + i, g->y + i, n, &s);
	if (third == 2)
		g->grows_last = n >= 6 && s.low > 0;
	g->late[third - 1] = n >= 6 && isfinite(s.slope) ? s.slope * g->work / 3 : g->third[third];
	return err;
}

/*
 * MiB that were allocated between two cycles.  Both figures are cut off to whole ones: of what is
 * less than one most differences are 0, and a third is what is expected behind such.
 */
static double between(const struct gclog_cycle *l, const struct gclog_cycle *c)
{
	return c->heap1 > l->heap2 ? (double)(c->heap1 - l->heap2) : 1.0 / 3;
}

static void fill(struct gclog_growth *g, const struct gclog_stream *s)
{
	double work = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct gclog_cycle *c = &s->cycles.v[i], *l = c - (i ? 1 : 0);
		double gap = i ? (double)(c->n - l->n) : 1;

		/* of what lies between there is no line: each as this one */
		if (i)
			work += between(l, c) * MAX(gap, 1);
		g->w[i] = work * MIB;
		/* What is allocated while marking counts as marked, dead or not (mgcmark.go,
		 * gcmarknewobject): without it.  Half a MiB was cut off. */
		g->y[i] =
			((double)c->heap2 - (double)MIN(c->heap1 - c->heap0, c->heap2) + 0.5) * MIB;
	}
	g->work = work * MIB;
}

struct err *gclog_growth_of(struct gclog_stream *s, struct gclog_growth *ret)
{
	struct gclog_growth g = { .n = s->cycles.n };
	_cleanup_(freep) double *room = malloc((g.n + 2) * sizeof(*room));
	double at[4];
	struct err *err;

	g.w = malloc((g.n + 1) * sizeof(*g.w));
	g.y = malloc((g.n + 1) * sizeof(*g.y));
	*ret = g;
	if (!room || !g.w || !g.y)
		return &err_nomem;
	fill(&g, s);
	*ret = g;
	if (g.n < 4)
		return NULL;
	for (unsigned i = 0; i < 4; i++)
		at[i] = level(&g, g.work * i / 3, room);
	at[0] = MIN(at[0], g.y[0]);
	for (unsigned i = 0; i < 3; i++)
		g.third[i] = at[i + 1] - at[i];
	g.start = at[0];
	g.end = at[3];
	g.noise = jumps(&g, room);
	g.filled = g.end > g.start ? filled_at(&g, room) : 0;
	err = late(&g, 1);
	if (!err)
		err = late(&g, 2);
	if (!err)
		err = slopes(&g, s, &s->st);
	*ret = g;
	return err;
}

void gclog_growth_deinit(struct gclog_growth *g)
{
	free(g->w);
	free(g->y);
}
