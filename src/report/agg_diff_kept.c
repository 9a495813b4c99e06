/*
 * agg_diff_kept.c - what the answers in two stores say beside the objects: tables of top by name,
 * goroutines by their ids, findings by their signatures, the memory table.
 *
 * A store that lacks one of them (an older one, a heap dump's) leaves that part out.
 */
#include "report/agg_diff_priv.h"
#include "report/kept.h"

#include <stdio.h>

enum { FINDINGS_MAX = 2000, LINES_MAX = 1000 };

struct both {
	struct agg was, now; /* they answer from their stores */
};

static void both_deinit(struct both *b)
{
	agg_deinit(&b->was);
	agg_deinit(&b->now);
}

/* What a store does not hold is no error here. */
static struct err *unless_lacking(struct err *err, bool *ret_has)
{
	*ret_has = !err;
	if (!err || err->code != ERR_UNSUPPORTED)
		return err;
	err_free(err);
	return NULL;
}

/* The index of one name among others. */
struct named {
	const char *name;
	size_t at;
};

static int by_name(const void *x, const void *y)
{
	const struct named *p = x, *q = y;

	return strcmp(p->name, q->name);
}

static struct named *index_rows(const struct ans_top *t)
{
	struct named *n = zalloc(t->rows.n + 1, sizeof(*n));

	for (size_t i = 0; n && i < t->rows.n; i++)
		n[i] = (struct named){ t->rows.v[i].name, i };
	if (n && t->rows.n)
		qsort(n, t->rows.n, sizeof(*n), by_name);
	return n;
}

static const struct ans_row *row_named(const struct ans_top *t, const struct named *index,
				       const char *name)
{
	struct named want = { .name = name };
	const struct named *n =
		t->rows.n ? bsearch(&want, index, t->rows.n, sizeof(want), by_name) : NULL;

	return n ? &t->rows.v[n->at] : NULL;
}

struct tops {
	struct ans_top was, now;
	struct named *was_index, *now_index;
};

static void tops_deinit(struct tops *t)
{
	ans_top_deinit(&t->was);
	ans_top_deinit(&t->now);
	free(t->was_index);
	free(t->now_index);
}

static struct err *tops_read(struct both *b, const char *by, struct tops *t)
{
	struct top_ask q = { .by = by, .limit = UINT32_MAX, .trees = AGG_TREE_EXACT };
	struct err *err = agg_top(&b->was, &q, &t->was);

	q = (struct top_ask){ .by = by, .limit = UINT32_MAX, .trees = AGG_TREE_EXACT };
	if (!err)
		err = agg_top(&b->now, &q, &t->now);
	if (err)
		return err;
	t->was_index = index_rows(&t->was);
	t->now_index = index_rows(&t->now);
	return t->was_index && t->now_index ? NULL : &err_nomem;
}

static void set_retained(struct ans_diff_row *r, const struct ans_row *was,
			 const struct ans_row *now)
{
	r->old_retained = was ? was->retained : r->old.objects ? ANS_UNKNOWN : 0;
	r->new_retained = now ? now->retained : r->now.objects ? ANS_UNKNOWN : 0;
	if (r->old_retained != ANS_UNKNOWN && r->new_retained != ANS_UNKNOWN)
		r->retained_growth = (int64_t)(r->new_retained - r->old_retained);
}

/* Rows that are known by identity get what they retain. */
static struct err *retained(struct both *b, struct ans_diff_table *t)
{
	_cleanup_(tops_deinit) struct tops tops = { 0 };
	struct err *err = NULL;
	bool has = true;

	if (strcmp(t->by, "type") != 0 && strcmp(t->by, "field") != 0)
		return NULL;
	err = unless_lacking(tops_read(b, t->by, &tops), &has);
	for (size_t i = 0; !err && has && i < t->rows.n; i++) {
		struct ans_diff_row *r = &t->rows.v[i];

		set_retained(r, row_named(&tops.was, tops.was_index, r->name),
			     row_named(&tops.now, tops.now_index, r->name));
	}
	return err;
}

static struct err *add_named(struct ans_diff *a, const char *name, const struct ans_row *was,
			     const struct ans_row *now, struct ans_diff_table *t)
{
	struct ans_diff_row r = { .name = keepf(&a->keep, "%s", name),
				  .in_old = was != NULL,
				  .in_new = now != NULL };

	if (was)
		r.old = (struct ans_diff_count){ was->objects, was->shallow };
	if (now)
		r.now = (struct ans_diff_count){ now->objects, now->shallow };
	agg_diff_grown(a, &r);
	set_retained(&r, was, now);
	return vec_push(&t->rows, r) ? NULL : &err_nomem;
}

static int by_growth(const void *x, const void *y)
{
	const struct ans_diff_row *p = x, *q = y;
	int64_t a = p->retained_growth != ANS_DIFF_NONE ? p->retained_growth : p->growth_bytes;
	int64_t b = q->retained_growth != ANS_DIFF_NONE ? q->retained_growth : q->growth_bytes;

	if (a != b)
		return a < b ? 1 : -1;
	return strcmp(p->name, q->name);
}

/* What sites retain is that of some samples. */
static int by_own_growth(const void *x, const void *y)
{
	const struct ans_diff_row *p = x, *q = y;

	if (p->growth_bytes != q->growth_bytes)
		return p->growth_bytes < q->growth_bytes ? 1 : -1;
	return strcmp(p->name, q->name);
}

static struct err *all_named(struct ans_diff *a, const struct tops *x, struct ans_diff_table *t)
{
	struct err *err = NULL;

