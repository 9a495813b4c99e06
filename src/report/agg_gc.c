/*
 * agg_gc.c - from the runtime's counters to what is the matter with the collector.
 *
 * Knows no snapshot: a running program is read as it runs, a core as it lies there.  Judged by what
 * find/gc_arithmetic.c says of the settings, and by what collecting costs.
 */
#include "report/gc.h"

#include "goruntime/heap.h"
#include "report/answer.h"
#include "target/target.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define MIB (1ULL << 20)

static const char *const words[] = {
	[GC_FINE] = "fine",
	[GC_LIMIT_TOO_LOW] = "death-spiral",
	[GC_LIMIT_TOO_HIGH] = "limit-above-container",
	[GC_GOAL_TOO_HIGH] = "goal-above-container",
	[GC_OFF] = "gc-off",
	[GC_WIDE] = "wide",
	[GC_NARROW] = "narrow",
};

static uint64_t known(uint64_t x)
{
	return x == UINT64_MAX ? 0 : x;
}

/* Allocated since the last cycle, and what it has not swept yet. */
static uint64_t since_then(const struct go_beat *b)
{
	return b->heap_live != UINT64_MAX && b->heap_live > known(b->heap_marked)
		       ? b->heap_live - known(b->heap_marked)
		       : 0;
}

static void facts_of(const struct go *g, const struct go_counters *c, struct ans_gc *a)
{
	const struct target_mem *m = target_mem(g->t);
	uint64_t started = target_started_unix_ns(g->t);
	uint64_t heap = c->heap_free +
			(c->total_alloc_bytes - MIN(c->total_free_bytes, c->total_alloc_bytes));
	uint64_t now = target_capture(g->t)->at_unix_ns;

	if (a->live) {
		struct timespec ts;

		clock_gettime(CLOCK_REALTIME, &ts);
		now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	}
	a->facts = (struct gc_facts){
		.live = c->heap_marked,
		.garbage = since_then(&a->beat),
		.stacks = c->stack_scan,
		.globals = c->globals_scan,
		.minimum = c->heap_minimum,
		.other = c->mapped_ready > heap ? c->mapped_ready - heap : 0,
		.gogc = c->gc_percent,
		.limit = c->memory_limit > 0 && c->memory_limit < INT64_MAX
				 ? (uint64_t)c->memory_limit
				 : GC_NONE,
		.container = a->live ? m->cgroup_limit : GC_NONE,
		.cycles = c->num_gc,
		.uptime_ns = started && now > started ? now - started : 0,
	};
	a->rss = a->live ? m->rss : ANS_UNKNOWN;
	a->used = a->live ? m->cgroup_usage : ANS_UNKNOWN;
	a->goal_by_gogc = gc_goal(&a->facts);
	a->goal_by_limit = gc_limit_goal(&a->facts);
	a->goal = MIN(a->goal_by_gogc, a->goal_by_limit);
	a->fragments = a->beat.heap_in_use == UINT64_MAX || a->beat.heap_live == UINT64_MAX
			       ? UINT64_MAX
			       : a->beat.heap_in_use - MIN(a->beat.heap_live, a->beat.heap_in_use);
}

static double share(uint64_t part, uint64_t all)
{
	return part == UINT64_MAX || all == UINT64_MAX || !all ? NAN : (double)part / (double)all;
}

static void rates(const struct ans_gc_look *then, const struct ans_gc_look *now, struct ans_gc *a)
{
	const struct go_beat *b = &now->beat, *was = then ? &then->beat : NULL;
	double s;

	a->alloc_rate = a->cpu_now = a->cycles_rate = NAN;
	a->cpu_share = share(b->gc_cpu_ns, b->total_cpu_ns);
	if (a->facts.uptime_ns)
		a->cycles_rate = (double)b->cycles * 1e9 / (double)a->facts.uptime_ns;
	if (!then || now->at_ns <= then->at_ns)
		return;
	a->interval_ns = now->at_ns - then->at_ns;
	s = (double)a->interval_ns / 1e9;
	a->new_cycles = b->cycles - MIN(was->cycles, b->cycles);
	if (b->total_alloc != UINT64_MAX && b->total_alloc >= was->total_alloc)
		a->alloc_rate = (double)(b->total_alloc - was->total_alloc) / s;
	if (a->new_cycles)
		a->cycles_rate = (double)a->new_cycles / s;
	if (a->new_cycles && known(b->total_cpu_ns) > known(was->total_cpu_ns) &&
	    known(b->gc_cpu_ns) >= known(was->gc_cpu_ns))
		a->cpu_now =
			share(b->gc_cpu_ns - was->gc_cpu_ns, b->total_cpu_ns - was->total_cpu_ns);
}

