/*
 * baseline.c - a baseline is read, and held against what a check found.
 *
 * SQLite reads the JSON.  The file comes from a repository and may hold anything: its size is
 * bounded, texts are cut, what has no signature is refused.
 */
#include "report/baseline.h"

#include "base/files.h"
#include "base/files_text.h"
#include "report/known.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>

enum { FILE_MAX = 16 << 20, ENTRIES_MAX = 100000, TEXT_MAX = 300 };

static const struct {
	const char *word, *limit;
} words[BASELINE_FIGURES] = {
	[BASELINE_ALLOC] = { "alloc_bytes_per_load", "alloc" },
	[BASELINE_GC] = { "gc_cycles_per_load", "gc" },
	[BASELINE_GC_CPU] = { "gc_cpu_percent", "gc-cpu" },
	[BASELINE_GC_PAUSE] = { "gc_pause_ns", "gc-pause" },
	[BASELINE_LIVE_BYTES] = { "live_bytes", "" },
	[BASELINE_GOROUTINES] = { "goroutines", "" },
};

const char *baseline_word(enum baseline_figure f)
{
	return f < BASELINE_FIGURES ? words[f].word : "";
}

void baseline_deinit(struct baseline *b)
{
	vec_free(&b->findings);
	vec_free(&b->runs);
	keep_deinit(&b->keep);
}

static void close_db(sqlite3 **db)
{
	sqlite3_close(*db);
}

static void finish(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

static struct err *damaged(const char *path)
{
	return err_bad_data("%.200s: no baseline of limpet; write a new one with --update-baseline",
			    path);
}

/* One statement over the text, which is its only parameter. */
static struct err *prepare(sqlite3 *db, const char *sql, const char *text, size_t n,
			   sqlite3_stmt **ret)
{
	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL) != SQLITE_OK)
		return err_bad_data("SQLite: %.200s", sqlite3_errmsg(db));
	if (sqlite3_bind_text(*ret, 1, text, (int)n, SQLITE_STATIC) != SQLITE_OK)
		return &err_nomem;
	return NULL;
}

static struct err *check_schema(sqlite3 *db, const char *path, const char *text, size_t n)
{
	_cleanup_(finish) sqlite3_stmt *s = NULL;
	struct err *err = prepare(
		db,
		"SELECT CASE WHEN json_valid(?1) THEN json_extract(?1, '$.limpet_baseline') END",
		text, n, &s);
	int64_t schema;

	if (err)
		return err;
	if (sqlite3_step(s) != SQLITE_ROW || sqlite3_column_type(s, 0) != SQLITE_INTEGER)
		return damaged(path);
	schema = sqlite3_column_int64(s, 0);
	if (schema != 1)
		return err_bad_data("%.200s: a baseline of schema %lld, this limpet knows 1: use a "
				    "later limpet, or write a new one with --update-baseline",
				    path, (long long)schema);
	return NULL;
}

static const char *text_of(struct baseline *b, sqlite3_stmt *s, int col)
{
	const char *text = (const char *)sqlite3_column_text(s, col);

	return keepf(&b->keep, "%.*s", TEXT_MAX, text ? text : "");
}

static struct err *read_findings(struct baseline *b, sqlite3 *db, const char *text, size_t n)
{
	_cleanup_(finish) sqlite3_stmt *s = NULL;
	struct err *err = prepare(
		db,
		"SELECT value ->> 'program', value ->> 'test', value ->> 'signature', value ->> 'kind',"
		" value ->> 'since', value ->> 'title' FROM json_each(?1, '$.findings')"
		" WHERE json_type(value) = 'object'",
		text, n, &s);
	int rc = SQLITE_DONE;

	while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct baseline_finding f = {
			.program = text_of(b, s, 0),
			.test = text_of(b, s, 1),
			.signature = text_of(b, s, 2),
			.kind = text_of(b, s, 3),
			.since = text_of(b, s, 4),
			.title = text_of(b, s, 5),
		};

