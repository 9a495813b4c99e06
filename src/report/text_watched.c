/*
 * text_watched.c - figures that refresh: a line each time, or a screen.
 *
 * A screen is never longer or wider than the terminal: nothing scrolls, nothing wraps.
 */
#include "report/watched.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define NO_GOAL	    (ANS_UNKNOWN - 1)
#define WAITS_SHOWN 6
#define UNSEEN	    "\xe2\x80\x93"

static const char *size_of(char buf[static 16], uint64_t n)
{
	return n == ANS_UNKNOWN ? UNSEEN : n == NO_GOAL ? "none" : str_bytes(buf, n);
}

static const char *count_of(char buf[static 32], uint64_t n)
{
	return n == ANS_UNKNOWN ? UNSEEN : text_count(buf, n);
}

static const char *ns_of(char buf[static 32], uint64_t n)
{
	return n == ANS_UNKNOWN ? UNSEEN : text_ns(buf, n);
}

/* "+12.0 KiB", "-3 B" */
static const char *change_of(char buf[static 32], double n)
{
	char s[16];

	if (isnan(n))
		return UNSEEN;
	snprintf(buf, 32, "%c%s", n < 0 ? '-' : '+', str_bytes(s, (uint64_t)llround(fabs(n))));
	return buf;
}

static const char *rate_of(char buf[static 32], double n)
{
	char s[16];

	if (isnan(n))
		return UNSEEN;
	snprintf(buf, 32, "%s/s", str_bytes(s, (uint64_t)llround(n)));
	return buf;
}

static const char *share_of(char buf[static 32], double x)
{
	if (isnan(x))
		return UNSEEN;
	snprintf(buf, 32, "%.1f%%", 100 * x);
	return buf;
}

