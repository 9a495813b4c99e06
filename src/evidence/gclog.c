/*
 * gclog.c - a log, line by line: cycles to their streams, what scavenger and pacer say beside them.
 *
 * One pass; lines longer than LINE_MOST are read that far.  Knows no verdicts (gclog_judge.c).
 */
#include "evidence/gclog_priv.h"

#include <stdio.h>

enum { LINE_MOST = 64 << 10 };

struct reading {
	struct gclog *g;
	bool any; /* in this line */
};

static struct err *on_found(void *arg, const struct gclog_found *f)
{
	struct reading *r = arg;

	r->any = true;
	return gclog_assign(r->g, f);
}

static const char *find(const char *p, size_t n, const char *what)
{
	return memmem(p, n, what, strlen(what));
}

static const char *number(const char *p, uint64_t *ret)
{
	char *end;

	*ret = strtoull(p, &end, 10);
	return end == p ? NULL : end;
}

/*
 * "scav 3 1024 KiB work, 2048 KiB total, 50% util" (1.18), the same without its number (1.19),
 * "scav 0 KiB work (bg), 0 KiB work (eager), 3896 KiB now, 57% util" (1.21): mgcscavenge.go,
 * printScavTrace.
 */
static bool take_scav(struct gclog *g, const char *p, size_t n)
{
	const char *at = find(p, n, "scav "), *from;
	struct gclog_stream *s;
	uint64_t v, work = 0, now = 0, util;

	if (!at || !find(at, n - (size_t)(at - p), "% util"))
		return false;
	from = at;
	for (at += 5; (at = number(at, &v)) != NULL;) {
		if (!strncmp(at, " KiB work", 9))
			work += v;
		else if (!strncmp(at, " KiB now", 8) || !strncmp(at, " KiB total", 10))
			now = v;
		else if (!strncmp(at, "% util", 6))
			break;
		at += strcspn(at, ", \n");
		at += strcspn(at, "0123456789");
	}
	util = at ? v : 0;
	s = at ? gclog_speaker(g, p, n, (size_t)(from - p)) : NULL;
	if (s) {
		s->scav_lines++;
		s->scav_kib += MIN(work, 1ULL << 40);
		s->scav_now_kib = now;
		s->scav_util = (unsigned)MIN(util, 100U);
	}
	return at != NULL;
}

/* "pacer: 25% CPU (25 exp.) for … in 3 B -> 4 B (∆goal -1234, cons/mark …)": mgcpacer.go. */
static bool take_pacer(struct gclog *g, const char *p, size_t n)
{
	const char *at = find(p, n, "pacer: "), *goal;
	struct gclog_stream *s;
	long long beyond;

	if (!at)
		return false;
	goal = find(at, n - (size_t)(at - p), "goal ");
	s = gclog_speaker(g, p, n, (size_t)(at - p));
	if (!s || !goal)
		return true;
	beyond = strtoll(goal + 5, NULL, 10);
	if (!s->pacer_lines++ || beyond > s->pacer_beyond_max)
		s->pacer_beyond_max = beyond;
	return true;
}

/* proc.go, forcegchelper. */
static bool take_forced(struct gclog *g, const char *p, size_t n)
{
	const char *at = find(p, n, "GC forced");
	struct gclog_stream *s = at ? gclog_speaker(g, p, n, (size_t)(at - p)) : NULL;

	if (s)
		s->awaits_periodic = true;
	return at != NULL;
}

static struct err *take_line(struct gclog_scan *scan, struct reading *r, const char *p, size_t n)
{
	struct err *err;

	r->any = false;
	r->g->lines++;
	err = gclog_scan_line(scan, p, n);
	if (err || r->any)
		return err;
	if (!take_scav(r->g, p, n) && !take_pacer(r->g, p, n) && !take_forced(r->g, p, n))
		r->g->other_lines++;
	return NULL;
}

static struct err *to_the_end(struct gclog *g)
{
	struct err *err = gclog_settle(g);

	for (size_t i = 0; i < g->streams.n; i++)
		gclog_stats_of(g->streams.v[i]);
	return err;
}

/*
 * The one that runs long, works hard and speaks last: under `go run` the program, and neither go
 * nor the compiler nor the linker.
 */
static double weight(const struct gclog *g, size_t i)
{
	const struct gclog_stats *t = &g->streams.v[i]->st;
	double seconds = (double)(t->to_ns - MIN(t->from_ns, t->to_ns)) / 1e9;
	double last = (double)g->streams.v[i]->last.line / (double)MAX(g->lines, 1ULL);

	return (double)t->cycles * (seconds + 0.1) * (1 + last);
}

static void pick_main(struct gclog *g)
{
	g->main = SIZE_MAX;
	for (size_t i = 0; i < g->streams.n; i++)
		if (g->main == SIZE_MAX || weight(g, i) > weight(g, g->main))
			g->main = i;
}

static void gclog_scan_freep(struct gclog_scan **s)
{
	gclog_scan_free(*s);
}

static struct err *read_all(struct input *in, struct gclog *g)
{
	struct reading r = { .g = g };
	_cleanup_(gclog_scan_freep) struct gclog_scan *scan = NULL;
	struct err *err = gclog_scan_create(on_found, &r, &scan);
	uint64_t broken = 0;
	const char *p;
	size_t n;

	while (!err) {
		err = input_line(in, LINE_MOST, &p, &n);
		if (err || !p)
			break;
		err = take_line(scan, &r, p, n);
	}
	if (!err)
		gclog_scan_end(scan, &broken);
	g->broken += broken;
	g->damage = input_damage(in);
	return err;
}

struct err *gclog_read(struct input *in, struct gclog *ret)
{
	struct gclog g = { .main = SIZE_MAX };
	struct err *err = read_all(in, &g);

	if (!err)
		err = to_the_end(&g);
	pick_main(&g);
	for (size_t i = 0; !err && i < g.streams.n; i++)
		err = gclog_judge(&g, g.streams.v[i]);
	if (!err)
		err = keep_err(&g.keep);
	if (err) {
		gclog_deinit(&g);
		return err;
	}
	*ret = g;
	return NULL;
}

void gclog_deinit(struct gclog *g)
{
	for (size_t i = 0; i < g->streams.n; i++) {
		vec_free(&g->streams.v[i]->cycles);
		vec_free(&g->streams.v[i]->also);
		free(g->streams.v[i]);
	}
	vec_free(&g->streams);
	keep_deinit(&g->keep);
	*g = (struct gclog){ 0 };
}

const struct gclog_stream *gclog_main(const struct gclog *g)
{
	return g->main < g->streams.n ? g->streams.v[g->main] : NULL;
}
