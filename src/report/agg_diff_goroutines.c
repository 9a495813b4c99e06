/*
 * agg_diff_goroutines.c - which goroutines are still there, which came, which ended.
 *
 * An id is never used again in a process (proc.go, goidgen), so this is exact however many
 * collections lie between.  Of other processes only the numbers of equal stacks are compared.
 * Cost: n log n of the goroutines.
 */
#include "report/agg_diff_priv.h"

static int by_id(const void *x, const void *y)
{
	const uint64_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static uint64_t *ids_of(const struct ans_goroutines *g)
{
	uint64_t *ids = zalloc(g->gs.n + 1, sizeof(*ids));

	for (size_t i = 0; ids && i < g->gs.n; i++)
		ids[i] = g->gs.v[i].id;
	if (ids)
		qsort(ids, g->gs.n, sizeof(*ids), by_id);
	return ids;
}

/* How many of a group are among ids. */
static uint64_t among(const struct ans_goroutines *g, const struct ans_group *x,
		      const uint64_t *ids, size_t n)
{
	uint64_t found = 0;

	for (size_t i = 0; i < x->nmembers; i++) {
		size_t at = g->members.v[x->first_member + i];

		found += at < g->gs.n && bsearch(&g->gs.v[at].id, ids, n, sizeof(*ids), by_id);
	}
	return found;
}

/* A row of its own: equal ones are added up at the end. */
static struct ans_diff_goroutines *new_row(struct ans_diff *a, const char *name, const char *wait)
{
	struct ans_diff_goroutines fresh = { .name = keepf(&a->keep, "%s", name),
					     .wait = keepf(&a->keep, "%s", wait),
					     .max_since_ns = ANS_UNKNOWN };

	return vec_push(&a->goroutines, fresh) ? &a->goroutines.v[a->goroutines.n - 1] : NULL;
}

static const char *wait_of(const struct ans_goroutines *g, const struct ans_group *x)
{
	const char *w = x->example < g->gs.n ? g->gs.v[x->example].wait : NULL;

	return w ? w : "";
}

static struct err *add_old(struct ans_diff *a, const struct ans_goroutines *was,
			   const uint64_t *now_ids, size_t nnow)
{
	for (size_t i = 0; i < was->groups.n; i++) {
		const struct ans_group *x = &was->groups.v[i];
		struct ans_diff_goroutines *r = new_row(a, x->name, wait_of(was, x));

		if (!r)
			return &err_nomem;
		r->old += x->nmembers;
		r->growth_stack_bytes -= (int64_t)x->stack_bytes;
		if (a->identity)
			r->ended += x->nmembers - among(was, x, now_ids, nnow);
	}
	return NULL;
}

static struct err *add_new(struct ans_diff *a, const struct ans_goroutines *now,
			   const uint64_t *was_ids, size_t nwas)
{
	for (size_t i = 0; i < now->groups.n; i++) {
		const struct ans_group *x = &now->groups.v[i];
		struct ans_diff_goroutines *r = new_row(a, x->name, wait_of(now, x));
		uint64_t stayed;

		if (!r)
			return &err_nomem;
		stayed = a->identity ? among(now, x, was_ids, nwas) : 0;
		r->now += x->nmembers;
		r->growth_stack_bytes += (int64_t)x->stack_bytes;
		r->max_since_ns = x->max_since_ns;
		r->survived += stayed;
		if (a->identity)
			r->started += x->nmembers - stayed;
	}
	return NULL;
}

static int by_growth(const void *x, const void *y)
{
	const struct ans_diff_goroutines *p = x, *q = y;

	if (p->growth != q->growth)
		return p->growth < q->growth ? 1 : -1;
	if (p->started + p->ended != q->started + q->ended)
		return p->started + p->ended < q->started + q->ended ? 1 : -1;
	if (p->now != q->now)
		return p->now < q->now ? 1 : -1;
	return strcmp(p->name, q->name);
}

static int by_name(const void *x, const void *y)
{
	const struct ans_diff_goroutines *p = x, *q = y;
	int c = strcmp(p->name, q->name);

	return c ? c : strcmp(p->wait, q->wait);
}

static void add(struct ans_diff_goroutines *r, const struct ans_diff_goroutines *x)
{
	r->old += x->old;
	r->now += x->now;
	r->survived += x->survived;
	r->started += x->started;
	r->ended += x->ended;
	r->growth_stack_bytes += x->growth_stack_bytes;
	if (r->max_since_ns == ANS_UNKNOWN ||
	    (x->max_since_ns != ANS_UNKNOWN && x->max_since_ns > r->max_since_ns))
		r->max_since_ns = x->max_since_ns;
}

static void merge(struct ans_diff *a)
{
	size_t n = 0;

	if (a->goroutines.n)
		qsort(a->goroutines.v, a->goroutines.n, sizeof(a->goroutines.v[0]), by_name);
	for (size_t i = 0; i < a->goroutines.n; i++) {
		if (n && !by_name(&a->goroutines.v[n - 1], &a->goroutines.v[i]))
			add(&a->goroutines.v[n - 1], &a->goroutines.v[i]);
		else
			a->goroutines.v[n++] = a->goroutines.v[i];
	}
	a->goroutines.n = n;
}

static void finish(struct ans_diff *a, size_t limit)
{
	merge(a);
	for (size_t i = 0; i < a->goroutines.n; i++) {
		struct ans_diff_goroutines *r = &a->goroutines.v[i];

		r->growth = (int64_t)(r->now - r->old);
		a->goroutines_survived += r->survived;
		a->goroutines_started += r->started;
		a->goroutines_ended += r->ended;
	}
	if (a->goroutines.n)
		qsort(a->goroutines.v, a->goroutines.n, sizeof(a->goroutines.v[0]), by_growth);
	a->ngoroutine_groups = a->goroutines.n;
	a->goroutines.n = MIN(a->goroutines.n, limit);
}

static struct err *compare(const struct ans_goroutines *was, const struct ans_goroutines *now,
			   struct ans_diff *a)
{
	_cleanup_(freep) uint64_t *was_ids = ids_of(was), *now_ids = ids_of(now);
	struct err *err;

	if (!was_ids || !now_ids)
		return &err_nomem;
	err = add_new(a, now, was_ids, was->gs.n);
	return err ? err : add_old(a, was, now_ids, now->gs.n);
}

struct err *agg_diff_goroutines(struct agg *was, struct agg *now, const struct diff_ask *q,
				struct ans_diff *a)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines x = { 0 }, y = { 0 };
	struct goroutines_ask ask = { .by = GROUP_STACK, .limit = UINT32_MAX };
	struct err *err = agg_goroutines(was, &ask, &x);

	if (!err)
		err = agg_goroutines(now, &ask, &y);
	if (err && err->code == ERR_UNSUPPORTED) {
		err_free(err);
		return NULL;
	}
	if (!err)
		err = compare(&x, &y, a);
	if (err)
		return err;
	a->has_goroutines = true;
	finish(a, q->limit);
	return NULL;
}
