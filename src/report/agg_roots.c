/*
 * agg_roots.c - the rows of `top --by root` and `--by goroutine`.
 *
 * A root's row is what its node dominates: what would go if this root alone let go.
 * What several roots hold together is a row of its own, so that the retained bytes
 * of all rows are exactly the reachable bytes.
 */
#include "report/agg_labels.h"
#include "report/agg_top.h"

struct root_entry {
	const char *name;
	uint32_t root; /* index in roots */
};

static int by_name(const void *x, const void *y)
{
	const struct root_entry *p = x, *q = y;
	int c = strcmp(p->name, q->name);

	return c ? c : (p->root > q->root) - (p->root < q->root);
}

static void add_root(const struct agg *a, const struct top_ask *q, uint32_t root, struct ans_row *r)
{
	gnode v = root + 1;

	r->objects += q->exact.objects[v];
	r->shallow += a->s->roots.v[root].bytes;
	r->retained += q->exact.retained[v];
	if (r->biggest == GRAPH_NONE || q->exact.retained[v] > q->exact.retained[r->biggest])
		r->biggest = v;
	if (!q->owner.g)
		return;
	r->owner_objects += q->owner.objects[v];
	r->owner_retained += q->owner.retained[v];
}

static const char *root_group(struct agg *a, const struct snap_root *r)
{
	switch (r->kind) {
	case SNAP_ROOT_GLOBAL:
		return r->name ? r->name : "(global)";
	case SNAP_ROOT_GOROUTINE:
		return r->goroutine < a->s->stacks.gs.n
			       ? keepf(&a->keep, "goroutines of %s",
				       agg_goroutine_function(a, r->goroutine))
			       : "(goroutines)";
	case SNAP_ROOT_FINALIZER:
		return "(finalizers)";
	case SNAP_ROOT_CLEANUP:
		return "(cleanups)";
	case SNAP_ROOT_WEAK:
		return "(weak handles)";
	case SNAP_ROOT_FINALIZER_QUEUE:
		return "(finalizer queue)";
	case SNAP_ROOT_CLEANUP_QUEUE:
		return "(cleanup queue)";
	default:
		return "(runtime)";
	}
}

static struct err *push_rest(struct ans_top *t, struct ans_row r)
{
	r.biggest = GRAPH_NONE;
	r.rest = true;
	if (!r.objects && !r.retained && !r.owner_objects && !r.owner_retained)
		return NULL;
	return vec_push(&t->rows, r) ? NULL : &err_nomem;
}

/* What no root holds alone: of the whole, what the roots do not have. */
static uint64_t held_by_several(const struct agg_dom *d)
{
	uint64_t held = 0;

	for (uint32_t r = 0; r < d->g->nroots; r++)
		held += d->retained[r + 1];
	return d->retained[0] - held;
}

static struct err *push_shared(const struct top_ask *q, struct ans_top *t)
{
	struct ans_row r = { .name = "(held by several roots)",
			     .objects = q->exact.objects[0],
			     .retained = held_by_several(&q->exact) };

	if (q->owner.g) {
		r.owner_objects = q->owner.objects[0];
		r.owner_retained = held_by_several(&q->owner);
	}
	return push_rest(t, r);
}

static struct err *group_roots(struct agg *a, const struct top_ask *q, struct ans_top *t)
{
	size_t n = a->g->nroots;
	_cleanup_(freep) struct root_entry *e = zalloc(n, sizeof(*e));

	if (!e)
		return &err_nomem;
	for (uint32_t i = 0; i < n; i++)
		e[i] = (struct root_entry){ root_group(a, &a->s->roots.v[i]), i };
	qsort(e, n, sizeof(*e), by_name);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(e[i].name, e[i - 1].name)) {
			struct ans_row r = { .name = e[i].name, .biggest = GRAPH_NONE };

			if (!vec_push(&t->rows, r))
				return &err_nomem;
		}
		add_root(a, q, e[i].root, &t->rows.v[t->rows.n - 1]);
		if (a->s->roots.v[e[i].root].kind == SNAP_ROOT_GOROUTINE)
			t->rows.v[t->rows.n - 1].count++;
	}
	return NULL;
}

