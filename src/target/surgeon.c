/*
 * surgeon.c - the helper process: seize, stop, clone, let go, keep, reap.
 *
 * Runs in a fork of limpet.  Holds no memory of the program; one page-table copy
 * of limpet as it was when the target was opened.  Exits by _exit() only.
 */
#include "target/surgeon.h"

#include "base/clock.h"
#include "target/attach.h"
#include "target/inject.h"
#include "target/residue.h"
#include "target/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MS		   1000000ULL
#define WATCH_MS	   20
#define FIRST_STOP_NS	   (25 * MS)
#define STOP_NS_PER_THREAD 50000U

/*
 * A stop that does not come soon is given up and tried again when the late thread
 * has left the kernel: the others must not wait for a disk.
 */
static struct err *stop_all(struct patient *p, struct theatre *th, uint64_t end)
{
	uint64_t slice = FIRST_STOP_NS + p->threads.n * STOP_NS_PER_THREAD;

	for (;;) {
		uint64_t one = MIN(slice, th->max_pause_ns);
		struct err *err = patient_stop(p, MIN(clock_ns() + one, end));

		if (!err || err->code != ERR_LIMIT)
			return err;
		th->lost_ns += clock_ns() - p->stopped_at;
		if (!patient_await_late(p, end))
			return err;
		err_free(err);
		slice *= 2;
	}
}

static void report_threads(const struct patient *p, struct theatre *th)
{
	size_t n = 0;

	th->has_floats = th->want_floats;
	for (size_t i = 0; i < p->threads.n && n < THEATRE_MAX_THREADS; i++) {
		const struct patient_thread *t = &p->threads.v[i];

		if (t->state != PATIENT_STOPPED || t->foreign)
			continue;
		if (th->has_floats)
			th->has_floats = regs_read_floats(t->tid, &th->floats[n]);
		th->threads[n++] = (struct target_thread){
			.tid = t->tid,
			.ns_tid = t->ns_tid,
			.regs = t->regs,
		};
	}
	th->nthreads = n;
}

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* All threads stopped, the twin made, all let go; or all let go and an error. */
static struct err *operate(struct patient *p, struct theatre *th, uint64_t end)
{
	struct err *err = patient_seize(p);

	if (!err && p->threads.n > THEATRE_MAX_THREADS - 1000)
		err = err_new(ERR_LIMIT, "process %d has %zu threads, limpet takes %d", p->pid,
			      p->threads.n, THEATRE_MAX_THREADS - 1000);
	if (!err)
		err = stop_all(p, th, end);
	if (!err) {
		th->at_unix_ns = wall_ns();
		report_threads(p, th);
		if (th->method == TARGET_BY_FREEZE)
			return NULL; /* stays stopped */
		err = twin_make(p, th);
	}
	patient_detach(p);
	th->pause_ns = th->lost_ns + (p->stopped_at ? clock_ns() - p->stopped_at : 0);
	if (!err)
		err = twin_settle(th);
	return err || !th->lend ? err : twin_lend(th);
}

static struct err *operate_again(struct patient *p, struct theatre *th)
{
	uint64_t end = clock_ns() + th->stop_timeout_ns;

	for (;;) {
		patient_init(p, th->pid);
		p->ns_depth = th->ns_depth;
		struct err *err = operate(p, th, end);

		/* No thread could be borrowed: signals come and go, try again.  A clone that was
		 * made and refused would be refused again. */
		if (!err || err->code != ERR_LIMIT || th->twin || th->fork_ns ||
		    clock_ns() + 20 * MS >= end || th->method != TARGET_BY_FORK)
			return err;
		err_free(err);
		patient_deinit(p);
		th->lost_ns = th->pause_ns;
		usleep(20000);
	}
}

static void fail(struct theatre *th, struct err *err)
{
	th->failed = true;
	th->err = *err;
	err_free(err);
}

/* True once limpet wants an end, or has met its own. */
static bool wants_end(int sock, int timeout_ms)
{
	struct pollfd fd = { .fd = sock, .events = POLLIN };

	return poll(&fd, 1, timeout_ms) > 0;
}

/*
 * The program takes memory by dirtying pages that the twin shares, at 1 GB/s a
 * processor at most: look again before the rest can be gone.
 */
static int next_look_ms(const struct theatre *th)
{
	uint64_t ms = th->spare_bytes / (1000000U * (uint64_t)th->ncpus);

	return (int)MAX(MIN(ms, (uint64_t)WATCH_MS), 1U);
}

