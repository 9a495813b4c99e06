/*
 * kept_put.c - every answer of a look, made once and put into a store.
 *
 * Knows no column.  Cost: that of the report; a table of every --by; every population; two trees.
 */
#include "report/kept.h"
#include "report/agg_labels.h"
#include "report/agg_top.h"
#include "report/kept_put.h"
#include "snapshot/labels.h"

/* Above it a store is brief, unless it was asked for in full: each table costs a walk of the heap.
 */
enum { LARGE_OBJECTS = 2 << 20 };

bool kept_is_brief(const struct agg *a)
{
	return a->detail == AGG_KEEP_BRIEF ||
	       (a->detail == AGG_KEEP_BY_SIZE && a->g->nreached_objects > LARGE_OBJECTS);
}

static unsigned trees_of(const struct agg *a)
{
	return !kept_is_brief(a) || (a->trees & AGG_TREE_OWNER) ? AGG_TREE_BOTH : AGG_TREE_EXACT;
}

/* Tables of `top` that a brief store has, too. */
static bool is_main(const char *by)
{
	static const char *const words[] = {
		"type", "root", "goroutine", "label", "field", "site"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(by, words[i]))
			return true;
	return false;
}

struct ranked {
	uint64_t key[4];
	size_t row;
};

static int by_key(const void *x, const void *y, void *arg)
{
	const struct ranked *p = x, *q = y;
	size_t k = *(const size_t *)arg;

	if (p->key[k] != q->key[k])
		return p->key[k] < q->key[k] ? 1 : -1;
	return (p->row > q->row) - (p->row < q->row);
}

/* Bit by row: it is among the first by one of the orders, or is a remainder. */
static struct err *choose_rows(const struct ans_top *t, bool *keep)
{
	_cleanup_(freep) struct ranked *v = zalloc(t->rows.n, sizeof(*v));

	if (!v)
		return &err_nomem;
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct ans_row *r = &t->rows.v[i];

		v[i] = (struct ranked){ { MAX(r->retained, r->owner_retained), r->shallow,
					  r->count ? r->count : r->objects,
					  MAX(r->site.cum, r->site.alloc_bytes) },
					i };
	}
	for (size_t k = 0; k < ARRAY_LEN(v->key); k++) {
		qsort_r(v, t->rows.n, sizeof(*v), by_key, &k);
		for (size_t i = 0; i < t->rows.n; i++)
			if (i < KEPT_ROWS_MAX || t->rows.v[v[i].row].rest)
				keep[v[i].row] = true;
	}
	return NULL;
}

/* What is not chosen adds up in one row; the others close ranks. */
static struct err *drop_rows(struct kept_top *k)
{
	_cleanup_(freep) bool *keep = zalloc(k->t.rows.n, sizeof(*keep));
	struct err *err = keep ? choose_rows(&k->t, keep) : &err_nomem;
	size_t n = 0;

	for (size_t i = 0; i < k->t.rows.n && !err; i++)
		if (keep[i])
			k->t.rows.v[n++] = k->t.rows.v[i];
		else
			agg_top_add(&k->dropped, &k->t.rows.v[i]);
	if (!err)
		k->t.rows.n = n;
	return err;
}

/* All rows, and of sites also those of which nothing is alive; what comes first in a report first.
 */
static struct err *make_top(struct putting *p, const char *by, bool lines)
{
	static const struct agg_top_gone none;
	bool site = !strcmp(by, "site");
	const char *arg;
	struct kept_top k = { 0 };
	struct top_ask q = { .by = by,
			     .limit = SIZE_MAX,
			     .trees = p->trees,
			     .sort = site ? TOP_SORT_ALLOC : TOP_SORT_DEFAULT,
			     .lines = lines };
	struct err *err = agg_top(p->a, &q, &k.t);

	if (err_catch(&err, ERR_UNSUPPORTED)) /* this evidence has none */
		return NULL;
	if (!err && site)
		agg_top_settle(&p->a->keep, agg_by_named(by, &arg), TOP_SORT_SHALLOW, SIZE_MAX,
			       &none, &k.t);
	if (!err)
		err = drop_rows(&k);
	if (lines)
		k.t.by = "site line";
	if (!err && vec_push(&p->tops, k))
		return NULL;
	ans_top_deinit(&k.t);
	return err ? err : &err_nomem;
}

static size_t with_way(const struct kept_top *k)
{
	return strcmp(k->t.by, "site line") ? MIN(k->t.rows.n, (size_t)KEPT_WAYS) : 0;
}

/* One walk for the rows of all tables. */
static struct err *find_ways(struct putting *p, struct graph_ways *ret)
{
	struct {
		VEC(gnode) v;
	} want = { 0 };
	struct err *err = NULL;

	for (size_t i = 0; i < p->tops.n; i++)
		for (size_t k = 0; k < with_way(&p->tops.v[i]) && !err; k++) {
			gnode v = p->tops.v[i].t.rows.v[k].biggest;

			if (v != GRAPH_NONE && !vec_push(&want.v, v))
				err = &err_nomem;
		}
	if (!err)
		err = graph_ways_create(p->a->g, want.v.v, want.v.n, NULL, ret);
	vec_free(&want.v);
	return err;
}

static struct err *put_made_tops(struct putting *p)
{
	_cleanup_(graph_ways_deinit) struct graph_ways ways = { 0 };
	struct err *err = find_ways(p, &ways);

