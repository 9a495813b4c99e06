/*
 * prof_contention.c - the kinds mutex and block: who waits for whom, where the program counts it.
 *
 * Source: runtime/pprof/pprof.go (printCountCycleProfile, writeProfileInternal).
 */
#include "report/prof_priv.h"

#include "goruntime/contention.h"

static int by_ticks(const void *x, const void *y)
{
	const struct go_contended *a = x, *b = y;

	if (a->ticks != b->ticks)
		return a->ticks < b->ticks ? 1 : -1;
	return a->first_pc < b->first_pc ? -1 : a->first_pc > b->first_pc;
}

static int64_t whole(double x)
{
	return x >= 9e18 ? INT64_MAX : x <= -9e18 ? INT64_MIN : (int64_t)x;
}

static void types(struct prof *b, const struct go_contention *c)
{
	/* A core of a program that never worked out how long a tick is. */
	const char *unit = c->ticks_per_s > 0 || !c->stacks.n ? "nanoseconds" : "ticks";

	b->p->period_type = (struct pprof_type){ pprof_add_word(b->p, "contentions"),
						 pprof_add_word(b->p, "count") };
	b->p->period = 1;
	pprof_add_type(b->p, "contentions", "count");
	pprof_add_type(b->p, "delay", unit);
}

/* mprof.go, blockProfileInternal: of what is scaled down to nothing there was one. */
static int64_t events(const struct go_contended *x, enum go_contention_kind kind)
{
	int64_t n = whole(x->count);

	return n || kind == GO_CONTENTION_MUTEX ? n : 1;
}

static struct err *make(struct prof *b, enum go_contention_kind kind)
{
	_cleanup_(go_contention_deinit) struct go_contention c = { 0 };
	struct err *err = go_contention_read(b->go, kind, &c);

	if (err)
		return err;
	if (!c.known)
		return err_unsupported(
			"nothing is recorded of %s, or the runtime's list was not found: the program "
			"calls runtime.%s to have it",
			kind == GO_CONTENTION_MUTEX ? "mutexes" : "blocking",
			kind == GO_CONTENTION_MUTEX ? "SetMutexProfileFraction"
						    : "SetBlockProfileRate");
	types(b, &c);
	if (c.stacks.n)
		qsort(c.stacks.v, c.stacks.n, sizeof(*c.stacks.v), by_ticks);
	for (size_t i = 0; i < c.stacks.n; i++) {
		const struct go_contended *x = &c.stacks.v[i];
		double ns =
			c.ticks_per_s ? (double)x->ticks / (c.ticks_per_s / 1e9) : (double)x->ticks;
		int64_t values[] = { events(x, kind), whole(ns) };
		const taddr *pcs = x->npcs ? c.pcs.v + x->first_pc : NULL;

		pprof_add_sample(b->p, prof_stack(b, GO_CALLERS_LISTED, pcs, x->npcs), values, NULL,
				 0);
	}
	return NULL;
}

struct err *prof_mutex(struct prof *b)
{
	return make(b, GO_CONTENTION_MUTEX);
}

struct err *prof_block(struct prof *b)
{
	return make(b, GO_CONTENTION_BLOCK);
}
