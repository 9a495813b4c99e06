/*
 * gc_tuning.c - GOGC, GOMEMLIMIT and the container's limit against what is live.
 *
 * Never a leak: the collector does what it was told.  Default settings without a limit in the
 * way say nothing.  The figures are the runtime's own (gcController), the arithmetic is
 * gc_arithmetic.c's and shown.
 */
#include "find/gc_tuning.h"
#include "find/priv.h"

#include "base/str.h"

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

static const char *size_text(struct find *f, uint64_t n)
{
	char buf[16];

	return n == GC_NONE ? "none" : keepf(&f->keep, "%s", str_bytes(buf, n));
}

static const char *gogc_text(struct find *f, int32_t gogc)
{
	return gogc < 0 ? "off" : keepf(&f->keep, "%d", gogc);
}

/* The settings, and how the goal comes about. */
static const char *arithmetic(struct find *f, const struct gc_facts *x)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	uint64_t goal = gc_goal(x), limit = gc_limit_goal(x);

	str_printf(&o, "GOGC=%s, GOMEMLIMIT=%s, container's limit %s", gogc_text(f, x->gogc),
		   x->limit == GC_NONE ? "off" : size_text(f, x->limit),
		   size_text(f, x->container));
	if (goal != GC_NONE)
		str_printf(
			&o,
			"\ngoal by GOGC: live %s + (live %s + stacks %s + globals %s) * %d / 100 = %s",
			size_text(f, x->live), size_text(f, x->live), size_text(f, x->stacks),
			size_text(f, x->globals), x->gogc, size_text(f, goal));
	if (limit != GC_NONE)
		str_printf(&o,
			   "\ngoal by GOMEMLIMIT: %s - %s of stacks and the runtime's own - "
			   "3 %% headroom, at least what is live: %s",
			   size_text(f, x->limit), size_text(f, x->other), size_text(f, limit));
	if (x->uptime_ns)
		str_printf(&o, "\n%" PRIu64 " collections in %" PRIu64 " s", x->cycles,
			   x->uptime_ns / 1000000000);
	return str_ok(&o) ? keepf(&f->keep, "%s", o.s) : "";
}

static const char *title_of(struct find *f, const struct gc_facts *x, enum gc_trouble t)
{
	const char *live = size_text(f, x->live), *limit = size_text(f, x->limit);
	const char *box = size_text(f, x->container), *goal = size_text(f, gc_goal(x));

	switch (t) {
	case GC_LIMIT_TOO_LOW:
		return keepf(
			&f->keep,
			"GOMEMLIMIT of %s leaves no room above %s that are live: the collector "
			"runs again and again and frees little",
			limit, live);
	case GC_LIMIT_TOO_HIGH:
		return keepf(&f->keep,
			     "GOMEMLIMIT of %s lies above the container's limit of %s: the kernel "
			     "kills before Go collects harder",
			     limit, box);
	case GC_GOAL_TOO_HIGH:
		return keepf(
			&f->keep,
			"the next collection is due at a heap of %s, the container's limit is %s: "
			"the kernel kills first",
			goal, box);
	case GC_OFF:
		return keepf(&f->keep,
			     "GOGC=off and no GOMEMLIMIT: nothing is ever collected; %s were "
			     "live at the last collection, %s are garbage now",
			     live, size_text(f, x->garbage));
	case GC_WIDE:
		return keepf(
			&f->keep,
			"GOGC=%d lets the heap grow to %s for %s that are live; %s of it are garbage now",
			x->gogc, goal, live, size_text(f, x->garbage));
	default:
		return keepf(
			&f->keep,
			"GOGC=%d collects %.1f times a second for a live heap of %s: processor time "
			"for little memory",
			x->gogc, (double)x->cycles * 1e9 / (double)MAX(x->uptime_ns, 1ULL), live);
	}
}

static uint64_t advised_limit(const struct gc_facts *x)
{
	return x->container == GC_NONE ? GC_NONE : x->container / 10 * 9;
}

static const char *fix_of(struct find *f, const struct gc_facts *x, enum gc_trouble t)
{
	const char *advised = size_text(f, advised_limit(x));

	switch (t) {
	case GC_LIMIT_TOO_LOW:
		return keepf(
			&f->keep,
			"raise GOMEMLIMIT to at least %s (twice what is live and what the runtime "
			"needs), or find out why so much is live: see the tables below",
			size_text(f, 2 * (x->live + x->other)));
	case GC_LIMIT_TOO_HIGH:
	case GC_GOAL_TOO_HIGH:
		return keepf(
			&f->keep,
			"set GOMEMLIMIT to about nine tenths of the container's limit (%s), less "
			"what is outside of Go (%s); keep GOGC as it is",
			advised, size_text(f, x->outside));
	case GC_OFF:
		return x->container == GC_NONE
			       ? "set GOMEMLIMIT beside GOGC=off: then the collector runs when it is "
				 "reached; or leave GOGC at 100"
			       : keepf(&f->keep,
				       "set GOMEMLIMIT=%s beside GOGC=off, or leave GOGC at 100",
				       advised);
	case GC_WIDE:
		return "set GOGC lower (100 is Go's default), or a GOMEMLIMIT that caps what GOGC gives";
	default:
		return "set GOGC higher (100 is Go's default); where memory is short a GOMEMLIMIT lets "
		       "GOGC be high and still collects in time";
	}
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
	y.title = title_of(f, &x, t);
	y.key = keys[t];
	y.fix = fix_of(f, &x, t);
	y.mitigate = "the environment is read at the start; debug.SetGCPercent and "
		     "debug.SetMemoryLimit change it while the program runs";
	y.confirm = "limpet report TARGET: this finding is gone";
	y.detail = arithmetic(f, &x);
	return find_say(f, &y);
}

const struct detector detect_gc_tuning = {
	.name = "gc-tuning",
	.about = "GOGC, GOMEMLIMIT and the container's limit fight each other",
	.needs = FIND_NEEDS_RUNTIME | FIND_NEEDS_MEMORY,
	.run = run,
};
