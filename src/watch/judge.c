/*
 * judge.c - rounds of a load: what grows with every one of them, and what to do next to be sure.
 *
 * Weighs each series alone (judge_shape.c) and plans for the least certain one.  Time: rounds
 * squared, a series.
 */
#include "watch/judge_priv.h"

#include <assert.h>
#include <math.h>

static const uint64_t SECOND = 1000000000;

/* The chance that the next load does what all of so many did (Laplace's rule of succession). */
static unsigned succession(double loads)
{
	return (unsigned)(1000 * (loads + 1) / (loads + 2));
}

static double loads_seen(const struct judge_rounds *r)
{
	return judge_loads(r, r->n) - judge_loads(r, 0);
}

static unsigned sure_of(const struct shape *x, const struct judge_rounds *r)
{
	unsigned sure = succession(loads_seen(r));

	if (x->favour < 7)
		sure = MIN(sure, (unsigned)(1000 / (1 + exp(-MAX(x->favour, 0)))));
	return sure;
}

static uint64_t more_than(const uint64_t *v, size_t n)
{
	return v[n] > v[0] ? v[n] - v[0] : 0;
}

/* Proved ones that came in each of three rounds need no statistics. */
static bool told_by_proof(const struct judge_series *s, const struct judge_rounds *r)
{
	size_t up = 0, rounds = 0;

	for (size_t i = 1; i <= r->n; i++) {
		rounds += judge_counts(r, i);
		up += judge_counts(r, i) && s->objects[i] > s->objects[i - 1];
	}
	return s->proved && rounds >= 3 && up == rounds;
}

static struct err *put_row(const struct judge_series *s, const struct judge_rounds *r,
			   const struct shape *x, struct judgement *j)
{
	struct judge_row y = { .series = s, .verdict = JUDGE_UNSURE };
	double loads = MAX(loads_seen(r), 1);

	y.objects = more_than(s->objects, r->n);
	y.bytes = more_than(s->bytes, r->n);
	y.per_round_objects = (double)y.objects / loads;
	y.per_round_bytes = (double)y.bytes / loads;
	y.sure = sure_of(x, r);
	y.clear = x->clear;
	y.why = judge_why(&j->keep, s, r, x);
	if (told_by_proof(s, r)) {
		y.verdict = JUDGE_GROWS;
		y.sure = 999;
		y.why = keepf(&j->keep, "nothing can use them again, and each round adds some");
	} else if (x->kind == SHAPE_GROWS) {
		y.verdict = JUDGE_GROWS;
	}
	return vec_push(&j->rows, y) ? NULL : &err_nomem;
}

static bool is_sum(const struct judge_series *s)
{
	return s->what == JUDGE_TOTAL || s->what == JUDGE_STACKS;
}

/* What grew and is told apart as steady explains that much of a sum: only the rest is weighed. */
static void without(struct judge_series *sum, const struct judge_series *s, size_t n,
		    const struct shape *x, const struct judge_rounds *r)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i].what != JUDGE_OBJECTS || x[i].kind == SHAPE_FLAT ||
		    x[i].kind >= SHAPE_MAYBE)
			continue;
		for (size_t k = 0; k <= r->n; k++)
			sum->bytes[k] -= MIN(sum->bytes[k], s[i].bytes[k]);
	}
}

static struct err *weigh_sums(const struct judge_series *s, size_t n, const struct shape *x,
			      const struct judge_rounds *r, struct judgement *j)
{
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		struct judge_series rest = s[i];
		struct shape y;

		if (!is_sum(&s[i]) || x[i].kind < SHAPE_MAYBE)
			continue;
		without(&rest, s, s[i].what == JUDGE_TOTAL ? n : 0, x, r);
		judge_series_shape(&rest, r, &y);
		if (x[i].kind < y.kind)
			y = x[i];
		if (y.kind >= SHAPE_MAYBE)
			err = put_row(&s[i], r, &y, j);
	}
	return err;
}