/* Before the twin or the stillness ends: readers may outlive who started us. */
static void close_theatre(struct theatre *th, int sock)
{
	char c;

	if (!th->why_gone[0] && recv(sock, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		snprintf(th->why_gone, sizeof(th->why_gone),
			 "the helper process of limpet was killed; its snapshot is gone");
	atomic_store(&th->gone, 1);
}

static void keep_twin(struct theatre *th, int sock)
{
	while (!wants_end(sock, atomic_load(&th->gone) ? -1 : next_look_ms(th)))
		if (!atomic_load(&th->gone) && twin_watch(th))
			twin_drop(th);
	close_theatre(th, sock);
	twin_drop(th);
}

/* What cannot be said is an end: limpet is gone, or shall not wait for a word that never comes. */
static void say(int sock)
{
	if (send(sock, "k", 1, MSG_NOSIGNAL) < 0)
		shutdown(sock, SHUT_RDWR);
}

/* Nothing of limpet's may be kept open by us, and no signal may end us early. */
static void scrub(int sock)
{
	sigset_t all;
	int null = open("/dev/null", O_RDWR);

	setsid();
	prctl(PR_SET_NAME, SURGEON_NAME);
	/* Who has stopped threads, or watches their memory, should not wait for a
	 * processor; it uses next to nothing.  May be refused. */
	setpriority(PRIO_PROCESS, 0, -20);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		if (fd != sock)
			dup2(null, fd);
	if (sock > 3)
		close_range(3, (unsigned)sock - 1, 0);
	close_range((unsigned)MAX(sock, 2) + 1, ~0U, 0);
	if (chdir("/"))
		return;
}

/* Threads that die while frozen are to be noticed, or the process cannot end. */
static void keep_frozen(struct patient *p, struct theatre *th, int sock)
{
	while (!wants_end(sock, WATCH_MS)) {
		int status;

		for (pid_t tid; (tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0;) {
			if (tid != th->pid || WIFSTOPPED(status))
				continue;
			snprintf(th->why_gone, sizeof(th->why_gone),
				 "it was killed while it was frozen");
			atomic_store(&th->gone, 1);
		}
	}
	close_theatre(th, sock);
	patient_detach(p);
	th->pause_ns = clock_ns() - p->stopped_at;
}

static _Noreturn void surgeon_main(struct theatre *th, int sock)
{
	struct patient p;

	scrub(sock);
	if (th->method == TARGET_BY_FORK)
		residue_kill(th->pid);
	struct err *err = operate_again(&p, th);

	/* The reaping needs as much again, and memory may be what was short. */
	if (err || th->method == TARGET_BY_FORK)
		patient_deinit(&p);
	if (err) {
		/* A twin may have been born before it went wrong. */
		twin_drop(th);
		th->zombies_left = residue_reap(th->pid, th->start_ticks, th->ns_twin, &th->reaped);
		fail(th, err);
		say(sock);
		_exit(1);
	}
	say(sock);
	if (th->method == TARGET_BY_FREEZE) {
		keep_frozen(&p, th, sock);
	} else {
		keep_twin(th, sock);
		th->zombies_left = residue_reap(th->pid, th->start_ticks, th->ns_twin, &th->reaped);
	}
	say(sock);
	_exit(0);
}

static _Noreturn void cleaner_main(struct theatre *th, int sock)
{
	scrub(sock);
	residue_kill(th->pid);
	th->zombies_left = residue_reap(th->pid, th->start_ticks, 0, &th->reaped);
	say(sock);
	_exit(0);
}

static bool hear(int sock)
{
	char c;
	ssize_t n;

	do
		n = recv(sock, &c, 1, 0);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static struct err *await_first_word(struct surgeon *s)
{
	if (!hear(s->sock))
		return err_new(ERR_OS,
			       "the helper process was killed while it traced process %d; the "
			       "kernel has let it go",
			       s->th->pid);
	if (!s->th->failed)
		return NULL;
	return err_new(s->th->err.code, "%s", s->th->err.msg);
}

/* Linux 5.1; an older kernel leaves the readers able to lie to themselves and to us. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static struct err *build_theatre(struct surgeon *s, pid_t target)
{
	_cleanup_(closep) int fd = memfd_create("limpet-theatre", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct theatre *th;

	if (fd < 0 || ftruncate(fd, sizeof(*th)))
		return err_os(errno, "memory shared with the helper process");
	th = mmap(NULL, sizeof(*th), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (th == MAP_FAILED)
		return &err_nomem;
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
	th->pid = target;
	*s = (struct surgeon){ .th = th, .th_fd = fd, .sock = -1 };
	fd = -1;
	return NULL;
}

const struct theatre *theatre_map(int fd)
{
	struct stat st;
	void *th;

	if (fstat(fd, &st) || st.st_size != sizeof(struct theatre))
		return NULL;
	th = mmap(NULL, sizeof(struct theatre), PROT_READ, MAP_SHARED, fd, 0);
	return th == MAP_FAILED ? NULL : th;
}

void theatre_unmap(const struct theatre *th)
{
	if (th)
		munmap((void *)(uintptr_t)th, sizeof(*th));
}

typedef void surgeon_fn(struct theatre *th, int sock);

static struct err *surgeon_fork(struct surgeon *s, surgeon_fn *fn)
{
	int sv[2], no;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return err_os(errno, "socketpair");
	pid_t pid = fork();

	no = errno;
	if (pid == 0) {
		close(sv[0]);
		fn(s->th, sv[1]);
		_exit(0);
	}
	close(sv[1]);
	if (pid < 0) {
		close(sv[0]);
		return err_os(no, "fork");
	}
	s->pid = pid;
	s->sock = sv[0];
	return NULL;
}

struct err *surgeon_start(struct surgeon *s, pid_t target, const struct target_opts *o,
			  const struct preflight *pf)
{
	struct err *err = build_theatre(s, target);
	struct theatre *th = s->th;

	if (err)
		return err;
	th->method = o->method;
	th->max_pause_ns = o->max_pause_ns;
	th->stop_timeout_ns = o->stop_timeout_ns;
	th->start_ticks = pf->start_ticks;
	th->floor_bytes = pf->floor_bytes;
	th->cgroup = pf->cgroup;
	th->ns_depth = pf->status.ns_depth;
	th->lend = pf->lend;
	th->want_floats = o->facts & TARGET_FACTS_FLOATS;
	th->lent_mem = th->lent_auxv = -1;
	th->ncpus = (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
	err = surgeon_fork(s, surgeon_main);
	if (!err)
		err = await_first_word(s);
	if (err) {
		surgeon_finish(s);
		surgeon_deinit(s);
	}
	return err;
}

struct err *surgeon_clean(pid_t target, unsigned *ret_reaped, unsigned *ret_left)
{
	_cleanup_(surgeon_deinit) struct surgeon s = SURGEON_NONE;
	struct err *err = build_theatre(&s, target);

	if (!err)
		err = surgeon_fork(&s, cleaner_main);
	if (err)
		return err;
	if (hear(s.sock)) {
		*ret_reaped = s.th->reaped;
		*ret_left = s.th->zombies_left;
	} else {
		err = err_new(ERR_OS, "the helper process was killed while it cleaned process %d",
			      target);
	}
	close(s.sock);
	while (waitpid(s.pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* Someone killed the surgeon: its twin died with it, the zombie is for another one. */
static void clean_after(struct theatre *th)
{
	unsigned reaped = 0, left = 0;
	struct err *err = surgeon_clean(th->pid, &reaped, &left);

	th->zombies_left = err ? 1 : left;
	th->reaped = reaped;
	err_free(err);
}

void surgeon_mourn(struct surgeon *s)
{
	if (atomic_load(&s->th->gone))
		return;
	snprintf(s->th->why_gone, sizeof(s->th->why_gone),
		 "the helper process that held its snapshot was killed");
	atomic_store(&s->th->gone, 1);
}

void surgeon_finish(struct surgeon *s)
{
	if (s->pid <= 0)
		return;
	atomic_store(&s->th->gone, 1);
	bool ended = s->th->failed;

	if (!ended && send(s->sock, "q", 1, MSG_NOSIGNAL) == 1)
		ended = hear(s->sock);
	close(s->sock);
	s->sock = -1;
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
	if (!ended && s->th->method == TARGET_BY_FORK)
		clean_after(s->th);
}

void surgeon_deinit(struct surgeon *s)
{
	if (s->th)
		munmap(s->th, sizeof(*s->th));
	closep(&s->th_fd);
	s->th = NULL;
	s->th_fd = -1;
}
