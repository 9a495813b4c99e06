/*
 * cmd_check.c - `limpet check`: the gate for CI.
 *
 * Not confined: it starts programs.  What it knows of them comes from looks that limpet itself,
 * run as a command of its own, takes behind walls (watch/trial.h).
 */
#include "cli/check_answer.h"
#include "cli/cmds.h"
#include "cli/interrupt.h"
#include "target/kind.h"
#include "watch/gotest.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

static struct err *go_on(void *arg)
{
	(void)arg;
	return interrupt_check();
}

static void say(void *arg, const char *what)
{
	const struct args *a = arg;

	if (args_has(a, OPT_QUIET) || a->check.verbose || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\x1b[K%s", what);
	if (*what)
		fputs(" \xe2\x80\xa6", stderr);
	fflush(stderr);
}

/* "10%": ret_share; "64K", "3": ret. */
static struct err *parse_limit(const char *name, const char *text, double *ret, double *ret_share)
{
	static const char units[] = "KMGT";
	char *end;
	double n = strtod(text, &end);
	const char *u = end != text && *end ? strchr(units, *end & ~0x20) : NULL;

	if (end == text || !(n >= 0) || n > 1e15)
		return err_usage("%s %.60s: want a number, or a share as in 10%%", name, text);
	if (!strcmp(end, "%") && ret_share) {
		*ret_share = n / 100;
		return NULL;
	}
	if (u) {
		n *= (double)(UINT64_C(1) << (10 * (u - units + 1)));
		end++;
		end += !strcmp(end, "iB") ? 2 : !strcmp(end, "B") || !strcmp(end, "b");
	}
	if (*end)
		return err_usage("%s %.60s: want a number, or a share as in 10%%", name, text);
	*ret = n;
	return NULL;
}

static struct err *growth_limits(const struct check_opts *c, struct trial_opts *o)
{
	double value = NAN, share = NAN, goroutines = NAN;
	struct err *err = NULL;

	if (c->max_growth)
		err = parse_limit("--max-growth", c->max_growth, &value, &share);
	if (!err && c->max_goroutines)
		err = parse_limit("--max-goroutines", c->max_goroutines, &goroutines, NULL);
	if (!isnan(value))
		o->growth.max_growth_bytes = (uint64_t)value;
	if (!isnan(share))
		o->growth.max_growth_share = share;
	if (!isnan(goroutines))
		o->growth.max_goroutines = (uint64_t)goroutines;
	return err;
}

static struct err *pause_limit(const char *text, struct trial_limit *l)
{
	uint64_t ns = 0;
	struct err *err;

	if (text[0] && text[strlen(text) - 1] == '%')
		return parse_limit("--max-gc-pause", text, &l->value, &l->share);
	err = args_parse_time("--max-gc-pause", text, &ns);
	if (!err)
		l->value = (double)ns;
	return err;
}

static struct err *figure_limits(const struct check_opts *c, struct trial_opts *o)
{
	struct trial_limit *l = o->limits;
	struct err *err = NULL;

	if (c->max_alloc)
		err = parse_limit("--max-alloc", c->max_alloc, &l[TRIAL_ALLOC].value,
				  &l[TRIAL_ALLOC].share);
	if (!err && c->max_gc)
		err = parse_limit("--max-gc", c->max_gc, &l[TRIAL_GC_COUNT].value,
				  &l[TRIAL_GC_COUNT].share);
	if (!err && c->max_gc_cpu)
		err = parse_limit("--max-gc-cpu", c->max_gc_cpu, &l[TRIAL_GC_CPU].value,
				  &l[TRIAL_GC_CPU].value);
	if (!err && c->max_gc_cpu && strchr(c->max_gc_cpu, '%'))
		l[TRIAL_GC_CPU].value *= 100;
	return !err && c->max_gc_pause ? pause_limit(c->max_gc_pause, &l[TRIAL_GC_PAUSE]) : err;
}

/* What a look is told of what we were told. */
static void look_args(const struct args *a, struct keep *k, struct trial_opts *o)
{
	size_t n = 0;

	if (args_has(a, OPT_FREEZE))
		o->look_args[n++] = "--freeze";
	if (a->max_pause_ns)
		o->look_args[n++] = keepf(k, "--max-pause=%.3f", (double)a->max_pause_ns / 1e6);
	if (a->threads)
		o->look_args[n++] = keepf(k, "--threads=%" PRIu64, a->threads);
	if (a->max_memory)
		o->look_args[n++] = keepf(k, "--max-memory=%" PRIu64, a->max_memory);
	if (a->layout)
		o->look_args[n++] = keepf(k, "--layout=%s", a->layout);
}

static struct err *what(const struct args *a, struct keep *k, struct trial_opts *o)
{
	struct kind_found found;
	struct err *err;

	if (!a->check.pid) {
		if (!a->nargs)
			return err_usage("check: want a program, as in `limpet check -- ./server "
					 "-listen :8080`, or --pid PID");
		o->argv = (char *const *)(uintptr_t)a->arg;
		o->name = a->arg[0];
		return NULL;
	}
	if (a->nargs)
		return err_usage("check: --pid PID, or a program that is to be started, not both");
	err = kind_recognise(a->check.pid, &found);
	if (!err && found.kind != KIND_LIVE)
		err = err_usage("--pid %.100s: want a process", a->check.pid);
	if (err)
		return err;
	o->pid = found.pid;
	o->name = keepf(k, "pid %d", found.pid);
	return NULL;
}

static void or_else(uint64_t given, uint64_t *to)
{
	if (given)
		*to = given;
}

/* Everything that --help lists, for one program. */
static struct err *trial_of(const struct args *a, struct keep *k, struct trial_opts *o)
{
	const struct check_opts *c = &a->check;
	struct err *err;

	trial_opts_init(o);
	o->ready.port = c->ready_port;
	o->ready.line = c->ready_line;
	o->ready.cmd = c->ready_cmd;
	o->ready.exe = a->exe;
	o->load = c->load;
	o->log = c->log;
	o->keep_looks = c->keep_looks;
	o->copy_fd = c->verbose ? STDERR_FILENO : -1;
	or_else(c->ready_ns, &o->ready.timeout_ns);
	or_else(c->load_ns, &o->load_ns);
	or_else(c->every_ns, &o->every_ns);
	or_else(c->settle_ns, &o->settle_ns);
	or_else(c->stop_ns, &o->stop_ns);
	or_else(c->max_ns, &o->max_ns);
	o->duration_ns = c->duration_ns;
	o->repeat = (uint32_t)c->repeat;
	if (c->warmup_set)
		o->warmup = (uint32_t)c->warmup;
	o->gc = c->pid && !c->force_gc ? TRIAL_GC_OWN : TRIAL_GC_NUDGE;
	o->sampling = c->pid || c->no_sampling ? TRIAL_SAMPLING_OWN : TRIAL_SAMPLING_FINE;
	look_args(a, k, o);
	err = what(a, k, o);
	if (!err && c->ready_port)
		err = ready_port_check(c->ready_port);
	if (!err)
		err = growth_limits(c, o);
	return err ? err : figure_limits(c, o);
}

/* As it was typed. */
static const char *command_line(const struct args *a, struct keep *k)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	str_put(&o, "limpet check");
	for (unsigned i = 0; i < a->nargs; i++)
		str_printf(&o, " %s%s", i ? "" : "-- ", a->arg[i]);
	return keepf(k, "%s", str_ok(&o) ? o.s : "");
}

/* What the baseline file has of a program, or of a package and its test. */
static double figure_of(void *arg, const char *suite, const char *name, const char *limit)
{
	return baseline_figure_of(baseline_run_of(arg, suite, name), limit);
}

struct one_program {
	const struct baseline *b;
	const char *name;
};

static double figure_of_program(void *arg, const char *limit)
{
	const struct one_program *p = arg;

	return baseline_figure_of(baseline_run_of(p->b, "", p->name), limit);
}

static struct err *run_tests(const struct args *a, struct trial_opts *o, const struct baseline *b,
			     const struct host *h, struct ans_checks *all)
{
	_cleanup_(gotest_args_deinit) struct gotest_args words = { 0 };
	struct gotest_opts g = { .trial = o,
				 .args = &words,
				 .each = a->check.each_test ? GOTEST_EACH : GOTEST_WHERE_IT_FAILS,
				 .baseline = b->path ? figure_of : NULL,
				 .baseline_arg = (void *)(uintptr_t)b };
	struct err *err = gotest_parse((const char *const *)a->arg, a->nargs, &words);

	if (!err && (o->load || a->check.ready_cmd || a->check.ready_line || a->check.ready_port))
		err = err_usage("--load, --ready-*: of a test binary the tests are the load");
	return err ? err : gotest_run(&g, h, all);
}

static struct err *run_program(struct trial_opts *o, const struct baseline *b, const struct host *h,
			       struct ans_checks *all)
{
	struct one_program p = { b, o->name };
	struct ans_check one;
	struct err *err;

	o->baseline = b->path ? figure_of_program : NULL;
	o->baseline_arg = &p;
	err = trial_run(o, h, &all->keep, &one);
	if (err)
		return err;
	if (vec_push(&all->v, one))
		return NULL;
	ans_check_deinit(&one);
	return &err_nomem;
}

struct err *cmd_check(const struct args *a, int *status)
{
	_cleanup_(baseline_deinit) struct baseline baseline = { 0 };
	_cleanup_(ans_checks_deinit) struct ans_checks all = { .baseline = "" };
	struct host host = { .check = go_on, .say = say, .arg = (void *)(uintptr_t)a };
	struct trial_opts o;
	struct err *err = trial_of(a, &all.keep, &o);

	all.command = command_line(a, &all.keep);
	all.started_unix_ns = (uint64_t)time(NULL) * 1000000000U;
	if (!err)
		err = check_answer_check(a);
	if (!err)
		err = check_baseline(a, &baseline);
	if (!err && gotest_wanted((const char *const *)a->arg, a->nargs))
		err = run_tests(a, &o, &baseline, &host, &all);
	else if (!err)
		err = run_program(&o, &baseline, &host, &all);
	say((void *)(uintptr_t)a, "");
	return err ? err : check_answer(a, &baseline, &all, status);
}