		if (!known_is_signature(f.signature) || b->findings.n >= ENTRIES_MAX)
			return damaged(b->path);
		if (!vec_push(&b->findings, f))
			return &err_nomem;
	}
	return err ? err : rc == SQLITE_DONE ? NULL : damaged(b->path);
}

static struct err *read_runs(struct baseline *b, sqlite3 *db, const char *text, size_t n)
{
	_cleanup_(finish) sqlite3_stmt *s = NULL;
	char sql[600];
	int at = snprintf(sql, sizeof(sql),
			  "SELECT value ->> 'program', value ->> 'test', value ->> 'at'");
	struct err *err;
	int rc = SQLITE_DONE;

	for (size_t i = 0; i < BASELINE_FIGURES; i++)
		at += snprintf(sql + at, sizeof(sql) - (size_t)at, ", value ->> '%s'",
			       words[i].word);
	snprintf(sql + at, sizeof(sql) - (size_t)at,
		 " FROM json_each(?1, '$.rounds') WHERE json_type(value) = 'object'");
	err = prepare(db, sql, text, n, &s);
	while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct baseline_run r = {
			text_of(b, s, 0), text_of(b, s, 1), text_of(b, s, 2), { 0 }
		};

		for (int i = 0; i < BASELINE_FIGURES; i++) {
			int type = sqlite3_column_type(s, 3 + i);
			double v = sqlite3_column_double(s, 3 + i);

			r.figure[i] = (type == SQLITE_INTEGER || type == SQLITE_FLOAT) && v >= 0
					      ? v
					      : NAN;
		}
		if (b->runs.n >= ENTRIES_MAX)
			return damaged(b->path);
		if (!vec_push(&b->runs, r))
			return &err_nomem;
	}
	return err ? err : rc == SQLITE_DONE ? NULL : damaged(b->path);
}

static struct err *parse(struct baseline *b, const char *text, size_t n)
{
	_cleanup_(close_db) sqlite3 *db = NULL;
	struct err *err;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		return &err_nomem;
	err = check_schema(db, b->path, text, n);
	if (!err)
		err = read_findings(b, db, text, n);
	if (!err)
		err = read_runs(b, db, text, n);
	return err ? err : keep_err(&b->keep);
}

struct err *baseline_read(const char *path, enum baseline_need need, struct baseline *ret)
{
	_cleanup_(closep) int fd = file_open(path);
	_cleanup_(baseline_deinit) struct baseline b = { .path = path };
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	struct err *err;

	if (fd < 0 && errno == ENOENT && need == BASELINE_MAY)
		return NULL;
	if (fd < 0)
		return err_os(errno,
			      "baseline %.200s: make it with `limpet check --update-baseline …`",
			      path);
	err = file_text(fd, path, FILE_MAX, &text, &n);
	if (!err)
		err = parse(&b, text, n);
	if (err)
		return err;
	*ret = b;
	b = (struct baseline){ 0 };
	return NULL;
}

/* A test's program is its package. */
static bool is_of(const char *program, const char *test, const char *suite, const char *name)
{
	bool in_suite = suite && *suite;

	return !strcmp(program, in_suite ? suite : name) && !strcmp(test, in_suite ? name : "");
}

const struct baseline_run *baseline_run_of(const struct baseline *b, const char *suite,
					   const char *name)
{
	for (size_t i = 0; i < b->runs.n; i++)
		if (is_of(b->runs.v[i].program, b->runs.v[i].test, suite, name))
			return &b->runs.v[i];
	return NULL;
}

