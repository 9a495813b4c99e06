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
	jw_end(j, '}');
}

static void put_finding(struct jw *j, const struct ans_finding *f)
{
	jw_object(j);
	jw_kv_text(j, "kind", f->kind);
	jw_kv_text(j, "verdict", f->verdict);
	jw_kv_text(j, "proof", f->proof);
	jw_kv_text(j, "title", f->title);
	jw_kv_u64(j, "retained_bytes", f->bytes);
	jw_kv_known(j, "owner_retained_bytes", f->owner_bytes);
	jw_kv_u64(j, "stack_bytes", f->stack_bytes);
	jw_kv_u64(j, "objects", f->objects);
	jw_kv_u64(j, "count", f->count);
	jw_key(j, "growth_per_gc");
	jw_null(j);
	jw_kv_text(j, "type", f->type);
	jw_key(j, "holder");
	json_path(j, &f->holder);
	put_goroutine(j, f);
	json_origin(j, &f->origin);
	jw_kv_text(j, "fix", f->fix);
	jw_kv_text(j, "mitigate", f->mitigate);
	jw_kv_text(j, "decide", f->decide);
	jw_kv_text(j, "confirm", f->confirm);
	jw_kv_text(j, "detail", f->detail);
	jw_kv_text(j, "signature", f->signature);
	jw_end(j, '}');
}

void json_findings(struct jw *j, const struct ans_findings *a)
{
	jw_array(j);
	for (size_t i = 0; i < a->rows.n; i++)
		put_finding(j, &a->rows.v[i]);
	jw_end(j, ']');
}
