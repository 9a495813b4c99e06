/*
 * agg_gc_memstats.c - `limpet gc` of a heap profile as text: runtime.MemStats stands behind it.
 *
 * What was live after the last collection is not among them, nor GOGC and GOMEMLIMIT: of those is
 * judged only that collecting is off.  When the newest 256 collections were, and how long each
 * stopped the program, is.
 */
#include "base/err.h"
#include "base/mem.h"
#include "evidence/memstats.h"
#include "report/gc.h"

#include <inttypes.h>
#include <math.h>

enum { STOPS = 256 };

static uint64_t get(const struct pprof *p, const char *name)
{
	int64_t v;

	return memstats_get(p, name, &v) && v >= 0 && v < INT64_MAX / 16 ? (uint64_t)v
									 : UINT64_MAX;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a == UINT64_MAX || b == UINT64_MAX ? UINT64_MAX : a + b;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a == UINT64_MAX || b == UINT64_MAX ? UINT64_MAX : a - MIN(a, b);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void put_stops(const struct pprof *p, struct ans_gc *a)
{
	struct ans_gc_stops *s = &a->stops;
	uint64_t ns[STOPS], end, newest = 0, oldest = 0, all = 0;
	unsigned n = 0;

	for (; n < STOPS && memstats_pause(p, n, &ns[n], &end); n++) {
		if (!n)
			a->beat.last_pause_ns = ns[n];
		newest = n ? newest : end;
		oldest = end;
		all += MIN(ns[n], UINT64_MAX / 2 / STOPS);
	}
	if (!n)
		return;
	if (n == a->beat.cycles)
		a->beat.pause_total_ns = all;
	qsort(ns, n, sizeof(*ns), by_size);
	*s = (struct ans_gc_stops){ .n = n,
				    .median_ns = ns[(n - 1) / 2],
				    .p90_ns = ns[(n - 1) * 9 / 10],
				    .max_ns = ns[n - 1],
				    .window_ns = newest - MIN(oldest, newest) };
	if (n < 2 || !s->window_ns)
		return;
	a->cycles_rate = (n - 1) * 1e9 / (double)s->window_ns;
	a->facts.uptime_ns = (uint64_t)MIN((double)a->beat.cycles / a->cycles_rate * 1e9, 1e18);
}

static void put_beat(const struct pprof *p, struct ans_gc *a)
{
	uint64_t inuse = get(p, "HeapInuse"), alloc = get(p, "HeapAlloc");
	int64_t cpu;

	a->beat = (struct go_beat){
		.cycles = get(p, "NumGC"),
		.forced = get(p, "NumForcedGC"),
		.heap_live = alloc,
		.heap_marked = UINT64_MAX,
		.heap_goal = get(p, "NextGC"),
		.heap_in_use = inuse,
		.heap_free = minus(get(p, "HeapIdle"), get(p, "HeapReleased")),
		.heap_released = get(p, "HeapReleased"),
		.stacks = get(p, "Stack.inuse"),
		.runtime_bytes = sum(sum(get(p, "MSpan.sys"), get(p, "MCache.sys")),
				     sum(get(p, "BuckHashSys"),
					 sum(get(p, "GCSys"), get(p, "OtherSys")))),
		.total_alloc = get(p, "TotalAlloc"),
		.total_free = minus(get(p, "TotalAlloc"), alloc),
		.mallocs = get(p, "Mallocs"),
		.frees = get(p, "Frees"),
		.pause_total_ns = UINT64_MAX,
		.last_pause_ns = UINT64_MAX,
		.last_gc_unix_ns = get(p, "LastGC"),
		.gc_cpu_ns = UINT64_MAX,
		.total_cpu_ns = UINT64_MAX,
	};
	a->fragments = minus(inuse, alloc);
	a->goal = a->beat.heap_goal;
	a->goal_by_gogc = a->goal_by_limit = GC_NONE;
	if (memstats_get(p, "GCCPUFraction", &cpu))
		a->cpu_share = (double)cpu / 1e9;
}

/* Nothing ill was seen: of what is there, where the end of the MemStats is cut off. */
static const char *fine(const struct ans_gc *a)
{
	if (isnan(a->cpu_share))
		return "nothing is wrong in the MemStats that are there; what collecting costs "
		       "(GCCPUFraction) is not among them";
	return "collecting costs little; GOGC, GOMEMLIMIT and what was live are not in a heap "
	       "profile as text";
}

static struct err *judge(const struct pprof *p, struct ans_gc *a)
{
	struct err *err = NULL;
	int64_t goal;

	/* no limit is MaxInt64, what is no heap goes off: mgcpacer.go, memoryLimitHeapGoal() */
	if (memstats_get(p, "NextGC", &goal) && goal > INT64_MAX / 2 &&
	    !vec_push(&a->says,
		      (struct ans_gc_says){ "gc-off", "the next collection has no goal: GOGC is off",
					    "set a GOMEMLIMIT: without one nothing is freed" }))
		return &err_nomem;
	err = ans_gc_judge_costs(a);
	if (!err && !a->says.n &&
	    !vec_push(&a->says, (struct ans_gc_says){ "fine", fine(a), "" }))
		err = &err_nomem;
	return err ? err : keep_err(&a->keep);
}

struct err *ans_gc_of_memstats(const struct pprof *p, struct ans_gc *ret)
{
	struct ans_gc a = { .exe = "",
			    .go = "",
			    .file = p->name,
			    .damage = p->damage,
			    .rss = ANS_UNKNOWN,
			    .used = ANS_UNKNOWN,
			    .alloc_rate = NAN,
			    .cycles_rate = NAN,
			    .cpu_share = NAN,
			    .cpu_now = NAN,
			    .facts = { .garbage = ANS_UNKNOWN },
			    .sums = "" };
	struct err *err;

	if (get(p, "NumGC") == UINT64_MAX && get(p, "HeapInuse") == UINT64_MAX && p->damage)
		return err_unsupported("%.200s: its end is missing, and with it MemStats", p->name);
	if (get(p, "NumGC") == UINT64_MAX && get(p, "HeapInuse") == UINT64_MAX)
		return err_unsupported("%.200s: without MemStats; a heap profile as text "
				       "(/debug/pprof/heap?debug=1) has them, a log of "
				       "GODEBUG=gctrace=1 has more",
				       p->name);
	put_beat(p, &a);
	put_stops(p, &a);
	err = judge(p, &a);
	if (err) {
		ans_gc_deinit(&a);
		return err;
	}
	*ret = a;
	return NULL;
}
