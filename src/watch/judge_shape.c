/*
 * judge_shape.c - what a row of increments looks like: growth with the load, or one that ends.
 *
 * Two explanations are weighed against each other, over the last rounds.  One: each load adds the
 * same.  The other: each doubling of the load adds the same, as everything does that fills, warms
 * up, or reaches a new maximum ever more seldom.  What one load added counts as at most one
 * observation, however many objects that were: they came together.
 *
 * Knows nothing of types and programs.  Time: rounds squared, a series.
 */
#include "watch/judge_priv.h"

#include <math.h>

/* Ten thousand times as likely; with fewer rounds a thousand times. */
static const double FAVOUR = 9.2, FAVOUR_FEW = 6.9;

double judge_loads(const struct judge_rounds *r, size_t look)
{
	double n = 0;

	for (size_t i = 0; i <= look; i++)
		n += r->loads[i];
	return r->loads[0] ? n : n + 1;
}

bool judge_counts(const struct judge_rounds *r, size_t round)
{
	return r->loads[round] && !r->rest_ns[round];
}

size_t judge_last_load(const struct judge_rounds *r)
{
	for (size_t i = r->n; i > 0; i--)
		if (judge_counts(r, i))
			return i;
	return 0;
}

static int by_value(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;

	return (p > q) - (p < q);
}

/* A single round may not outweigh all others: at most three times the middle one's rate. */
static void clip(double *k, const struct judge_rounds *r)
{
	double rates[JUDGE_ROUNDS], most;
	size_t n = 0;

	for (size_t i = 1; i <= r->n; i++)
		if (judge_counts(r, i))
			rates[n++] = k[i] / r->loads[i];
	if (n < 3)
		return;
	qsort(rates, n, sizeof(rates[0]), by_value);
	most = 3 * (n % 2 ? rates[n / 2] : (rates[n / 2 - 1] + rates[n / 2]) / 2);
	for (size_t i = 1; i <= r->n; i++)
		k[i] = MIN(k[i], most * r->loads[i]);
}

/* The least that a round added. */
static double least_of(const double *k, const struct judge_rounds *r)
{
	double least = INFINITY;

	for (size_t i = 1; i <= r->n; i++)
		if (judge_counts(r, i) && k[i] > 0)
			least = MIN(least, k[i]);
	return isinf(least) ? 1 : least;
}

static double mean_of(const double *k, const struct judge_rounds *r)
{
	double sum = 0, loads = 0;

	for (size_t i = 1; i <= r->n; i++) {
		if (!judge_counts(r, i))
			continue;
		loads += r->loads[i];
		sum += k[i];
	}
	return loads > 0 ? sum / loads : 0;
}

/* Over the rounds from `from` on: ln P(k | in proportion to the load) - ln P(k | to its log). */
static double favour_from(const double *k, double unit, size_t from, const struct judge_rounds *r)
{
	double first = judge_loads(r, from - 1), sum = 0;
	double last = judge_loads(r, judge_last_load(r));

	for (size_t i = from; i <= r->n; i++) {
		double was = judge_loads(r, i - 1), now = judge_loads(r, i);

		if (judge_counts(r, i))
			sum += k[i] / unit *
			       (log((now - was) / (last - first)) -
				log(log(now / was) / log(last / first)));
	}
	return sum;
}

/* What fills up first and leaks then is seen in the last rounds. */
static double favour_of(const double *k, double unit, const struct judge_rounds *r)
{
	double best = -INFINITY;
	size_t end = judge_last_load(r);

	for (size_t from = 1; from + 2 <= end; from++)
		best = MAX(best, favour_from(k, unit, from, r));
	return best;
}

/* How much less a load the last round may add than the one before. */
static double least_ratio(const double *k, const struct shape *x, size_t last)
{
	double n = k[last] / x->unit;

	/* Capacities double, or grow by a quarter (runtime/slice.go, nextslicecap). */
	if (x->how == SHAPE_STEPS)
		return 0.4;
	return MAX(0.4, 0.85 - 1 / sqrt(MAX(n, 1)));
}

static double seen(const struct judge_rounds *r)
{
	return judge_loads(r, r->n) - judge_loads(r, 0);
}

/* So many times it should have been seen in the last round, by the rounds before. */
static double expected(const double *k, double unit, const struct judge_rounds *r, size_t last)
{
	double sum = 0, loads = 0;

	for (size_t i = 1; i < last; i++) {
		if (!judge_counts(r, i))
			continue;
		sum += k[i];
		loads += r->loads[i];
	}
	return loads > 0 ? sum / loads * r->loads[last] / unit : 0;
}

/* A round of several loads that added next to nothing: what comes by chance is not the load's. */
static bool gaps(const double *k, const struct judge_rounds *r)
{
	double mean = mean_of(k, r);

	for (size_t i = 1; i <= r->n; i++)
		if (judge_counts(r, i) && r->loads[i] >= 4 && k[i] / r->loads[i] < mean / 4)
			return true;
	return false;
}

