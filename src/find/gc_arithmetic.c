/*
 * gc_arithmetic.c - when the next collection begins, and whether that fights with a limit.
 *
 * Source: runtime/mgcpacer.go.  Knows only numbers.
 */
#include "find/gc_tuning.h"

#define MIB (1ULL << 20)

/* x * percent / 100 without overflow. */
static uint64_t part(uint64_t x, uint64_t percent)
{
	return x / 100 * percent + x % 100 * percent / 100;
}

static uint64_t add(uint64_t x, uint64_t y)
{
	return x > UINT64_MAX - y ? UINT64_MAX : x + y;
}

uint64_t gc_goal(const struct gc_facts *f)
{
	uint64_t goal;

	if (f->gogc < 0)
		return GC_NONE;
	goal = add(f->live, part(f->live + f->stacks + f->globals, (uint64_t)f->gogc));
	return MAX(goal, f->minimum);
}

uint64_t gc_limit_goal(const struct gc_facts *f)
{
	uint64_t goal, headroom;

	if (f->limit == GC_NONE)
		return GC_NONE;
	if (f->other >= f->limit)
		return f->live;
	goal = f->limit - f->other;
	headroom = MAX(goal / 100 * 3, MIB);
	goal = goal < 2 * headroom ? headroom : goal - headroom;
	return MAX(goal, f->live);
}

/* Bytes that the heap may grow by before the next collection. */
static uint64_t room(const struct gc_facts *f)
{
	uint64_t goal = MIN(gc_goal(f), gc_limit_goal(f));

	return goal > f->live ? goal - f->live : 0;
}

static bool is_too_low(const struct gc_facts *f)
{
	uint64_t by_gogc = gc_goal(f);

	/* less than a tenth of what GOGC alone would give, and of what is live */
	if (gc_limit_goal(f) >= by_gogc || f->live < 4 * MIB)
		return false;
	return room(f) < f->live / 10;
}

static bool is_above_container(const struct gc_facts *f, uint64_t goal)
{
	if (f->container == GC_NONE || goal == GC_NONE)
		return false;
	return add(goal, add(f->other, f->outside)) > f->container;
}

static bool is_wide(const struct gc_facts *f)
{
	uint64_t goal = MIN(gc_goal(f), gc_limit_goal(f));

	return f->gogc >= 300 && goal > f->live && f->garbage > f->live && f->garbage >= 16 * MIB &&
	       goal - f->live >= 2 * f->live;
}

static bool is_narrow(const struct gc_facts *f)
{
	double seconds = (double)f->uptime_ns / 1e9;

	return f->gogc >= 0 && f->gogc <= 30 && f->live >= 16 * MIB && seconds >= 1 &&
	       (double)f->cycles / seconds >= 1;
}

enum gc_trouble gc_judge(const struct gc_facts *f)
{
	if (is_too_low(f))
		return GC_LIMIT_TOO_LOW;
	if (f->limit != GC_NONE && f->container != GC_NONE && f->limit > f->container)
		return f->gogc < 0 || is_above_container(f, gc_goal(f)) ? GC_LIMIT_TOO_HIGH
									: GC_FINE;
	if (f->limit == GC_NONE && f->gogc < 0)
		return GC_OFF;
	if (f->limit == GC_NONE && is_above_container(f, gc_goal(f)))
		return GC_GOAL_TOO_HIGH;
	if (is_wide(f))
		return GC_WIDE;
	return is_narrow(f) ? GC_NARROW : GC_FINE;
}
