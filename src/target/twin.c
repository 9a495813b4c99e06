/*
 * twin.c - the frozen copy: one injected clone, one injected wait4.
 *
 * Knows no Go.  Cost to the target: the page-table copy (25-30 ms/GB), later a
 * page copy for each first write while the twin lives, and 0.1 ms for the reaping.
 */
#include "target/twin.h"

#include "base/clock.h"
#include "target/inject.h"
#include "target/preflight.h"
#include "target/procfs.h"
#include "target/residue.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MS 1000000ULL
/* A clone that has begun cannot be called back: wait for it whatever it costs. */
#define CALL_TIMEOUT_NS (60000 * MS)

static struct err *clone_failed(const struct patient *p, long no)
{
	if (no == EAGAIN)
		return err_new(
			ERR_LIMIT,
			"process %d may not have one more process (EAGAIN: RLIMIT_NPROC of its "
			"user, or pids.max of its cgroup); raise it, or use --freeze",
			p->pid);
	if (no == ENOMEM)
		return err_new(
			ERR_LIMIT,
			"no memory for the twin of process %d (ENOMEM: vm.overcommit_memory=2, "
			"or the limit of its cgroup); raise it, or use --freeze",
			p->pid);
	return err_os((int)no, "clone injected into process %d failed; --freeze works without it",
		      p->pid);
}

static bool is_known(const struct patient *p, pid_t tid)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p->threads.v[i].tid == tid)
			return true;
	return false;
}

/*
 * A newborn that we trace without knowing it: the program was killed in the middle of the call
 * that made it.  When we let go it would sleep for ever, with all of the program's memory.  Whoever
 * the program made itself is known: it was stopped and could make none since.
 */
static bool is_stray(const struct patient *p, pid_t pid)
{
	struct proc_status s;
	struct err *err = is_known(p, pid) ? &err_nomem : proc_read_status(pid, 0, &s);

	if (err) {
		err_free(err);
		return false;
	}
	return s.tgid == pid && s.tracer == getpid();
}

static void end_strays(const struct patient *p)
{
	DIR *d = opendir("/proc");

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		pid_t pid = (pid_t)atoi(e->d_name);

		if (pid <= 0 || !is_stray(p, pid))
			continue;
		/* Perhaps not marked yet; the zombie of a program that lives on is known by it. */
		proc_mark_victim(pid);
		if (!residue_kill_tracee(pid))
			continue;
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	closedir(d);
}

struct err *twin_make(struct patient *p, struct theatre *th)
{
	const uint64_t args[6] = { CLONE_FILES };
	struct injected got;
	struct err *err = inject_syscall(p, SYS_clone, args, clock_ns() + CALL_TIMEOUT_NS, &got);

	if (err || (got.result >= 0 && !got.newborn))
		end_strays(p);
	if (err)
		return err;
	th->fork_ns = got.took_ns;
	if (got.result < 0)
		return clone_failed(p, -got.result);
	/* For the reaping, also of one that could not be traced. */
	th->ns_twin = (pid_t)got.result;
	if (!got.newborn)
		return err_new(ERR_GONE, "the twin of process %d was killed at birth", p->pid);
	th->twin = got.newborn;
	return NULL;
}

struct err *twin_settle(struct theatre *th)
{
	int status;

	if (patient_wait(th->twin, clock_ns() + CALL_TIMEOUT_NS, &status) <= 0 ||
	    !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, th->twin, 0, PTRACE_O_EXITKILL))
		return err_new(ERR_GONE, "the twin of process %d was killed at birth", th->pid);
	return NULL;
}

static bool is_there(const struct theatre *th)
{
	struct proc_stat st;

	return proc_read_stat(th->pid, &st) && st.state != 'Z' && st.state != 'X' &&
	       (!th->start_ticks || st.start_ticks == th->start_ticks);
}

/*
 * The table of open files is shared no longer when the target replaces itself by exec, and when it
 * ends: the twin then holds what it closed, ports among it.  NULL: they share it.
 */
static const char *has_left(const struct theatre *th)
{
	if (th->own_files)
		return is_there(th) ? NULL : "the program has ended"; /* it holds none */
	long rc = syscall(SYS_kcmp, th->pid, th->twin, KCMP_FILES, 0, 0);

	if (rc == 0 || (rc < 0 && errno != ESRCH))
		return NULL; /* a kernel without kcmp says nothing */
	if (!is_there(th))
		return "the program has ended";
	return "the program replaced itself by exec";
}

static bool is_alive(pid_t twin)
{
	siginfo_t si = { 0 };

	return waitid(P_PID, (id_t)twin, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	       si.si_pid == 0;
}

bool twin_watch(struct theatre *th)
{
	const char *left;
	char why[180];

	if (!is_alive(th->twin))
		snprintf(th->why_gone, sizeof(th->why_gone),
			 "its snapshot was killed from outside (the kernel was out of memory, or a "
			 "signal to its group)");
	else if ((left = has_left(th)) != NULL)
		snprintf(th->why_gone, sizeof(th->why_gone), "its snapshot was dropped: %s", left);
	else if (!preflight_spare(&th->cgroup, th->floor_bytes, &th->spare_bytes, why,
				  sizeof(why))) {
		snprintf(th->why_gone, sizeof(th->why_gone),
			 "its snapshot was dropped early to protect it: %s", why);
		th->spared = true;
	}
	return th->why_gone[0] != '\0';
}

void twin_drop(struct theatre *th)
{
	if (!th->twin)
		return;
	atomic_store(&th->gone, 1);
	if (residue_kill_tracee(th->twin))
		while (waitpid(th->twin, NULL, __WALL) < 0 && errno == EINTR)
			;
	th->twin = 0;
}
