/*
 * trial_round.c - a round: the load, its after-effects, the collector, a look.
 *
 * A look costs what `limpet snapshot` costs: the program stands still for milliseconds.
 */
#include "watch/trial_priv.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NS_MS	      UINT64_C(1000000)
#define STEP_MS	      50
#define QUIET_NS      (300 * NS_MS)
#define LOOK_NS	      (120000 * NS_MS)
#define LOOK_GRACE_NS (2000 * NS_MS)

#define NUDGE_NS (5000 * NS_MS)

enum { GC_CYCLES = 2, FINALIZERS_MS = 20 };

enum { LOOK_ARGS = 10 + TRIAL_LOOK_ARGS, GONE_STEPS = 6 };

static bool read_pulse(struct trial *t, struct pulse *ret)
{
	struct err *err = t->pulse ? pulse_read(t->pulse, ret) : NULL;
	bool is = t->pulse && !err;

	err_free(err);
	return is;
}

/* Without a load time is the load. */
static struct err *sit(struct trial *t, uint64_t ns)
{
	uint64_t end = clock_ns() + ns;
	struct err *err = NULL;

	while (!err && clock_ns() < end && !trial_gone(t, "while it was watched"))
		err = host_wait(t->h, STEP_MS);
	return err;
}

static struct err *load_env(struct trial *t, struct env *env)
{
	struct err *err = env_create(env);

	if (!err)
		err = env_set(env, "LIMPET_PID=%d", t->pid);
	if (!err)
		err = env_set(env, "LIMPET_ROUND=%zu", t->looks.n);
	if (!err)
		err = env_set(env, "LIMPET_LOAD=%u", t->nloads + 1);
	return err ? err : env_ports(env, t->ready.ports, t->ready.nports);
}

static void load_failed(struct trial *t, const struct load_done *d)
{
	char words[80];

	if (d->timed_out)
		trial_broken(t, 3, "the load took longer than %" PRIu64 " s (--load-timeout)",
			     t->o->load_ns / (1000 * NS_MS));
	else
		trial_broken(t, 3, "the load %s", child_status_words(d->status, words));
	trial_output(t, d->tail);
}

static struct err *run_load(struct trial *t)
{
	_cleanup_(load_deinit) struct load_done d = { 0 };
	_cleanup_(env_deinit) struct env env = { 0 };
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)t->o->load, NULL };
	struct load_opts lo = { .argv = argv,
				.under = t->child,
				.pid = t->pid,
				.timeout_ns = t->o->load_ns,
				.grace_ns = t->o->stop_ns,
				.copies = { t->log_fd, t->o->copy_fd } };
	struct err *err = load_env(t, &env);

	lo.env = env.v.v;
	if (!err)
		err = load_run(&lo, t->h, &d);
	if (err)
		return err;
	/* a load that fails because the program is gone is no fault of the load */
	for (int i = 0; d.status && !err && i < GONE_STEPS && !trial_gone(t, "during the load");
	     i++)
		err = host_wait(t->h, STEP_MS);
	if (err)
		return err;
	if (trial_gone(t, "during the load"))
		trial_output(t, d.tail);
	else if (d.status != 0 || d.timed_out)
		load_failed(t, &d);
	return NULL;
}

/* What comes to rest by itself is waited for: connections that time out, goroutines that end. */
static struct err *settle(struct trial *t)
{
	uint64_t end = clock_ns() + t->o->settle_ns, since = clock_ns(), now;
	struct pulse was = { 0 }, is;
	struct err *err = NULL;

	while (!err && (now = clock_ns()) < end && !trial_gone(t, "behind the load")) {
		bool known = read_pulse(t, &is);

		if (known && (is.goroutines != was.goroutines || is.fds != was.fds)) {
			since = now;
			was = is;
		}
		if (now - since >= QUIET_NS)
			break;
		err = host_wait(t->h, STEP_MS);
	}
	return err;
}

/* One cycle of its own behind the load, if it comes in that time. */
static struct err *await_cycle(struct trial *t)
{
	uint64_t end = clock_ns() + t->o->settle_ns;
	struct pulse from, is;
	struct err *err = NULL;

	if (!read_pulse(t, &from))
		return NULL;
	while (!err && clock_ns() < end && read_pulse(t, &is) && is.cycles == from.cycles)
		err = host_wait(t->h, STEP_MS);
	return err;
}

/* Why the collector did not do as it was asked, once. */
static void note(struct trial *t, const char *what)
{
	if (!*t->note)
		t->note = keepf(t->keep, "%s", what);
}

/*
 * Two cycles: what lies in pools goes with the second (sync/pool.go, poolCleanup), and finalizers
 * that the first found run before the second.
 */
static struct err *nudge(struct trial *t)
{
	struct nudge_done done = { 0 };
	struct err *err = NULL;

	if (!t->nudge && t->pulse && !*t->note)
		err = nudge_open(t->pid, t->pulse, &t->nudge);
	if (!err && t->nudge)
		err = nudge_run(t->nudge, GC_CYCLES, NUDGE_NS, &done);
	if (!err || err->code == ERR_NOMEM)
		return err;
	if (err->code != ERR_GONE)
		note(t, err->msg);
	err_free(err);
	return NULL;
}

