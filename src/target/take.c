/*
 * take.c - preflight, surgeon, facts: all of a snapshot that only the privileged may do.
 *
 * Facts are read from /proc before the stop, or from the twin where the instant matters (maps).
 * Each attach is logged here.  Texts are copied, not parsed.
 */
#include "target/take.h"

#include "base/clean.h"
#include "base/logline.h"
#include "base/clock.h"
#include "target/container.h"
#include "target/denied.h"
#include "target/facts.h"
#include "target/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <syslog.h>

#define MAX_MAPS_BYTES		(256U << 20)
#define WORD_NS			200000000U
#define MAX_AUXV_BYTES		4096U
#define DEFAULT_MAX_PAUSE_NS	200000000U
#define DEFAULT_STOP_TIMEOUT_NS 2000000000U
#define PATIENCE_NS		500000000U

static void log_attach(const struct take *tk, const char *outcome)
{
	static const char *const method[] = { "fork", "freeze", "file", "running" };
	const char *sudo = getenv("SUDO_USER");
	const struct target_capture *c = &tk->taken.capture;
	char path[64], exe[256], where[CONTAINER_WORDS];

	snprintf(path, sizeof(path), "/proc/%d/exe", tk->pid);
	ssize_t n = readlink(path, exe, sizeof(exe) - 1);

	exe[MAX(n, 0)] = '\0';
	clean_in_place(exe);
	log_line(LOG_NOTICE,
		 "attach: uid %u%s%s, command %s, target pid %d (%s%s), method %s, paused %" PRIu64
		 " us: %s",
		 getuid(), sudo ? ", SUDO_USER " : "", sudo ? sudo : "",
		 tk->what[0] ? tk->what : "?", tk->pid, exe,
		 container_words(&tk->taken.place, where), method[c->method], c->pause_ns / 1000,
		 outcome);
}

static struct err *put_text(struct take *tk, enum take_text which, const char *text, size_t n)
{
	int fd = tk->taken.fd[TAKE_TEXTS];

	for (size_t done = 0; done < n;) {
		ssize_t got = write(fd, text + done, n - done);

		if (got < 0 && errno != EINTR)
			return err_os(errno, "facts of process %d", tk->pid);
		done += got > 0 ? (size_t)got : 0;
	}
	tk->taken.text_bytes[which] = n;
	return NULL;
}

static struct err *put_maps(struct take *tk, pid_t source)
{
	_cleanup_(freep) char *text = NULL;
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", source);
	struct err *err = proc_slurp(path, MAX_MAPS_BYTES, &text, &n);

	return err ? err : put_text(tk, TAKE_MAPS, text, n);
}

static struct err *put_smaps(struct take *tk)
{
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	struct err *err = facts_slurp_smaps(tk->pid, &text, &n);

	return err ? err : put_text(tk, TAKE_SMAPS, text, n);
}

static struct err *put_exe(struct take *tk, pid_t source)
{
	char path[64], link[4096];

	snprintf(path, sizeof(path), "/proc/%d/exe", source);
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	tk->taken.fd[TAKE_EXE] = open(path, O_RDONLY | O_CLOEXEC);
	return put_text(tk, TAKE_EXE_PATH, link, n > 0 ? (size_t)n : 0);
}

/* A facts file like the others, but binary; without it nothing but a core's note is missing. */
static struct err *put_auxv(struct take *tk, pid_t source)
{
	_cleanup_(freep) char *text = NULL;
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/auxv", source);
	struct err *err = proc_slurp(path, MAX_AUXV_BYTES, &text, &n);

	if (err && err->code != ERR_NOMEM) {
		err_free(err);
		err = NULL;
		n = 0;
	}
	return err ? err : put_text(tk, TAKE_AUXV, text, n);
}

/* Of the program itself: the twin shares its table, and has no network namespace of its own. */
static struct err *put_fds(struct take *tk)
{
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	struct err *err = NULL;

	if (tk->facts & TARGET_FACTS_FDS)
		err = fds_slurp(tk->pid, &text, &n);
	return err ? err : put_text(tk, TAKE_FDS, text, n);
}