static struct err *weigh(const struct judge_series *s, size_t n, const struct judge_rounds *r,
			 struct judgement *j)
{
	_cleanup_(freep) struct shape *x = zalloc(n + 1, sizeof(*x));
	struct err *err = x ? NULL : &err_nomem;

	for (size_t i = 0; i < n && !err; i++)
		judge_series_shape(&s[i], r, &x[i]);
	for (size_t i = 0; i < n && !err; i++)
		if (x[i].kind >= SHAPE_MAYBE && x[i].how == SHAPE_STEPS &&
		    judge_follows(s, n, i, r))
			x[i].kind = SHAPE_GOES;
	for (size_t i = 0; i < n && !err; i++)
		if (!is_sum(&s[i]) && (x[i].kind >= SHAPE_MAYBE || told_by_proof(&s[i], r)))
			err = put_row(&s[i], r, &x[i], j);
	return err ? err : weigh_sums(s, n, x, r, j);
}

static bool sums(const struct judge_row *x)
{
	return x->series->what == JUDGE_TOTAL || x->series->what == JUDGE_STACKS;
}

/* Sums stand for what they are made of only where none of that does. */
static void drop_sums(struct judgement *j)
{
	size_t kept = 0;
	bool single = false;

	for (size_t i = 0; i < j->rows.n; i++)
		single |= !sums(&j->rows.v[i]);
	for (size_t i = 0; i < j->rows.n && single; i++)
		if (!sums(&j->rows.v[i]))
			j->rows.v[kept++] = j->rows.v[i];
	if (single)
		j->rows.n = kept;
}

static int worst_first(const void *x, const void *y)
{
	const struct judge_row *p = x, *q = y;
	bool a = p->series->what == JUDGE_GOROUTINES, b = q->series->what == JUDGE_GOROUTINES;

	if (p->verdict != q->verdict)
		return p->verdict < q->verdict ? 1 : -1;
	if (a != b)
		return a ? -1 : 1;
	if (p->bytes != q->bytes)
		return p->bytes < q->bytes ? 1 : -1;
	return strcmp(p->series->name, q->series->name);
}

static bool rested(const struct judge_rounds *r)
{
	for (size_t i = 1; i <= r->n; i++)
		if (r->rest_ns[i])
			return true;
	return false;
}

/* What a load takes, and what a round takes besides. */
static void costs(const struct judge_rounds *r, uint64_t *ret_load, uint64_t *ret_look)
{
	uint64_t ns = 0, loads = 0;

	for (size_t i = 0; i <= r->n; i++) {
		ns += r->load_ns[i];
		loads += r->loads[i];
	}
	*ret_load = loads ? ns / loads : 0;
	*ret_look = 0;
	for (size_t i = 1; i <= r->n; i++) {
		uint64_t all = r->at_ns[i] > r->at_ns[i - 1] ? r->at_ns[i] - r->at_ns[i - 1] : 0;
		uint64_t known = r->load_ns[i] + r->rest_ns[i];

		*ret_look = MAX(*ret_look, all > known ? all - known : 0);
	}
}

static bool load_next(const struct judge_rounds *r, size_t most, struct judge_next *ret)
{
	double loads = judge_loads(r, r->n);
	uint64_t load, look;

	costs(r, &load, &look);
	if (r->n + 2 > most && !(r->n + 1 <= most && loads_seen(r) < LOADS_GREEN))
		return false;
	if (loads > 1 << 20 ||
	    loads * (double)load + 2.0 * (double)look + REST_SECONDS * 1e9 > (double)r->left_ns)
		return false;
	*ret = (struct judge_next){ .what = JUDGE_LOAD, .loads = (uint32_t)loads };
	return true;
}