static struct err *collect(struct trial *t)
{
	struct err *err = t->o->gc == TRIAL_GC_OWN ? await_cycle(t) : nudge(t);

	return err ? err : host_wait(t->h, FINALIZERS_MS);
}

/* A load's part of a round is over: its figures, then quiet. */
static struct err *finish(struct trial *t, struct trial_look *l, uint64_t began)
{
	struct err *err;

	l->load_ns = clock_ns() - began;
	l->has_pulse = l->has_pulse && read_pulse(t, &l->pulse);
	if (!vec_push(&t->looks, *l))
		return &err_nomem;
	err = settle(t);
	if (!err && !t->broken)
		err = collect(t);
	return err;
}

struct err *trial_load(struct trial *t, uint32_t n)
{
	struct trial_look l = { .fd = -1, .loads = n };
	uint64_t began = clock_ns();
	struct err *err = NULL;
	char what[80];

	l.has_pulse = read_pulse(t, &l.before);
	for (uint32_t i = 0; !err && !t->broken && i < n; i++) {
		snprintf(what, sizeof(what), "round %zu, load %u of %u", t->looks.n, i + 1, n);
		host_say(t->h, what);
		err = t->o->load ? run_load(t) : sit(t, t->o->every_ns);
		t->nloads++;
	}
	return err || t->broken ? err : finish(t, &l, began);
}

/* What goes by itself does so while nothing happens, or when something happens again. */
struct err *trial_rest(struct trial *t, uint64_t ns, uint32_t n)
{
	struct err *err;

	host_say(t->h, "resting");
	err = sit(t, ns);
	if (!err && !t->broken)
		err = trial_load(t, n);
	if (!err && !t->broken)
		t->looks.v[t->looks.n - 1].rest_ns = ns;
	return err;
}

/* A folder for one file: what is killed in between leaves little. */
static struct err *make_folder(struct trial *t, char path[static 512])
{
	const char *dir = t->o->tmp ? t->o->tmp : getenv("TMPDIR");

	if (t->o->keep_looks) {
		snprintf(path, 512, "%.500s", t->o->keep_looks);
		if (mkdir(path, 0700) && errno != EEXIST)
			return err_os(errno, "%.200s", path);
		return NULL;
	}
	snprintf(path, 512, "%.480s/limpet-check.XXXXXX", dir && *dir ? dir : "/tmp");
	return mkdtemp(path) ? NULL : err_os(errno, "%.200s", path);
}

static void look_failed(struct trial *t, const struct load_done *d)
{
	const char *say = d->tail, *line = strrchr(d->tail, '\n');
	int code = d->status != -1 && WIFEXITED(d->status) ? WEXITSTATUS(d->status) : 70;

	if (trial_gone(t, "while it was looked at"))
		return;
	say = line ? line + 1 : say;
	say = strncmp(say, "limpet: ", 8) ? say : say + 8;
	if (d->timed_out)
		trial_broken(t, 5, "a look took longer than %" PRIu64 " s", LOOK_NS / NS_MS / 1000);
	else
		trial_broken(t, code, "it cannot be looked at: %s", *say ? say : "limpet ended");
}

static struct err *run_look(struct trial *t, const char *file)
{
	_cleanup_(load_deinit) struct load_done d = { 0 };
	char pid[16], *argv[LOOK_ARGS] = {
		(char[]){ "/proc/self/exe" },
		(char[]){ "snapshot" },
		pid,
		(char[]){ "-o" },
		(char *)(uintptr_t)file,
		(char[]){ "--quiet" },
		(char[]){ "--detail" },
		(char[]){ "brief" }, /* all that is asked of it */
	};
	struct load_opts lo = { .argv = argv,
				.under = t->child,
				.pid = t->pid,
				.timeout_ns = LOOK_NS,
				.grace_ns = LOOK_GRACE_NS,
				.copies = { -1, -1 } };
	struct err *err;

	snprintf(pid, sizeof(pid), "%d", t->pid);
	for (size_t i = 0; i < TRIAL_LOOK_ARGS && t->o->look_args[i]; i++)
		argv[8 + i] = (char *)(uintptr_t)t->o->look_args[i];
	err = load_run(&lo, t->h, &d);
	if (!err && (d.status || d.timed_out || d.under_gone))
		look_failed(t, &d);
	return err;
}

static struct err *take_file(struct trial *t, const char *file, struct trial_look *l)
{
	l->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0)
		return err_os(errno, "%.200s", file);
	if (!t->o->keep_looks)
		unlink(file);
	return sight_read(l->fd, &l->sight);
}

struct err *trial_look(struct trial *t)
{
	struct trial_look *l = &t->looks.v[t->looks.n - 1];
	char folder[512], file[640], what[64];
	struct err *err = make_folder(t, folder);

	if (err)
		return err;
	snprintf(what, sizeof(what), "round %zu, looking", t->looks.n - 1);
	host_say(t->h, what);
	snprintf(file, sizeof(file), "%s/%zu.limpet", folder, t->looks.n - 1);
	l->at_ns = clock_ns();
	err = run_look(t, file);
	if (!err && !t->broken)
		err = take_file(t, file, l);
	if (!t->o->keep_looks) {
		unlink(file);
		rmdir(folder);
	}
	if (err || t->broken) {
		closep(&l->fd);
		t->looks.n--;
	}
	return err;
}