static void put_time(struct str *o, uint64_t unix_ns)
{
	time_t t = (time_t)(unix_ns / 1000000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	str_printf(o, "%02d:%02d:%02dZ", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Width in columns of what is right-aligned: the dash has three bytes. */
static void put_cell(struct str *o, int width, const char *text)
{
	int n = strcmp(text, UNSEEN) ? (int)strlen(text) : 1;

	str_printf(o, "%*s%s", width > n ? width - n : 0, "", text);
}

void text_watched_columns(struct str *o)
{
	str_put(o, "     time        rss  live heap       goal      gc  +gc   last pause  gc cpu"
		   "       alloc/s  goroutines  threads   fds     each gc     an hour\n");
}

void text_watched_line(struct str *o, const struct ans_watched *w)
{
	char s[16], c[32];

	put_time(o, w->at_unix_ns);
	put_cell(o, 11, size_of(s, w->rss));
	put_cell(o, 11, size_of(s, w->heap_live));
	put_cell(o, 11, size_of(s, w->heap_goal));
	put_cell(o, 8, count_of(c, w->cycles));
	put_cell(o, 5, w->interval_ns ? count_of(c, w->new_cycles) : UNSEEN);
	put_cell(o, 13, ns_of(c, w->last_pause_ns));
	put_cell(o, 8, share_of(c, w->gc_cpu));
	put_cell(o, 14, rate_of(c, w->alloc_rate));
	put_cell(o, 12, count_of(c, w->goroutines));
	put_cell(o, 9, count_of(c, w->threads));
	put_cell(o, 6, count_of(c, w->fds));
	put_cell(o, 12, change_of(c, w->slope.per_cycle));
	put_cell(o, 12, change_of(c, w->slope.per_hour));
	str_put(o, "\n");
}

/* Lines cut to the terminal; \x1b…m takes no column, other bytes of a character none. */
static void put_cut(struct str *o, const char *text, struct text_size size)
{
	unsigned column = 0, row = 0;

	for (const char *p = text; *p && row < size.rows; p++) {
		if (*p == '\x1b') {
			size_t n = strcspn(p, "m") + 1;

			str_putn(o, p, n);
			p += n - 1;
		} else if (*p == '\n') {
			row++;
			column = 0;
			if (row < size.rows)
				str_put(o, "\n");
		} else if (((unsigned char)*p & 0xc0) == 0x80) {
			if (column <= size.columns)
				str_putn(o, p, 1);
		} else if (++column <= size.columns) {
			str_putn(o, p, 1);
		}
	}
}

static void put_title(struct str *o, enum text_style st, const char *view,
		      const struct ans_watched *w)
{
	char up[32];
	_cleanup_(str_deinit) struct str t = { 0 };

	put_time(&t, w->at_unix_ns);
	str_printf(&t, "  %s  pid %d ", view, (int)w->pid);
	text_clean(&t, w->exe);
	str_put(&t, "  ");
	text_clean(&t, w->go);
	if (w->up_ns)
		str_printf(&t, "  up %s", text_ns(up, w->up_ns));
	text_title(o, st, str_ok(&t) ? t.s : "");
}

static void put_label(struct str *o, enum text_style st, const char *label)
{
	str_printf(o, st == TEXT_COLOR ? "\x1b[36m%-14s\x1b[0m" : "%-14s", label);
}

static void put_heap(struct str *o, enum text_style st, const struct ans_watched *w)
{
	char a[16], b[16], c[16];

	put_label(o, st, "live heap");
	str_printf(o, "%s of %s goal", size_of(a, w->heap_live), size_of(b, w->heap_goal));
	if (w->heap_goal < NO_GOAL && w->heap_goal && w->heap_live != ANS_UNKNOWN)
		str_printf(o, " (%.0f%%)", 100 * (double)w->heap_live / (double)w->heap_goal);
	str_printf(o, ", %s after the last collection\n", size_of(c, w->heap_marked));
	put_label(o, st, "heap");
	str_printf(o, "%s in use, %s free, %s given back\n", size_of(a, w->heap_in_use),
		   size_of(b, w->heap_free), size_of(c, w->heap_released));
	put_label(o, st, "beside it");
	str_printf(o, "%s stacks, %s the runtime's own\n", size_of(a, w->stacks),
		   size_of(b, w->runtime_bytes));
}

static void put_gc(struct str *o, enum text_style st, const struct ans_watched *w)
{
	char a[32], b[32], c[32];

	put_label(o, st, "collections");
	str_printf(o, "%s", count_of(a, w->cycles));
	if (w->interval_ns)
		str_printf(o, ", %s new", count_of(b, w->new_cycles));
	if (!isnan(w->cycles_rate))
		str_printf(o, ", %.2f/s", w->cycles_rate);
	if (w->forced && w->forced != ANS_UNKNOWN)
		str_printf(o, ", %s by runtime.GC", count_of(b, w->forced));
	if (w->gogc == -1)
		str_put(o, ", GOGC off");
	else if (w->gogc != INT64_MIN)
		str_printf(o, ", GOGC %" PRId64, w->gogc);
	str_put(o, w->collecting ? ", marking now\n" : "\n");
	put_label(o, st, "pauses");
	str_printf(o, "last %s, all %s\n", ns_of(a, w->last_pause_ns), ns_of(b, w->pause_total_ns));
	put_label(o, st, "GC CPU");
	str_printf(o, "%s of GOMAXPROCS\n", share_of(c, w->gc_cpu));
}

static void put_rest(struct str *o, enum text_style st, const struct ans_watched *w)
{
	char a[32], b[32];

	put_label(o, st, "allocation");
	str_put(o, rate_of(a, w->alloc_rate));
	if (!isnan(w->malloc_rate))
		str_printf(o, ", %s objects/s", text_count(b, (uint64_t)llround(w->malloc_rate)));
	str_put(o, "\n");
	put_label(o, st, "goroutines");
	str_printf(o, "%s\n", count_of(a, w->goroutines));
	put_label(o, st, "process");
	str_printf(o, "%s threads, %s descriptors", count_of(a, w->threads), count_of(b, w->fds));
	if (!isnan(w->cpus))
		str_printf(o, ", %.2f processors", w->cpus);
	str_put(o, "\n");
}

static void put_slope(struct str *o, enum text_style st, const struct ans_slope *s)
{
	char a[32], b[32], c[32];

	put_label(o, st, "slope");
	if (s->cycles < 3 || isnan(s->per_cycle)) {
		str_printf(o, "wants 3 collections, %" PRIu64 " seen\n", s->cycles);
		return;
	}
	str_printf(o, "%s each collection", change_of(a, s->per_cycle));
	if (!isnan(s->per_hour))
		str_printf(o, ", %s an hour", change_of(b, s->per_hour));
	str_printf(o, " (%" PRIu64 " seen in %s)\n", s->cycles, text_ns(c, s->span_ns));
}

/* Eight heights; from the least that was to the most. */
static void put_spark(struct str *o, const struct ans_watched *w, unsigned columns)
{
	size_t n = MIN(w->nhistory, (size_t)columns), from = w->nhistory - n;
	uint64_t lo = UINT64_MAX, hi = 0;
	char a[16], b[16];

	for (size_t i = from; i < w->nhistory; i++) {
		if (w->history[i] == ANS_UNKNOWN)
			return;
		lo = MIN(lo, w->history[i]);
		hi = MAX(hi, w->history[i]);
	}
	if (n < 2)
		return;
	str_printf(o, "\nlive heap, %zu readings from %s to %s\n", n, str_bytes(a, lo),
		   str_bytes(b, hi));
	for (size_t i = from; i < w->nhistory; i++) {
		unsigned h = hi > lo ? (unsigned)((double)(w->history[i] - lo) / (double)(hi - lo) *
						  7.999)
				     : 0;

		str_printf(o, "\xe2\x96%c", (char)(0x81 + h));
	}
	str_put(o, "\n");
}

static void put_foot(struct str *o, const char *more)
{
	str_printf(o, "\n%sThe program's own counters, read while it runs.  Ctrl-C ends.\n", more);
}

void text_watched_screen(struct str *o, enum text_style st, struct text_size s,
			 const struct ans_watched *w)
{
	_cleanup_(str_deinit) struct str all = { 0 };
	char a[16];

	put_title(&all, st, "memory", w);
	str_put(&all, "\n");
	put_label(&all, st, "RSS");
	str_printf(&all, "%s\n", size_of(a, w->rss));
	put_heap(&all, st, w);
	put_gc(&all, st, w);
	put_rest(&all, st, w);
	put_slope(&all, st, &w->slope);
	put_spark(&all, w, s.columns);
	put_foot(&all, "");
	put_cut(o, str_ok(&all) ? all.s : "", s);
}

static void put_states(struct str *o, const struct ans_watched *w, const struct ans_watched_top *t)
{
	const char *sep = "waiting for ";
	char a[32];

	str_printf(o, "goroutines %s", count_of(a, w->goroutines));
	if (t->states_known)
		str_printf(o,
			   ";%s with the runtime's own: %" PRIu64 " running, %" PRIu64
			   " runnable, %" PRIu64 " in a call, %" PRIu64 " waiting",
			   t->states_sampled ? " about," : "", t->running, t->runnable,
			   t->in_syscall, t->waiting);
	str_put(o, "\n");
	for (size_t i = 0; i < MIN(t->nwaits, (size_t)WAITS_SHOWN); i++) {
		str_printf(o, "%s%s ", sep, text_count(a, t->waits[i].n));
		text_clean(o, t->waits[i].reason);
		sep = ", ";
	}
	str_put(o, t->nwaits ? "\n" : "");
}

static void put_site(struct str *o, const struct ans_watched_site *r)
{
	char s[16], c[32];

	put_cell(o, 11, str_bytes(s, r->bytes));
	put_cell(o, 12, text_count(c, r->objects));
	put_cell(o, 14, rate_of(c, r->alloc_rate));
	put_cell(o, 11, str_bytes(s, r->alloc_bytes));
	str_put(o, "  ");
	text_clean(o, r->function);
	str_put(o, "\n");
}

static void put_sites(struct str *o, enum text_style st, const struct ans_watched_top *t,
		      size_t limit)
{
	char a[16], b[16];

	if (t->profiling) {
		str_printf(o, "no rows by site: %s\n", t->profiling);
		return;
	}
	str_printf(o, "sampled, one every %s: %s in use by %zu sites, scaled\n",
		   str_bytes(a, t->rate), str_bytes(b, t->bytes), t->rows.n);
	text_title(o, st, "     in use     objects       alloc/s  allocated  site");
	for (size_t i = 0; i < MIN(limit, t->rows.n); i++)
		put_site(o, &t->rows.v[i]);
}

void text_watched_top(struct str *o, enum text_style st, struct text_size s,
		      const struct ans_watched *w, const struct ans_watched_top *t, size_t limit)
{
	_cleanup_(str_deinit) struct str all = { 0 };
	char a[16], b[16], c[32], d[32];

	put_title(&all, st, "top", w);
	str_printf(&all, "rss %s, live %s, collections %s, allocation %s\n", size_of(a, w->rss),
		   size_of(b, w->heap_live), count_of(c, w->cycles), rate_of(d, w->alloc_rate));
	put_states(&all, w, t);
	put_sites(&all, st, t, limit);
	put_cut(o, str_ok(&all) ? all.s : "", s);
}
