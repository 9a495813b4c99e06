/*
 * text_gclog.c - a GC log for people: verdict, figures, chart, streams.
 */
#include "report/gclog.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MIB 1048576.0

static void put_label(struct str *o, enum text_style st, const char *label)
{
	str_printf(o, st == TEXT_COLOR ? "\x1b[36m%-13s\x1b[0m" : "%-13s", label);
}

static const char *change(char buf[static 32], double n)
{
	char s[16];

	if (!isfinite(n) || fabs(n) > 1e18)
		return "?";
	snprintf(buf, 32, "%c%s", n < 0 ? '-' : '+', str_bytes(s, (uint64_t)llround(fabs(n))));
	return buf;
}

static const char *mib(char buf[static 16], uint64_t n)
{
	return n == GCLOG_NONE ? "none" : str_bytes(buf, n << 20);
}

static const char *colour_of(uint8_t verdict)
{
	if (verdict == GCLOG_STEADY)
		return "\x1b[32m";
	return verdict == GCLOG_LITTLE || verdict == GCLOG_WARMING ? "\x1b[33m" : "\x1b[31m";
}

static void put_says(struct str *o, enum text_style st, const char *what,
		     const struct gclog_says *x)
{
	bool colour = st == TEXT_COLOR;

	str_printf(o, "%s%s%s%s", what, colour ? colour_of(x->verdict) : "",
		   gclog_verdict_word(x->verdict), colour ? "\x1b[0m" : "");
	if (x->sure)
		str_printf(o, " (%u %% sure)", x->sure / 10);
	str_put(o, "\n  ");
	text_wrapped(o, x->why, 2, 2);
	if (*x->fix) {
		str_put(o, "  do: ");
		text_wrapped(o, x->fix, 6, 6);
	}
}

static void put_slope(struct str *o, const struct gclog_slope *s, const char *unit)
{
	char a[32], b[32], c[32];

	str_printf(o, "%s %s (%s to %s)", change(a, s->slope), unit, change(b, s->low),
		   change(c, s->high));
}

static void put_heap(struct str *o, enum text_style st, const struct gclog_stats *t)
{
	char a[16], b[16], c[16], d[16];

	put_label(o, st, "live heap");
	str_printf(o, "%s at first, %s at last; between %s and %s\n", mib(a, t->live_first),
		   mib(b, t->live_last), mib(c, t->live_min), mib(d, t->live_max));
	put_label(o, st, "heap");
	str_printf(o, "at most %s; goal %s at last, at most %s\n", mib(a, t->heap_max),
		   mib(b, t->goal_last), mib(c, t->goal_max));
	if (t->per_cycle.n < 3 || !isfinite(t->per_cycle.slope))
		return;
	put_label(o, st, "growth");
	put_slope(o, &t->per_cycle, "each collection");
	if (t->by_hour && isfinite(t->per_hour.slope)) {
		str_put(o, ", ");
		put_slope(o, &t->per_hour, "an hour");
	}
	str_put(o, "; behind the warm-up, 95 %\n");
}

static void put_gc(struct str *o, enum text_style st, const struct gclog_stats *t)
{
	double s = (double)(t->to_ns - MIN(t->from_ns, t->to_ns)) / 1e9;
	char a[32], b[32], c[32], d[32], e[32];

	put_label(o, st, "collections");
	str_printf(o, "%s", text_count(a, t->cycles));
	if (s > 0)
		str_printf(o, " in %s, %.3g a second", text_ns(b, t->to_ns - t->from_ns),
			   (double)t->cycles / s);
	if (t->forced)
		str_printf(o, "; %s asked for by the program", text_count(a, t->forced));
	if (t->periodic)
		str_printf(o, "; %s for want of any in two minutes", text_count(a, t->periodic));
	if (t->missing)
		str_printf(o, "; %s more are not in the log", text_count(a, t->missing));
	str_put(o, "\n");
	put_label(o, st, "stops");
	str_printf(o, "%s in all; half at most %s, 90 %% %s, 99 %% %s, the longest %s\n",
		   text_ns(a, t->pause_total_ns), text_ns(b, t->pause50_ns),
		   text_ns(c, t->pause90_ns), text_ns(d, t->pause99_ns),
		   text_ns(e, t->pause_max_ns));
	put_label(o, st, "GC CPU");
	str_printf(
		o,
		"%.1f %% of %u processors in the log (%u %% since it began, as the runtime says); "
		"%.0f %% of that by who allocates; one was going on %.1f %% of the time\n",
		100 * t->cpu_share, t->procs, t->util_last, 100 * t->assist_share, 100 * t->busy);
}

static void put_alloc(struct str *o, enum text_style st, const struct gclog_stream *s)
{
	char a[16], b[16];

	put_label(o, st, "allocation");
	if (4 * s->st.alloc_unseen > s->st.cycles)
		str_put(o, "at least ");
	str_printf(o, "%s, %s a second", str_bytes(a, (uint64_t)s->st.alloc_bytes),
		   str_bytes(b, (uint64_t)s->st.alloc_rate));
	if (4 * s->st.alloc_unseen > s->st.cycles)
		str_printf(o, "; less than a MiB before %" PRIu64 " of the collections",
			   s->st.alloc_unseen);
	str_put(o, "\n");
	if (s->scav_lines) {
		put_label(o, st, "scavenger");
		str_printf(
			o, "%s given back in %" PRIu64 " lines; %s are, %u %% of the rest in use\n",
			str_bytes(a, s->scav_kib << 10), s->scav_lines,
			str_bytes(b, MIN(s->scav_now_kib, UINT64_MAX >> 10) << 10), s->scav_util);
	}
	if (s->pacer_lines) {
		char c[32];

		put_label(o, st, "pacer");
		str_printf(o, "%" PRIu64 " lines; the heap went at most %s beyond its goal\n",
			   s->pacer_lines, change(c, (double)s->pacer_beyond_max));
	}
}

