/*
 * gc_words.c - what gc_arithmetic.c found, in words, with the figures.
 */
#include "find/gc_tuning.h"

#include "base/str.h"

static const char *size_text(struct keep *k, uint64_t n)
{
	char buf[16];

	return n == GC_NONE ? "none" : keepf(k, "%s", str_bytes(buf, n));
}

static const char *gogc_text(struct keep *k, int32_t gogc)
{
	return gogc < 0 ? "off" : keepf(k, "%d", gogc);
}

/* The settings, and how the goal comes about. */
const char *gc_sums(struct keep *k, const struct gc_facts *x)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	uint64_t goal = gc_goal(x), limit = gc_limit_goal(x);

	str_printf(&o, "GOGC=%s, GOMEMLIMIT=%s, container's limit %s", gogc_text(k, x->gogc),
		   x->limit == GC_NONE ? "off" : size_text(k, x->limit),
		   size_text(k, x->container));
	if (goal != GC_NONE)
		str_printf(
			&o,
			"\ngoal by GOGC: live %s + (live %s + stacks %s + globals %s) * %d / 100 = %s",
			size_text(k, x->live), size_text(k, x->live), size_text(k, x->stacks),
			size_text(k, x->globals), x->gogc, size_text(k, goal));
	if (limit != GC_NONE)
		str_printf(&o,
			   "\ngoal by GOMEMLIMIT: %s - %s of stacks and the runtime's own - "
			   "3 %% headroom, at least what is live: %s",
			   size_text(k, x->limit), size_text(k, x->other), size_text(k, limit));
	if (x->uptime_ns)
		str_printf(&o, "\n%" PRIu64 " collections in %" PRIu64 " s", x->cycles,
			   x->uptime_ns / 1000000000);
	return str_ok(&o) ? keepf(k, "%s", o.s) : "";
}

const char *gc_title(struct keep *k, const struct gc_facts *x, enum gc_trouble t)
{
	const char *live = size_text(k, x->live), *limit = size_text(k, x->limit);
	const char *box = size_text(k, x->container), *goal = size_text(k, gc_goal(x));

	switch (t) {
	case GC_LIMIT_TOO_LOW:
		return keepf(
			k,
			"GOMEMLIMIT of %s leaves no room above %s that are live: the collector "
			"runs again and again and frees little",
			limit, live);
	case GC_LIMIT_TOO_HIGH:
		return keepf(k,
			     "GOMEMLIMIT of %s lies above the container's limit of %s: the kernel "
			     "kills before Go collects harder",
			     limit, box);
	case GC_GOAL_TOO_HIGH:
		return keepf(
			k,
			"the next collection is due at a heap of %s, the container's limit is %s: "
			"the kernel kills first",
			goal, box);
	case GC_OFF:
		return keepf(k,
			     "GOGC=off and no GOMEMLIMIT: nothing is ever collected; %s were "
			     "live at the last collection, %s are garbage now",
			     live, size_text(k, x->garbage));
	case GC_WIDE:
		return keepf(
			k,
			"GOGC=%d lets the heap grow to %s for %s that are live; %s of it are garbage now",
			x->gogc, goal, live, size_text(k, x->garbage));
	default:
		return keepf(
			k,
			"GOGC=%d collects %.1f times a second for a live heap of %s: processor time "
			"for little memory",
			x->gogc, (double)x->cycles * 1e9 / (double)MAX(x->uptime_ns, 1ULL), live);
	}
}

static uint64_t advised_limit(const struct gc_facts *x)
{
	return x->container == GC_NONE ? GC_NONE : x->container / 10 * 9;
}

const char *gc_fix(struct keep *k, const struct gc_facts *x, enum gc_trouble t)
{
	const char *advised = size_text(k, advised_limit(x));

	switch (t) {
	case GC_LIMIT_TOO_LOW:
		return keepf(
			k,
			"raise GOMEMLIMIT to at least %s (twice what is live and what the runtime "
			"needs), or find out why so much is live: see the tables below",
			size_text(k, 2 * (x->live + x->other)));
	case GC_LIMIT_TOO_HIGH:
	case GC_GOAL_TOO_HIGH:
		return keepf(
			k,
			"set GOMEMLIMIT to about nine tenths of the container's limit (%s), less "
			"what is outside of Go (%s); keep GOGC as it is",
			advised, size_text(k, x->outside));
	case GC_OFF:
		return x->container == GC_NONE
			       ? "set GOMEMLIMIT beside GOGC=off: then the collector runs when it is "
				 "reached; or leave GOGC at 100"
			       : keepf(k, "set GOMEMLIMIT=%s beside GOGC=off, or leave GOGC at 100",
				       advised);
	case GC_WIDE:
		return "set GOGC lower (100 is Go's default), or a GOMEMLIMIT that caps what GOGC gives";
	default:
		return "set GOGC higher (100 is Go's default); where memory is short a GOMEMLIMIT lets "
		       "GOGC be high and still collects in time";
	}
}
