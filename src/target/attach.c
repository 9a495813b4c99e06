/*
 * attach.c - seize, interrupt, registers, resume, detach.
 *
 * PTRACE_SEIZE neither stops nor signals; PTRACE_INTERRUPT stops, and the stop is
 * invisible but for an EINTR in the few calls that the kernel never restarts.
 * Cost: two system calls a thread before the stop, four within it.
 */
#include "target/attach.h"

#include "base/clock.h"
#include "target/denied.h"
#include "target/procfs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define EVENT_OF(status) ((unsigned)(status) >> 16)
#define SEIZE_OPTIONS	 (PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)

void patient_init(struct patient *p, pid_t pid)
{
	*p = (struct patient){ .pid = pid, .ns_depth = 1 };
}

void patient_deinit(struct patient *p)
{
	vec_free(&p->threads);
	p->nsorted = 0;
}

static struct patient_thread *find_thread(struct patient *p, pid_t tid)
{
	size_t lo = 0, hi = p->nsorted;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->threads.v[mid].tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < p->nsorted && p->threads.v[lo].tid == tid)
		return &p->threads.v[lo];
	for (size_t i = p->nsorted; i < p->threads.n; i++)
		if (p->threads.v[i].tid == tid)
			return &p->threads.v[i];
	return NULL;
}

