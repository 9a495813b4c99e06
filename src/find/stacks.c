/*
 * stacks.c - goroutines by their stacks, and how long they wait.
 *
 * Knows no finding.  Times are lower bounds: the runtime notes waitsince at the first collection
 * that meets the waiting goroutine (mgcmark.go, markroot).
 */
#include "find/stacks.h"

#include "base/clock.h"

/*
 * The collector notes the end of a cycle by both clocks (mgc.go, gcMarkTermination), so that the
 * wall clock tells nanotime(); that is believed only where the instant was noted when the evidence
 * was taken (started is known: our own cores), for copying a file changes its time.  Else no
 * wait is known to be younger than the last cycle.
 */
static uint64_t clock_of_file(const struct snapshot *s)
{
	const struct go_counters *c = &s->heap.counters;
	uint64_t at = target_capture(s->t)->at_unix_ns;
	uint64_t since = at > c->last_gc_unix_ns ? at - c->last_gc_unix_ns : 0;

	if (!target_started_unix_ns(s->t) || !c->last_gc_unix_ns || since > 1ULL << 56)
		since = 0;
	return c->last_gc_ns && c->last_gc_ns < 1ULL << 62 ? c->last_gc_ns + since : 0;
}

/* By this machine's monotonic clock. */
static uint64_t clock_of_live(const struct snapshot *s)
{
	struct timespec wall;
	uint64_t ago;

	clock_gettime(CLOCK_REALTIME, &wall);
	ago = (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec -
	      target_capture(s->t)->at_unix_ns;
	return clock_ns() - ago;
}

uint64_t look_clock_ns(const struct snapshot *s)
{
	return target_capture(s->t)->method == TARGET_BY_FILE ? clock_of_file(s) : clock_of_live(s);
}

uint64_t look_waited_ns(uint64_t clock_now, int64_t waitsince)
{
	if (!clock_now || waitsince <= 0)
		return UINT64_MAX;
	return clock_now > (uint64_t)waitsince ? clock_now - (uint64_t)waitsince : 0;
}

int look_compare_stacks(const struct go_stacks *st, size_t x, size_t y)
{
	const struct go_goroutine *p = &st->gs.v[x], *q = &st->gs.v[y];

	if (p->nframes != q->nframes)
		return p->nframes < q->nframes ? -1 : 1;
	for (size_t i = 0; i < p->nframes; i++) {
		taddr a = st->frames.v[p->first_frame + i].pc;
		taddr b = st->frames.v[q->first_frame + i].pc;

		if (a != b)
			return a < b ? -1 : 1;
	}
	if (p->start_pc != q->start_pc)
		return p->start_pc < q->start_pc ? -1 : 1;
	return 0;
}
