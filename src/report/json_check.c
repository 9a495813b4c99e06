/*
 * json_check.c - a check as one JSON document, schema 1.
 */
#include "report/check_out.h"
#include "report/json.h"

static void put_frame(struct jw *j, const struct ans_frame *f)
{
	jw_object(j);
	jw_kv_text(j, "function", f->function);
	jw_kv_text(j, "file", f->file);
	jw_kv_i64(j, "line", f->line);
	jw_end(j, '}');
}

static void put_at(struct jw *j, const struct ans_check_row *r)
{
	jw_key(j, "at");
	if (r->at.line <= 0) {
		jw_null(j);
		return;
	}
	jw_object(j);
	jw_kv_text(j, "function", r->at.function);
	jw_kv_text(j, "file", r->at.file);
	jw_kv_i64(j, "line", r->at.line);
	jw_kv_text(j, "path", r->uri && *r->uri && r->uri_line ? r->uri : NULL);
	jw_end(j, '}');
}

static void put_row(struct jw *j, const struct ans_check_row *r)
{
	jw_object(j);
	jw_kv_text(j, "kind", r->kind);
	jw_kv_text(j, "verdict", r->verdict);
	jw_kv_text(j, "proof", r->proof);
	jw_kv_text(j, "title", r->title);
	jw_kv_text(j, "why", r->why);
	jw_kv_text(j, "fix", r->fix);
	jw_kv_text(j, "signature", r->signature);
	jw_kv_text(j, "type", r->type);
	jw_kv_text(j, "held_by", r->holder);
	jw_key(j, "holder");
	json_path(j, &r->path);
	put_at(j, r);
	jw_key(j, "stack");
	jw_array(j);
	for (size_t i = 0; i < r->stack.n; i++)
		put_frame(j, &r->stack.v[i]);
	jw_end(j, ']');
	jw_kv_known(j, "objects", r->objects);
	jw_kv_known(j, "retained_bytes", r->bytes);
	jw_kv_real(j, "objects_per_round", r->per_round_objects);
	jw_kv_real(j, "bytes_per_round", r->per_round_bytes);
	jw_kv_real(j, "sure", (double)r->sure / 1000);
	jw_kv_bool(j, "known", r->known);
	jw_kv_text(j, "known_by", r->known ? r->known_by : NULL);
	jw_end(j, '}');
}

static void put_round(struct jw *j, const struct ans_check_round *r)
{
	jw_object(j);
	jw_kv_bool(j, "warm_up", r->warm_up);
	jw_kv_known(j, "at_ns", r->at_ns);
	jw_kv_known(j, "load_ns", r->load_ns);
	jw_kv_known(j, "live_bytes", r->live_bytes);
	jw_kv_known(j, "live_objects", r->live_objects);
	jw_kv_known(j, "goroutines", r->goroutines);
	jw_kv_known(j, "rss", r->rss);
	jw_kv_known(j, "alloc_bytes", r->alloc_bytes);
	jw_kv_known(j, "alloc_objects", r->allocs);
	jw_kv_known(j, "gc_cycles", r->cycles);
	jw_kv_known(j, "gc_cpu_ns", r->gc_cpu_ns);
	jw_kv_known(j, "gc_pause_ns", r->pause_ns);
	jw_kv_known(j, "look_pause_ns", r->look_pause_ns);
	jw_end(j, '}');
}

static void put_limit(struct jw *j, const struct ans_check_limit *l)
{
	jw_object(j);
	jw_kv_text(j, "name", l->name);
	jw_kv_text(j, "unit", l->unit);
	jw_kv_real(j, "value", l->value);
	jw_kv_real(j, "baseline", l->baseline);
	jw_kv_real(j, "limit", l->limit);
	jw_kv_bool(j, "broken", l->broken);
	jw_end(j, '}');
}

static void put_lists(struct jw *j, const struct ans_check *c)
{
	jw_key(j, "findings");
	jw_array(j);
	for (size_t i = 0; i < c->rows.n; i++)
		put_row(j, &c->rows.v[i]);
	jw_end(j, ']');
	jw_key(j, "rounds");
	jw_array(j);
	for (size_t i = 0; i < c->round.n; i++)
		put_round(j, &c->round.v[i]);
	jw_end(j, ']');
	jw_key(j, "limits");
	jw_array(j);
	for (size_t i = 0; i < c->limits.n; i++)
		put_limit(j, &c->limits.v[i]);
	jw_end(j, ']');
}

static void put_check(struct jw *j, const struct ans_check *c)
{
	jw_object(j);
	jw_kv_text(j, "name", c->name);
	jw_kv_text(j, "suite", c->suite);
	jw_kv_text(j, "result", ans_check_word(c->result));
	jw_kv_text(j, "why", c->why);
	jw_kv_real(j, "sure", (double)c->sure / 1000);
	jw_kv_u64(j, "rounds_taken", c->rounds);
	jw_kv_u64(j, "rounds_needed", c->more);
	jw_kv_u64(j, "ns", c->ns);
	jw_key(j, "exit_status");
	if (c->exit_status < 0)
		jw_null(j);
	else
		jw_i64(j, c->exit_status);
	if (c->result == CHECK_BROKEN)
		jw_kv_text(j, "output", c->output);
	put_lists(j, c);
	jw_end(j, '}');
}

static void put_gone(struct jw *j, const struct ans_check_gone *g)
{
	jw_object(j);
	jw_kv_text(j, "program", g->program);
	jw_kv_text(j, "test", g->test);
	jw_kv_text(j, "kind", g->kind);
	jw_kv_text(j, "title", g->title);
	jw_kv_text(j, "signature", g->signature);
	jw_end(j, '}');
}

void json_doc_check(struct str *o, const struct ans_checks *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	jw_kv_text(&j, "result", ans_check_word(ans_checks_result(a)));
	jw_kv_text(&j, "command", a->command);
	jw_key(&j, "at");
	jw_time(&j, a->started_unix_ns);
	jw_kv_text(&j, "baseline", a->baseline && *a->baseline ? a->baseline : NULL);
	jw_key(&j, "checks");
	jw_array(&j);
	for (size_t i = 0; i < a->v.n; i++)
		put_check(&j, &a->v.v[i]);
	jw_end(&j, ']');
	jw_key(&j, "fixed");
	jw_array(&j);
	for (size_t i = 0; i < a->gone.n; i++)
		put_gone(&j, &a->gone.v[i]);
	jw_end(&j, ']');
	jw_end(&j, '}');
}
