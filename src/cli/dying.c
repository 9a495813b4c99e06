/*
 * dying.c - the analyser of `limpet core-handler`: report first, then the core.
 *
 * The report is small and says most, so it is on disk before the core is begun.  The target is a
 * core like any other from here on.
 */
#include "cli/dying.h"

#include "base/clock.h"
#include "base/confine.h"
#include "cli/session.h"
#include "elf/exe.h"
#include "report/corefile.h"
#include "report/out.h"
#include "target/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

struct analysis {
	const struct dying *d;
	struct dying_word *word;
	int say;
};

static void say(const struct analysis *a)
{
	ssize_t n = write(a->say, a->word, sizeof(*a->word));

	(void)n; /* who listens has ended: so do we */
}

/* Asked by several threads, between pieces. */
static struct err *tick(void *arg, uint64_t done, uint64_t total)
{
	const struct dying *d = arg;

	(void)done;
	(void)total;
	return clock_ns() < d->deadline
		       ? NULL
		       : err_new(ERR_LIMIT,
				 "the time was over before the core was written (--max-time)");
}

static bool is_go(const struct target *t)
{
	_cleanup_(elf_exe_deinit) struct elf_exe x = { 0 };
	struct err *err =
		target_exe_fd(t) < 0 ? NULL : elf_exe_read(target_exe_fd(t), target_exe(t), &x);

	err_free(err);
	return target_exe_fd(t) < 0 || x.go;
}

static struct err *write_report(const struct analysis *x, struct session *s)
{
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = report_body(s, &r);

	if (!err)
		err = agg_head(&s->agg, &r.head);
	if (err)
		return err;
	x->word->objects = r.exact.reachable_objects;
	x->word->bytes = r.exact.reachable_bytes;
	if (args_has(x->d->args, OPT_JSON))
		json_doc_report(&o, &r);
	else
		text_report(&o, TEXT_PLAIN, &r);
	err = out_write(x->d->report_path, &o);
	x->word->report = !err;
	return err;
}

static enum core_detail detail_of(const struct args *a)
{
	switch (a->handler.core) {
	case HANDLER_CORE_FULL:
		return CORE_ALL;
	case HANDLER_CORE_NO_PAYLOAD:
		return CORE_NO_PAYLOAD;
	default:
		return CORE_REDACTED; /* nobody was asked whether values may leave */
	}
}

static struct err *write_core(const struct analysis *x, struct session *s)
{
	struct corefile_opts o = {
		.path = x->d->core_path,
		.detail = detail_of(x->d->args),
		.pack = CORE_ZSTD,
		.nthreads = s->nthreads,
		.tick = tick,
		.arg = (void *)(uintptr_t)x->d,
	};
	struct corefile_done done = { 0 };
	struct err *err = corefile_write(s->t, s->go, s->s, &o, &done);

	x->word->core = !err;
	x->word->core_bytes = done.disk_bytes ? done.disk_bytes : done.file_bytes;
	return err;
}

/* As for every command (cli/walls.h): files through a broker, and no right of our own. */
static struct err *wall_in(const struct dying *d, struct broker **ret)
{
	struct broker_opts o = {
		.read = { d->exe, d->args->layout },
		.write = { d->report_path, d->core_path },
		.sysroot = d->sysroot,
	};
	struct confine_status is;
	struct err *err = broker_start(&o, ret);

	if (err)
		return err;
	confine_self(broker_peer(*ret), &is);
	files_delegate(broker_file, *ret);
	return NULL;
}

static struct err *analyse(const struct analysis *x)
{
	const struct dying *d = x->d;
	struct target_file_opts fo = { .exe = d->exe, .sysroot = d->sysroot, .given = &d->given };
	_cleanup_(session_close) struct session s = { 0 };
	struct target *t;
	struct err *err = target_open_core(d->name, &fo, &t);

	if (err)
		return err;
	if (!is_go(t)) {
		target_close(t);
		x->word->end = DYING_NOT_GO;
		return NULL;
	}
	err = session_adopt(d->args, t, &s);
	if (!err)
		err = session_snapshot(&s);
	if (!err)
		err = session_graph(&s);
	if (!err && d->report_path)
		err = write_report(x, &s);
	if (!err && d->core_path)
		err = write_core(x, &s);
	if (!err)
		x->word->end = DYING_KEPT;
	return err;
}

static void limit(__rlimit_resource_t what, uint64_t most)
{
	struct rlimit r = { most, most }, now;

	if (most && !getrlimit(what, &now) &&
	    (now.rlim_max == RLIM_INFINITY || now.rlim_max > most))
		setrlimit(what, &r);
}

static void bound(const struct dying *d, pid_t parent)
{
	struct rlimit none = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none); /* a core of ours would come to ourselves */
	limit(RLIMIT_FSIZE, d->max_file);
	limit(RLIMIT_DATA, d->max_memory);
}

static void child(const struct dying *d, pid_t parent, int words)
{
	struct dying_word word = { .end = DYING_FAILED };
	struct analysis x = { d, &word, words };
	int null = open("/dev/null", O_RDONLY);

	bound(d, parent);
	/* The program ends when nobody holds its pipe: that is for our parent to say. */
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	else
		close(STDIN_FILENO);
	struct broker *broker = NULL;
	struct err *err = wall_in(d, &broker);

	if (!err)
		err = analyse(&x);
	files_delegate(NULL, NULL);
	broker_end(broker);
	if (err) {
		word.end = DYING_FAILED;
		snprintf(word.msg, sizeof(word.msg), "%s", err->msg);
	}
	say(&x);
	_exit(0);
}

struct err *dying_start(const struct dying *d, pid_t *ret_pid, int *ret_fd)
{
	pid_t parent = getpid(), pid;
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return err_os(errno, "pipe");
	pid = fork();
	if (pid < 0) {
		int e = errno;

		close(p[0]);
		close(p[1]);
		return err_os(e, "fork");
	}
	if (!pid) {
		close(p[0]);
		child(d, parent, p[1]);
	}
	close(p[1]);
	*ret_pid = pid;
	*ret_fd = p[0];
	return NULL;
}
