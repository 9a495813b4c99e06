/*
 * gclog_stats.c - figures of one stream, of all its cycles together.
 *
 * Percentiles are of the cycles that were kept (all, but in very long logs); the rest was added up
 * while the log was read (gclog_stream.c).
 */
#include "evidence/gclog_priv.h"

static int by_value(const void *x, const void *y)
{
	uint64_t p = *(const uint64_t *)x, q = *(const uint64_t *)y;

	return (p > q) - (p < q);
}

/* The value that so many of 100 do not exceed (nearest rank). */
static uint64_t rank(const uint64_t *v, size_t n, unsigned percent)
{
	size_t k = (n * percent + 99) / 100;

	return v[k ? k - 1 : 0];
}

/* Each stop counts by itself: it is one that a request waits for. */
static void pauses(struct gclog_stream *s)
{
	size_t n = 2 * s->cycles.n;
	_cleanup_(freep) uint64_t *v = malloc(MAX(n, 1U) * sizeof(*v));

	if (!v || !n)
		return;
	for (size_t i = 0; i < s->cycles.n; i++) {
		v[2 * i] = s->cycles.v[i].stop_ns;
		v[2 * i + 1] = s->cycles.v[i].stop2_ns;
	}
	qsort(v, n, sizeof(*v), by_value);
	s->st.pause50_ns = rank(v, n, 50);
	s->st.pause90_ns = rank(v, n, 90);
	s->st.pause99_ns = rank(v, n, 99);
}

void gclog_stats_of(struct gclog_stream *s)
{
	struct gclog_stats *t = &s->st;
	double ns = (double)(t->to_ns - MIN(t->from_ns, t->to_ns));
	double cpu = (double)t->cpu_stop_ns + (double)t->cpu_assist_ns + (double)t->cpu_mark_ns;

	pauses(s);
	if (ns > 0 && t->procs) {
		t->cpu_share = MIN(cpu / (ns * t->procs), 1);
		t->busy = MIN(((double)t->mark_total_ns + (double)t->pause_total_ns) / ns, 1);
		t->alloc_rate = t->alloc_bytes / (ns / 1e9);
	}
	t->assist_share = cpu > 0 ? (double)t->cpu_assist_ns / cpu : 0;
}
