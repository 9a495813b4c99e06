/*
 * judge_limits.c - what whoever asked allows, and what he does not.
 *
 * A limit that is set says how much growth a load may leave: less is no finding, more is one even
 * where it may be a cache.
 */
#include "watch/judge_priv.h"

#include <inttypes.h>
#include <math.h>

static double seen(const struct judge_rounds *r)
{
	return MAX(judge_loads(r, r->n) - judge_loads(r, 0), 1);
}

static const struct judge_series *total(const struct judge_series *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].what == JUDGE_TOTAL)
			return &s[i];
	return NULL;
}

/* Bytes a load may leave; infinite: no limit. */
static double allowed(const struct judge_series *sum, const struct judge_limits *l)
{
	double bytes = INFINITY;

	if (l->max_growth_bytes != UINT64_MAX)
		bytes = (double)l->max_growth_bytes;
	if (l->max_growth_share >= 0 && sum)
		bytes = MIN(bytes, l->max_growth_share * (double)sum->bytes[0]);
	return bytes;
}

static void drop(struct judgement *j, enum judge_what what)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->rows.n; i++)
		if (j->rows.v[i].series->what != what)
			j->rows.v[kept++] = j->rows.v[i];
	j->rows.n = kept;
}

static bool has(const struct judgement *j, enum judge_what what)
{
	for (size_t i = 0; i < j->rows.n; i++)
		if (j->rows.v[i].series->what == what && j->rows.v[i].verdict == JUDGE_GROWS)
			return true;
	return false;
}

static struct err *bytes_limit(const struct judge_series *s, size_t n, const struct judge_rounds *r,
			       const struct judge_limits *l, struct judgement *j)
{
	const struct judge_series *sum = total(s, n);
	double most = allowed(sum, l), grew;
	struct judge_row y = { .series = sum, .verdict = JUDGE_GROWS, .sure = 999 };

	if (!sum || isinf(most))
		return NULL;
	grew = ((double)sum->bytes[r->n] - (double)sum->bytes[0]) / seen(r);
	if (grew <= most) {
		drop(j, JUDGE_OBJECTS);
		drop(j, JUDGE_TOTAL);
		return NULL;
	}
	if (has(j, JUDGE_OBJECTS) || seen(r) < LOADS_GREEN)
		return NULL;
	y.bytes = sum->bytes[r->n] - sum->bytes[0];
	y.per_round_bytes = grew;
	y.why = keepf(&j->keep, "%.0f bytes a load stayed, %.0f are allowed", grew, most);
	return vec_push(&j->rows, y) ? NULL : &err_nomem;
}

static struct err *goroutines_limit(const struct judge_series *s, size_t n,
				    const struct judge_rounds *r, const struct judge_limits *l,
				    struct judgement *j)
{
	struct judge_row y = { .verdict = JUDGE_GROWS, .sure = 999 };
	int64_t grew = 0;
	uint64_t most = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t more = (int64_t)s[i].objects[r->n] - (int64_t)s[i].objects[0];

		if (s[i].what != JUDGE_GOROUTINES)
			continue;
		grew += more;
		if (more > (int64_t)most) {
			most = (uint64_t)more;
			y.series = &s[i];
		}
	}
	if (l->max_goroutines == UINT64_MAX)
		return NULL;
	if (!y.series || grew <= (int64_t)MIN(l->max_goroutines, INT64_MAX)) {
		drop(j, JUDGE_GOROUTINES);
		return NULL;
	}
	if (has(j, JUDGE_GOROUTINES) || seen(r) < LOADS_GREEN)
		return NULL;
	y.objects = most;
	y.per_round_objects = (double)most / seen(r);
	y.why = keepf(&j->keep,
		      "%" PRId64 " goroutines more than behind the warm-up, %" PRIu64
		      " are allowed",
		      grew, l->max_goroutines);
	return vec_push(&j->rows, y) ? NULL : &err_nomem;
}

struct err *judge_limits(const struct judge_series *s, size_t n, const struct judge_rounds *r,
			 const struct judge_limits *l, struct judgement *j)
{
	struct err *err = bytes_limit(s, n, r, l, j);

	return err ? err : goroutines_limit(s, n, r, l, j);
}
