/*
 * baseline_write.c - a baseline is written: one entry a line, sorted, so that it merges.
 *
 * What is said of programs and tests that were not looked at this time stays as it is.  A finding
 * keeps the day and the title under which it came in: a file under version control changes only
 * where something changed.
 */
#include "report/baseline.h"

#include "report/json.h"
#include "report/out.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

struct next {
	VEC(struct baseline_finding) findings;
	VEC(struct baseline_run) runs;
};

static void next_deinit(struct next *n)
{
	vec_free(&n->findings);
	vec_free(&n->runs);
}

static const char *program_of(const struct ans_check *c)
{
	return c->suite && *c->suite ? c->suite : c->name;
}

static const char *test_of(const struct ans_check *c)
{
	return c->suite && *c->suite ? c->name : "";
}

/* It was looked at: what the file says of it is old. */
static bool is_renewed(const struct ans_checks *a, const char *program, const char *test)
{
	for (size_t i = 0; i < a->v.n; i++) {
		const struct ans_check *c = &a->v.v[i];

		if (c->result != CHECK_BROKEN && c->result != CHECK_SKIPPED &&
		    !strcmp(program, program_of(c)) && !strcmp(test, test_of(c)))
			return true;
	}
	return false;
}

static const struct baseline_finding *former(const struct baseline *b, const struct ans_check *c,
					     const char *signature)
{
	for (size_t i = 0; i < b->findings.n; i++) {
		const struct baseline_finding *f = &b->findings.v[i];

		if (!strcmp(f->program, program_of(c)) && !strcmp(f->test, test_of(c)) &&
		    !strcmp(f->signature, signature))
			return f;
	}
	return NULL;
}

static struct err *add_rows(struct next *n, const struct baseline *b, const struct ans_check *c,
			    const char *today)
{
	for (size_t i = 0; i < c->rows.n; i++) {
		const struct ans_check_row *r = &c->rows.v[i];
		const struct baseline_finding *f;

		if (!r->signature || !*r->signature)
			continue; /* a limit: its figures are in the rounds */
		f = former(b, c, r->signature);
		if (!vec_push(&n->findings,
			      (struct baseline_finding){ program_of(c), test_of(c), r->signature,
							 r->kind, f && *f->since ? f->since : today,
							 f ? f->title : r->title }))
			return &err_nomem;
	}
	return NULL;
}

static struct err *add_check(struct next *n, const struct baseline *b, const struct ans_check *c,
			     const char *today)
{
	struct baseline_run r = { program_of(c), test_of(c), today, { 0 } };

	if (c->result == CHECK_BROKEN || c->result == CHECK_SKIPPED)
		return NULL;
	baseline_measure(c, r.figure);
	if (!vec_push(&n->runs, r))
		return &err_nomem;
	return add_rows(n, b, c, today);
}

static struct err *add_former(struct next *n, const struct baseline *b, const struct ans_checks *a)
{
	for (size_t i = 0; i < b->findings.n; i++)
		if (!is_renewed(a, b->findings.v[i].program, b->findings.v[i].test) &&
		    !vec_push(&n->findings, b->findings.v[i]))
			return &err_nomem;
	for (size_t i = 0; i < b->runs.n; i++)
		if (!is_renewed(a, b->runs.v[i].program, b->runs.v[i].test) &&
		    !vec_push(&n->runs, b->runs.v[i]))
			return &err_nomem;
	return NULL;
}

static int by_finding(const void *x, const void *y)
{
	const struct baseline_finding *a = x, *b = y;
	int k = strcmp(a->program, b->program);

	k = k ? k : strcmp(a->test, b->test);
	return k ? k : strcmp(a->signature, b->signature);
}

static int by_run(const void *x, const void *y)
{
	const struct baseline_run *a = x, *b = y;
	int k = strcmp(a->program, b->program);

	return k ? k : strcmp(a->test, b->test);
}

/* jw ends a document with a newline; here a comma comes before it. */
static void end_line(struct str *o, bool last)
{
	if (o->n && !o->bad && o->s[o->n - 1] == '\n')
		o->n--;
	str_put(o, last ? "]" : ",\n");
}

static void put_finding(struct str *o, const struct baseline_finding *f)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_text(&j, "program", f->program);
	jw_kv_text(&j, "test", f->test);
	jw_kv_text(&j, "signature", f->signature);
	jw_kv_text(&j, "kind", f->kind);
	jw_kv_text(&j, "since", f->since);
	jw_kv_text(&j, "title", f->title);
	jw_end(&j, '}');
}

static void put_run(struct str *o, const struct baseline_run *r)
{
	char buf[40];
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_text(&j, "program", r->program);
	jw_kv_text(&j, "test", r->test);
	jw_kv_text(&j, "at", r->at);
	for (int i = 0; i < BASELINE_FIGURES; i++) {
		jw_key(&j, baseline_word((enum baseline_figure)i));
		snprintf(buf, sizeof(buf), "%.6g", r->figure[i]);
		if (isfinite(r->figure[i]) && r->figure[i] < 1e6)
			jw_number(&j, buf);
		else if (isfinite(r->figure[i]) && r->figure[i] < 1e18)
			jw_u64(&j, (uint64_t)r->figure[i]);
		else
			jw_null(&j);
	}
	jw_end(&j, '}');
}

static void put_all(struct str *o, struct next *n)
{
	if (n->findings.n)
		qsort(n->findings.v, n->findings.n, sizeof(*n->findings.v), by_finding);
	if (n->runs.n)
		qsort(n->runs.v, n->runs.n, sizeof(*n->runs.v), by_run);
	str_put(o, "{\"limpet_baseline\": 1,\n\"findings\": [\n");
	for (size_t i = 0; i < n->findings.n; i++) {
		put_finding(o, &n->findings.v[i]);
		end_line(o, i + 1 == n->findings.n);
	}
	str_put(o, n->findings.n ? ",\n\"rounds\": [\n" : "],\n\"rounds\": [\n");
	for (size_t i = 0; i < n->runs.n; i++) {
		put_run(o, &n->runs.v[i]);
		end_line(o, i + 1 == n->runs.n);
	}
	str_put(o, n->runs.n ? "}\n" : "]}\n");
}

struct err *baseline_write(const char *path, const struct baseline *b, const struct ans_checks *a)
{
	_cleanup_(next_deinit) struct next n = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	time_t now = (time_t)(a->started_unix_ns / 1000000000);
	struct err *err = add_former(&n, b, a);
	struct tm tm;
	char today[32] = "";

	if (gmtime_r(&now, &tm))
		strftime(today, sizeof(today), "%Y-%m-%d", &tm);
	for (size_t i = 0; !err && i < a->v.n; i++)
		err = add_check(&n, b, &a->v.v[i], today);
	if (err)
		return err;
	put_all(&o, &n);
	return out_write(path, &o);
}