	for (size_t i = 0; i < p->tops.n && !err; i++) {
		struct kept_top *k = &p->tops.v[i];

		err = agg_top_ways(p->a, k->t.by, &ways, k->t.rows.v, with_way(k));
		if (!err)
			err = kept_put(&p->w, &kept_top, 0, k, 1, NULL);
	}
	return err;
}

static void tops_deinit(struct putting *p)
{
	for (size_t i = 0; i < p->tops.n; i++)
		ans_top_deinit(&p->tops.v[i].t);
	vec_free(&p->tops);
}

static bool is_key(const struct snap_labels *l, uint32_t text)
{
	for (size_t i = 0; i < l->labels.n; i++)
		if (l->labels.v[i].key == text)
			return l->texts.v[text].literal && l->texts.v[text].n < 128;
	return false;
}

/* Of keys that are words of the program's source. */
static struct err *put_label_keys(struct putting *p)
{
	const struct snap_labels *l = p->a->s->labels;
	struct err *err = NULL;
	unsigned n = 0;

	for (uint32_t i = 0; l && i < MIN(l->texts.n, (size_t)64) && n < KEPT_LABEL_KEYS && !err;
	     i++) {
		if (!is_key(l, i))
			continue;
		err = make_top(p,
			       keepf(&p->a->keep, "label:%.*s", (int)l->texts.v[i].n,
				     (const char *)l->texts.v[i].p),
			       false);
		n++;
	}
	return err;
}

/* Of a large heap that has no labels a table by them says nothing and costs as much as the report.
 */
static bool is_worth(const struct putting *p, const char *by, bool labels)
{
	return !kept_is_brief(p->a) || (is_main(by) && (labels || strcmp(by, "label") != 0));
}

static struct err *put_tops(struct putting *p)
{
	bool labels = false;
	struct err *err = agg_labels_any(p->a, &labels);
	const char *by;

	for (size_t i = 0; (by = agg_by_word(i)) && !err; i++)
		if (is_worth(p, by, labels))
			err = make_top(p, by, false);
	if (!err)
		err = make_top(p, "site", true);
	if (!err)
		err = put_label_keys(p);
	if (!err)
		err = put_made_tops(p);
	tops_deinit(p);
	return err;
}

static struct err *put_exact(struct putting *p, const struct verify_result *v)
{
	_cleanup_(ans_exact_deinit) struct ans_exact x = { 0 };
	struct err *err = agg_exact(p->a, v, &x);

	/* garbage since the last cycle is listed too, and may be most of the heap */
	x.differences.n = MIN(x.differences.n, (size_t)KEPT_DIFFERENCES);
	return err ? err : kept_put(&p->w, &kept_exact, 0, &x, 1, NULL);
}

static struct err *put_findings(struct putting *p, const struct ans_memory *m,
				struct find_since **since_ret)
{
	_cleanup_(ans_findings_deinit) struct ans_findings f = { 0 };
	struct report_ask ask = { .since_ret = since_ret };
	struct err *err = agg_findings(p->a, m, &ask, &f);

	p->totals.findings = f.total;
	if (!err)
		err = kept_put(&p->w, &kept_finding, 0, f.rows.v, f.rows.n, NULL);
	return err ? err : kept_put(&p->w, &kept_cost, 0, f.detectors.v, f.detectors.n, NULL);
}

static struct err *put_report(struct putting *p, const struct verify_result *v,
			      struct find_since **since_ret)
{
	_cleanup_(ans_memory_deinit) struct ans_memory m = { 0 };
	struct err *err = put_exact(p, v);

	if (!err)
		err = agg_memory(p->a, &m);
	if (!err)
		err = kept_put(&p->w, &kept_memory, 0, &m, 1, NULL);
	return err ? err : put_findings(p, &m, since_ret);
}

/* What a brief store is without. */
static struct err *put_rest(struct putting *p)
{
	struct err *err = kept_put_trees(p);

	if (!err)
		err = kept_put_why(p);
	return err ? err : kept_put_pops(p);
}

struct err *kept_put_all(struct agg *a, const struct verify_result *v,
			 struct find_since **since_ret, struct store *w)
{
	struct putting p = { .a = a, .w = { .x = w, .keep = &a->keep }, .trees = trees_of(a) };
	struct err *err = p.trees == AGG_TREE_BOTH ? agg_owner(a) : NULL;

	p.totals.trees = p.trees;
	p.totals.values = a->values;
	if (!err)
		err = put_report(&p, v, since_ret);
	if (!err)
		err = put_tops(&p);
	if (!err)
		err = kept_put_goroutines(&p);
	if (!err && !kept_is_brief(a))
		err = put_rest(&p);
	if (!err)
		err = kept_put_locks(&p);
	if (!err)
		err = kept_put_audit(&p);
	if (!err)
		err = kept_put(&p.w, &kept_totals, 0, &p.totals, 1, NULL);
	kept_walk_deinit(&p.w);
	return err ? err : keep_err(&a->keep);
}

struct err *kept_put_head(const struct ans_head *h, struct store *w)
{
	struct kept_walk walk = { .x = w };
	struct err *err = kept_put(&walk, &kept_head, 0, h, 1, NULL);

	if (!err)
		err = kept_put(&walk, &kept_loss, 0, h->losses.v, h->losses.n, NULL);
	for (size_t i = 0; h->lacks && h->lacks[i] && !err; i++)
		err = kept_put(&walk, &kept_lack, 0, &(struct kept_text){ h->lacks[i] }, 1, NULL);
	kept_walk_deinit(&walk);
	return err;
}
