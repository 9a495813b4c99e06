/*
 * gclog_judge.c - a stream's verdict, with reasons and how sure it is.
 *
 * Two questions: does the live heap grow for ever (gclog_growth.c), and does the collector itself
 * harm?  The worst is the verdict, the rest stands beside it.  A log knows no types and no holders:
 * what grows, a snapshot says.
 */
#include "evidence/gclog_growth.h"

#include "base/str.h"

#include <inttypes.h>
#include <math.h>

#define MIB 1048576.0

enum { CYCLES_LEAST = 6, CYCLES_GOOD = 12 };

const char *gclog_verdict_word(uint8_t v)
{
	static const char *const words[] = {
		[GCLOG_LITTLE] = "too-little-evidence",
		[GCLOG_STEADY] = "steady",
		[GCLOG_WARMING] = "warming-cache",
		[GCLOG_GROWS] = "grows",
		[GCLOG_LEAK] = "leak",
		[GCLOG_SPIRAL] = "death-spiral",
		[GCLOG_STARVED] = "gc-starved",
		[GCLOG_FORCES] = "forced-gc",
	};

	return v < ARRAY_LEN(words) ? words[v] : "?";
}

static const char *bytes_text(struct keep *k, double n)
{
	char buf[16];

	return keepf(k, "%s%s", n < 0 ? "-" : "", str_bytes(buf, (uint64_t)llround(fabs(n))));
}

static const char *thirds_text(struct keep *k, const struct gclog_growth *g)
{
	return keepf(k,
		     "while %s were allocated the live heap went from %s to %s: %s in the first "
		     "third of that, %s in the second, %s in the last",
		     bytes_text(k, g->work), bytes_text(k, g->start), bytes_text(k, g->end),
		     bytes_text(k, g->third[0]), bytes_text(k, g->third[1]),
		     bytes_text(k, g->third[2]));
}

/* What may be seen by chance: one cut-off MiB, and jumps of the levels that are compared. */
static double trifle(const struct gclog_growth *g)
{
	double few = sqrt(MAX((double)g->n / 6, 1));

	return MAX(1.5 * MIB, MAX(0.04 * g->end, 2.5 * g->noise / few));
}

/* Nearly nothing that is allocated dies: loading, or a leak that does nothing else. */
static bool all_stays(const struct gclog_growth *g)
{
	return g->end - g->start > 0.75 * g->work;
}

static unsigned surer(const struct gclog_growth *g, unsigned base)
{
	double n = (double)MIN(g->n, 60U);

	return (unsigned)MIN(base + n * 4, 950);
}

/* What the last third added, of what the one before did. */
static double pace(const struct gclog_growth *g)
{
	return (MAX(g->late[1], 0) + MIB / 4) / (MAX(g->late[0], 0) + MIB / 4);
}

/* Each third adds clearly less than the one before. */
static bool slows(const struct gclog_growth *g)
{
	double less = g->late[0] - g->late[1];

	return (pace(g) < 0.75 && less > MIB) ||
	       (pace(g) < 0.85 && less > 2 * MIB && g->late[0] < 0.7 * g->third[0]);
}

static struct gclog_says grows(struct keep *k, const struct gclog_growth *g, double little)
{
	bool few = g->n < CYCLES_GOOD && (all_stays(g) || g->n < 8);
	bool sure = g->third[1] + g->third[2] >= 2 * little && !slows(g) && !few && !all_stays(g);
	struct gclog_says x = { GCLOG_LEAK, surer(g, 650), "", "" };

	if (!sure) {
		x.verdict = GCLOG_GROWS;
		x.sure = surer(g, 450);
	}
	x.why = keepf(k, "%s%s", thirds_text(k, g),
		      sure ? ": it grows with the work, and no slower in the end"
		      : all_stays(g)
			      ? ": next to nothing of what it allocates is freed; it loads, or "
				"it keeps all"
		      : slows(g) ? ": slower in the end, but it grows; a longer log tells"
				 : ": it grows, and there is too little of it to say for how long");
	x.fix = "see what grows: two snapshots with some load in between (limpet snapshot PID -o "
		"a.limpet, limpet diff a.limpet b.limpet)";
	return x;
}