double baseline_figure_of(const struct baseline_run *r, const char *limit)
{
	for (size_t i = 0; r && *limit && i < BASELINE_FIGURES; i++)
		if (!strcmp(words[i].limit, limit))
			return r->figure[i];
	return NAN;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

enum of_round { LIVE, GOROUTINES };

static double median(const struct ans_check *c, enum of_round which)
{
	_cleanup_(freep) double *v = zalloc(c->round.n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < c->round.n; i++) {
		const struct ans_check_round *r = &c->round.v[i];
		uint64_t x = which == LIVE ? r->live_bytes : r->goroutines;

		if (!r->warm_up && x != ANS_UNKNOWN)
			v[n++] = (double)x;
	}
	if (n)
		qsort(v, n, sizeof(*v), compare);
	return n ? v[n / 2] : NAN;
}

void baseline_measure(const struct ans_check *c, double ret[static BASELINE_FIGURES])
{
	for (size_t f = 0; f < BASELINE_FIGURES; f++)
		ret[f] = NAN;
	for (size_t i = 0; i < c->limits.n; i++)
		for (size_t f = 0; f < BASELINE_FIGURES; f++)
			if (*words[f].limit && !strcmp(c->limits.v[i].name, words[f].limit))
				ret[f] = c->limits.v[i].value;
	ret[BASELINE_LIVE_BYTES] = median(c, LIVE);
	ret[BASELINE_GOROUTINES] = median(c, GOROUTINES);
}

static bool was_looked_at(const struct ans_check *c)
{
	return c->result != CHECK_BROKEN && c->result != CHECK_SKIPPED;
}

static bool has_row(const struct ans_check *c, const char *signature)
{
	for (size_t i = 0; i < c->rows.n; i++)
		if (c->rows.v[i].signature && !strcmp(c->rows.v[i].signature, signature))
			return true;
	return false;
}

static void mark(const struct baseline *b, struct ans_checks *a, const struct ans_check *c,
		 const struct baseline_finding *f)
{
	for (size_t i = 0; i < c->rows.n; i++) {
		struct ans_check_row *r = &c->rows.v[i];

		if (r->known || !r->signature || strcmp(r->signature, f->signature) != 0)
			continue;
		r->known = true;
		r->known_by =
			keepf(&a->keep, "%s, since %s", b->path, *f->since ? f->since : "some day");
	}
}

struct err *baseline_apply(const struct baseline *b, struct ans_checks *a)
{
	if (!b->path)
		return NULL;
	a->baseline = keepf(&a->keep, "%s", b->path);
	for (size_t k = 0; k < a->v.n; k++) {
		struct ans_check *c = &a->v.v[k];

		for (size_t i = 0; i < b->findings.n; i++) {
			const struct baseline_finding *f = &b->findings.v[i];

			if (!is_of(f->program, f->test, c->suite, c->name))
				continue;
			mark(b, a, c, f);
			if (!was_looked_at(c) || has_row(c, f->signature))
				continue;
			if (!vec_push(&a->gone,
				      (struct ans_check_gone){ keepf(&a->keep, "%s", f->program),
							       keepf(&a->keep, "%s", f->test),
							       keepf(&a->keep, "%s", f->signature),
							       keepf(&a->keep, "%s", f->kind),
							       keepf(&a->keep, "%s", f->title) }))
				return &err_nomem;
		}
		ans_check_conclude(a, c);
	}
	return keep_err(&a->keep);
}

struct err *known_check(const struct known *k, int64_t now_unix_s, struct ans_checks *a)
{
	for (size_t i = 0; i < a->v.n; i++) {
		struct ans_check *c = &a->v.v[i];

		for (size_t j = 0; j < c->rows.n; j++) {
			struct ans_check_row *r = &c->rows.v[j];
			const struct known_line *l = known_of(k, r->signature ? r->signature : "");

			if (!l)
				continue;
			r->known = r->known || now_unix_s < l->end_unix_s;
			r->known_by =
				keepf(&a->keep, "%s until %s: %s%s", l->source, l->until, l->reason,
				      now_unix_s < l->end_unix_s ? "" : " (its day is over)");
		}
		ans_check_conclude(a, c);
	}
	return keep_err(&a->keep);
}
