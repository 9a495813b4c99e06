/*
 * trial_limits.c - figures of the rounds, and the limits that were set for them.
 *
 * Counters are read before and behind the loads of a round, so that what looks and asked-for
 * collections cost is not in them.
 */
#include "watch/trial_priv.h"

#include <math.h>

static uint64_t more(uint64_t then, uint64_t now)
{
	return then == UINT64_MAX || now == UINT64_MAX || now < then ? ANS_UNKNOWN : now - then;
}

static double growth(uint64_t then, uint64_t now)
{
	uint64_t n = more(then, now);

	return n == ANS_UNKNOWN ? NAN : (double)n;
}

static void counters(const struct trial_look *l, struct ans_check_round *r)
{
	const struct pulse *p = &l->before, *q = &l->pulse;

	r->alloc_bytes = r->allocs = r->cycles = r->gc_cpu_ns = r->pause_ns = ANS_UNKNOWN;
	if (!l->has_pulse)
		return;
	r->alloc_bytes = more(p->total_alloc, q->total_alloc);
	r->allocs = more(p->mallocs, q->mallocs);
	r->cycles = more(p->cycles, q->cycles);
	r->gc_cpu_ns = more(p->gc_cpu_ns, q->gc_cpu_ns);
	r->pause_ns = more(p->pause_total_ns, q->pause_total_ns);
}

struct err *trial_rounds(struct trial *t, const struct series *s)
{
	for (size_t i = 0; i < t->looks.n && i < s->heads.n; i++) {
		const struct trial_look *l = &t->looks.v[i];
		const struct ident_head *h = &s->heads.v[i];
		struct ans_check_round r = { .at_ns = l->at_ns - t->began_ns,
					     .load_ns = l->load_ns,
					     .live_bytes = h->bytes,
					     .live_objects = h->objects,
					     .goroutines = h->goroutines,
					     .rss = h->rss,

					     .look_pause_ns = l->sight.pause_ns,
					     .warm_up = i == 0 };

		counters(l, &r);
		if (!vec_push(&t->a->round, r))
			return &err_nomem;
	}
	return NULL;
}

/* Over the rounds behind the warm-up; NaN: not known. */
struct sums {
	double loads, alloc, cycles, gc_cpu, cpu, pause;
	bool known;
};

static struct sums sum_up(const struct trial *t)
{
	struct sums s = { .known = true };

	for (size_t i = 1; i < t->looks.n; i++) {
		const struct trial_look *l = &t->looks.v[i];
		const struct pulse *p = &l->before, *q = &l->pulse;

		if (!l->loads)
			continue;
		s.known = s.known && l->has_pulse;
		s.loads += l->loads;
		s.alloc += growth(p->total_alloc, q->total_alloc);
		s.cycles += growth(p->cycles, q->cycles);
		s.gc_cpu += growth(p->gc_cpu_ns, q->gc_cpu_ns);
		s.cpu += growth(p->cpu_ns, q->cpu_ns);
		s.pause += growth(p->pause_total_ns, q->pause_total_ns);
	}
	s.known = s.known && s.loads > 0;
	return s;
}

static double figure(const struct sums *s, size_t which)
{
	switch (which) {
	case TRIAL_ALLOC:
		return s->alloc / s->loads;
	case TRIAL_GC_COUNT:
		return s->cycles / s->loads;
	case TRIAL_GC_CPU:
		return s->cpu > 0 ? 100 * s->gc_cpu / s->cpu : NAN;
	default:
		return s->cycles > 0 ? s->pause / s->cycles : NAN; /* no cycle, no pause */
	}
}

struct err *trial_limits(struct trial *t)
{
	static const char *const name[] = { "alloc", "gc", "gc-cpu", "gc-pause" };
	static const char *const unit[] = { "bytes/load", "cycles/load", "percent", "ns/cycle" };
	const struct trial_opts *o = t->o;
	struct sums s = sum_up(t);

	for (size_t i = 0; s.known && i < TRIAL_LIMITS; i++) {
		struct ans_check_limit l = { .name = name[i],
					     .unit = unit[i],
					     .value = figure(&s, i),
					     .baseline = NAN,
					     .limit = o->limits[i].value };

		if (isnan(l.value))
			continue;
		if (o->baseline)
			l.baseline = o->baseline(o->baseline_arg, name[i]);
		if (isnan(l.limit) && !isnan(o->limits[i].share) && !isnan(l.baseline))
			l.limit = l.baseline * (1 + o->limits[i].share);
		l.broken = !isnan(l.limit) && l.value > l.limit;
		if (!vec_push(&t->a->limits, l))
			return &err_nomem;
	}
	return NULL;
}
