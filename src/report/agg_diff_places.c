/*
 * agg_diff_places.c - the way from a root to what grew, and where its like are allocated.
 *
 * A store keeps, for each type below each holder and field that weighs, an example with its path
 * (ans_place).  Of a row that grew the place of that name is shown which grew most.  Cost: a sort
 * of some thousand places a table.
 */
#include "report/agg_diff_priv.h"
#include "report/analysed.h"

struct grown {
	const struct ans_place *p; /* of NEW */
	int64_t growth;		   /* bytes */
	const char *key;	   /* of the table that is being filled */
};

static int by_names(const void *x, const void *y)
{
	const struct ans_place *p = x, *q = y;
	int c = strcmp(p->type, q->type);

	c = c ? c : strcmp(p->holder, q->holder);
	return c ? c : strcmp(p->field, q->field);
}

static int by_key(const void *x, const void *y)
{
	const struct grown *p = x, *q = y;
	int c = strcmp(p->key, q->key);

	return c ? c : (p->growth < q->growth) - (p->growth > q->growth);
}

static const char *key_of(const struct ans_place *p, const char *by, struct keep *keep)
{
	if (!strcmp(by, "type"))
		return p->type;
	if (!strcmp(by, "holder"))
		return p->holder;
	if (!strcmp(by, "field"))
		return p->field;
	return keepf(keep, "%s under %s", p->type, p->holder);
}

static bool has_places(const char *by)
{
	static const char *const words[] = { "type", "holder", "field", "type-holder" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(by, words[i]))
			return true;
	return false;
}

static const struct grown *find(const struct grown *g, size_t n, const char *key)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(g[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && !strcmp(g[lo].key, key) ? &g[lo] : NULL;
}

static struct err *copy_place(const struct ans_place *p, struct ans_diff_row *r)
{
	struct ans_path path = p->path;

	path.nodes.v = NULL;
	path.nodes.n = path.nodes.cap = 0;
	for (size_t i = 0; i < p->path.nodes.n; i++)
		if (!vec_push(&path.nodes, p->path.nodes.v[i])) {
			vec_free(&path.nodes);
			return &err_nomem;
		}
	r->holder = path;
	for (size_t i = 0; i < p->stack.n; i++)
		if (!vec_push(&r->site, p->stack.v[i]))
			return &err_nomem;
	return NULL;
}

static struct err *fill_table(struct ans_diff *a, struct ans_diff_table *t, struct grown *g,
			      size_t n)
{
	struct err *err = NULL;

	for (size_t i = 0; i < n; i++)
		g[i].key = key_of(g[i].p, t->by, &a->keep);
	qsort(g, n, sizeof(*g), by_key);
	for (size_t i = 0; i < t->rows.n && !err; i++) {
		struct ans_diff_row *r = &t->rows.v[i];
		const struct grown *best = r->growth_bytes > 0 ? find(g, n, r->name) : NULL;

		if (best)
			err = copy_place(best->p, r);
	}
	return err;
}

static struct err *fill_tables(struct ans_diff *a, struct ans_places *was, struct ans_places *now)
{
	size_t n = now->v.n;
	_cleanup_(freep) struct grown *g = zalloc(n, sizeof(*g));
	struct err *err = NULL;

	if (!g)
		return &err_nomem;
	if (was->v.n)
		qsort(was->v.v, was->v.n, sizeof(was->v.v[0]), by_names);
	for (size_t i = 0; i < n; i++) {
		const struct ans_place *p = &now->v.v[i], *then = NULL;

		if (was->v.n)
			then = bsearch(p, was->v.v, was->v.n, sizeof(*p), by_names);
		g[i] = (struct grown){ .p = p,
				       .growth = (int64_t)(p->bytes - (then ? then->bytes : 0)) };
	}
	for (size_t i = 0; i < a->tables.n && !err; i++)
		if (has_places(a->tables.v[i].by))
			err = fill_table(a, &a->tables.v[i], g, n);
	return err;
}

struct err *agg_diff_places(const struct diff_look *looks, size_t n, struct ans_diff *a)
{
	_cleanup_(ans_places_deinit) struct ans_places was = { 0 }, now = { 0 };
	struct err *err = analysed_places(looks[0].store, &a->keep, &was);

	if (!err)
		err = analysed_places(looks[n - 1].store, &a->keep, &now);
	return err ? err : fill_tables(a, &was, &now);
}
