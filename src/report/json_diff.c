/*
 * json_diff.c - `limpet diff` as JSON: the contract's keys, and more beside them.
 */
#include "report/answer_diff.h"
#include "report/json.h"

#include <stdio.h>

static void put_count(struct jw *j, const char *key, const struct ans_diff_count *c)
{
	jw_key(j, key);
	jw_object(j);
	jw_kv_u64(j, "objects", c->objects);
	jw_kv_u64(j, "bytes", c->bytes);
	jw_end(j, '}');
}

static void put_signed(struct jw *j, const char *key, int64_t n)
{
	jw_key(j, key);
	if (n == ANS_DIFF_NONE)
		jw_null(j);
	else
		jw_i64(j, n);
}

static void put_followed(struct jw *j, const struct ans_diff_followed *f)
{
	jw_key(j, "followed");
	jw_object(j);
	jw_kv_u64(j, "cycles", f->cycles);
	jw_kv_u64(j, "missed", f->missed);
	jw_kv_u64(j, "spans", f->spans);
	jw_kv_u64(j, "unknown_spans", f->unknown);
	jw_kv_u64(j, "read_bytes", f->read_bytes);
	jw_kv_u64(j, "cpu_ns", f->cpu_ns);
	if (f->why)
		jw_kv_text(j, "why", f->why);
	jw_end(j, '}');
}

static void put_step(struct jw *j, const struct ans_diff_look *l)
{
	jw_kv_known(j, "since_ns", l->ns);
	jw_kv_known(j, "since_cycles", l->cycles_since);
	jw_kv_bool(j, "exact", l->exact);
	put_count(j, "survived", &l->survived);
	put_count(j, "maybe", &l->maybe);
	put_count(j, "born", &l->born);
	put_count(j, "died", &l->died);
	put_count(j, "reused", &l->reused);
	put_count(j, "revived", &l->revived);
}

static void put_look(struct jw *j, const struct ans_diff *a, size_t i)
{
	const struct ans_diff_look *l = &a->looks[i];

	jw_object(j);
	jw_kv_text(j, "name", l->name);
	jw_kv_text(j, "kind", l->kind);
	jw_kv_i64(j, "pid", l->pid);
	jw_key(j, "at");
	jw_time(j, l->at_unix_ns);
	jw_kv_known(j, "up_ns", l->up_ns ? l->up_ns : ANS_UNKNOWN);
	jw_kv_known(j, "cycles", l->cycles);
	jw_kv_u64(j, "objects", l->objects);
	jw_kv_u64(j, "bytes", l->bytes);
	jw_kv_u64(j, "goroutines", l->goroutines);
	jw_kv_u64(j, "stack_bytes", l->stack_bytes);
	jw_kv_known(j, "total_alloc_bytes", l->total_alloc ? l->total_alloc : ANS_UNKNOWN);
	jw_kv_known(j, "rss", l->rss);
	if (l->requests)
		jw_kv_u64(j, "requests", l->requests);
	if (i && a->identity)
		put_step(j, l);
	jw_end(j, '}');
}

static void put_identity(struct jw *j, const struct ans_diff_row *r)
{
	if (!r->identity) {
		jw_key(j, "survived");
		jw_null(j);
		jw_key(j, "born");
		jw_null(j);
		jw_key(j, "died");
		jw_null(j);
		return;
	}
	jw_kv_u64(j, "survived", r->survived.objects);
	jw_kv_u64(j, "born", r->born.objects);
	jw_kv_u64(j, "died", r->died.objects);
	jw_kv_u64(j, "maybe", r->maybe.objects);
	jw_kv_u64(j, "reused", r->reused.objects);
	jw_kv_u64(j, "survived_bytes", r->survived.bytes);
	jw_kv_u64(j, "born_bytes", r->born.bytes);
	jw_kv_u64(j, "died_bytes", r->died.bytes);
	jw_kv_u64(j, "maybe_bytes", r->maybe.bytes);
}

