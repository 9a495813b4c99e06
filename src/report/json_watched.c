/*
 * json_watched.c - figures that refresh, one document a line.
 */
#include "report/json.h"
#include "report/watched.h"

static void put_process(struct jw *j, const struct ans_watched *w)
{
	jw_key(j, "at");
	jw_time(j, w->at_unix_ns);
	jw_kv_u64(j, "pid", (uint64_t)w->pid);
	jw_kv_text(j, "exe", w->exe);
	jw_kv_text(j, "go", w->go);
	jw_kv_u64(j, "interval_ns", w->interval_ns);
	jw_kv_known(j, "goroutines", w->goroutines);
	jw_kv_known(j, "threads", w->threads);
	jw_kv_known(j, "fds", w->fds);
	jw_kv_real(j, "cpus", w->cpus);
}

static void put_memory(struct jw *j, const struct ans_watched *w)
{
	jw_key(j, "memory");
	jw_object(j);
	jw_kv_known(j, "rss", w->rss);
	jw_kv_known(j, "heap_live", w->heap_live);
	jw_kv_known(j, "heap_marked", w->heap_marked);
	jw_kv_known(j, "heap_goal", w->heap_goal == ANS_UNKNOWN - 1 ? ANS_UNKNOWN : w->heap_goal);
	jw_kv_known(j, "heap_in_use", w->heap_in_use);
	jw_kv_known(j, "heap_free", w->heap_free);
	jw_kv_known(j, "heap_released", w->heap_released);
	jw_kv_known(j, "stacks", w->stacks);
	jw_kv_known(j, "runtime", w->runtime_bytes);
	jw_end(j, '}');
}

static void put_gc(struct jw *j, const struct ans_watched *w)
{
	jw_key(j, "gc");
	jw_object(j);
	jw_kv_known(j, "cycles", w->cycles);
	jw_kv_known(j, "forced", w->forced);
	jw_kv_known(j, "new_cycles", w->new_cycles);
	jw_kv_real(j, "cycles_per_second", w->cycles_rate);
	jw_key(j, "collecting");
	jw_bool(j, w->collecting);
	jw_key(j, "gogc");
	if (w->gogc == INT64_MIN)
		jw_null(j);
	else
		jw_i64(j, w->gogc);
	jw_kv_known(j, "last_pause_ns", w->last_pause_ns);
	jw_kv_known(j, "pause_total_ns", w->pause_total_ns);
	jw_kv_real(j, "cpu_share", w->gc_cpu);
	jw_end(j, '}');
}

static void put_alloc(struct jw *j, const struct ans_watched *w)
{
	jw_key(j, "alloc");
	jw_object(j);
	jw_kv_known(j, "bytes", w->total_alloc);
	jw_kv_known(j, "objects", w->mallocs);
	jw_kv_known(j, "freed_objects", w->frees);
	jw_kv_real(j, "bytes_per_second", w->alloc_rate);
	jw_kv_real(j, "objects_per_second", w->malloc_rate);
	jw_end(j, '}');
	jw_key(j, "slope");
	jw_object(j);
	jw_kv_u64(j, "cycles", w->slope.cycles);
	jw_kv_u64(j, "span_ns", w->slope.span_ns);
	jw_kv_real(j, "growth_per_gc", w->slope.per_cycle);
	jw_kv_real(j, "growth_per_hour", w->slope.per_hour);
	jw_end(j, '}');
}

void json_watched(struct str *o, const struct ans_watched *w)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_process(&j, w);
	put_memory(&j, w);
	put_gc(&j, w);
	put_alloc(&j, w);
	jw_end(&j, '}');
}

static void put_states(struct jw *j, const struct ans_watched_top *t)
{
	jw_key(j, "goroutine_states");
	if (!t->states_known) {
		jw_null(j);
		return;
	}
	jw_object(j);
	jw_kv_u64(j, "running", t->running);
	jw_kv_u64(j, "runnable", t->runnable);
	jw_kv_u64(j, "syscall", t->in_syscall);
	jw_kv_u64(j, "waiting", t->waiting);
	jw_kv_u64(j, "other", t->other);
	jw_key(j, "sampled");
	jw_bool(j, t->states_sampled);
	jw_key(j, "waits");
	jw_object(j);
	for (size_t i = 0; i < t->nwaits; i++)
		jw_kv_u64(j, t->waits[i].reason, t->waits[i].n);
	jw_end(j, '}');
	jw_end(j, '}');
}

static void put_row(struct jw *j, const struct ans_watched_site *r)
{
	jw_object(j);
	jw_kv_text(j, "name", r->function);
	jw_kv_text(j, "file", r->file);
	jw_kv_u64(j, "line", r->line > 0 ? (uint64_t)r->line : 0);
	jw_kv_u64(j, "flat", r->bytes);
	jw_kv_u64(j, "objects", r->objects);
	jw_kv_u64(j, "sampled_objects", r->samples);
	jw_kv_u64(j, "alloc_bytes", r->alloc_bytes);
	jw_kv_real(j, "alloc_bytes_per_second", r->alloc_rate);
	jw_end(j, '}');
}

void json_watched_top(struct str *o, const struct ans_watched *w, const struct ans_watched_top *t,
		      size_t limit)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_process(&j, w);
	put_memory(&j, w);
	put_gc(&j, w);
	put_alloc(&j, w);
	put_states(&j, t);
	jw_kv_text(&j, "no_rows", t->profiling);
	jw_kv_u64(&j, "sample_rate_bytes", t->rate);
	jw_key(&j, "rows");
	jw_array(&j);
	for (size_t i = 0; !t->profiling && i < MIN(limit, t->rows.n); i++)
		put_row(&j, &t->rows.v[i]);
	jw_end(&j, ']');
	jw_end(&j, '}');
}
