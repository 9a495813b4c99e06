/*
 * text_gc.c - `limpet gc` of a program, as text and as JSON.
 */
#include "report/gc.h"
#include "report/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define UNSEEN "\xe2\x80\x93"

static const char *size_of(char buf[static 16], uint64_t n)
{
	return n == ANS_UNKNOWN ? UNSEEN : str_bytes(buf, n);
}

static const char *limit_of(char buf[static 16], uint64_t n)
{
	return n == GC_NONE ? "none" : str_bytes(buf, n);
}

static const char *ns_of(char buf[static 32], uint64_t n)
{
	return n == ANS_UNKNOWN ? UNSEEN : text_ns(buf, n);
}

static void put_label(struct str *o, enum text_style st, const char *label)
{
	str_printf(o, st == TEXT_COLOR ? "\x1b[36m%-13s\x1b[0m" : "%-13s", label);
}

static void put_says(struct str *o, enum text_style st, const char *what,
		     const struct ans_gc_says *x)
{
	const char *on = strcmp(x->verdict, "fine") ? "\x1b[31m" : "\x1b[32m";
	bool colour = st == TEXT_COLOR;

	str_printf(o, "%s%s%s%s\n  ", what, colour ? on : "", x->verdict, colour ? "\x1b[0m" : "");
	text_wrapped(o, x->why, 2, 2);
	if (*x->fix) {
		str_put(o, "  do: ");
		text_wrapped(o, x->fix, 6, 6);
	}
}

static void put_settings(struct str *o, enum text_style st, const struct ans_gc *a)
{
	char s[16];

	if (a->file)
		return;
	put_label(o, st, "settings");
	if (a->facts.gogc < 0)
		str_put(o, "GOGC off");
	else
		str_printf(o, "GOGC %d", a->facts.gogc);
	str_printf(o, ", GOMEMLIMIT %s", limit_of(s, a->facts.limit));
	if (a->live) {
		str_printf(o, ", container's limit %s", limit_of(s, a->facts.container));
		if (a->facts.container != GC_NONE && a->used != ANS_UNKNOWN)
			str_printf(o, " (%s used)", size_of(s, a->used));
	}
	str_put(o, "\n");
}

static void put_memstats_heap(struct str *o, enum text_style st, const struct ans_gc *a)
{
	const struct go_beat *b = &a->beat;
	char s[16], u[16];

	put_label(o, st, "objects");
	str_printf(o, "%s, with garbage that was not swept yet\n", size_of(s, b->heap_live));
	put_label(o, st, "next goal");
	str_printf(o, "%s\n", size_of(s, a->goal));
	put_label(o, st, "allocated");
	str_printf(o, "%s in all, %s of it freed\n", size_of(s, b->total_alloc),
		   size_of(u, b->total_free));
}

static void put_live_heap(struct str *o, enum text_style st, const struct ans_gc *a)
{
	const struct go_beat *b = &a->beat;
	char s[16], u[16], v[16];

	put_label(o, st, "live heap");
	str_printf(o, "%s after the last collection, %s allocated since%s\n",
		   size_of(s, b->heap_marked), str_bytes(u, a->facts.garbage),
		   b->collecting ? "; one is marking now" : "");
	put_label(o, st, "next goal");
	str_printf(o, "%s (by GOGC %s, by GOMEMLIMIT %s)\n", limit_of(s, a->goal),
		   limit_of(u, a->goal_by_gogc), limit_of(v, a->goal_by_limit));
}

static void put_heap(struct str *o, enum text_style st, const struct ans_gc *a)
{
	const struct go_beat *b = &a->beat;
	char s[16], u[16], v[16];

	(a->file ? put_memstats_heap : put_live_heap)(o, st, a);
	put_label(o, st, "heap");
	str_printf(o, "%s in spans, of it %s free slots; %s free spans", size_of(s, b->heap_in_use),
		   size_of(u, a->fragments), size_of(v, b->heap_free));
	str_printf(o, ", %s given back to the kernel\n", size_of(s, b->heap_released));
	put_label(o, st, "beside it");
	str_printf(o, "%s stacks, %s the runtime's own; RSS %s\n", size_of(s, b->stacks),
		   size_of(u, b->runtime_bytes), size_of(v, a->rss));
}