/* Of those in NEW: how many collections they have outlived at least. */
static void put_ages(struct jw *j, const struct ans_diff *a, const struct ans_diff_row *r)
{
	const struct ans_diff_look *now = &a->looks[a->nlooks - 1];

	jw_key(j, "ages");
	jw_array(j);
	for (size_t i = 0; i < a->nlooks; i++) {
		uint64_t then = a->looks[i].cycles;

		jw_object(j);
		jw_kv_u64(j, "first_seen_at_look", i + 1);
		jw_kv_known(j, "survived_cycles",
			    then == ANS_UNKNOWN || now->cycles == ANS_UNKNOWN ? ANS_UNKNOWN
									      : now->cycles - then);
		jw_kv_u64(j, "objects", r->aged[i].objects);
		jw_kv_u64(j, "bytes", r->aged[i].bytes);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_each_look(struct jw *j, const struct ans_diff *a, const struct ans_diff_row *r)
{
	jw_key(j, "looks");
	jw_array(j);
	for (size_t i = 0; i < a->nlooks; i++) {
		jw_object(j);
		jw_kv_u64(j, "objects", r->at[i].objects);
		jw_kv_u64(j, "bytes", r->at[i].bytes);
		if (i && r->identity) {
			jw_kv_u64(j, "born", r->came[i].objects);
			jw_kv_u64(j, "died", r->left[i].objects);
		}
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_site(struct jw *j, const struct ans_diff_row *r)
{
	jw_key(j, "allocated_at");
	jw_array(j);
	for (size_t i = 0; i < r->site.n; i++) {
		jw_object(j);
		jw_kv_text(j, "function", r->site.v[i].function);
		jw_kv_text(j, "file", r->site.v[i].file);
		jw_kv_i64(j, "line", r->site.v[i].line);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_row(struct jw *j, const struct ans_diff *a, const struct ans_diff_row *r)
{
	jw_object(j);
	jw_kv_text(j, "name", r->name);
	jw_kv_u64(j, "old_objects", r->old.objects);
	jw_kv_u64(j, "new_objects", r->now.objects);
	put_identity(j, r);
	jw_kv_i64(j, "growth_bytes", r->growth_bytes);
	put_signed(j, "retained_growth_bytes", r->retained_growth);
	jw_key(j, "holder");
	json_path(j, &r->holder);
	jw_kv_i64(j, "growth_objects", r->growth_objects);
	jw_kv_u64(j, "old_bytes", r->old.bytes);
	jw_kv_u64(j, "new_bytes", r->now.bytes);
	jw_kv_known(j, "old_retained_bytes", r->old_retained);
	jw_kv_known(j, "new_retained_bytes", r->new_retained);
	put_signed(j, "per_gc", r->per_gc);
	put_signed(j, "per_second", r->per_second);
	if (a->norm.per)
		jw_kv_known(j, "expected_bytes", r->expected_bytes);
	if (r->fate)
		jw_kv_text(j, "fate", ans_diff_fate_word(r->fate));
	if (r->identity)
		put_ages(j, a, r);
	if (a->nlooks > 2)
		put_each_look(j, a, r);
	put_site(j, r);
	jw_end(j, '}');
}

static void put_rows(struct jw *j, const struct ans_diff *a, const struct ans_diff_table *t)
{
	jw_array(j);
	for (size_t i = 0; i < t->rows.n; i++)
		put_row(j, a, &t->rows.v[i]);
	jw_end(j, ']');
}

static void put_goroutines(struct jw *j, const struct ans_diff *a)
{
	jw_key(j, "goroutines");
	jw_object(j);
	jw_kv_u64(j, "survived", a->goroutines_survived);
	jw_kv_u64(j, "started", a->goroutines_started);
	jw_kv_u64(j, "ended", a->goroutines_ended);
	jw_key(j, "groups");
	jw_array(j);
	for (size_t i = 0; i < a->goroutines.n; i++) {
		const struct ans_diff_goroutines *g = &a->goroutines.v[i];

		jw_object(j);
		jw_kv_text(j, "name", g->name);
		jw_kv_text(j, "wait", g->wait);
		jw_kv_u64(j, "old", g->old);
		jw_kv_u64(j, "new", g->now);
		jw_kv_u64(j, "survived", g->survived);
		jw_kv_u64(j, "started", g->started);
		jw_kv_u64(j, "ended", g->ended);
		jw_kv_i64(j, "growth", g->growth);
		jw_kv_i64(j, "growth_stack_bytes", g->growth_stack_bytes);
		jw_kv_known(j, "max_since_ns", g->max_since_ns);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_end(j, '}');
}

static void put_findings(struct jw *j, const struct ans_diff *a)
{
	jw_key(j, "findings");
	jw_array(j);
	for (size_t i = 0; i < a->findings.n; i++) {
		const struct ans_diff_finding *f = &a->findings.v[i];

		jw_object(j);
		jw_kv_text(j, "change", f->change);
		jw_kv_text(j, "kind", f->kind);
		jw_kv_text(j, "verdict", f->verdict);
		jw_kv_text(j, "title", f->title);
		jw_kv_text(j, "signature", f->signature);
		jw_kv_known(j, "old_bytes", f->old_bytes);
		jw_kv_known(j, "new_bytes", f->new_bytes);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_memory(struct jw *j, const struct ans_diff *a)
{
	jw_key(j, "memory");
	jw_array(j);
	for (size_t i = 0; i < a->memory.n; i++) {
		const struct ans_diff_memory *m = &a->memory.v[i];

		jw_object(j);
		jw_kv_text(j, "key", m->key);
		jw_kv_i64(j, "old", m->old);
		jw_kv_i64(j, "new", m->now);
		jw_kv_i64(j, "growth", m->now - m->old);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_norm(struct jw *j, const struct ans_diff *a)
{
	char n[40];

	if (!a->norm.per)
		return;
	jw_key(j, "per");
	jw_object(j);
	jw_kv_text(j, "unit", a->norm.per);
	snprintf(n, sizeof(n), "%.6g", a->norm.old);
	jw_key(j, "old");
	jw_number(j, n);
	snprintf(n, sizeof(n), "%.6g", a->norm.now);
	jw_key(j, "new");
	jw_number(j, n);
	jw_end(j, '}');
}

static void put_head(struct jw *j, const struct ans_diff *a)
{
	jw_kv_u64(j, "schema", 1);
	jw_kv_text(j, "limpet", LIMPET_VERSION);
	jw_kv_text(j, "same", a->same);
	jw_kv_text(j, "why", a->why);
	jw_kv_bool(j, "by_identity", a->identity);
	jw_kv_bool(j, "exact", a->exact);
	jw_kv_known(j, "ns", a->ns);
	jw_kv_known(j, "cycles", a->cycles);
	if (a->has_followed)
		put_followed(j, &a->followed);
	put_norm(j, a);
	jw_key(j, "looks");
	jw_array(j);
	for (size_t i = 0; i < a->nlooks; i++)
		put_look(j, a, i);
	jw_end(j, ']');
	jw_key(j, "total");
	put_row(j, a, &a->total);
}

void json_doc_diff(struct str *o, const struct ans_diff *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_head(&j, a);
	for (size_t i = 0; i < a->tables.n; i++) {
		const struct ans_diff_table *t = &a->tables.v[i];
		char key[64];

		if (!i) {
			jw_kv_text(&j, "by", t->by);
			jw_kv_text(&j, "sort", a->sort);
			jw_kv_u64(&j, "nrows", t->nrows);
		}
		snprintf(key, sizeof(key), "by_%.40s", t->by);
		jw_key(&j, i ? key : "rows");
		put_rows(&j, a, t);
	}
	if (a->has_goroutines)
		put_goroutines(&j, a);
	if (a->has_findings)
		put_findings(&j, a);
	if (a->has_memory)
		put_memory(&j, a);
	jw_end(&j, '}');
}