static bool rest_next(const struct judge_rounds *r, size_t most, struct judge_next *ret)
{
	uint64_t load, look;

	costs(r, &load, &look);
	if (r->n + 1 > most || rested(r) || REST_SECONDS * SECOND + load + look > r->left_ns)
		return false;
	*ret = (struct judge_next){ .what = JUDGE_REST, .loads = 1 };
	ret->rest_ns = REST_SECONDS * SECOND;
	return true;
}

static unsigned rounds_to(double loads, double aim)
{
	unsigned n = 0;

	for (; loads < aim; loads *= 2)
		n++;
	return n;
}

static bool any_clear(const struct judgement *j)
{
	for (size_t i = 0; i < j->rows.n; i++)
		if (j->rows.v[i].clear)
			return true;
	return false;
}

/* Nothing can be told from fewer rounds than three. */
static void plan(const struct judge_rounds *r, struct judgement *j)
{
	size_t most = MIN(r->max ? r->max : JUDGE_USUAL, JUDGE_ROUNDS - 1);
	double seen = loads_seen(r), now = judge_loads(r, r->n);
	bool proved = j->rows.n && j->rows.v[0].verdict == JUDGE_GROWS && j->rows.v[0].sure == 999;
	double want = j->rows.n ? LOADS_AIM : LOADS_GREEN;

	j->next.what = JUDGE_DONE;
	if (proved || (!j->rows.n && seen >= LOADS_GREEN))
		return;
	/* What has room again because something expired does not grow when the load comes back. */
	if (j->rows.n && rested(r) && !any_clear(j))
		want = LOADS_CLEAR;
	j->more = rounds_to(now, want + judge_loads(r, 0)) + (j->rows.n && !rested(r));
	if (!j->more || (seen < want && load_next(r, most, &j->next)))
		return;
	if (j->rows.n && seen >= LOADS_TELL)
		(void)rest_next(r, most, &j->next);
}

/* Beside what is told: what moved by one or two, a goroutine of the runtime that sleeps elsewhere.
 */
static void drop_little(const struct judge_rounds *r, struct judgement *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->rows.n; i++)
		if (j->rows.v[i].verdict == JUDGE_GROWS || j->rows.v[i].per_round_objects >= 0.75 ||
		    j->rows.v[i].bytes >= 65536 * (uint64_t)loads_seen(r))
			j->rows.v[kept++] = j->rows.v[i];
	j->rows.n = kept;
}

static void conclude(const struct judge_rounds *r, struct judgement *j)
{
	double seen = loads_seen(r);

	j->verdict = JUDGE_STEADY;
	j->sure = succession(seen);
	for (size_t i = 0; i < j->rows.n; i++)
		j->verdict = MAX(j->verdict, j->rows.v[i].verdict);
	if (j->next.what != JUDGE_DONE || (!j->rows.n && seen < 1))
		j->verdict = JUDGE_UNSURE;
	if (j->rows.n)
		j->sure = j->rows.v[0].sure;
	if (j->verdict != JUDGE_UNSURE)
		j->more = 0;
	if (j->verdict == JUDGE_GROWS)
		drop_little(r, j);
}

struct err *judge(const struct judge_series *s, size_t n, const struct judge_rounds *r,
		  const struct judge_limits *l, struct judgement *ret)
{
	struct err *err;

	*ret = (struct judgement){ 0 };
	assert(r->n < JUDGE_ROUNDS);
	err = weigh(s, n, r, ret);
	if (!err && l)
		err = judge_limits(s, n, r, l, ret);
	if (!err) {
		drop_sums(ret);
		if (ret->rows.n)
			qsort(ret->rows.v, ret->rows.n, sizeof(ret->rows.v[0]), worst_first);
		plan(r, ret);
		conclude(r, ret);
		ret->why = judge_why_all(&ret->keep, r, ret, n);
		err = keep_err(&ret->keep);
	}
	if (err)
		judgement_deinit(ret);
	return err;
}

void judgement_deinit(struct judgement *j)
{
	vec_free(&j->rows);
	keep_deinit(&j->keep);
}
