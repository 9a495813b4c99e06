/*
 * agg_lint.c - what a linter's report answers by itself: which warnings are about what stays.
 *
 * Cost: O(n log n).
 */
#include "report/answer_escape.h"

#include "base/keep.h"
#include "evidence/lint.h"

void ans_lint_deinit(struct ans_lint *a)
{
	vec_free(&a->list);
	vec_free(&a->rows);
}

void agg_lint_place(const struct lint *l, size_t row, struct ans_lint_place *ret)
{
	const struct lint_row *r = &l->rows.v[row];

	*ret = (struct ans_lint_place){
		.tool = lint_text(l, r->tool),
		.rule = lint_text(l, r->rule),
		.message = lint_text(l, r->message),
		.package = lint_text(l, r->package),
		.file = lint_text(l, r->file),
		.about = r->leak ? r->leak->about : "",
		.finding = r->leak ? r->leak->finding : "",
		.line = r->line,
		.column = r->column,
		.count = r->count,
	};
}

static const char *name_by(struct keep *k, const char *by, const struct ans_lint_place *p)
{
	if (!strcmp(by, "rule"))
		return p->rule;
	if (!strcmp(by, "file"))
		return p->file;
	if (!strcmp(by, "package"))
		return *p->package ? p->package : "(not said)";
	if (!strcmp(by, "tool"))
		return p->tool;
	return keepf(k, "%s:%d", p->file, p->line);
}

static int by_name(const void *a, const void *b)
{
	const struct ans_lint_row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_places(const void *a, const void *b)
{
	const struct ans_lint_row *x = a, *y = b;

	if (x->about_leaks != y->about_leaks)
		return x->about_leaks < y->about_leaks ? 1 : -1;
	if (x->places != y->places)
		return x->places < y->places ? 1 : -1;
	return strcmp(x->name, y->name);
}

static struct err *add_rows(struct keep *k, size_t limit, struct ans_lint *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->list.n; i++) {
		struct ans_lint_row r = { name_by(k, a->by, &a->list.v[i]), 1,
					  *a->list.v[i].about != 0 };

		if (!vec_push(&a->rows, r))
			return &err_nomem;
	}
	if (a->rows.n)
		qsort(a->rows.v, a->rows.n, sizeof(a->rows.v[0]), by_name);
	for (size_t i = 0; i < a->rows.n; i++) {
		if (n && !strcmp(a->rows.v[n - 1].name, a->rows.v[i].name)) {
			a->rows.v[n - 1].places++;
			a->rows.v[n - 1].about_leaks += a->rows.v[i].about_leaks;
		} else {
			a->rows.v[n++] = a->rows.v[i];
		}
	}
	a->rows.n = a->nrows = n;
	if (n)
		qsort(a->rows.v, n, sizeof(a->rows.v[0]), by_places);
	a->rows.n = MIN(n, limit);
	return NULL;
}

static struct err *check_by(const char *by)
{
	static const char *const words[] = { "rule", "file", "package", "line", "tool" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(by, words[i]))
			return NULL;
	return err_usage("--by %.40s: of a linter's report want rule, file, package, line or tool",
			 by);
}

struct err *agg_lint(struct keep *k, const struct lint *l, const char *by, size_t limit,
		     struct ans_lint *ret)
{
	_cleanup_(ans_lint_deinit) struct ans_lint a = { .file = l->name, .damage = l->damage };
	struct err *err = check_by(by ? by : "rule");

	a.by = by ? by : "rule";
	a.places = l->rows.n;
	a.about_leaks = l->about_leaks;
	for (size_t i = 0; i < l->rows.n && !err; i++) {
		struct ans_lint_place p;

		agg_lint_place(l, i, &p);
		if (!vec_push(&a.list, p))
			err = &err_nomem;
	}
	if (!err)
		err = add_rows(k, limit, &a);
	if (!err)
		err = keep_err(k);
	if (err)
		return err;
	*ret = a;
	a = (struct ans_lint){ 0 };
	return NULL;
}