/* Root of each goroutine by its index, or UINT32_MAX. */
static uint32_t *roots_of_goroutines(const struct snapshot *s)
{
	uint32_t *of = malloc((s->stacks.gs.n + 1) * sizeof(*of));

	if (!of)
		return NULL;
	memset(of, 0xff, (s->stacks.gs.n + 1) * sizeof(*of));
	for (size_t i = 0; i < s->roots.n; i++)
		if (s->roots.v[i].kind == SNAP_ROOT_GOROUTINE &&
		    s->roots.v[i].goroutine < s->stacks.gs.n)
			of[s->roots.v[i].goroutine] = (uint32_t)i;
	return of;
}

static int by_set(const void *x, const void *y)
{
	const uint32_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

/* Labels of a row: the one set that all its goroutines carry, or how many sets there are. */
static struct err *count_label_sets(struct agg *a, const size_t *member, size_t n,
				    struct ans_row *r)
{
	_cleanup_(freep) uint32_t *set = zalloc(n, sizeof(*set));
	struct err *err = agg_labels_of(a, member[0], &r->labels);

	if (!set)
		err_free(err);
	if (err || !set)
		return set ? err : &err_nomem;
	for (size_t i = 0; i < n; i++)
		set[i] = a->s->labels->set_of[member[i]];
	qsort(set, n, sizeof(*set), by_set);
	for (size_t i = 0; i < n; i++)
		r->label_sets += i == 0 || set[i] != set[i - 1];
	if (r->label_sets > 1)
		r->labels = NULL;
	return NULL;
}

static struct err *push_group(struct agg *a, const struct top_ask *q, const size_t *member,
			      size_t n, const uint32_t *root_of, struct ans_top *t)
{
	struct ans_row r = { .count = n, .biggest = GRAPH_NONE };
	struct err *err = count_label_sets(a, member, n, &r);

	if (err)
		return err;
	r.name = agg_goroutine_name(a, member[0]);
	for (size_t i = 0; i < n; i++) {
		const struct go_goroutine *gr = &a->s->stacks.gs.v[member[i]];

		if (root_of[member[i]] != UINT32_MAX)
			add_root(a, q, root_of[member[i]], &r);
		else
			r.shallow += gr->stack_hi - gr->stack_lo;
	}
	return vec_push(&t->rows, r) ? NULL : &err_nomem;
}

static struct err *push_other_roots(const struct agg *a, const struct top_ask *q, struct ans_top *t)
{
	struct ans_row r = { .name = "(held by globals and other roots)", .biggest = GRAPH_NONE };

	for (uint32_t i = 0; i < a->g->nroots; i++)
		if (a->s->roots.v[i].kind != SNAP_ROOT_GOROUTINE)
			add_root(a, q, i, &r);
	r.shallow = 0;
	return push_rest(t, r);
}

static struct err *group_goroutines(struct agg *a, const struct top_ask *q, struct ans_top *t)
{
	_cleanup_(freep) uint32_t *root_of = roots_of_goroutines(a->s);
	_cleanup_(freep) size_t *order = NULL;
	_cleanup_(freep) size_t *first = NULL;
	size_t n = 0;
	struct err *err;

	if (!root_of)
		return &err_nomem;
	err = agg_stack_groups(a->s, &order, &first, &n);
	for (size_t k = 0; k < n && !err; k++)
		err = push_group(a, q, order + first[k], first[k + 1] - first[k], root_of, t);
	return err ? err : push_other_roots(a, q, t);
}

struct err *agg_rows_goroutine(struct agg *a, const struct top_ask *q, struct ans_top *t)
{
	struct err *err = group_goroutines(a, q, t);

	return err ? err : push_shared(q, t);
}

struct err *agg_rows_root(struct agg *a, const struct top_ask *q, struct ans_top *t)
{
	struct err *err = group_roots(a, q, t);

	return err ? err : push_shared(q, t);
}