static int by_tid(const void *a, const void *b)
{
	const struct patient_thread *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static void sort_threads(struct patient *p)
{
	if (p->threads.n)
		qsort(p->threads.v, p->threads.n, sizeof(*p->threads.v), by_tid);
	p->nsorted = p->threads.n;
}

/* What the thread is called inside. */
static pid_t inner_tid(const struct patient *p, pid_t tid)
{
	struct proc_status s;

	if (p->ns_depth == 1)
		return tid;
	struct err *err = proc_read_status(p->pid, tid, &s);

	if (err) {
		err_free(err);
		return 0;
	}
	return s.ns_pid;
}

static struct err *add_thread(struct patient *p, pid_t tid, enum patient_state state)
{
	struct patient_thread t = { .tid = tid, .state = state, .ns_tid = inner_tid(p, tid) };

	return vec_push(&p->threads, t) ? NULL : &err_nomem;
}

/* A clone() without CLONE_THREAD is reported like a thread's. */
static struct err *add_newborn(struct patient *p, pid_t tid)
{
	char path[64];
	struct err *err = add_thread(p, tid, PATIENT_RUNS);

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", p->pid, tid);
	p->threads.v[p->threads.n - 1].foreign = access(path, F_OK) != 0;
	return NULL;
}

struct err *patient_denied(pid_t pid, int os_errno)
{
	struct denial d;

	if (os_errno == ESRCH)
		return err_new(ERR_GONE, "process %d has exited", pid);
	denial_find(pid, os_errno, &d);
	return denial_err(&d);
}

/* ESRCH: gone meanwhile.  EPERM: ours already (auto-attached at birth), or denied. */
static struct err *seize_thread(struct patient *p, pid_t tid)
{
	struct proc_status s;

	if (ptrace(PTRACE_SEIZE, tid, 0, SEIZE_OPTIONS) == 0)
		return add_thread(p, tid, PATIENT_RUNS);
	int no = errno;

	if (no == ESRCH)
		return NULL;
	struct err *err = proc_read_status(p->pid, tid, &s);

	if (err) {
		err_free(err);
		return NULL;
	}
	if (s.state == 'Z' || s.state == 'X')
		return NULL;
	if (s.tracer == getpid())
		return add_thread(p, tid, PATIENT_RUNS);
	return patient_denied(p->pid, no);
}

struct err *patient_seize_one(struct patient *p, pid_t tid)
{
	struct err *err = seize_thread(p, tid);

	if (err)
		return err;
	if (p->threads.n == 0)
		return err_new(ERR_GONE, "thread %d has exited", tid);
	sort_threads(p);
	return NULL;
}

static void resume_thread(struct patient_thread *t)
{
	if (t->group_stop)
		ptrace(PTRACE_LISTEN, t->tid, 0, 0);
	else
		ptrace(PTRACE_CONT, t->tid, 0, (long)t->signal);
	t->signal = 0;
	t->in_clone = false;
	t->group_stop = false;
	t->state = PATIENT_RUNS;
}

static bool is_group_stop(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* A thread made while we watched; one of another process is none of ours. */
static struct err *note_birth(struct patient *p, pid_t mother)
{
	unsigned long msg = 0;

	if (ptrace(PTRACE_GETEVENTMSG, mother, 0, &msg) || !msg)
		return NULL;
	pid_t tid = (pid_t)msg;

	if (find_thread(p, tid))
		return NULL;
	return add_newborn(p, tid);
}

/* Take in one report of waitpid(). */
static struct err *note_stop(struct patient *p, pid_t tid, int status)
{
	struct patient_thread *t = find_thread(p, tid);

	if (!WIFSTOPPED(status)) {
		if (t)
			t->state = PATIENT_GONE;
		return NULL;
	}
	if (!t) {
		struct err *err = add_newborn(p, tid);

		if (err)
			return err;
		t = &p->threads.v[p->threads.n - 1];
	}
	t->state = PATIENT_STOPPED;
	unsigned event = EVENT_OF(status);
	int sig = WSTOPSIG(status);

	if (event == PTRACE_EVENT_STOP) {
		t->group_stop = is_group_stop(sig);
	} else if (event == PTRACE_EVENT_CLONE) {
		t->in_clone = true;
		return note_birth(p, tid);
	} else if (event == PTRACE_EVENT_EXEC) {
		p->execed = true;
	} else if (event == 0 && !(sig & 0x80)) {
		t->signal = sig;
	}
	return NULL;
}

/* A killed process's first thread: its end is reported only when the others were waited for. */
static bool is_zombie(pid_t tid)
{
	struct proc_stat st;

	return proc_read_stat(tid, &st) && (st.state == 'Z' || st.state == 'X');
}

pid_t patient_wait(pid_t tid, uint64_t deadline, int *ret_status)
{
	bool idle = false;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		pid_t got = waitpid(tid, ret_status, __WALL | WNOHANG);
		uint64_t now = clock_ns();

		if (got > 0 || (got < 0 && errno != EINTR))
			return got;
		if (now >= deadline)
			return 0;
		if (idle && is_zombie(tid))
			return -1;
		idle = true;
		/* SIGCHLD is blocked, so one sent since waitpid() is still pending.  The
		 * slice is for the reports of others that ate ours. */
		uint64_t left = MIN(deadline - now, 10000000U);
		struct timespec ts = { .tv_nsec = (long)left };

		sigtimedwait(&chld, NULL, &ts);
	}
}

/* Whoever stopped while we were still seizing need not wait for us. */
static struct err *let_run(struct patient *p)
{
	int status;

	for (pid_t tid; (tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0;) {
		struct err *err = note_stop(p, tid, status);

		if (err)
			return err;
		struct patient_thread *t = find_thread(p, tid);

		if (t && t->state == PATIENT_STOPPED)
			resume_thread(t);
	}
	return NULL;
}

struct err *patient_seize(struct patient *p)
{
	for (;;) {
		_cleanup_(freep) pid_t *tids = NULL;
		size_t n = 0, before = p->threads.n;
		struct err *err = proc_tasks(p->pid, &tids, &n);

		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			if (find_thread(p, tids[i]))
				continue;
			err = seize_thread(p, tids[i]);
			if (err)
				return err;
		}
		sort_threads(p);
		err = let_run(p);
		if (err)
			return err;
		if (p->threads.n == before)
			break;
	}
	if (p->threads.n == 0)
		return err_new(ERR_GONE, "process %d has exited", p->pid);
	return NULL;
}

static struct err *not_stopping(const struct patient *p, pid_t tid)
{
	char wchan[64] = "";
	struct proc_status s = { 0 };
	struct err *err = proc_read_status(p->pid, tid, &s);

	err_free(err);
	proc_read_small(wchan, sizeof(wchan), "/proc/%d/task/%d/wchan", p->pid, tid);
	return err_new(
		ERR_LIMIT,
		"thread %d of process %d did not stop in time (state %c%s%s: waits in the "
		"kernel for a disk, a network file system or a vfork child); all threads run "
		"on, try again later",
		tid, p->pid, s.state ? s.state : '?', wchan[0] && wchan[0] != '0' ? ", in " : "",
		wchan[0] != '0' ? wchan : "");
}

static struct err *gone_or_execed(const struct patient *p)
{
	if (p->execed)
		return err_new(ERR_GONE, "process %d has just replaced itself by exec", p->pid);
	return err_new(ERR_GONE, "process %d has exited", p->pid);
}

static struct err *read_registers(struct patient *p)
{
	size_t alive = 0;

	for (size_t i = 0; i < p->threads.n; i++) {
		struct patient_thread *t = &p->threads.v[i];

		if (t->state != PATIENT_STOPPED)
			continue;
		if (!regs_read(t->tid, &t->regs))
			t->state = PATIENT_GONE; /* only SIGKILL ends a stop */
		else
			alive++;
	}
	return alive && !p->execed ? NULL : gone_or_execed(p);
}

static struct err *await_stop(struct patient *p, pid_t tid, uint64_t deadline)
{
	int status;
	pid_t got = patient_wait(tid, deadline, &status);

	if (got > 0)
		return note_stop(p, tid, status);
	if (got < 0) {
		find_thread(p, tid)->state = PATIENT_GONE;
		return NULL;
	}
	p->late = tid;
	return not_stopping(p, tid);
}

struct err *patient_stop(struct patient *p, uint64_t deadline)
{
	p->stopped_at = clock_ns();
	for (size_t i = 0; i < p->threads.n; i++) {
		struct patient_thread *t = &p->threads.v[i];

		/* ESRCH: gone, or not yet ours to command; waitpid() tells. */
		if (t->state == PATIENT_RUNS)
			ptrace(PTRACE_INTERRUPT, t->tid, 0, 0);
	}
	/* One by one: waiting for any of n tracees costs the kernel n steps each time.
	 * The list grows by the threads that are reported as born. */
	for (size_t i = 0; i < p->threads.n; i++) {
		while (p->threads.v[i].state == PATIENT_RUNS) {
			struct err *err = await_stop(p, p->threads.v[i].tid, deadline);

			if (err)
				return err;
		}
	}
	return read_registers(p);
}

void patient_resume(struct patient *p)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p->threads.v[i].state == PATIENT_STOPPED)
			resume_thread(&p->threads.v[i]);
}

bool patient_await_late(struct patient *p, uint64_t deadline)
{
	patient_resume(p);
	for (;;) {
		int status;
		pid_t tid = patient_wait(-1, deadline, &status);

		if (tid <= 0)
			return tid < 0;
		struct err *err = note_stop(p, tid, status);

		if (err) {
			err_free(err);
			return false;
		}
		if (tid == p->late)
			return true;
		struct patient_thread *t = find_thread(p, tid);

		if (t && t->state == PATIENT_STOPPED)
			resume_thread(t);
	}
}

void patient_detach(struct patient *p)
{
	for (size_t i = 0; i < p->threads.n; i++) {
		struct patient_thread *t = &p->threads.v[i];

		if (t->state == PATIENT_STOPPED)
			ptrace(PTRACE_DETACH, t->tid, 0, (long)t->signal);
		t->state = PATIENT_GONE;
	}
}