/* A descriptor of the twin's own: twin_lend(). */
static struct err *borrow(const struct take *tk, int number, int *ret)
{
	_cleanup_(closep) int pidfd = (int)syscall(SYS_pidfd_open, tk->surgeon.th->twin, 0);
	int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);

	if (fd < 0)
		return err_os(errno, "the memory that the twin of process %d has opened", tk->pid);
	*ret = fd;
	return NULL;
}

/* As put_auxv(). */
static struct err *put_lent_auxv(struct take *tk)
{
	_cleanup_(closep) int fd = -1;
	char buf[MAX_AUXV_BYTES];
	int number = tk->surgeon.th->lent_auxv;
	struct err *err = number < 0 ? NULL : borrow(tk, number, &fd);

	if (err && err->code == ERR_NOMEM)
		return err;
	err_free(err);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf));

	return put_text(tk, TAKE_AUXV, buf, (size_t)MAX(n, 0));
}

static struct err *open_mem(struct take *tk, enum take_fd which, pid_t source)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", source);
	tk->taken.fd[which] = open(path, O_RDONLY | O_CLOEXEC);
	return tk->taken.fd[which] < 0 ? err_os(errno, "%s", path) : NULL;
}

/*
 * A file of the twin that is not there: the twin is not there.  Why, the surgeon says with its
 * next look.
 */
static struct err *gone_instead(const struct take *tk, struct err *err)
{
	const struct theatre *th = tk->surgeon.th;
	uint64_t end = clock_ns() + WORD_NS;

	if (!err || (err->code != ERR_GONE && err->os_errno != ESRCH && err->os_errno != ENOENT))
		return err;
	while (!atomic_load(&th->gone) && clock_ns() < end)
		usleep(2000);
	err_free(err);
	return err_new(th->spared ? ERR_LIMIT : ERR_GONE, "process %d: %s", tk->pid,
		       atomic_load(&th->gone) && th->why_gone[0]
			       ? th->why_gone
			       : "its snapshot was killed, or the program ended, at that moment");
}

/* smaps is in the file already: the order of the texts is that of the calls. */
static struct err *learn(struct take *tk)
{
	const struct theatre *th = tk->surgeon.th;
	pid_t source = th->method == TARGET_BY_FORK ? th->twin : tk->pid;

	tk->taken.capture.at_unix_ns = th->at_unix_ns;
	tk->taken.capture.pause_ns = th->pause_ns;
	tk->taken.capture.fork_ns = th->fork_ns;
	struct err *err = th->lend ? borrow(tk, th->lent_mem, &tk->taken.fd[TAKE_MEM])
				   : open_mem(tk, TAKE_MEM, source);

	if (!err && !th->lend)
		err = open_mem(tk, TAKE_NOW, tk->pid);
	if (!err)
		err = put_maps(tk, source);
	if (!err)
		err = put_exe(tk, source);
	if (!err)
		err = th->lend ? put_lent_auxv(tk) : put_auxv(tk, source);
	if (!err)
		err = put_fds(tk);
	return gone_instead(tk, err);
}

/* What stands still opens nothing. */
static struct err *no_twin_to_lend(pid_t pid)
{
	struct denial d;

	denial_find(pid, 0, &d);
	return denial_err(&d);
}

/* Just before the threads are stopped: with a twin alive, what was private counts as shared. */
static struct err *prepare(struct take *tk, const struct target_opts *o, struct preflight *pf)
{
	struct err *err = preflight_look(tk->pid, pf);

	if (!err && o->method == TARGET_BY_FORK)
		err = preflight_fork(tk->pid, o, pf);
	else if (!err && pf->lend)
		err = no_twin_to_lend(tk->pid);
	if (err)
		return err;
	tk->taken.fd[TAKE_TEXTS] = memfd_create("limpet-facts", MFD_CLOEXEC);
	if (tk->taken.fd[TAKE_TEXTS] < 0)
		return err_os(errno, "memory for the facts of process %d", tk->pid);
	tk->taken.capture.predicted_pause_ns = pf->predicted_ns;
	tk->taken.capture.page_table_bytes = pf->status.vm_pte;
	facts_read(tk->pid, &pf->status, &pf->cgroup, &tk->taken.mem);
	container_find(tk->pid, &tk->taken.place);
	tk->taken.started_unix_ns = facts_started(tk->pid);
	tk->taken.start_ticks = pf->start_ticks;
	return put_smaps(tk);
}