static void put_cost(struct str *o, enum text_style st, const struct ans_gc *a)
{
	const struct go_beat *b = &a->beat;
	char s[32], u[32];

	put_label(o, st, "collections");
	str_put(o, b->cycles == UINT64_MAX ? UNSEEN : text_count(s, b->cycles));
	if (b->forced && b->forced != UINT64_MAX)
		str_printf(o, ", %s asked for by the program", text_count(s, b->forced));
	if (a->interval_ns)
		str_printf(o, ", %" PRIu64 " in the %s that were watched", a->new_cycles,
			   text_ns(s, a->interval_ns));
	if (!isnan(a->cycles_rate))
		str_printf(o, "; %.3g a second", a->cycles_rate);
	if (a->stops.n && a->stops.n < b->cycles)
		str_printf(o, " of late");
	str_put(o, "\n");
	put_label(o, st, "stops");
	str_printf(o, "the last %s, all %s\n", ns_of(s, b->last_pause_ns),
		   ns_of(u, b->pause_total_ns));
	if (a->stops.n) {
		char v[32];

		put_label(o, st, "");
		str_printf(o, "of the newest %" PRIu64 " half at most %s, 9 of 10 %s, the longest %s\n",
			   a->stops.n, ns_of(s, a->stops.median_ns), ns_of(u, a->stops.p90_ns),
			   ns_of(v, a->stops.max_ns));
	}
	put_label(o, st, "GC CPU");
	if (isnan(a->cpu_share))
		str_put(o, UNSEEN);
	else
		str_printf(o, "%.1f %% of all processor time since the start", 100 * a->cpu_share);
	if (!isnan(a->cpu_now))
		str_printf(o, ", %.1f %% while it was watched", 100 * a->cpu_now);
	str_put(o, "\n");
	if (isnan(a->alloc_rate))
		return;
	put_label(o, st, "allocation");
	str_printf(o, "%s a second\n", str_bytes(s, (uint64_t)a->alloc_rate));
}

void text_gc(struct str *o, enum text_style st, const struct ans_gc *a)
{
	_cleanup_(str_deinit) struct str t = { 0 };

	if (a->pid)
		str_printf(&t, "pid %" PRId64 "  ", a->pid);
	text_clean(&t, a->file ? a->file : a->exe);
	if (!a->file) {
		str_put(&t, "  ");
		text_clean(&t, a->go);
	}
	text_title(o, st, str_ok(&t) ? t.s : "");
	if (a->damage)
		str_printf(o, "%s: used as far as it goes\n", a->damage);
	str_put(o, a->file   ? "runtime.MemStats, as they stand behind the profile\n\n"
		   : a->live ? "the runtime's own counters, read while it runs\n\n"
			     : "\n");
	for (size_t i = 0; i < a->says.n; i++)
		put_says(o, st, i ? "also: " : "verdict: ", &a->says.v[i]);
	str_put(o, "\n");
	put_settings(o, st, a);
	put_heap(o, st, a);
	put_cost(o, st, a);
	if (*a->sums)
		str_printf(o, "\n%s\n", a->sums);
}

/* --- JSON --- */

static void kv_limit(struct jw *j, const char *key, uint64_t n)
{
	jw_kv_known(j, key, n == GC_NONE ? ANS_UNKNOWN : n);
}

static void json_settings(struct jw *j, const struct ans_gc *a)
{
	jw_key(j, "settings");
	jw_object(j);
	jw_key(j, "gogc");
	if (a->file || a->facts.gogc < 0)
		jw_null(j);
	else
		jw_i64(j, a->facts.gogc);
	kv_limit(j, "gomemlimit", a->file ? GC_NONE : a->facts.limit);
	kv_limit(j, "container_limit", a->file ? GC_NONE : a->facts.container);
	kv_limit(j, "container_used", a->used);
	jw_end(j, '}');
}

