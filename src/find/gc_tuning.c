/*
 * gc_tuning.c - GOGC, GOMEMLIMIT and the container's limit against what is live.
 *
 * Never a leak: the collector does what it was told.  Default settings without a limit in the
 * way say nothing.  The figures are the runtime's own (gcController), the arithmetic is
 * gc_arithmetic.c's and shown (gc_words.c).
 */
#include "find/gc_tuning.h"
#include "find/priv.h"

static bool known(const struct go_counters *c)
{
	return c->gc_percent_known && c->heap_marked;
}

static void facts_of(const struct find *f, struct gc_facts *ret)
{
	const struct go_counters *c = &f->l.s->heap.counters;
	const struct find_memory *m = f->memory;
	uint64_t heap = c->heap_free + (c->total_alloc_bytes - c->total_free_bytes);
	uint64_t started = target_started_unix_ns(f->l.s->t);
	uint64_t now = target_capture(f->l.s->t)->at_unix_ns;

	*ret = (struct gc_facts){
		.live = c->heap_marked,
		.garbage = m->heap_garbage,
		.stacks = c->stack_scan,
		.globals = c->globals_scan,
		.minimum = c->heap_minimum,
		.other = c->mapped_ready > heap ? c->mapped_ready - heap : 0,
		.gogc = c->gc_percent,
		.limit = c->memory_limit > 0 && c->memory_limit < INT64_MAX
				 ? (uint64_t)c->memory_limit
				 : GC_NONE,
		.container = m->cgroup_limit,
		.cycles = c->num_gc,
		.uptime_ns = started && now > started ? now - started : 0,
	};
	if (m->off_heap != FIND_UNKNOWN)
		ret->outside += m->off_heap;
}

static const char *const keys[] = {
	[GC_FINE] = "",
	[GC_LIMIT_TOO_LOW] = "limit below need",
	[GC_LIMIT_TOO_HIGH] = "limit above container",
	[GC_GOAL_TOO_HIGH] = "goal above container",
	[GC_OFF] = "off without limit",
	[GC_WIDE] = "wide",
	[GC_NARROW] = "narrow",
};

static struct err *run(struct find *f)
{
	struct gc_facts x;
	enum gc_trouble t;
	struct finding y = { .node = GRAPH_NONE,
			     .goroutine = FIND_NO_GOROUTINE,
			     .type = "",
			     .proof = FIND_MEASURED,
			     .verdict = FIND_SUSPECT };

	if (!known(&f->l.s->heap.counters))
		return NULL;
	facts_of(f, &x);
	t = gc_judge(&x);
	if (t == GC_FINE)
		return NULL;
	if (t == GC_OFF || t == GC_WIDE)
		y.bytes = x.garbage;
	if (t == GC_WIDE || t == GC_NARROW)
		y.verdict = FIND_WASTE;
	else
		y.decide =
			"no leak: memory behaves as it was set; whether the setting hurts, the next "
			"hours of load decide (limpet memory TARGET)";
	y.title = gc_title(&f->keep, &x, t);
	y.key = keys[t];
	y.fix = gc_fix(&f->keep, &x, t);
	y.mitigate = "the environment is read at the start; debug.SetGCPercent and "
		     "debug.SetMemoryLimit change it while the program runs";
	y.confirm = "limpet report TARGET: this finding is gone";
	y.detail = gc_sums(&f->keep, &x);
	return find_say(f, &y);
}

const struct detector detect_gc_tuning = {
	.name = "gc-tuning",
	.about = "GOGC, GOMEMLIMIT and the container's limit fight each other",
	.needs = FIND_NEEDS_RUNTIME | FIND_NEEDS_MEMORY,
	.run = run,
};
