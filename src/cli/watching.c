/*
 * watching.c - the loop of the views that refresh: read, compute, show, wait.
 *
 * The program is neither stopped nor traced: no session is opened.  On a terminal a screen of its
 * own, elsewhere a line (top: a block) or a JSON document a refresh.
 */
#include "cli/watching.h"

#include "base/clock.h"
#include "cli/interrupt.h"
#include "cli/screen.h"
#include "cli/session.h"
#include "goruntime/goruntime.h"
#include "report/out.h"
#include "target/broker.h"
#include "watch/view.h"

#include <limits.h>
#include <time.h>

#define SECOND	     1000000000ULL
#define LEAST_NS     (SECOND / 10)
#define COLUMNS_EACH 20 /* lines */
#define TOP_LINES    10 /* rows of top, where nothing else is said */

struct watched {
	const struct args *a;
	enum watching what;
	struct pulse_reader *x;
	struct view_sites *sites;
	struct view view;
	struct screen screen;
	enum text_style style;
	size_t nshown;
	struct ans_watched now;
	struct ans_watched_top top;
};

static void watched_deinit(struct watched *w)
{
	screen_close(&w->screen);
	ans_watched_top_deinit(&w->top);
	view_sites_free(w->sites);
	pulse_close(w->x);
}

static struct err *check(const struct args *a, enum watching what)
{
	if (a->out)
		return err_usage(
			"--watch writes to stdout again and again: -o does not go with it");
	if (a->watch_ns < LEAST_NS)
		return err_usage("--watch: at least 100 ms between two refreshes");
	if (what == WATCHING_TOP && a->by && strcmp(a->by, "site"))
		return err_usage("--by %.60s: with --watch only site, which the program counts "
				 "itself; all else needs a snapshot",
				 a->by);
	return NULL;
}

static struct err *open_pulse(struct watched *w)
{
	pid_t pid;
	struct err *err = broker_pid(w->a->broker, &pid);

	if (err_catch(&err, ERR_USAGE))
		return err_usage("--watch: %.200s is no running process: a file does not change",
				 w->a->arg[0]);
	if (!err)
		err = pulse_open_here(w->a->broker, w->a->layout, &w->x);
	if (!err && w->what == WATCHING_TOP)
		err = view_sites_create(pulse_go(w->x), &w->sites);
	return err;
}

static uint64_t unix_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct err *refresh(struct watched *w)
{
	const struct go *g = pulse_go(w->x);
	uint64_t started = target_started_unix_ns(g->t);
	struct pulse p;
	struct err *err = pulse_read(w->x, &p);

	if (err)
		return err;
	view_take(&w->view, &p, &w->now);
	w->now.pid = target_capture(g->t)->pid;
	w->now.exe = base_name(target_exe(g->t));
	w->now.go = g->version;
	w->now.at_unix_ns = unix_ns();
	w->now.up_ns = started && w->now.at_unix_ns > started ? w->now.at_unix_ns - started : 0;
	if (w->what == WATCHING_MEMORY)
		return NULL;
	ans_watched_top_deinit(&w->top);
	w->top = (struct ans_watched_top){ 0 };
	return view_sites_take(w->sites, w->now.interval_ns, &w->top);
}

static void put_screen(const struct watched *w, struct str *o)
{
	struct text_size size = screen_size();

	if (w->what == WATCHING_MEMORY)
		text_watched_screen(o, w->style, size, &w->now);
	else
		text_watched_top(o, w->style, size, &w->now, &w->top,
				 session_limit(w->a, size.rows));
}

static void put_lines(const struct watched *w, struct str *o)
{
	const struct text_size any = { UINT_MAX, UINT_MAX };
	size_t limit = session_limit(w->a, args_has(w->a, OPT_JSON) ? 30 : TOP_LINES);

	if (args_has(w->a, OPT_JSON) && w->what == WATCHING_MEMORY) {
		json_watched(o, &w->now);
	} else if (args_has(w->a, OPT_JSON)) {
		json_watched_top(o, &w->now, &w->top, limit);
	} else if (w->what == WATCHING_MEMORY) {
		if (w->nshown % COLUMNS_EACH == 0)
			text_watched_columns(o);
		text_watched_line(o, &w->now);
	} else {
		text_watched_top(o, TEXT_PLAIN, any, &w->now, &w->top, limit);
		str_put(o, "\n");
	}
}

static struct err *show(struct watched *w)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (w->screen.on)
		put_screen(w, &o);
	else
		put_lines(w, &o);
	if (!str_ok(&o))
		return &err_nomem;
	if (w->screen.on) {
		screen_show(&w->screen, &o);
		return NULL;
	}
	return out_write(NULL, &o);
}

/* Ctrl-C came. */
static bool is_over(void)
{
	struct err *err = interrupt_check();

	err_free(err);
	return err != NULL;
}

/* False: over.  The terminal's size may change meanwhile: the same figures again. */
static bool await(struct watched *w, uint64_t until, struct err **err)
{
	while (!screen_wait(&w->screen, until)) {
		if (is_over())
			return false;
		*err = show(w);
		if (*err)
			return false;
	}
	return true;
}

static struct err *loop(struct watched *w)
{
	uint64_t next = clock_ns();
	struct err *err = NULL;

	for (;;) {
		err = refresh(w);
		if (!err)
			err = show(w);
		if (err)
			return err;
		w->nshown++;
		if (w->a->count && w->nshown >= w->a->count)
			return NULL;
		next += w->a->watch_ns;
		if (next < clock_ns()) /* it was late: not all the missed ones at once */
			next = clock_ns();
		if (!await(w, next, &err))
			return err;
	}
}

/* What the other screen showed last stays to be read. */
static struct err *leave(struct watched *w)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (!w->screen.on || !w->nshown)
		return NULL;
	put_screen(w, &o);
	str_put(&o, "\n");
	screen_close(&w->screen);
	return str_ok(&o) ? out_write(NULL, &o) : &err_nomem;
}

struct err *watching(const struct args *a, enum watching what)
{
	_cleanup_(watched_deinit) struct watched w = { .a = a,
						       .what = what,
						       .style = session_style(a) };
	struct err *err = check(a, what), *end;

	if (!err)
		err = open_pulse(&w);
	if (err)
		return err;
	if (!args_has(a, OPT_JSON))
		screen_open(&w.screen);
	err = loop(&w);
	end = leave(&w);
	if (!err)
		return end;
	err_free(end);
	return err;
}