	for (size_t i = 0; !err && i < x->now.rows.n; i++) {
		const struct ans_row *now = &x->now.rows.v[i];

		err = add_named(a, now->name, row_named(&x->was, x->was_index, now->name), now, t);
	}
	for (size_t i = 0; !err && i < x->was.rows.n; i++) {
		const struct ans_row *was = &x->was.rows.v[i];

		if (!row_named(&x->now, x->now_index, was->name))
			err = add_named(a, was->name, was, NULL, t);
	}
	return err;
}

/* A table of which only names tell: label, site, goroutine … */
static struct err *named_table(struct both *b, const struct diff_ask *q, struct ans_diff *a)
{
	_cleanup_(tops_deinit) struct tops tops = { 0 };
	struct ans_diff_table t = { .by = keepf(&a->keep, "%s", q->by) };
	struct err *err = tops_read(b, q->by, &tops);

	if (!err)
		err = all_named(a, &tops, &t);
	if (!err) {
		if (t.rows.n)
			qsort(t.rows.v, t.rows.n, sizeof(t.rows.v[0]),
			      strcmp(q->by, "site") ? by_growth : by_own_growth);
		t.nrows = t.rows.n;
		t.rows.n = MIN(t.rows.n, q->limit);
		if (vec_push(&a->tables, t))
			return NULL;
	}
	vec_free(&t.rows);
	return err ? err : &err_nomem;
}

static struct err *memory(struct both *b, struct ans_diff *a)
{
	_cleanup_(ans_memory_deinit) struct ans_memory was = { 0 }, now = { 0 };
	struct err *err = agg_memory(&b->was, &was);

	if (!err)
		err = agg_memory(&b->now, &now);
	err = unless_lacking(err, &a->has_memory);
	for (size_t i = 0; !err && a->has_memory && i < MIN(now.lines.n, (size_t)LINES_MAX); i++) {
		const struct ans_mem_line *l = &now.lines.v[i];
		struct ans_diff_memory m = { .key = keepf(&a->keep, "%s", l->key),
					     .name = keepf(&a->keep, "%s", l->name),
					     .level = l->level,
					     .now = l->bytes };

		for (size_t k = 0; k < MIN(was.lines.n, (size_t)LINES_MAX); k++)
			if (!strcmp(was.lines.v[k].key, l->key))
				m.old = was.lines.v[k].bytes;
		if (!vec_push(&a->memory, m))
			err = &err_nomem;
	}
	return err;
}

static const char *change_word(const struct ans_finding *was, const struct ans_finding *now)
{
	uint64_t x, y;

	if (!was)
		return "new";
	if (!now)
		return "gone";
	x = was->bytes + was->stack_bytes;
	y = now->bytes + now->stack_bytes;
	return y > x ? "grown" : y < x ? "shrunk" : "same";
}

static struct err *add_finding(struct ans_diff *a, const struct ans_finding *was,
			       const struct ans_finding *now)
{
	const struct ans_finding *f = now ? now : was;
	struct ans_diff_finding x = {
		.change = change_word(was, now),
		.kind = keepf(&a->keep, "%s", f->kind),
		.verdict = keepf(&a->keep, "%s", f->verdict),
		.title = keepf(&a->keep, "%s", f->title),
		.signature = keepf(&a->keep, "%s", f->signature),
		.old_bytes = was ? was->bytes + was->stack_bytes : ANS_UNKNOWN,
		.new_bytes = now ? now->bytes + now->stack_bytes : ANS_UNKNOWN,
	};

	return vec_push(&a->findings, x) ? NULL : &err_nomem;
}

static const struct ans_finding *signed_so(const struct ans_findings *f, const char *signature)
{
	for (size_t i = 0; i < f->rows.n; i++)
		if (!strcmp(f->rows.v[i].signature, signature))
			return &f->rows.v[i];
	return NULL;
}

static struct err *findings(struct both *b, struct ans_diff *a)
{
	_cleanup_(ans_findings_deinit) struct ans_findings was = { 0 }, now = { 0 };
	struct report_ask ask = { .findings = FINDINGS_MAX };
	struct err *err = agg_findings(&b->was, NULL, &ask, &was);

	if (!err)
		err = agg_findings(&b->now, NULL, &ask, &now);
	err = unless_lacking(err, &a->has_findings);
	if (err || !a->has_findings)
		return err;
	for (size_t i = 0; !err && i < now.rows.n; i++)
		err = add_finding(a, signed_so(&was, now.rows.v[i].signature), &now.rows.v[i]);
	for (size_t i = 0; !err && i < was.rows.n; i++)
		if (!signed_so(&now, was.rows.v[i].signature))
			err = add_finding(a, &was.rows.v[i], NULL);
	return err;
}

struct err *agg_diff_kept(const struct diff_look *looks, size_t n, const struct diff_ask *q,
			  struct ans_diff *a)
{
	_cleanup_(both_deinit) struct both b = { 0 };
	struct err *err = kept_ask(&b.was, looks[0].store);
	bool has;

	if (!err)
		err = kept_ask(&b.now, looks[n - 1].store);
	if (q->by && !agg_diff_is_identity(q->by))
		return err ? err : named_table(&b, q, a);
	err = unless_lacking(err, &has);
	if (err || !has)
		return err;
	for (size_t i = 0; !err && i < a->tables.n; i++)
		err = retained(&b, &a->tables.v[i]);
	if (!err)
		err = agg_diff_goroutines(&b.was, &b.now, q, a);
	if (!err)
		err = findings(&b, a);
	return err ? err : memory(&b, a);
}