static struct err *say(struct ans_gc *a, const char *verdict, const char *why, const char *fix)
{
	return vec_push(&a->says, (struct ans_gc_says){ verdict, why, fix }) ? NULL : &err_nomem;
}

static struct err *say_cpu(struct ans_gc *a)
{
	double now = isnan(a->cpu_now) ? a->cpu_share : a->cpu_now;

	if (isnan(now) || now < 0.25)
		return NULL;
	return say(a, "gc-busy",
		   keepf(&a->keep,
			 "the collector takes %.0f %% of the program's processor time%s, with %.1f "
			 "collections a second",
			 100 * now, isnan(a->cpu_now) ? " since it began" : " now",
			 isnan(a->cycles_rate) ? 0 : a->cycles_rate),
		   "allocate less (limpet top TARGET --by site --sort alloc), or let the heap grow "
		   "more between collections: a higher GOGC, with a GOMEMLIMIT");
}

static struct err *say_forced(struct ans_gc *a)
{
	const struct go_beat *b = &a->beat;

	if (b->forced == UINT64_MAX || b->forced < 10 || 2 * b->forced < b->cycles)
		return NULL;
	if (a->facts.uptime_ns / 10000000000ULL > b->forced)
		return NULL; /* seldom enough */
	return say(a, "forced-gc",
		   keepf(&a->keep,
			 "%" PRIu64 " of %" PRIu64
			 " collections were asked for by the program itself",
			 b->forced, b->cycles),
		   "take the calls of runtime.GC and debug.FreeOSMemory out; a GOMEMLIMIT keeps "
		   "memory low without them");
}

static struct err *say_fragments(struct ans_gc *a)
{
	char n[16], live[16];

	if (a->fragments == UINT64_MAX || a->beat.heap_live == UINT64_MAX)
		return NULL;
	if (a->fragments < 32 * MIB || a->fragments < a->beat.heap_live)
		return NULL;
	return say(
		a, "fragmented",
		keepf(&a->keep,
		      "spans in use have %s of free slots beside %s of objects: after a peak what "
		      "remained lies scattered",
		      str_bytes(n, a->fragments), str_bytes(live, a->beat.heap_live)),
		"what stays should be allocated apart from what comes and goes; limpet memory "
		"TARGET");
}

struct err *ans_gc_judge_costs(struct ans_gc *a)
{
	struct err *err = say_cpu(a);

	if (!err)
		err = say_forced(a);
	return err ? err : say_fragments(a);
}

static struct err *judge(struct ans_gc *a)
{
	enum gc_trouble t = gc_judge(&a->facts);
	struct err *err = NULL;

	if (t != GC_FINE)
		err = say(a, words[t], gc_title(&a->keep, &a->facts, t),
			  gc_fix(&a->keep, &a->facts, t));
	if (!err)
		err = ans_gc_judge_costs(a);
	if (!err && !a->says.n)
		err = say(a, words[GC_FINE],
			  "the settings fit what is live, and collecting costs little", "");
	a->sums = gc_sums(&a->keep, &a->facts);
	return err ? err : keep_err(&a->keep);
}

struct err *ans_gc_make(const struct go *g, const struct ans_gc_look *then,
			const struct ans_gc_look *now, struct ans_gc *ret)
{
	struct ans_gc a = { .pid = target_capture(g->t)->pid,
			    .exe = target_exe(g->t),
			    .go = g->version,
			    .live = then != NULL,
			    .beat = now->beat };
	struct go_counters c;
	struct err *err = go_counters_read(g, &c);

	if (!err && !c.gc_percent_known)
		err = err_unsupported("%s: GOGC lies where it is not known in this version",
				      g->version);
	if (!err) {
		facts_of(g, &c, &a);
		rates(then, now, &a);
		err = judge(&a);
	}
	if (err) {
		ans_gc_deinit(&a);
		return err;
	}
	*ret = a;
	return NULL;
}

void ans_gc_deinit(struct ans_gc *a)
{
	vec_free(&a->says);
	keep_deinit(&a->keep);
}