static struct gclog_says warms(struct keep *k, const struct gclog_growth *g, bool goes_on)
{
	return (struct gclog_says){
		GCLOG_WARMING, surer(g, goes_on ? 500 : 650),
		keepf(k, "%s: %s", thirds_text(k, g),
		      goes_on ? "less and less, as what fills up does"
		      : g->third[2] > trifle(g) / 2
			      ? "it filled up; what came last may be chance"
			      : "it filled up and stays so"),
		goes_on ? "nothing yet; a longer log shows where it comes to rest" : ""
	};
}

static struct gclog_says by_growth(struct keep *k, const struct gclog_growth *g)
{
	double little = trifle(g), late = g->third[1] + g->third[2];
	bool begins = g->third[2] > 2 * little && g->grows_last; /* it stood still before */
	bool goes_on = g->third[2] > little / 2 && late > little &&
		       (g->by_work.low > 0 || begins);

	if (g->n < 4)
		return (struct gclog_says){ GCLOG_LITTLE, 0,
					    keepf(k,
						  "%zu collections: growth can be told from %d on",
						  g->n, CYCLES_LEAST),
					    "a longer log" };
	if (goes_on && g->third[0] > 2 * late && (slows(g) || late < 2 * little))
		return warms(k, g, true);
	if (goes_on)
		return pace(g) < 0.5 ? warms(k, g, true) : grows(k, g, little);
	if (g->n < CYCLES_LEAST)
		return (struct gclog_says){
			GCLOG_LITTLE, 0, keepf(k, "%zu collections; %s", g->n, thirds_text(k, g)),
			"a longer log"
		};
	if (g->end - g->start > 2 * little && g->filled > 0.15)
		return warms(k, g, false);
	return (struct gclog_says){ GCLOG_STEADY, surer(g, 650),
				    keepf(k, "%s: no growth that is more than chance (%s)",
					  thirds_text(k, g), bytes_text(k, little)),
				    "" };
}

/* The newest cycles, of which it is asked how the collector fares. */
struct lately {
	size_t n;
	double live, room;	  /* MiB; room: goal above what was live before, of that */
	double gogc, gogc_spread; /* what GOGC the goals look like */
	double goal, goal_spread; /* MiB */
	double share, assist, busy;
	double per_second;
	double mark_speed; /* MiB a second of marking processors */
	double stop90_ns;
	double beyond; /* heap above goal when marking ends, of the goal */
	double freed;  /* of the heap, each time */
};

static int by_value(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;

	return (p > q) - (p < q);
}

/* The k-th of 100. */
static double rank(double *v, size_t n, unsigned k)
{
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), by_value);
	return v[MIN(n - 1, n * k / 100)];
}

static double scanned(const struct gclog_cycle *c)
{
	return (double)c->heap2 +
	       (c->stacks == GCLOG_NONE ? 0 : (double)c->stacks + (double)c->globals);
}

static void sums(const struct gclog_cycle *c, size_t n, uint64_t every, struct lately *l)
{
	double cpu = 0, assist = 0, wall = 0, idle = 0, marked = 0, ns;

	for (size_t i = 0; i < n; i++) {
		assist += (double)c[i].cpu_assist_ns;
		cpu += (double)c[i].cpu_stop_ns + (double)c[i].cpu_assist_ns +
		       (double)c[i].cpu_mark_ns + (double)c[i].cpu_stop2_ns;
		idle += (double)c[i].cpu_idle_ns;
		wall += (double)c[i].mark_ns + (double)gclog_pause(&c[i]);
		marked += scanned(&c[i]);
	}
	ns = (double)c[n - 1].at_ns + (double)c[n - 1].mark_ns - (double)c[0].at_ns;
	if (ns <= 0)
		return;
	l->share = MIN(cpu * (double)every / (ns * c[n - 1].procs), 1);
	l->busy = MIN(wall * (double)every / ns, 1);
	l->assist = cpu > 0 ? assist / cpu : 0;
	l->per_second = (double)(n - 1) * (double)every / (ns / 1e9);
	l->mark_speed = cpu + idle > 0 ? marked / ((cpu + idle) / 1e9) : 0;
}

