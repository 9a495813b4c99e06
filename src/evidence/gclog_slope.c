/*
 * gclog_slope.c - a slope that single outliers do not move, and how far it may be off.
 *
 * Theil and Sen: the middle one of the slopes between any two points; Sen's interval from the
 * ranks of Kendall's S.  Points that follow each other are alike (a heap does not jump at random),
 * so they count as fewer: n (1 - r) / (1 + r), r the correlation of neighbours' residuals.
 * More than POINTS are averaged in blocks first, by their middle one.  Time: POINTS squared.
 */
#include "evidence/gclog_priv.h"

#include <math.h>

enum { POINTS = 240 };

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

struct points {
	double x[POINTS], y[POINTS];
	size_t n;
};

static struct err *in_blocks(const double *x, const double *y, size_t n, struct points *ret)
{
	_cleanup_(freep) double *part = malloc((n / POINTS + 2) * sizeof(*part));

	if (!part)
		return &err_nomem;
	ret->n = MIN(n, (size_t)POINTS);
	for (size_t i = 0; i < ret->n; i++) {
		size_t from = i * n / ret->n, to = (i + 1) * n / ret->n, k = to - from;

		for (size_t j = 0; j < k; j++)
			part[j] = x[from + j];
		ret->x[i] = middle(part, k);
		for (size_t j = 0; j < k; j++)
			part[j] = y[from + j];
		ret->y[i] = middle(part, k);
	}
	return NULL;
}

/* How alike neighbours are, behind the slope: 0 .. 0.95. */
static double likeness(const struct points *p, double slope)
{
	double mean = 0, at0 = 0, at1 = 0;

	for (size_t i = 0; i < p->n; i++)
		mean += (p->y[i] - slope * p->x[i]) / (double)p->n;
	for (size_t i = 0; i < p->n; i++) {
		double r = p->y[i] - slope * p->x[i] - mean;

		at0 += r * r;
		if (i + 1 < p->n)
			at1 += r * (p->y[i + 1] - slope * p->x[i + 1] - mean);
	}
	return at0 > 0 ? MIN(MAX(at1 / at0, 0), 0.95) : 0;
}

/* Standard deviation of Kendall's S, of so many points as n are worth. */
static double spread(double n, double like)
{
	double eff = MAX(n * (1 - like) / (1 + like), 3);

	return sqrt(n * (n - 1) * (2 * n + 5) / 18) * sqrt(n / eff);
}

struct err *gclog_theil_sen(const double *x, const double *y, size_t n, struct gclog_slope *ret)
{
	_cleanup_(freep) struct points *p = malloc(sizeof(*p));
	_cleanup_(freep) double *s = NULL;
	size_t k = 0;
	double c;
	struct err *err;

	*ret = (struct gclog_slope){ .n = n, .slope = NAN, .low = NAN, .high = NAN };
	if (n < 3)
		return NULL;
	if (!p)
		return &err_nomem;
	err = in_blocks(x, y, n, p);
	if (err)
		return err;
	s = malloc(p->n * (p->n - 1) / 2 * sizeof(*s));
	if (!s)
		return &err_nomem;
	for (size_t i = 0; i < p->n; i++)
		for (size_t j = i + 1; j < p->n; j++)
			if (p->x[j] > p->x[i])
				s[k++] = (p->y[j] - p->y[i]) / (p->x[j] - p->x[i]);
	if (k < 3)
		return NULL;
	ret->slope = middle(s, k);
	c = 1.96 * spread((double)p->n, likeness(p, ret->slope));
	ret->low = s[(size_t)MAX(((double)k - c) / 2, 0)];
	ret->high = s[(size_t)MIN(((double)k + c) / 2, (double)(k - 1))];
	return NULL;
}