static struct target_opts with_defaults(const struct target_opts *o)
{
	struct target_opts opts = *o;

	if (!opts.max_pause_ns)
		opts.max_pause_ns = DEFAULT_MAX_PAUSE_NS;
	if (!opts.stop_timeout_ns)
		opts.stop_timeout_ns = DEFAULT_STOP_TIMEOUT_NS;
	return opts;
}

static struct take *take_create(pid_t pid, const struct target_opts *o)
{
	struct take *tk = zalloc(1, sizeof(*tk));

	if (!tk)
		return NULL;
	tk->pid = pid;
	tk->surgeon = SURGEON_NONE;
	tk->taken.capture =
		(struct target_capture){ .kind = TARGET_LIVE, .method = o->method, .pid = pid };
	for (int i = 0; i < TAKE_NFDS; i++)
		tk->taken.fd[i] = -1;
	snprintf(tk->what, sizeof(tk->what), "%s", o->what ? o->what : "");
	tk->facts = o->facts;
	return tk;
}

static void take_freep(struct take **tk)
{
	take_free(*tk);
}

/* Is another limpet about to be finished with one of its threads? */
static bool is_operated_on(pid_t pid)
{
	_cleanup_(freep) pid_t *tids = NULL;
	size_t n = 0;
	bool found = false;
	struct err *err = proc_tasks(pid, &tids, &n);

	err_free(err);
	for (size_t i = 0; !err && i < n && !found; i++) {
		struct proc_status s = { .tracer = 0 };
		struct proc_stat who = { .comm = "" };

		err_free(proc_read_status(pid, tids[i], &s));
		found = s.tracer && proc_read_stat(s.tracer, &who) &&
			!strcmp(who.comm, SURGEON_NAME);
	}
	return found;
}

static struct err *take_once(struct take *tk, const struct target_opts *o)
{
	struct preflight pf;
	struct err *err = prepare(tk, o, &pf);

	if (err)
		return err;
	err = surgeon_start(&tk->surgeon, tk->pid, o, &pf);
	if (!err)
		err = learn(tk);
	if (err && err->code != ERR_DENIED)
		log_attach(tk, err->msg);
	return err;
}

/* Who was killed a moment ago leaves a surgeon that reaps: it will not be long. */
static struct err *take_patiently(pid_t pid, const struct target_opts *o, struct take **ret)
{
	uint64_t end = clock_ns() + PATIENCE_NS;

	for (;;) {
		_cleanup_(take_freep) struct take *tk = take_create(pid, o);
		struct err *err = tk ? take_once(tk, o) : &err_nomem;

		if (!err) {
			*ret = STEAL(tk);
			return NULL;
		}
		if (err->code != ERR_DENIED || clock_ns() >= end || !is_operated_on(pid)) {
			if (tk && err->code == ERR_DENIED)
				log_attach(tk, err->msg);
			return err;
		}
		err_free(err);
		usleep(20000);
	}
}

struct err *take_start(pid_t pid, const struct target_opts *o, struct take **ret)
{
	struct target_opts opts = with_defaults(o);
	struct take *tk;
	struct err *err = take_patiently(pid, &opts, &tk);

	if (err)
		return err;
	tk->taken.fd[TAKE_THEATRE] = tk->surgeon.th_fd;
	tk->surgeon.th_fd = -1;
	if (opts.method == TARGET_BY_FORK)
		log_attach(tk, "snapshot taken");
	*ret = tk;
	return NULL;
}

/* Nothing of it is traced: who traces it already is in nobody's way. */
static struct err *look_only(pid_t pid, struct preflight *ret)
{
	struct preflight pf = { .start_ticks = 0 };
	struct err *err = preflight_look(pid, &pf);
	struct denial d = { .cause = DENIAL_NONE };
	struct proc_stat st;