static void put_stream(struct str *o, enum text_style st, const struct ans_gclog *a)
{
	const struct gclog_stream *s = a->g->streams.v[a->main];
	_cleanup_(str_deinit) struct str t = { 0 };

	str_printf(&t, "stream %zu", a->main + 1);
	if (*s->key) {
		str_put(&t, " \"");
		text_clean(&t, s->key);
		str_put(&t, "\"");
	}
	str_printf(&t, ": collections %" PRIu64 " to %" PRIu64, s->st.first_n, s->st.last_n);
	str_put(o, "\n");
	text_title(o, st, str_ok(&t) ? t.s : "");
	put_heap(o, st, &s->st);
	put_gc(o, st, &s->st);
	put_alloc(o, st, s);
}

static void put_streams(struct str *o, enum text_style st, const struct ans_gclog *a)
{
	const struct gclog *g = a->g;
	size_t n = MIN(g->streams.n, a->limit);
	char b[16], c[16], d[32];

	if (g->streams.n < 2)
		return;
	str_put(o, "\n");
	text_title(o, st, "stream  collections       span      first       last  verdict");
	for (size_t i = 0; i < n; i++) {
		const struct gclog_stream *s = g->streams.v[i];

		str_printf(o, "%5zu%c  %11" PRIu64 " %10s %10s %10s  %s", i + 1,
			   i == a->main ? '*' : ' ', s->st.cycles,
			   text_ns(d, s->st.to_ns - MIN(s->st.from_ns, s->st.to_ns)),
			   mib(b, s->st.live_first), mib(c, s->st.live_last),
			   gclog_verdict_word(s->says.verdict));
		if (*s->key) {
			str_put(o, "  ");
			text_clean(o, s->key);
		}
		str_put(o, "\n");
	}
	if (n < g->streams.n)
		str_printf(o, "… %zu more (--limit)\n", g->streams.n - n);
}

static void put_cycles(struct str *o, enum text_style st, const struct ans_gclog *a)
{
	const struct gclog_stream *s = a->g->streams.v[a->main];
	size_t n = MIN(s->cycles.n, a->cycles);
	char b[32], c[32];

	if (!n)
		return;
	str_put(o, "\n");
	text_title(o, st,
		   "     gc           at      begin        end       live       goal       stops"
		   "        mark");
	for (size_t i = s->cycles.n - n; i < s->cycles.n; i++) {
		const struct gclog_cycle *x = &s->cycles.v[i];
		char m[4][16];

		str_printf(o, "%7" PRIu64 " %11.3fs %10s %10s %10s %10s %11s %11s%s%s%s\n", x->n,
			   (double)x->at_ns / 1e9, mib(m[0], x->heap0), mib(m[1], x->heap1),
			   mib(m[2], x->heap2), mib(m[3], x->goal), text_ns(b, gclog_pause(x)),
			   text_ns(c, x->mark_ns), x->flags & GCLOG_FORCED ? " forced" : "",
			   x->flags & GCLOG_PERIODIC ? " periodic" : "",
			   x->flags & GCLOG_PIECED ? " pieced" : "");
	}
}

static void put_head(struct str *o, enum text_style st, const struct ans_gclog *a)
{
	const struct gclog *g = a->g;
	_cleanup_(str_deinit) struct str t = { 0 };
	uint64_t pieced = 0;
	char b[32], c[32];

	for (size_t i = 0; i < g->streams.n; i++)
		pieced += g->streams.v[i]->st.pieced;
	text_clean(&t, a->path);
	str_printf(&t, ": %s collections of %zu process%s in %s lines", text_count(b, g->cycles),
		   g->streams.n, g->streams.n == 1 ? "" : "es", text_count(c, g->lines));
	text_title(o, st, str_ok(&t) ? t.s : "");
	if (pieced)
		str_printf(o, "%s had other output between their pieces\n", text_count(b, pieced));
	if (g->broken)
		str_printf(o, "%s begin and do not end in the log: not counted\n",
			   text_count(b, g->broken));
	if (g->strangers)
		str_printf(o, "%s are of more processes than are told apart (%d)\n",
			   text_count(b, g->strangers), (int)GCLOG_STREAMS);
	if (g->damage)
		str_printf(o, "the file is %s: what is there was read\n", g->damage);
	str_put(o, "\n");
}

void text_gclog(struct str *o, enum text_style st, const struct ans_gclog *a)
{
	const struct gclog_stream *s = a->g->streams.v[a->main];

	put_head(o, st, a);
	put_says(o, st, "verdict: ", &s->says);
	for (size_t i = 0; i < s->also.n; i++)
		put_says(o, st, "also: ", &s->also.v[i]);
	put_stream(o, st, a);
	text_gclog_chart(o, st, a);
	put_cycles(o, st, a);
	put_streams(o, st, a);
}
