/*
 * gotext_series.c - dumps of one process beside each other: what grew, what stayed; and what a
 * joiner asks.
 *
 * Compared are whole dumps of one form: those with ids, or profiles.  Cost: a sort of all tallies.
 */
#include "evidence/gotext.h"

#include <math.h>

struct point {
	uint32_t stack, state, dump, tally; /* dump: counted among those that are compared */
};
typedef VEC(struct point) points;

static int by_group(const void *x, const void *y)
{
	const struct point *p = x, *q = y;

	if (p->stack != q->stack)
		return p->stack < q->stack ? -1 : 1;
	if (p->state != q->state)
		return p->state < q->state ? -1 : 1;
	return (p->dump > q->dump) - (p->dump < q->dump);
}

static struct err *list_dumps(const struct gotext *g, struct gotext_series *s)
{
	const struct gotext_dump *k = &g->dumps.v[g->kept];

	for (size_t i = 0; i <= g->kept; i++) {
		const struct gotext_dump *d = &g->dumps.v[i];
		uint32_t form = GOTEXT_PROFILE | GOTEXT_LEAKS;

		if (i != g->kept &&
		    (!(k->flags & GOTEXT_WHOLE) || d->process != k->process ||
		     !(d->flags & GOTEXT_WHOLE) || (d->flags & form) != (k->flags & form)))
			continue;
		if (!vec_push(&s->dumps, (uint32_t)i))
			return &err_nomem;
	}
	s->has_ids = !(k->flags & GOTEXT_PROFILE);
	return NULL;
}

/* Hours from dump a to dump b; NaN. */
static double hours_between(const struct gotext_dump *a, const struct gotext_dump *b)
{
	uint32_t odd = (a->flags ^ b->flags) & (GOTEXT_NO_YEAR | GOTEXT_NO_ZONE);

	if (!(a->flags & b->flags & GOTEXT_TIMED) || odd || b->time_ns <= a->time_ns)
		return NAN;
	return (double)(b->time_ns - a->time_ns) / 3.6e12;
}

static struct err *list_points(const struct gotext *g, const struct gotext_series *s, points *ps)
{
	for (size_t i = 0; i < s->dumps.n; i++) {
		const struct gotext_dump *d = &g->dumps.v[s->dumps.v[i]];

		for (uint32_t t = d->first_tally; t < d->first_tally + d->ntallies; t++) {
			const struct gotext_tally *x = &g->tallies.v[t];
			struct point p = { x->stack, x->state, (uint32_t)i, t };

			if (!vec_push(ps, p))
				return &err_nomem;
		}
	}
	if (ps->n)
		qsort(ps->v, ps->n, sizeof(ps->v[0]), by_group);
	return NULL;
}

/* Where a dump has no such goroutine, that is a zero. */
static struct gotext_growth make_row(const struct gotext *g, const struct gotext_series *s,
				     const struct point *p, size_t n)
{
	struct gotext_growth r = { .stack = p->stack, .state = p->state, .tally = GOTEXT_NONE };
	uint32_t last_dump = (uint32_t)s->dumps.n - 1, before = 0;

	for (uint32_t d = 0, i = 0; d <= last_dump; d++) {
		const struct gotext_tally *t =
			i < n && p[i].dump == d ? &g->tallies.v[p[i].tally] : NULL;
		uint32_t count = t ? t->count : 0;

		r.first = d ? r.first : count;
		r.most = MAX(r.most, count);
		r.falls += d && count < before;
		if (d == last_dump) {
			r.last = count;
			r.before = before;
			r.tally = t ? p[i].tally : GOTEXT_NONE;
			r.stayed = t ? t->stayed_first : 0;
			r.stayed_before = t ? t->stayed : 0;
		}
		before = count;
		i += t != NULL;
	}
	r.per_hour = ((double)r.last - (double)r.first) / s->hours;
	return r;
}