static uint8_t kind_of(const double *k, const struct shape *x, const struct judge_rounds *r,
		       size_t last)
{
	double loads = seen(r);
	double ratio = x->before > 0 ? x->rate / x->before : 1;
	double least = least_ratio(k, x, last);

	if (x->growth <= 0)
		return SHAPE_FLAT;
	if (x->rate <= 0)
		return loads < LOADS_TELL && expected(k, x->unit, r, last) < 7 ? SHAPE_MAYBE
									       : SHAPE_FULL;
	if (loads < LOADS_TELL)
		return (ratio < 0.3 && expected(k, x->unit, r, last) >= 7) ||
				       (last >= 3 && x->favour < -2)
			       ? SHAPE_FADES
			       : SHAPE_MAYBE;
	if (x->favour < (loads < LOADS_AIM ? FAVOUR_FEW : FAVOUR))
		return x->favour > 0 && ratio >= least && loads < LOADS_AIM ? SHAPE_MAYBE
									    : SHAPE_NOISE;
	if (x->how != SHAPE_STEPS && gaps(k, r))
		return SHAPE_NOISE;
	return ratio >= least ? SHAPE_GROWS : SHAPE_FADES;
}

/* Leaks are all but exactly in proportion; what comes by chance seldom is. */
static bool is_clear(const double *k, const struct shape *x, const struct judge_rounds *r)
{
	double ratio = x->before > 0 ? x->rate / x->before : 0;

	return x->kind == SHAPE_GROWS && x->favour > 1.5 * FAVOUR && !gaps(k, r) &&
	       x->how != SHAPE_STEPS && ratio > 0.8 && ratio < 1.3;
}

void judge_shape(const double *added, enum shape_how how, const struct judge_rounds *r,
		 struct shape *ret)
{
	size_t last = judge_last_load(r);
	double k[JUDGE_ROUNDS] = { 0 }, up = 0, down = 0, gone = 0, least;

	*ret = (struct shape){ .how = (uint8_t)how };
	for (size_t i = 1; i <= r->n; i++) {
		ret->growth += added[i];
		k[i] = judge_counts(r, i) ? MAX(added[i], 0) : 0;
		*(judge_counts(r, i) ? added[i] < 0 ? &down : &up : &gone) += fabs(added[i]);
		if (!judge_counts(r, i) && added[i] > 0)
			gone -= added[i];
	}
	if (!last)
		return;
	least = least_of(k, r);
	clip(k, r);
	ret->unit = MAX(1, MAX(least, mean_of(k, r)));
	ret->rate = k[last] / r->loads[last];
	for (size_t i = last - 1; i > 0 && !ret->before; i--)
		if (judge_counts(r, i))
			ret->before = k[i] / r->loads[i];
	ret->favour = favour_of(k, ret->unit, r);
	ret->kind = kind_of(k, ret, r, last);
	ret->clear = is_clear(k, ret, r);
	if (ret->kind < SHAPE_MAYBE)
		return;
	if (down > up / 3)
		ret->kind = SHAPE_NOISE;
	else if (gone > 0.1 * (up - down))
		ret->kind = gone > 0.5 * (up - down) ? SHAPE_GOES : SHAPE_MAYBE;
}

static bool cohorts_known(const struct judge_series *s, size_t n)
{
	for (size_t i = 0; i <= n; i++)
		if (s->stayed[i] == UINT64_MAX)
			return false;
	return true;
}

/*
 * Since the look before the last loads it is not half as many more as have come: others went.  What
 * a round added is there, what the early ones did is not: objects that are made anew by chance.
 * What came behind the rest may be there just now only.
 */
static bool taken_over(const struct judge_series *s, const struct judge_rounds *r)
{
	double came = 0;
	size_t last = judge_last_load(r);

	for (size_t i = last; i > 0 && i < r->n; i++)
		came += (double)s->stayed[i];
	return last && (double)s->objects[r->n] - (double)s->objects[last - 1] < came / 2;
}

/* Of the first rounds, until they should have left ten: is less than a third there of what was? */
static bool older_go(const struct judge_series *s, const struct judge_rounds *r,
		     const struct shape *x)
{
	double wanted = 0, stayed = 0, born = 0;

	for (size_t i = 1; i < judge_last_load(r) && wanted < 10; i++) {
		wanted += x->rate * r->loads[i];
		stayed += (double)s->stayed[i];
		born += s->born[i] == UINT64_MAX ? 0 : (double)s->born[i];
	}
	return wanted >= 10 && stayed < wanted / 3 && born > wanted * 0.7;
}

/* The younger ones that are still there, if it is they that make it more. */
static bool by_cohorts(const struct judge_series *s, const struct judge_rounds *r,
		       struct shape *ret)
{
	double added[JUDGE_ROUNDS] = { 0 }, sum = 0;
	double growth = (double)s->objects[r->n] - (double)s->objects[0];