static struct err *look_lately(const struct gclog_stream *s, struct lately *l)
{
	size_t n = s->cycles.n, from = n > 12 ? n - MAX(n / 3, 12U) : 0, k = 0;
	const struct gclog_cycle *c = s->cycles.v;
	_cleanup_(freep) double *v = malloc((n + 1) * 8 * sizeof(*v));
	double *col[8];

	*l = (struct lately){ 0 };
	if (!v)
		return &err_nomem;
	for (unsigned j = 0; j < 8; j++)
		col[j] = v + j * (n + 1);
	if (n < 4)
		return NULL;
	sums(c + from, n - from, s->every, l);
	for (size_t i = MAX(from, 1U); i < n; i++) {
		double was = MAX((double)c[i - 1].heap2, 1), goal = (double)c[i].goal;

		if (c[i].goal == GCLOG_NONE || c[i].n != c[i - 1].n + 1)
			continue;
		col[0][k] = (double)c[i].heap2;
		col[1][k] = MAX(goal - was, 0) / was;
		col[2][k] = 100 * MAX(goal - was, 0) / MAX(scanned(&c[i - 1]), 1);
		col[3][k] = goal;
		col[4][k] = (double)MAX(c[i].stop_ns, c[i].stop2_ns);
		col[5][k] = ((double)c[i].heap1 - goal) / MAX(goal, 1);
		col[6][k] = ((double)c[i].heap1 - (double)MIN(c[i].heap2, c[i].heap1)) /
			    MAX((double)c[i].heap1, 1);
		k++;
	}
	l->n = k;
	l->live = rank(col[0], k, 50);
	l->room = rank(col[1], k, 50);
	l->gogc = rank(col[2], k, 50);
	l->gogc_spread = rank(col[2], k, 90) - rank(col[2], k, 10);
	l->goal = rank(col[3], k, 50);
	l->goal_spread = rank(col[3], k, 90) - rank(col[3], k, 10);
	l->stop90_ns = rank(col[4], k, 90);
	l->beyond = rank(col[5], k, 50);
	l->freed = rank(col[6], k, 50);
	return NULL;
}

/* GOGC that the first goals looked like, of heaps of at least so many MiB. */
static double gogc_above(const struct gclog_stream *s, uint64_t live)
{
	const struct gclog_cycle *c = s->cycles.v;
	double v[16];
	size_t k = 0;

	for (size_t i = 1; i < s->cycles.n && k < ARRAY_LEN(v) && i < 24; i++)
		if (c[i].goal != GCLOG_NONE && c[i - 1].heap2 >= live && c[i].goal > c[i - 1].heap2)
			v[k++] = 100 * (double)(c[i].goal - c[i - 1].heap2) / scanned(&c[i - 1]);
	return rank(v, k, 90);
}

/* Before a limit pressed.  Of few MiB those that are cut off are a quarter. */
static double early_gogc(const struct gclog_stream *s)
{
	double large = gogc_above(s, 16);

	return large > 30 ? large : gogc_above(s, 4);
}

static bool is_spiral(const struct lately *l)
{
	return l->n >= 4 && l->live >= 8 && l->room < 0.2 && l->freed < 0.25 &&
	       (l->share >= 0.2 || (l->busy >= 0.4 && l->per_second >= 2));
}

static struct gclog_says spiral(struct keep *k, const struct gclog_stream *s,
				const struct lately *l)
{
	double early = early_gogc(s);
	bool gogc = early < 30 && l->gogc_spread < 8;
	struct gclog_says x = { GCLOG_SPIRAL, 850, "", "" };

	x.why = keepf(
		k,
		"of late %.1f collections a second take %.0f %% of the processors (%.0f %% of "
		"the time one is going on), and each frees %.0f %% of the heap: live are "
		"%.0f MiB, the goal is %.0f MiB; %s",
		l->per_second, 100 * l->share, 100 * l->busy, 100 * l->freed, l->live, l->goal,
		gogc ? keepf(k, "that is GOGC of about %.0f", l->gogc)
		: early > 2 * l->gogc + 10
			? keepf(k,
				"GOGC would leave about %.0f %% above what is live, as in the beginning: it "
				"is GOMEMLIMIT that presses the goal",
				early < 60 ? early : 25 * round(early / 25))
			: "GOGC or GOMEMLIMIT leaves no room");
	x.fix = gogc ? "raise GOGC (100 is Go's default); where memory is short set a GOMEMLIMIT "
		       "beside it"
		     : keepf(k,
			     "raise GOMEMLIMIT to at least twice what is live (%.0f MiB), or find out "
			     "why so much is live: limpet report PID",
			     2 * l->live);
	return x;
}

