/*
 * json_sites.c - the program's memory profile, and where objects were allocated.
 *
 * "allocated_at" is what is known: the stack of a sampled object.  What is only likely stands
 * beside it under a name of its own.
 */
#include "report/json.h"

void json_profile(struct jw *j, const struct ans_profile *a)
{
	jw_key(j, "memory_profile");
	jw_object(j);
	jw_kv_bool(j, "on", a->on);
	if (*a->why)
		jw_kv_text(j, "why", a->why);
	jw_kv_known(j, "rate", a->rate);
	jw_kv_bool(j, "rate_assumed", a->rate_assumed);
	jw_kv_u64(j, "stacks", a->stacks);
	jw_kv_u64(j, "samples", a->samples);
	jw_kv_u64(j, "reachable_samples", a->alive);
	jw_kv_u64(j, "estimated_bytes", a->bytes);
	jw_end(j, '}');
}

/* Estimates: retained_bytes alone is exact, and of the sampled objects only. */
void json_site(struct jw *j, const struct ans_row *r)
{
	const struct ans_row_site *s = &r->site;

	jw_kv_u64(j, "flat", r->shallow);
	jw_kv_u64(j, "cum", s->cum);
	jw_kv_u64(j, "sampled_objects", s->sampled);
	jw_kv_known(j, "retained_estimate_bytes", s->retained_guess);
	jw_kv_u64(j, "alloc_objects", s->alloc_objects);
	jw_kv_u64(j, "alloc_bytes", s->alloc_bytes);
	if (s->file) {
		jw_kv_text(j, "file", s->file);
		jw_kv_i64(j, "line", s->line);
	}
}

static void put_frame(struct jw *j, const struct ans_frame *f)
{
	jw_kv_text(j, "function", f->function);
	jw_kv_text(j, "file", f->file);
	jw_kv_i64(j, "line", f->line);
}

static void put_frames(struct jw *j, const char *key, const struct ans_origin *a, size_t n)
{
	jw_key(j, key);
	jw_array(j);
	for (size_t i = 0; i < n; i++) {
		jw_object(j);
		put_frame(j, &a->stack.v[i]);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_inferred(struct jw *j, const struct ans_origin *a)
{
	jw_key(j, "allocated_at_inferred");
	if (a->sampled || !a->of) {
		jw_null(j);
		return;
	}
	jw_object(j);
	jw_kv_u64(j, "of", a->of);
	jw_kv_text(j, "like", a->like);
	jw_kv_text(j, "basis", a->basis);
	jw_key(j, "sites");
	jw_array(j);
	for (size_t i = 0; i < a->sites.n; i++) {
		jw_object(j);
		jw_kv_u64(j, "count", a->sites.v[i].count);
		put_frame(j, &a->sites.v[i].frame);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_kv_u64(j, "others", a->others);
	put_frames(j, "likeliest_stack", a, a->stack.n);
	jw_end(j, '}');
}

void json_origin(struct jw *j, const struct ans_origin *a)
{
	put_frames(j, "allocated_at", a, a->sampled ? a->stack.n : 0);
	put_inferred(j, a);
	if (a->why && *a->why)
		jw_kv_text(j, "allocated_at_unknown", a->why);
}