	if (err && err->code == ERR_DENIED)
		denial_find(pid, 0, &d);
	if (d.cause == DENIAL_TRACED) {
		err_free(err);
		err = proc_read_status(pid, 0, &pf.status);
		pf.start_ticks = proc_read_stat(pid, &st) ? st.start_ticks : 0;
		cgroup_find(pid, &pf.cgroup);
	}
	if (!err && pf.lend)
		err = no_twin_to_lend(pid);
	if (!err)
		*ret = pf;
	return err;
}

static struct err *learn_running(struct take *tk)
{
	struct preflight pf;
	struct err *err = look_only(tk->pid, &pf);

	if (err)
		return err;
	tk->taken.fd[TAKE_TEXTS] = memfd_create("limpet-facts", MFD_CLOEXEC);
	if (tk->taken.fd[TAKE_TEXTS] < 0)
		return err_os(errno, "memory for the facts of process %d", tk->pid);
	facts_read(tk->pid, &pf.status, &pf.cgroup, &tk->taken.mem);
	container_find(tk->pid, &tk->taken.place);
	tk->taken.started_unix_ns = facts_started(tk->pid);
	tk->taken.start_ticks = pf.start_ticks;
	err = open_mem(tk, TAKE_MEM, tk->pid);
	if (!err)
		err = put_maps(tk, tk->pid);
	if (!err)
		err = put_exe(tk, tk->pid);
	return err ? err : put_auxv(tk, tk->pid);
}

struct err *take_running(pid_t pid, const char *what, struct taken *ret)
{
	struct target_opts o = { .method = TARGET_BY_RUNNING, .what = what };
	_cleanup_(take_freep) struct take *tk = take_create(pid, &o);
	struct err *err = tk ? learn_running(tk) : &err_nomem;

	if (tk && (!err || err->code == ERR_DENIED))
		log_attach(tk, err ? err->msg : "read while it runs");
	if (err)
		return err;
	*ret = tk->taken;
	for (int i = 0; i < TAKE_NFDS; i++)
		tk->taken.fd[i] = -1; /* the caller's now */
	return NULL;
}

void taken_close(struct taken *t)
{
	for (int i = 0; i < TAKE_NFDS; i++) {
		closep(&t->fd[i]);
		t->fd[i] = -1;
	}
}

void take_finish(struct take *tk)
{
	if (tk->surgeon.pid <= 0)
		return;
	surgeon_finish(&tk->surgeon);
	tk->taken.capture.pause_ns = tk->surgeon.th->pause_ns;
	if (tk->taken.capture.method == TARGET_BY_FREEZE)
		log_attach(tk, "let go");
}

struct err *take_peek(const struct take *tk, taddr addr, uint64_t *ret)
{
	const struct theatre *th = tk->surgeon.th;
	struct iovec to = { ret, sizeof(*ret) };
	struct iovec from = { (void *)(uintptr_t)addr, sizeof(*ret) };
	struct proc_stat st;

	/* Not a later process of that number. */
	if (!proc_read_stat(tk->pid, &st) || (th->start_ticks && st.start_ticks != th->start_ticks))
		return err_new(ERR_GONE, "process %d has exited", tk->pid);
	if (process_vm_readv(tk->pid, &to, 1, &from, 1, 0) == sizeof(*ret))
		return NULL;
	if (errno == ESRCH)
		return err_new(ERR_GONE, "process %d has exited", tk->pid);
	if (errno == EFAULT)
		return err_fault(addr);
	return err_os(errno, "reading the memory of process %d", tk->pid);
}

int take_watch(const struct take *tk)
{
	return tk->surgeon.pid > 0 && !atomic_load(&tk->surgeon.th->gone) ? tk->surgeon.sock : -1;
}

void take_mourn(struct take *tk)
{
	surgeon_mourn(&tk->surgeon);
}

void take_free(struct take *tk)
{
	if (!tk)
		return;
	take_finish(tk);
	taken_close(&tk->taken);
	surgeon_deinit(&tk->surgeon);
	free(tk);
}
