/*
 * trial_prog.c - the program of a trial: started and ready, and ended with all that belongs to it.
 */
#include "watch/trial_priv.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { TAIL_LINES = 20, TAIL_BYTES = 4096 };

void trial_output(struct trial *t, const char *tail)
{
	if (tail && *tail && !*t->a->output)
		t->a->output = keepf(t->keep, "%s", tail);
}

static void show_program(struct trial *t)
{
	_cleanup_(str_deinit) struct str tail = { 0 };

	if (!t->child)
		return;
	output_tail(child_output(t->child), TAIL_LINES, TAIL_BYTES, &tail);
	trial_output(t, str_ok(&tail) ? tail.s : NULL);
}

void trial_broken(struct trial *t, int code, const char *fmt, ...)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	va_list ap;

	if (t->broken)
		return;
	va_start(ap, fmt);
	str_vprintf(&o, fmt, ap);
	va_end(ap);
	t->broken = true;
	t->a->result = CHECK_BROKEN;
	t->a->code = (uint8_t)code;
	t->a->why = str_ok(&o) ? keepf(t->keep, "%s", o.s) : "";
}

bool trial_gone(struct trial *t, const char *when)
{
	char words[80];
	int status = -1;

	if (t->child && child_ended(t->child, &status)) {
		trial_broken(
			t, 3, "%s %s %s%s", t->a->name, child_status_words(status, words), when,
			WIFEXITED(status) && !WEXITSTATUS(status)
				? ": what is checked must run on (a server; --load brings work "
				  "to it)"
				: "");
		show_program(t);
	} else if (kill(t->pid, 0) && errno == ESRCH) {
		trial_broken(t, 3, "process %d ended %s", t->pid, when);
		show_program(t);
	}
	return t->broken;
}

static struct err *set_env(struct trial *t)
{
	struct err *err = env_create(&t->env);
	char rate[16];

	snprintf(rate, sizeof(rate), "%d", TRIAL_RATE);
	for (char *const *p = t->o->env; !err && p && *p; p++)
		err = env_set(&t->env, "%s", *p);
	if (!err && t->o->sampling == TRIAL_SAMPLING_FINE)
		err = env_add(&t->env, "GODEBUG", "memprofilerate", rate);
	return err;
}

static struct err *open_log(struct trial *t)
{
	if (!t->o->log)
		return NULL;
	t->log_fd = open(t->o->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	return t->log_fd < 0 ? err_os(errno, "--log %.200s", t->o->log) : NULL;
}

static struct err *start(struct trial *t)
{
	struct child_opts co = { .argv = t->o->argv,
				 .dir = t->o->dir,
				 .tracer = getpid(),
				 .output = { .line = t->o->ready.line,
					     .copies = { t->log_fd, t->o->copy_fd } } };
	struct err *err = set_env(t);

	if (err)
		return err;
	co.env = t->env.v.v;
	err = child_start(&co, &t->child);
	if (err && err->code == ERR_OS) {
		trial_broken(t, 3, "it cannot be started: %s", err->msg);
		err_free(err);
		return NULL;
	}
	if (!err)
		err = ready_wait(t->child, &t->o->ready, t->h, &t->ready);
	if (!err && t->ready.why) {
		trial_broken(t, 3, "%s", t->ready.why);
		show_program(t);
	}
	t->pid = t->ready.pid;
	return err;
}

/* Without them limits cannot be told, nor when it is quiet; the look says what is wrong. */
static struct err *find_counters(struct trial *t)
{
	struct err *err = pulse_open(t->pid, &t->pulse);

	if (err && err->code != ERR_NOMEM) {
		err_free(err);
		return NULL;
	}
	return err;
}

/* Without them the lines are not known, and all else is. */
static struct err *start_sampling(struct trial *t)
{
	struct err *err = NULL;

	if (t->child && t->pulse && t->o->sampling == TRIAL_SAMPLING_FINE)
		err = sampling_begin(t->pid, t->pulse, TRIAL_RATE, &t->sampling);
	if (!err || err->code == ERR_NOMEM)
		return err;
	err_free(err);
	return NULL;
}

struct err *trial_begin(struct trial *t)
{
	struct err *err = open_log(t);

	t->pid = t->o->pid;
	if (!err && t->o->argv)
		err = start(t);
	else if (!err && kill(t->pid, 0) && errno == ESRCH)
		trial_broken(t, 3, "no process %d", t->pid);
	if (!err && !t->broken)
		err = find_counters(t);
	if (!err && !t->broken)
		err = start_sampling(t);
	return err;
}

/* How it went when it was told to end, where that is worth a word. */
static void say_end(struct trial *t, const struct child_end *e)
{
	const char *more = "";

	if (e->left)
		more = keepf(t->keep, "; %u processes of it could not be ended", e->left);
	else if (e->was_killed)
		more = keepf(t->keep,
			     "; it did not end within %" PRIu64
			     " s of SIGTERM (--stop-timeout) and was killed",
			     t->o->stop_ns / 1000000000U);
	else if (e->had_ended && e->others)
		more = keepf(t->keep, "; %u process%s that it had started ran on and %s ended",
			     e->others, e->others == 1 ? "" : "es",
			     e->others == 1 ? "was" : "were");
	if (*more)
		t->a->why = keepf(t->keep, "%s%s", t->a->why, more);
	t->a->exit_status = e->had_ended && e->status != -1 && WIFEXITED(e->status)
				    ? WEXITSTATUS(e->status)
				    : -1;
}

void trial_end(struct trial *t)
{
	struct child_end e;

	sampling_end(t->sampling);
	nudge_close(t->nudge);
	t->sampling = NULL;
	pulse_close(t->pulse);
	t->nudge = NULL;
	t->pulse = NULL;
	if (*t->note && !t->broken)
		t->a->why = keepf(t->keep, "%s; no collection was brought about: %s", t->a->why,
				  t->note);
	if (t->child) {
		host_say(t->h, "ending it");
		child_stop(t->child, t->o->stop_ns, &e);
		say_end(t, &e);
	}
	child_free(STEAL(t->child));
	ready_deinit(&t->ready);
	env_deinit(&t->env);
	closep(&t->log_fd);
	for (size_t i = 0; i < t->looks.n; i++) {
		closep(&t->looks.v[i].fd);
		sight_deinit(&t->looks.v[i].sight);
	}
	vec_free(&t->looks);
}