static void json_heap(struct jw *j, const struct ans_gc *a)
{
	const struct go_beat *b = &a->beat;

	jw_key(j, "heap");
	jw_object(j);
	jw_kv_known(j, "live", b->heap_marked);
	jw_kv_known(j, "allocated_since", a->facts.garbage);
	jw_kv_known(j, "alloc", b->heap_live);
	kv_limit(j, "goal", a->goal);
	kv_limit(j, "goal_by_gogc", a->goal_by_gogc);
	kv_limit(j, "goal_by_gomemlimit", a->goal_by_limit);
	jw_kv_known(j, "in_use", b->heap_in_use);
	jw_kv_known(j, "free_slots", a->fragments);
	jw_kv_known(j, "free", b->heap_free);
	jw_kv_known(j, "released", b->heap_released);
	jw_kv_known(j, "stacks", b->stacks);
	jw_kv_known(j, "runtime", b->runtime_bytes);
	jw_kv_known(j, "rss", a->rss);
	jw_kv_real(j, "alloc_bytes_per_second", a->alloc_rate);
	jw_end(j, '}');
}

static void json_cost(struct jw *j, const struct ans_gc *a)
{
	const struct go_beat *b = &a->beat;

	jw_key(j, "gc");
	jw_object(j);
	jw_kv_known(j, "cycles", b->cycles);
	jw_kv_known(j, "forced", b->forced);
	jw_kv_u64(j, "new_cycles", a->new_cycles);
	jw_kv_u64(j, "interval_ns", a->interval_ns);
	jw_kv_real(j, "cycles_per_second", a->cycles_rate);
	jw_kv_known(j, "pause_total_ns", b->pause_total_ns);
	jw_kv_known(j, "last_pause_ns", b->last_pause_ns);
	jw_kv_real(j, "cpu_share", a->cpu_share);
	jw_kv_real(j, "cpu_share_now", a->cpu_now);
	if (a->stops.n) {
		jw_key(j, "stops");
		jw_object(j);
		jw_kv_u64(j, "n", a->stops.n);
		jw_kv_u64(j, "median_ns", a->stops.median_ns);
		jw_kv_u64(j, "p90_ns", a->stops.p90_ns);
		jw_kv_u64(j, "max_ns", a->stops.max_ns);
		jw_kv_u64(j, "window_ns", a->stops.window_ns);
		jw_end(j, '}');
	}
	jw_end(j, '}');
}

static void json_says(struct jw *j, const struct ans_gc_says *x)
{
	jw_kv_text(j, "verdict", x->verdict);
	jw_kv_text(j, "why", x->why);
	jw_kv_text(j, "fix", x->fix);
}

void json_doc_gc(struct str *o, const struct ans_gc *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	jw_key(&j, "target");
	jw_object(&j);
	jw_kv_text(&j, "kind", a->file ? "profile" : a->live ? "live" : "core");
	if (a->file) {
		jw_kv_text(&j, "path", a->file);
	} else {
		jw_kv_i64(&j, "pid", a->pid);
		jw_kv_text(&j, "exe", a->exe);
		jw_kv_text(&j, "go", a->go);
	}
	jw_end(&j, '}');
	if (a->file)
		jw_kv_text(&j, "damage", a->damage);
	json_says(&j, &a->says.v[0]);
	jw_key(&j, "also");
	jw_array(&j);
	for (size_t i = 1; i < a->says.n; i++) {
		jw_object(&j);
		json_says(&j, &a->says.v[i]);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	json_settings(&j, a);
	json_heap(&j, a);
	json_cost(&j, a);
	jw_kv_text(&j, "arithmetic", a->sums);
	jw_end(&j, '}');
}
