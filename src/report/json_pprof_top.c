/*
 * json_pprof_top.c - rows out of profiles as JSON: figures as they are, in the unit of the value.
 */
#include "report/pprof_top.h"

static void put_type(struct jw *j, const struct ans_pprof_type *t)
{
	jw_object(j);
	jw_kv_text(j, "type", t->type);
	jw_kv_text(j, "unit", t->unit);
	jw_end(j, '}');
}

static void put_texts(struct jw *j, const char *key, const char *const *v, size_t n)
{
	jw_key(j, key);
	jw_array(j);
	for (size_t i = 0; i < n; i++)
		jw_text(j, v[i]);
	jw_end(j, ']');
}

static void put_target(struct jw *j, const struct ans_pprof_head *a)
{
	jw_key(j, "target");
	jw_object(j);
	jw_kv_text(j, "kind", "profile");
	jw_kv_text(j, "path", a->files.n ? a->files.v[0] : "");
	put_texts(j, "paths", a->files.v, a->files.n);
	jw_kv_text(j, "exe", a->exe);
	jw_kv_text(j, "build_id", a->build_id);
	jw_end(j, '}');
}

static void put_head(struct jw *j, const struct ans_pprof_head *a)
{
	jw_kv_u64(j, "schema", 1);
	jw_kv_text(j, "limpet", LIMPET_VERSION);
	put_target(j, a);
	jw_kv_text(j, "what", a->what);
	jw_kv_text(j, "form", a->form);
	jw_kv_text(j, "type", a->value);
	jw_kv_text(j, "unit", a->unit);
	jw_key(j, "types");
	jw_array(j);
	for (size_t i = 0; i < a->types.n; i++)
		put_type(j, &a->types.v[i]);
	jw_end(j, ']');
	jw_kv_u64(j, "samples", a->samples);
	jw_key(j, "time");
	jw_time(j, a->time_ns);
	jw_kv_u64(j, "duration_ns", a->duration_ns);
	jw_key(j, "period");
	jw_object(j);
	jw_kv_text(j, "type", a->period_type.type);
	jw_kv_text(j, "unit", a->period_type.unit);
	jw_kv_i64(j, "value", a->period);
	jw_end(j, '}');
	put_texts(j, "comments", a->comments.v, a->comments.n);
	if (*a->doc_url)
		jw_kv_text(j, "doc_url", a->doc_url);
	jw_kv_text(j, "damage", a->damage);
	put_texts(j, "notes", a->notes.v, a->notes.n);
}

/* Of a CPU profile. */
static void put_parts(struct jw *j, const struct ans_pprof_head *a)
{
	if (!a->parts.n)
		return;
	jw_key(j, "parts");
	jw_array(j);
	for (size_t i = 0; i < a->parts.n; i++) {
		jw_object(j);
		jw_kv_text(j, "name", a->parts.v[i].word);
		jw_kv_i64(j, "value", a->parts.v[i].value);
		jw_kv_text(j, "means", a->parts.v[i].means);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_doc_pprof_top(struct str *o, const struct ans_pprof_top *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_head(&j, &a->head);
	jw_kv_text(&j, "by", a->by);
	jw_kv_text(&j, "sort", a->sort);
	jw_kv_i64(&j, "total", a->total);
	jw_kv_u64(&j, "total_rows", a->nrows);
	put_parts(&j, &a->head);
	jw_key(&j, "rows");
	jw_array(&j);
	for (size_t i = 0; i < a->rows.n; i++) {
		const struct ans_pprof_row *r = &a->rows.v[i];

		jw_object(&j);
		jw_kv_text(&j, "name", r->name);
		jw_kv_i64(&j, "flat", r->flat);
		jw_kv_i64(&j, "cum", r->cum);
		if (*r->inlined)
			jw_kv_text(&j, "inlined", r->inlined);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
	str_put(o, "\n");
}