static int most_grown_first(const void *x, const void *y)
{
	const struct gotext_growth *p = x, *q = y;
	int64_t a = (int64_t)p->last - p->first, b = (int64_t)q->last - q->first;

	if (a != b)
		return a < b ? 1 : -1;
	if (p->last != q->last)
		return p->last < q->last ? 1 : -1;
	return (p->stack > q->stack) - (p->stack < q->stack);
}

struct err *gotext_series(const struct gotext *g, struct gotext_series *ret)
{
	struct gotext_series s = { .hours = NAN };
	points ps = { 0 };
	struct err *err = list_dumps(g, &s);

	if (!err)
		err = list_points(g, &s, &ps);
	if (!err && s.dumps.n > 1)
		s.hours = hours_between(&g->dumps.v[s.dumps.v[0]], &g->dumps.v[g->kept]);
	for (size_t i = 0, n; i < ps.n && !err; i += n) {
		for (n = 1; i + n < ps.n && ps.v[i + n].stack == ps.v[i].stack &&
			    ps.v[i + n].state == ps.v[i].state;
		     n++)
			;
		if (!vec_push(&s.rows, make_row(g, &s, ps.v + i, n)))
			err = &err_nomem;
	}
	vec_free(&ps);
	if (err) {
		gotext_series_deinit(&s);
		return err;
	}
	if (s.rows.n)
		qsort(s.rows.v, s.rows.n, sizeof(s.rows.v[0]), most_grown_first);
	*ret = s;
	return NULL;
}

void gotext_series_deinit(struct gotext_series *s)
{
	vec_free(&s->rows);
	vec_free(&s->dumps);
}

static bool plays(const struct gotext *g, uint32_t stack, const char *function,
		  enum gotext_role role)
{
	const struct gotext_stack *s = &g->stacks.v[stack];

	if (role == GOTEXT_STARTED_WITH)
		return !strcmp(gotext_text(g, s->entry), function);
	if (role == GOTEXT_STARTED_BY)
		return !strcmp(gotext_creator(g, s), function);
	for (uint32_t i = 0; i < s->n; i++)
		if (!strcmp(gotext_text(g, gotext_frame_of(g, s, i)->function), function))
			return true;
	return false;
}

static bool is_at_work(const char *state)
{
	return !strcmp(state, "running") || !strcmp(state, "runnable") || !strcmp(state, "syscall");
}

static uint64_t count_in(const struct gotext *g, const struct gotext_dump *d, const char *function,
			 enum gotext_role role, struct gotext_found *f)
{
	uint64_t n = 0;
	uint32_t most = 0;

	for (uint32_t i = d->first_tally; i < d->first_tally + d->ntallies; i++) {
		const struct gotext_tally *t = &g->tallies.v[i];

		if (!plays(g, t->stack, function, role))
			continue;
		n += t->count;
		if (!f)
			continue;
		f->oldest_minutes = MAX(f->oldest_minutes, (uint64_t)t->max_minutes);
		f->waiting += is_at_work(gotext_text(g, t->state)) ? 0 : t->count;
		if (t->count > most) {
			most = t->count;
			f->biggest = t->stack;
		}
	}
	return n;
}

bool gotext_find(const struct gotext *g, const char *function, enum gotext_role role,
		 struct gotext_found *ret)
{
	const struct gotext_dump *k = &g->dumps.v[g->kept], *first = NULL;
	struct gotext_found f = { .per_hour = NAN, .ndumps = 1, .biggest = GOTEXT_NONE };

	f.count = count_in(g, k, function, role, &f);
	for (size_t i = 0; i < g->kept; i++) {
		const struct gotext_dump *d = &g->dumps.v[i];

		if (d->process != k->process || !(d->flags & GOTEXT_WHOLE) ||
		    ((d->flags ^ k->flags) & (GOTEXT_PROFILE | GOTEXT_LEAKS)))
			continue;
		first = first ? first : d;
		f.ndumps++;
	}
	if (first) {
		f.growth = (int64_t)f.count - (int64_t)count_in(g, first, function, role, NULL);
		f.per_hour = (double)f.growth / hours_between(first, k);
	}
	*ret = f;
	return f.count > 0;
}
