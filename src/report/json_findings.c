/*
 * json_findings.c - findings as the contract has them, section 4.
 */
#include "report/json.h"

static void put_goroutine(struct jw *j, const struct ans_finding *f)
{
	jw_key(j, "goroutine");
	if (!f->has_goroutine) {
		jw_null(j);
		return;
	}
	jw_object(j);
	jw_kv_u64(j, "id", f->goroutine.id);
	jw_kv_u64(j, "count", f->goroutine.count);
	jw_kv_text(j, "function", f->goroutine.function);
	jw_kv_text(j, "creator", f->goroutine.creator);
	jw_kv_text(j, "wait", f->goroutine.wait);
	jw_kv_known(j, "since_ns", f->goroutine.since_ns);
	jw_key(j, "stack");
	jw_array(j);
	for (size_t i = 0; i < f->stack.n; i++) {
		jw_object(j);
		jw_kv_text(j, "function", f->stack.v[i].function);
		jw_kv_text(j, "file", f->stack.v[i].file);
		jw_kv_i64(j, "line", f->stack.v[i].line);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_end(j, '}');
}

static void put_rate(struct jw *j, const char *key, int64_t n)
{
	jw_key(j, key);
	if (n == INT64_MIN)
		jw_null(j);
	else
		jw_i64(j, n);
}

/* Who allocated what hangs there: of the samples below it, the first few places. */
static void put_sites(struct jw *j, const struct ans_origin *o)
{
	if (!o->sampled || !o->sites.n)
		return;
	jw_key(j, "allocated_by");
	jw_array(j);
	for (size_t i = 0; i < o->sites.n; i++) {
		jw_object(j);
		jw_kv_u64(j, "samples", o->sites.v[i].count);
		jw_kv_text(j, "function", o->sites.v[i].frame.function);
		jw_kv_text(j, "file", o->sites.v[i].frame.file);
		jw_kv_i64(j, "line", o->sites.v[i].frame.line);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_growth(struct jw *j, const struct ans_finding *f)
{
	put_rate(j, "growth_per_gc", f->per_gc);
	if (!f->fresh && !f->then_known)
		return;
	put_rate(j, "growth_per_hour", f->per_hour);
	jw_kv_bool(j, "new", f->fresh);
	jw_kv_known(j, "then_bytes", f->then_known ? f->then_bytes : ANS_UNKNOWN);
}

static void put_source(struct jw *j, const struct ans_finding *f)
{
	if (!f->source.n)
		return;
	jw_key(j, "source");
	jw_array(j);
	for (size_t i = 0; i < f->source.n; i++) {
		const struct ans_source *s = &f->source.v[i];

		jw_object(j);
		jw_kv_text(j, "what", s->what);
		jw_kv_text(j, "file", s->file);
		jw_kv_i64(j, "line", s->line);
		jw_kv_text(j, "owner", s->owner);
		jw_kv_i64(j, "first", s->first);
		jw_key(j, "lines");
		jw_array(j);
		for (size_t k = 0; k < s->n; k++)
			jw_text(j, s->text[k]);
		jw_end(j, ']');
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

/* Where there were files beside the target. */
static void put_evidence(struct jw *j, const struct ans_finding *f)
{
	if (!f->evidence.n)
		return;
	jw_key(j, "evidence");
	jw_array(j);
	for (size_t i = 0; i < f->evidence.n; i++) {
		jw_object(j);
		jw_kv_text(j, "from", f->evidence.v[i].from);
		jw_kv_text(j, "says", f->evidence.v[i].says);
		jw_kv_text(j, "supports", f->evidence.v[i].supports);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_finding(struct jw *j, const struct ans_finding *f)
{
	jw_object(j);
	jw_kv_text(j, "kind", f->kind);
	jw_kv_text(j, "verdict", f->verdict);
	jw_kv_text(j, "proof", f->proof);
	jw_kv_text(j, "title", f->title);
	jw_kv_known(j, "retained_bytes", f->unmeasured ? ANS_UNKNOWN : f->bytes);
	jw_kv_known(j, "owner_retained_bytes", f->owner_bytes);
	jw_kv_known(j, "stack_bytes", f->unmeasured ? ANS_UNKNOWN : f->stack_bytes);
	jw_kv_known(j, "objects", f->unmeasured ? ANS_UNKNOWN : f->objects);
	jw_kv_u64(j, "count", f->count);
	put_growth(j, f);
	jw_kv_text(j, "type", f->type);
	jw_kv_text(j, "held_by", f->holder_text);
	jw_key(j, "holder");
	json_path(j, &f->holder);
	json_cut(j, &f->cut);
	put_goroutine(j, f);
	json_origin(j, &f->origin);
	put_sites(j, &f->origin);
	jw_kv_text(j, "fix", f->fix);
	jw_kv_text(j, "mitigate", f->mitigate);
	jw_kv_text(j, "decide", f->decide);
	jw_kv_text(j, "confirm", f->confirm);
	jw_kv_text(j, "detail", f->detail);
	jw_kv_text(j, "signature", f->signature);
	put_source(j, f);
	put_evidence(j, f);
	if (f->known && *f->known)
		jw_kv_text(j, "known", f->known);
	jw_end(j, '}');
}

void json_ignored(struct jw *j, const struct ans_findings *a)
{
	jw_array(j);
	for (size_t i = 0; i < a->ignored.n; i++) {
		const struct ans_ignored *x = &a->ignored.v[i];

		jw_object(j);
		jw_kv_text(j, "kind", x->kind);
		jw_kv_text(j, "verdict", x->verdict);
		jw_kv_text(j, "title", x->title);
		jw_kv_u64(j, "retained_bytes", x->bytes);
		jw_kv_text(j, "signature", x->signature);
		jw_kv_text(j, "by", x->by);
		jw_kv_text(j, "why", x->why);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_findings(struct jw *j, const struct ans_findings *a)
{
	jw_array(j);
	for (size_t i = 0; i < a->rows.n; i++)
		put_finding(j, &a->rows.v[i]);
	jw_end(j, ']');
}

void json_since(struct jw *j, const struct ans_since *a)
{
	jw_key(j, "since");
	jw_object(j);
	jw_kv_text(j, "file", a->file);
	jw_key(j, "at");
	jw_time(j, a->at_unix_ns);
	jw_kv_text(j, "same", a->same);
	if (*a->why)
		jw_kv_text(j, "why", a->why);
	jw_kv_u64(j, "ns", a->ns);
	jw_kv_u64(j, "gc_cycles", a->cycles);
	jw_kv_u64(j, "then_reachable_bytes", a->then_bytes);
	jw_kv_u64(j, "now_reachable_bytes", a->now_bytes);
	jw_kv_u64(j, "then_goroutines", a->then_goroutines);
	jw_kv_u64(j, "now_goroutines", a->now_goroutines);
	put_rate(j, "growth_per_gc", a->per_gc);
	put_rate(j, "growth_per_hour", a->per_hour);
	jw_key(j, "limit");
	if (*a->limit_name) {
		jw_object(j);
		jw_kv_text(j, "name", a->limit_name);
		jw_kv_u64(j, "bytes", a->limit);
		jw_kv_u64(j, "used_bytes", a->used);
		jw_kv_u64(j, "soonest_ns", a->soonest_ns);
		jw_kv_u64(j, "latest_ns", a->latest_ns);
		jw_end(j, '}');
	} else {
		jw_null(j);
	}
	jw_end(j, '}');
}
