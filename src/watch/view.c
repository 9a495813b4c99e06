/*
 * view.c - rates and the slope of what is live after collections.
 *
 * The slope is Theil's and Sen's: the middle one of those between any two collections, which one
 * odd collection does not turn.  Of at most 64: 2,016 pairs a refresh.
 */
#include "watch/view.h"

#include <math.h>

#define HOUR_NS 3600e9
#define SPAN_NS 30000000000ULL /* no hour is told from less */
#define PAIRS	(VIEW_CYCLES * (VIEW_CYCLES - 1) / 2)

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double middle(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

struct ans_slope view_slope(const struct view_cycle *c, size_t n)
{
	struct ans_slope s = { .cycles = n, .per_cycle = NAN, .per_hour = NAN };
	double cycle[PAIRS], hour[PAIRS];
	size_t k = 0;

	if (n < 3 || n > VIEW_CYCLES)
		return s;
	s.span_ns = c[n - 1].at_ns - c[0].at_ns;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			double grown = (double)c[j].marked - (double)c[i].marked;

			if (c[j].cycle <= c[i].cycle || c[j].at_ns <= c[i].at_ns)
				continue;
			cycle[k] = grown / (double)(c[j].cycle - c[i].cycle);
			hour[k++] = grown / (double)(c[j].at_ns - c[i].at_ns) * HOUR_NS;
		}
	if (k) {
		s.per_cycle = middle(cycle, k);
		if (s.span_ns >= SPAN_NS)
			s.per_hour = middle(hour, k);
	}
	return s;
}

/* When a collection was finished nobody tells to the ns; between two refreshes. */
static void note_cycle(struct view *v, const struct pulse *p)
{
	bool is_new = !v->nread || p->cycles != v->last.cycles;

	if (!is_new || !p->cycles || p->heap_marked == UINT64_MAX)
		return;
	if (v->ncycles == VIEW_CYCLES)
		memmove(v->cycles, v->cycles + 1, --v->ncycles * sizeof(*v->cycles));
	v->cycles[v->ncycles++] = (struct view_cycle){ p->cycles, p->at_ns, p->heap_marked };
}

static void note_history(struct view *v, const struct pulse *p)
{
	if (v->nhistory == WATCHED_HISTORY)
		memmove(v->history, v->history + 1, --v->nhistory * sizeof(*v->history));
	v->history[v->nhistory++] = p->heap_live;
}

static uint64_t grown(uint64_t from, uint64_t to)
{
	if (from == UINT64_MAX || to == UINT64_MAX)
		return UINT64_MAX;
	return to > from ? to - from : 0;
}

static double rate(uint64_t from, uint64_t to, uint64_t ns)
{
	uint64_t n = grown(from, to);

	return n == UINT64_MAX || !ns ? NAN : (double)n / ((double)ns / 1e9);
}

/* The runtime counts at the end of a collection: a refresh without one says nothing new. */
static double gc_share(const struct pulse *from, const struct pulse *to)
{
	uint64_t gc = grown(from->gc_cpu_ns, to->gc_cpu_ns);
	uint64_t all = grown(from->total_cpu_ns, to->total_cpu_ns);

	if (to->gc_cpu_ns == UINT64_MAX || to->total_cpu_ns == UINT64_MAX || !to->total_cpu_ns)
		return NAN;
	if (!all || all == UINT64_MAX || gc == UINT64_MAX)
		return (double)to->gc_cpu_ns / (double)to->total_cpu_ns;
	return (double)gc / (double)all;
}

static void put_levels(const struct pulse *p, struct ans_watched *w)
{
	w->rss = p->rss;
	w->threads = p->threads;
	w->fds = p->fds;
	w->heap_live = p->heap_live;
	w->heap_marked = p->heap_marked;
	w->heap_goal = p->heap_goal;
	w->heap_in_use = p->heap_in_use;
	w->heap_free = p->heap_free;
	w->heap_released = p->heap_released;
	w->stacks = p->stacks;
	w->runtime_bytes = p->runtime_bytes;
	w->cycles = p->cycles;
	w->forced = p->forced;
	w->collecting = p->collecting;
	w->gogc = p->gogc;
	w->pause_total_ns = p->pause_total_ns;
	w->last_pause_ns = p->last_pause_ns;
	w->total_alloc = p->total_alloc;
	w->mallocs = p->mallocs;
	w->frees = p->frees;
	w->goroutines = p->goroutines;
}

static void put_rates(const struct view *v, const struct pulse *p, struct ans_watched *w)
{
	const struct pulse *last = v->nread ? &v->last : p;
	uint64_t ns = p->at_ns - last->at_ns;

	w->interval_ns = ns;
	w->new_cycles = grown(last->cycles, p->cycles);
	w->new_pause_ns = grown(last->pause_total_ns, p->pause_total_ns);
	/* collections are rare: their rate is that since the watch began */
	w->cycles_rate =
		v->nread ? rate(v->first.cycles, p->cycles, p->at_ns - v->first.at_ns) : NAN;
	w->alloc_rate = rate(last->total_alloc, p->total_alloc, ns);
	w->malloc_rate = rate(last->mallocs, p->mallocs, ns);
	w->cpus = rate(last->cpu_ns, p->cpu_ns, ns) / 1e9;
	w->gc_cpu = gc_share(v->nread ? &v->first : p, p);
}

void view_take(struct view *v, const struct pulse *p, struct ans_watched *ret)
{
	struct ans_watched w = { 0 };

	note_cycle(v, p);
	note_history(v, p);
	put_levels(p, &w);
	put_rates(v, p, &w);
	w.slope = view_slope(v->cycles, v->ncycles);
	memcpy(w.history, v->history, v->nhistory * sizeof(*v->history));
	w.nhistory = v->nhistory;
	if (!v->nread)
		v->first = *p;
	v->last = *p;
	v->nread++;
	*ret = w;
}