	if (!cohorts_known(s, r->n))
		return false;
	for (size_t i = 1; i <= r->n; i++)
		sum += added[i] = (double)s->stayed[i];
	/* While there are few rounds, what is there just now may hide it. */
	if ((growth < sum / 2 || taken_over(s, r)) && seen(r) >= LOADS_TELL)
		return false;
	judge_shape(added, SHAPE_COHORTS, r, ret);
	if (ret->kind >= SHAPE_MAYBE && older_go(s, r, ret))
		ret->kind = SHAPE_GOES;
	return true;
}

static void by_values(const uint64_t *v, enum shape_how how, const struct judge_rounds *r,
		      struct shape *ret)
{
	double added[JUDGE_ROUNDS] = { 0 };

	for (size_t i = 1; i <= r->n; i++)
		added[i] = (double)v[i] - (double)v[i - 1];
	judge_shape(added, how, r, ret);
}

/* As many more as there are more bytes: their sizes bring nothing new. */
static bool same_sizes(const struct judge_series *s, size_t n)
{
	return (double)s->bytes[n] * (double)s->objects[0] <=
	       1.5 * (double)s->objects[n] * (double)s->bytes[0];
}

/* There are more, but they are others each time: tables that are replaced by larger ones. */
static bool replaced(const struct judge_series *s, const struct judge_rounds *r)
{
	size_t last = judge_last_load(r);
	double stayed = 0, more;

	if (!last || !cohorts_known(s, r->n))
		return false;
	for (size_t i = 1; i < last; i++)
		stayed += (double)s->stayed[i];
	more = (double)s->objects[last - 1] - (double)s->objects[0];
	return more > 0 && stayed < more / 4 && s->bytes[r->n] / s->objects[r->n] >= 1024;
}

/* Less than three in four loads, and small: records that are broken by chance look like that. */
static bool is_little(const struct judge_series *s, const struct judge_rounds *r)
{
	double more = (double)s->objects[r->n] - (double)s->objects[0];
	double bytes = (double)s->bytes[r->n] - (double)s->bytes[0];

	return more < 0.75 * seen(r) && bytes < 65536.0 * seen(r);
}

/*
 * A sum that little more is in, while nothing that is counted by itself grows: buffers of another
 * size, records of the runtime.  One object of 64 bytes a load is told by its own count.
 */
static bool is_crumbs(const struct judge_series *s, const struct judge_rounds *r)
{
	double more = (double)s->bytes[r->n] - (double)s->bytes[0];

	return more < MAX(65536, 1024 * seen(r));
}

void judge_series_shape(const struct judge_series *s, const struct judge_rounds *r,
			struct shape *ret)
{
	bool single = s->what == JUDGE_OBJECTS || s->what == JUDGE_GOROUTINES;
	struct shape bytes;

	*ret = (struct shape){ 0 };
	if (!single) {
		by_values(s->bytes, SHAPE_COUNTS, r, ret);
		if (ret->kind >= SHAPE_MAYBE && is_crumbs(s, r))
			ret->kind = SHAPE_NOISE;
		return;
	}
	if (!by_cohorts(s, r, ret))
		by_values(s->objects, SHAPE_COUNTS, r, ret);
	if (ret->kind >= SHAPE_MAYBE && seen(r) >= LOADS_TELL && is_little(s, r))
		ret->kind = SHAPE_NOISE;
	if (ret->kind >= SHAPE_MAYBE || !s->objects[r->n] ||
	    (same_sizes(s, r->n) && !replaced(s, r)))
		return;
	by_values(s->bytes, SHAPE_STEPS, r, &bytes);
	if (bytes.kind >= SHAPE_MAYBE)
		*ret = bytes;
}

/* Bytes of a table for each of its entries, free slots of two doublings among them. */
#define ENTRY_BYTES 512

/*
 * Entries that went while there was no load, and came back: whenever the table grew there were many
 * of them, at a look that comes a moment after the peak.
 */
static bool peaks_with(const struct judge_series *t, const struct judge_series *e,
		       const struct judge_rounds *r)
{
	uint64_t most = e->objects[0], base = e->objects[0];
	bool went = false;

	for (size_t i = 1; i <= r->n; i++) {
		if (r->rest_ns[i])
			went |= e->objects[i] + 8 < e->objects[i - 1] &&
				2 * (e->objects[i] - MIN(base, e->objects[i])) <
					e->objects[i - 1] - MIN(base, e->objects[i - 1]);
		if (t->bytes[i] > t->bytes[i - 1] && 2 * e->objects[i] <= most)
			return false;
		most = MAX(most, e->objects[i]);
	}
	return went &&
	       t->bytes[r->n] - MIN(t->bytes[0], t->bytes[r->n]) < (most - base) * ENTRY_BYTES;
}

bool judge_follows(const struct judge_series *s, size_t n, size_t table,
		   const struct judge_rounds *r)
{
	const struct judge_series *t = &s[table];

	for (size_t i = 0; i < n && t->holder; i++)
		if (i != table && s[i].what == JUDGE_OBJECTS && s[i].holder &&
		    !strcmp(s[i].holder, t->holder) && peaks_with(t, &s[i], r))
			return true;
	return false;
}
