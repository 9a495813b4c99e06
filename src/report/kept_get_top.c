/*
 * kept_get_top.c - `top` of a store: a kept table, put in order and cut as one of a look is.
 *
 * Knows no column.
 */
#include "report/agg_top.h"
#include "report/kept.h"
#include "report/kept_get.h"

/* The heads of all tables; then the rows of one. */
static struct err *find_table(struct kept *k, const char *by, struct kept_top *ret, bool *found)
{
	_cleanup_(freep) struct kept_top *v = NULL;
	_cleanup_(freep) int64_t *ids = NULL;
	size_t n = 0;
	struct err *err =
		store_get(k->w.x, &kept_top.table, 0, k->w.keep, (void **)&v, &n, &ids, NULL);

	*found = false;
	for (size_t i = 0; i < n && !err && !*found; i++) {
		if (strcmp(v[i].t.by, by))
			continue;
		*found = true;
		err = kept_get_one(&k->w, &kept_top, ids[i], ret, found);
	}
	return err;
}

/* Without what only the dead would have: rows of sites that have nothing alive. */
static void drop_dead(struct ans_top *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->rows.n; i++)
		if (t->rows.v[i].site.cum)
			t->rows.v[n++] = t->rows.v[i];
	t->rows.n = n;
}

/* join: rows may be there for the owner's tree alone. */
static void strip_owner(const struct agg_by *by, struct ans_top *t)
{
	bool join = (by->flags & AGG_BY_HOLDER) || !strcmp(by->word, "label");
	size_t n = 0;

	for (size_t i = 0; i < t->rows.n; i++) {
		struct ans_row *r = &t->rows.v[i];

		r->owner_retained = r->owner_objects = 0;
		if (!join || r->objects || r->retained || r->count || r->site.cum ||
		    r->site.alloc_bytes)
			t->rows.v[n++] = *r;
		else
			ans_path_deinit(&r->path);
	}
	t->rows.n = n;
	vec_free(&t->rules);
}

static struct err *can_answer(struct kept *k, const struct agg_by *by, const struct top_ask *q)
{
	if (q->focus || q->ignore)
		return kept_lacks(k, "--focus and --ignore look at all objects, which it has not");
	if (q->package_depth)
		return kept_lacks(k, "packages are kept by their whole path");
	if ((q->trees & AGG_TREE_OWNER) && q->trees != AGG_TREE_BOTH &&
	    !(k->totals.trees & AGG_TREE_OWNER) && (by->groups || (by->flags & AGG_BY_OWNER)))
		return kept_lacks(k, "of a heap of this size the owner's tree is not kept");
	return NULL;
}

static struct err *enough(struct kept *k, const struct ans_top *t, size_t limit)
{
	if (t->nrows <= t->rows.n || limit <= KEPT_ROWS_MAX)
		return NULL;
	return err_unsupported("%.200s: of %" PRIu64 " rows the largest %d are kept: give --limit "
			       "%d, or a process or a core",
			       store_name(k->w.x), t->nrows, KEPT_ROWS_MAX, KEPT_ROWS_MAX);
}

/* Only the first rows of an answer have ways, as many as were asked for. */
static void drop_ways(const struct kept *k, const struct top_ask *q, struct ans_top *t)
{
	size_t npaths = q->npaths;

	/* findings have the owner's tree made, and whoever comes behind them shows it */
	for (size_t i = 0; !(q->trees & AGG_TREE_OWNER) && !k->totals.findings && i < t->rows.n;
	     i++)
		kept_strip_path(&t->rows.v[i].path);
	for (size_t i = npaths; i < t->rows.n; i++) {
		ans_path_deinit(&t->rows.v[i].path);
		ans_origin_deinit(&t->rows.v[i].origin);
		t->rows.v[i].path = (struct ans_path){ 0 };
		t->rows.v[i].origin = (struct ans_origin){ 0 };
	}
}

static void settle(struct kept *k, const struct agg_by *by, const struct top_ask *q,
		   enum top_sort sort, struct kept_top *x)
{
	struct agg_top_gone gone = { .sum = x->dropped };
	struct ans_top *t = &x->t;

	if (t->nrows > t->rows.n)
		gone.n = (size_t)(t->nrows - t->rows.n);
	if ((by->flags & AGG_BY_SAMPLED) && sort != TOP_SORT_ALLOC) {
		drop_dead(t);
		t->nrows = t->rows.n;
		gone = (struct agg_top_gone){ 0 };
	}
	if (!(q->trees & AGG_TREE_OWNER)) {
		gone.sum.owner_retained = gone.sum.owner_objects = 0;
		strip_owner(by, t);
		t->nrows = t->rows.n + gone.n;
	}
	t->trees = by->groups || (by->flags & AGG_BY_OWNER)
			   ? (q->trees ? q->trees : AGG_TREE_EXACT) & t->trees
			   : AGG_TREE_EXACT;
	if (!t->trees)
		t->trees = AGG_TREE_EXACT;
	for (size_t i = 0; i < t->rows.n; i++)
		t->rows.v[i].biggest = GRAPH_NONE;
	agg_top_settle(k->w.keep, by, sort, q->limit, &gone, t);
	t->focused_bytes = t->total_bytes;
	drop_ways(k, q, t);
}

struct err *kept_top_of(struct agg *a, const struct agg_by *by, const struct top_ask *q,
			struct ans_top *ret)
{
	struct kept *k = a->asked;
	struct kept_top x = { 0 };
	bool found = false;
	enum top_sort sort = q->sort;
	struct err *err = agg_top_sort(by, &sort);

	if (!err)
		err = can_answer(k, by, q);
	if (!err)
		err = find_table(k, q->lines && (by->flags & AGG_BY_SAMPLED) ? "site line" : q->by,
				 &x, &found);
	if (!err && !found && !strcmp(by->word, "label"))
		err = kept_lacks(k, strchr(q->by, ':') ? "there is no table by that key of labels"
						       : "it has no labels of goroutines");
	if (!err && !found)
		err = kept_lacks(k, "it has no such table");
	if (!err)
		err = enough(k, &x.t, q->limit);
	if (err) {
		ans_top_deinit(&x.t);
		return err;
	}
	x.t.by = q->by;
	settle(k, by, q, sort, &x);
	*ret = x.t;
	return keep_err(k->w.keep);
}

struct err *kept_has_labels(struct agg *a, bool *ret)
{
	struct kept_top x = { 0 };
	bool found = false;
	struct err *err = find_table(a->asked, "label", &x, &found);

	*ret = found && !x.t.no_labels;
	ans_top_deinit(&x.t);
	return err;
}
