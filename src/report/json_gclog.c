/*
 * json_gclog.c - a GC log as one document: verdict, streams, cycles.
 */
#include "report/gclog.h"
#include "report/json.h"

static void put_says(struct jw *j, const struct gclog_says *x)
{
	jw_kv_text(j, "verdict", gclog_verdict_word(x->verdict));
	jw_kv_real(j, "sure", x->sure / 1000.0);
	jw_kv_text(j, "why", x->why);
	jw_kv_text(j, "fix", x->fix);
}

static void put_slope(struct jw *j, const char *key, const struct gclog_slope *s)
{
	jw_key(j, key);
	if (s->n < 3) {
		jw_null(j);
		return;
	}
	jw_object(j);
	jw_kv_real(j, "bytes", s->slope);
	jw_kv_real(j, "low", s->low);
	jw_kv_real(j, "high", s->high);
	jw_kv_u64(j, "points", s->n);
	jw_end(j, '}');
}

static void kv_mib(struct jw *j, const char *key, uint64_t mib)
{
	jw_kv_known(j, key, mib == GCLOG_NONE ? ANS_UNKNOWN : mib << 20);
}

static void put_heap(struct jw *j, const struct gclog_stats *t)
{
	jw_key(j, "heap");
	jw_object(j);
	kv_mib(j, "live_first", t->live_first);
	kv_mib(j, "live_last", t->live_last);
	kv_mib(j, "live_min", t->live_min);
	kv_mib(j, "live_max", t->live_max);
	kv_mib(j, "max", t->heap_max);
	kv_mib(j, "goal_last", t->goal_last);
	kv_mib(j, "goal_max", t->goal_max);
	jw_kv_real(j, "alloc_bytes", t->alloc_bytes);
	jw_kv_real(j, "alloc_bytes_per_second", t->alloc_rate);
	jw_end(j, '}');
}

static void put_pauses(struct jw *j, const struct gclog_stats *t)
{
	jw_key(j, "pauses");
	jw_object(j);
	jw_kv_u64(j, "total_ns", t->pause_total_ns);
	jw_kv_u64(j, "p50_ns", t->pause50_ns);
	jw_kv_u64(j, "p90_ns", t->pause90_ns);
	jw_kv_u64(j, "p99_ns", t->pause99_ns);
	jw_kv_u64(j, "max_ns", t->pause_max_ns);
	jw_kv_u64(j, "mark_total_ns", t->mark_total_ns);
	jw_kv_u64(j, "mark_max_ns", t->mark_max_ns);
	jw_end(j, '}');
}

static void put_cpu(struct jw *j, const struct gclog_stats *t)
{
	jw_key(j, "cpu");
	jw_object(j);
	jw_kv_u64(j, "procs", t->procs);
	jw_kv_real(j, "share", t->cpu_share);
	jw_kv_real(j, "share_since_start", t->util_last / 100.0);
	jw_kv_real(j, "assist_share", t->assist_share);
	jw_kv_real(j, "busy", t->busy);
	jw_kv_u64(j, "stopped_ns", t->cpu_stop_ns);
	jw_kv_u64(j, "assist_ns", t->cpu_assist_ns);
	jw_kv_u64(j, "mark_ns", t->cpu_mark_ns);
	jw_kv_u64(j, "idle_ns", t->cpu_idle_ns);
	jw_end(j, '}');
}

static void put_beside(struct jw *j, const struct gclog_stream *s)
{
	if (s->scav_lines) {
		jw_key(j, "scavenger");
		jw_object(j);
		jw_kv_u64(j, "lines", s->scav_lines);
		jw_kv_u64(j, "released_bytes", s->scav_kib << 10);
		jw_kv_u64(j, "released_now_bytes", MIN(s->scav_now_kib, UINT64_MAX >> 10) << 10);
		jw_kv_real(j, "use", s->scav_util / 100.0);
		jw_end(j, '}');
	}
	if (s->pacer_lines) {
		jw_key(j, "pacer");
		jw_object(j);
		jw_kv_u64(j, "lines", s->pacer_lines);
		jw_kv_i64(j, "beyond_goal_max_bytes", s->pacer_beyond_max);
		jw_end(j, '}');
	}
}

