/*
 * residue.c - find, kill and reap twins.
 *
 * Cost: one small file per thread of the target to find its children, and for
 * the reaping one thread stopped for some 0.1 ms.
 */
#include "target/residue.h"

#include "base/clock.h"
#include "target/attach.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define MS		UINT64_C(1000000)
#define CALL_TIMEOUT_NS (10000 * MS)
#define MAX_RESIDUE	64
#define HELPERS		"lmp-"	       /* lmp-broker, lmp-surgeon, lmp-debuginfod */
#define PF_FORKNOEXEC	UINT64_C(0x40) /* include/linux/sched.h */

struct twins {
	pid_t pid[MAX_RESIDUE];	   /* as we see it */
	pid_t ns_pid[MAX_RESIDUE]; /* as the target sees it */
	unsigned n;
};

static bool is_marked(pid_t pid)
{
	char buf[16] = "";

	return proc_read_small(buf, sizeof(buf), "/proc/%d/oom_score_adj", pid) > 0 &&
	       strncmp(buf, "1000", 4) == 0;
}

static bool shares_files_only(pid_t target, pid_t pid)
{
	return syscall(SYS_kcmp, target, pid, KCMP_FILES, 0, 0) == 0 &&
	       syscall(SYS_kcmp, target, pid, KCMP_VM, 0, 0) > 0;
}

enum child_kind { CHILD_OTHER, CHILD_LIVING_TWIN, CHILD_DEAD_TWIN, CHILD_DEAD_LIKE_A_TWIN };

static enum child_kind kind_of(pid_t target, pid_t pid)
{
	struct proc_stat s;
	struct proc_status st;

	if (!proc_read_stat(pid, &s) || s.ppid != target)
		return CHILD_OTHER;
	/*
	 * Who is pid 1 of our pid namespace inherits what a killed limpet leaves (kernel/exit.c,
	 * find_new_reaper), and a Go program does not wait for what it did not start.
	 */
	if (s.state == 'Z' && !strncmp(s.comm, HELPERS, sizeof(HELPERS) - 1))
		return CHILD_DEAD_TWIN;
	if (s.exit_signal != 0)
		return CHILD_OTHER;
	if (s.state == 'Z' && is_marked(pid))
		return CHILD_DEAD_TWIN;
	if (s.state == 'Z')
		return s.flags & PF_FORKNOEXEC ? CHILD_DEAD_LIKE_A_TWIN : CHILD_OTHER;
	struct err *err = proc_read_status(pid, 0, &st);

	if (err) {
		err_free(err);
		return CHILD_OTHER;
	}
	/* One that is traced is another limpet's. */
	if (st.tracer || !shares_files_only(target, pid))
		return CHILD_OTHER;
	return CHILD_LIVING_TWIN;
}

/* The target's own number of a process that may be in a deeper namespace. */
static pid_t number_in(const struct proc_status *target, pid_t pid)
{
	struct proc_status s;
	struct err *err = proc_read_status(pid, 0, &s);

	if (err) {
		err_free(err);
		return 0;
	}
	if (target->ns_depth == 0 || target->ns_depth > s.ns_depth)
		return target->ns_depth ? 0 : pid;
	return s.ns_pids[target->ns_depth - 1];
}

static void consider(const struct proc_status *target, pid_t pid, enum child_kind kind,
		     struct twins *ret)
{
	if (ret->n == MAX_RESIDUE || kind_of(target->tgid, pid) != kind)
		return;
	ret->pid[ret->n] = pid;
	ret->ns_pid[ret->n] = number_in(target, pid);
	if (ret->ns_pid[ret->n] > 0)
		ret->n++;
}

/* CONFIG_PROC_CHILDREN; false when this kernel has it not. */
static bool children_of_thread(const struct proc_status *target, pid_t tid, enum child_kind kind,
			       struct twins *ret)
{
	char path[64];
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", target->tgid, tid);
	struct err *err = proc_slurp(path, 1U << 20, &text, &n);

	if (err) {
		err_free(err);
		return false;
	}
	for (char *p = text; isdigit((unsigned char)*p); p += *p == ' ')
		consider(target, (pid_t)strtol(p, &p, 10), kind, ret);
	return true;
}

static void children_by_scan(const struct proc_status *target, enum child_kind kind,
			     struct twins *ret)
{
	DIR *d = opendir("/proc");

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		if (isdigit((unsigned char)e->d_name[0]))
			consider(target, (pid_t)strtol(e->d_name, NULL, 10), kind, ret);
	closedir(d);
}

static void find_twins(pid_t target, enum child_kind kind, struct twins *ret)
{
	_cleanup_(freep) pid_t *tids = NULL;
	struct proc_status s;
	size_t n = 0, seen = 0;

	*ret = (struct twins){ 0 };
	struct err *err = proc_read_status(target, 0, &s);

	if (!err)
		err = proc_tasks(target, &tids, &n);
	if (err) {
		err_free(err);
		return;
	}
	for (size_t i = 0; i < n; i++)
		seen += children_of_thread(&s, tids[i], kind, ret);
	if (!seen && n && access("/proc/self/task/1/children", F_OK) != 0)
		children_by_scan(&s, kind, ret);
}