static bool is_starved(const struct lately *l)
{
	/*
	 * A processor of its own marks hundreds of MiB a second; a loop that allocates and does
	 * nothing else keeps the collector busy and is no case of it.
	 */
	return l->n >= 4 && l->live >= 8 && !is_spiral(l) &&
	       ((l->busy >= 0.3 && l->mark_speed < 25) ||
		(l->busy >= 0.5 && l->mark_speed < (l->beyond > 0.1 ? 200 : 100)));
}

static struct gclog_says starved(struct keep *k, const struct gclog_stream *s,
				 const struct lately *l)
{
	return (struct gclog_says){
		GCLOG_STARVED, 700,
		keepf(k,
		      "a collection is going on for %.0f %% of the time, with %u processors, and "
		      "marks %.0f MiB a second of theirs; goroutines that allocate do %.0f %% of it; "
		      "the heap ends %.0f %% %s its goal, 9 of 10 stops take at most %.1f ms",
		      100 * l->busy, s->st.procs, l->mark_speed, 100 * l->assist,
		      100 * fabs(l->beyond), l->beyond > 0 ? "above" : "below", l->stop90_ns / 1e6),
		"give it more processor time (GOMAXPROCS, the container's CPU limit), or let it "
		"collect less often: a higher GOGC, fewer allocations"
	};
}

static bool is_forcing(const struct gclog_stats *t)
{
	double s = (double)(t->to_ns - MIN(t->from_ns, t->to_ns)) / 1e9;

	return t->forced >= 5 && 2 * t->forced >= t->cycles &&
	       ((double)t->forced > s / 10 || t->cpu_share >= 0.05);
}

static struct gclog_says forces(struct keep *k, const struct gclog_stats *t)
{
	double s = (double)(t->to_ns - MIN(t->from_ns, t->to_ns)) / 1e9;

	return (struct gclog_says){
		GCLOG_FORCES, 900,
		keepf(k,
		      "%" PRIu64 " of %" PRIu64
		      " collections in %.1f s were asked for by the program "
		      "itself (runtime.GC, debug.FreeOSMemory), at %.1f %% of the processors",
		      t->forced, t->cycles, s, 100 * t->cpu_share),
		"take the calls of runtime.GC and debug.FreeOSMemory out; a GOMEMLIMIT keeps memory "
		"low without them"
	};
}

/* The worse one is the verdict, the other stands beside it. */
static struct err *say(struct gclog_stream *s, struct gclog_says x)
{
	bool worse = x.verdict == GCLOG_SPIRAL || s->says.verdict < GCLOG_GROWS;
	struct gclog_says other = worse ? s->says : x;

	if (worse)
		s->says = x;
	if (other.verdict == GCLOG_LITTLE)
		return NULL;
	return vec_push(&s->also, other) ? NULL : &err_nomem;
}

struct err *gclog_judge(struct gclog *g, struct gclog_stream *s)
{
	_cleanup_(gclog_growth_deinit) struct gclog_growth w = { 0 };
	struct lately l;
	struct err *err = gclog_growth_of(s, &w);

	if (!err)
		err = look_lately(s, &l);
	if (err)
		return err;
	s->says = by_growth(&g->keep, &w);
	if (is_forcing(&s->st))
		err = say(s, forces(&g->keep, &s->st));
	if (!err && is_starved(&l))
		err = say(s, starved(&g->keep, s, &l));
	if (!err && is_spiral(&l))
		err = say(s, spiral(&g->keep, s, &l));
	return err;
}