static void put_cycle(struct jw *j, const struct gclog_cycle *c)
{
	jw_object(j);
	jw_kv_u64(j, "gc", c->n);
	jw_kv_u64(j, "line", c->line);
	jw_kv_u64(j, "at_ns", c->at_ns);
	jw_kv_u64(j, "stop_ns", c->stop_ns);
	jw_kv_u64(j, "mark_ns", c->mark_ns);
	jw_kv_u64(j, "stop2_ns", c->stop2_ns);
	jw_kv_u64(j, "cpu_stop_ns", c->cpu_stop_ns);
	jw_kv_u64(j, "cpu_assist_ns", c->cpu_assist_ns);
	jw_kv_u64(j, "cpu_mark_ns", c->cpu_mark_ns);
	jw_kv_u64(j, "cpu_idle_ns", c->cpu_idle_ns);
	jw_kv_u64(j, "cpu_stop2_ns", c->cpu_stop2_ns);
	kv_mib(j, "heap_begin", c->heap0);
	kv_mib(j, "heap_end", c->heap1);
	kv_mib(j, "heap_live", c->heap2);
	kv_mib(j, "goal", c->goal);
	kv_mib(j, "stacks", c->stacks);
	kv_mib(j, "globals", c->globals);
	jw_kv_u64(j, "procs", c->procs);
	jw_kv_u64(j, "cpu_percent", c->util);
	jw_kv_bool(j, "forced", c->flags & GCLOG_FORCED);
	jw_kv_bool(j, "periodic", c->flags & GCLOG_PERIODIC);
	jw_kv_bool(j, "leak_check", c->flags & GCLOG_LEAKS);
	jw_kv_bool(j, "pieced", c->flags & GCLOG_PIECED);
	jw_end(j, '}');
}

static void put_also(struct jw *j, const struct gclog_stream *s)
{
	jw_key(j, "also");
	jw_array(j);
	for (size_t i = 0; i < s->also.n; i++) {
		jw_object(j);
		put_says(j, &s->also.v[i]);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_growth(struct jw *j, const struct gclog_stats *t)
{
	static const struct gclog_slope none = { 0 };

	put_slope(j, "growth_per_gc", &t->per_cycle);
	put_slope(j, "growth_per_hour", t->by_hour ? &t->per_hour : &none);
}

static void put_stream(struct jw *j, const struct gclog_stream *s, size_t limit)
{
	const struct gclog_stats *t = &s->st;

	jw_object(j);
	jw_kv_text(j, "prefix", s->key);
	put_says(j, &s->says);
	put_also(j, s);
	jw_kv_u64(j, "collections", t->cycles);
	jw_kv_u64(j, "first", t->first_n);
	jw_kv_u64(j, "last", t->last_n);
	jw_kv_u64(j, "missing", t->missing);
	jw_kv_u64(j, "forced", t->forced);
	jw_kv_u64(j, "periodic", t->periodic);
	jw_kv_u64(j, "pieced", t->pieced);
	jw_kv_u64(j, "from_ns", t->from_ns);
	jw_kv_u64(j, "to_ns", t->to_ns);
	put_growth(j, t);
	put_heap(j, t);
	put_pauses(j, t);
	put_cpu(j, t);
	put_beside(j, s);
	jw_kv_u64(j, "one_of", s->every);
	jw_key(j, "cycles");
	jw_array(j);
	for (size_t i = s->cycles.n - MIN(limit, s->cycles.n); i < s->cycles.n; i++)
		put_cycle(j, &s->cycles.v[i]);
	jw_end(j, ']');
	jw_end(j, '}');
}

/* As a finding of the contract: a log proves nothing, it measures. */
static void put_finding(struct jw *j, const struct gclog_stream *s, const struct gclog_says *x)
{
	bool growth = x->verdict == GCLOG_LEAK || x->verdict == GCLOG_GROWS;

	if (x->verdict == GCLOG_LITTLE || x->verdict == GCLOG_STEADY)
		return;
	jw_object(j);
	jw_kv_text(j, "kind", growth || x->verdict == GCLOG_WARMING ? "heap-growth" : "gc-tuning");
	jw_kv_text(j, "verdict", x->verdict == GCLOG_WARMING ? "info" : "suspect");
	jw_kv_text(j, "proof", "measured");
	jw_kv_text(j, "title", x->why);
	jw_key(j, "growth_per_gc");
	if (growth && s->st.per_cycle.n >= 3)
		jw_i64(j, (int64_t)s->st.per_cycle.slope);
	else
		jw_null(j);
	jw_kv_text(j, "fix", x->fix);
	jw_end(j, '}');
}

void json_doc_gclog(struct str *o, const struct ans_gclog *a)
{
	const struct gclog *g = a->g;
	const struct gclog_stream *s = g->streams.v[a->main];
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	jw_key(&j, "target");
	jw_object(&j);
	jw_kv_text(&j, "kind", "gclog");
	jw_kv_text(&j, "path", a->path);
	jw_end(&j, '}');
	put_says(&j, &s->says);
	put_growth(&j, &s->st);
	jw_key(&j, "findings");
	jw_array(&j);
	put_finding(&j, s, &s->says);
	for (size_t i = 0; i < s->also.n; i++)
		put_finding(&j, s, &s->also.v[i]);
	jw_end(&j, ']');
	jw_kv_u64(&j, "lines", g->lines);
	jw_kv_u64(&j, "collections", g->cycles);
	jw_kv_u64(&j, "broken", g->broken);
	jw_kv_u64(&j, "not_told_apart", g->strangers);
	jw_kv_text(&j, "damage", g->damage);
	jw_kv_u64(&j, "main", a->main);
	jw_key(&j, "streams");
	jw_array(&j);
	for (size_t i = 0; i < g->streams.n; i++)
		put_stream(&j, g->streams.v[i], a->limit);
	jw_end(&j, ']');
	jw_end(&j, '}');
}