static bool wait_dead(pid_t pid)
{
	struct proc_stat s;

	for (uint64_t end = clock_ns() + 500 * MS; clock_ns() < end; usleep(1000))
		if (!proc_read_stat(pid, &s) || s.state == 'Z' || s.state == 'X')
			return true;
	return false;
}

/*
 * Linux 5.18 ("ptrace: Reimplement PTRACE_KILL by always sending SIGKILL"); before that the same
 * request lets a stopped twin run.
 */
static bool kernel_kills_for_tracer(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 18));
}

bool residue_kill_tracee(pid_t pid)
{
	if (!kill(pid, SIGKILL) || errno == ESRCH)
		return true;
	return kernel_kills_for_tracer() && !ptrace(PTRACE_KILL, pid, 0, 0);
}

/* One that nobody traces: when it may not be signalled, it is traced first. */
static void kill_stray(pid_t pid)
{
	if (!kill(pid, SIGKILL) || errno != EPERM)
		return;
	if (!kernel_kills_for_tracer() || ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL))
		return;
	if (residue_kill_tracee(pid))
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			;
}

unsigned residue_count(pid_t target)
{
	struct twins alive, dead;

	find_twins(target, CHILD_LIVING_TWIN, &alive);
	find_twins(target, CHILD_DEAD_TWIN, &dead);
	return alive.n + dead.n;
}

unsigned residue_unmarked(pid_t target)
{
	struct twins dead;

	find_twins(target, CHILD_DEAD_LIKE_A_TWIN, &dead);
	return dead.n;
}

void residue_kill(pid_t target)
{
	struct twins t;

	find_twins(target, CHILD_LIVING_TWIN, &t);
	for (unsigned i = 0; i < t.n; i++) {
		/* Marked before it dies, so that its zombie is known as ours. */
		proc_mark_victim(t.pid[i]);
		kill_stray(t.pid[i]);
		wait_dead(t.pid[i]);
	}
}

enum sleep { SLEEP_WELL, SLEEP_UNKNOWN, SLEEP_OTHER };

/*
 * In a futex wait first: /proc tells without stopping anyone.  Another user's needs
 * CAP_DAC_READ_SEARCH (0400): then the registers tell, when it is stopped.
 */
static enum sleep sleep_of(pid_t pid, pid_t tid)
{
	char buf[128];

	if (proc_read_small(buf, sizeof(buf), "/proc/%d/task/%d/syscall", pid, tid) <= 0)
		return SLEEP_UNKNOWN;
	return strtol(buf, NULL, 10) == SYS_futex ? SLEEP_WELL : SLEEP_OTHER;
}

static bool is_in_futex(const struct patient *p)
{
	return p->threads.n && call_nr(REGS_HOST, &p->threads.v[0].regs) == SYS_futex;
}

enum whom { WHOM_IN_FUTEX, WHOM_ANY };

/* All that can be reaped on this thread, if it is one of those that may serve. */
static void reap_on(pid_t target, pid_t tid, enum whom whom, struct twins *t, unsigned *ret_reaped)
{
	struct patient p;

	patient_init(&p, target);
	struct err *err = patient_seize_one(&p, tid);

	if (!err)
		err = patient_stop(&p, clock_ns() + 50 * MS);
	bool may = whom == WHOM_ANY || is_in_futex(&p);

	for (unsigned i = t->n; !err && may && i-- > 0;) {
		const uint64_t args[6] = { (uint64_t)t->ns_pid[i], 0, __WALL | WNOHANG };
		struct injected got = { 0 };

		err = inject_syscall(&p, SYS_wait4, args, clock_ns() + CALL_TIMEOUT_NS, &got);
		if (err || (got.result != t->ns_pid[i] && got.result != -ECHILD))
			continue;
		*ret_reaped += got.result > 0;
		t->n--;
		t->ns_pid[i] = t->ns_pid[t->n];
	}
	patient_detach(&p);
	patient_deinit(&p);
	err_free(err);
}

static bool is_same(pid_t target, uint64_t start_ticks)
{
	struct proc_stat s;

	return proc_read_stat(target, &s) && (!start_ticks || s.start_ticks == start_ticks) &&
	       s.state != 'Z' && s.state != 'X';
}

unsigned residue_reap(pid_t target, uint64_t start_ticks, pid_t own, unsigned *ret_reaped)
{
	_cleanup_(freep) pid_t *tids = NULL;
	struct twins t;
	size_t n = 0;

	*ret_reaped = 0;
	if (!is_same(target, start_ticks))
		return 0; /* init reaps for the dead */
	find_twins(target, CHILD_DEAD_TWIN, &t);
	if (own > 0 && t.n < MAX_RESIDUE) {
		bool known = false;

		for (unsigned i = 0; i < t.n; i++)
			known |= t.ns_pid[i] == own;
		if (!known)
			t.ns_pid[t.n++] = own;
	}
	if (t.n == 0)
		return 0;
	struct err *err = proc_tasks(target, &tids, &n);

	err_free(err);
	for (size_t i = 0; i < n && t.n; i++)
		if (sleep_of(target, tids[i]) != SLEEP_OTHER)
			reap_on(target, tids[i], WHOM_IN_FUTEX, &t, ret_reaped);
	for (size_t i = 0; i < n && t.n; i++)
		reap_on(target, tids[i], WHOM_ANY, &t, ret_reaped);
	return t.n;
}
