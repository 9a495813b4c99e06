/*
 * twin.c - the frozen copy: one injected clone, one injected wait4.
 *
 * Knows no Go.  Cost to the target: the page-table copy (25-30 ms/GB), later a
 * page copy for each first write while the twin lives, and 0.1 ms for the reaping.
 */
#include "target/twin.h"

#include "base/clock.h"
#include "target/inject.h"
#include "target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
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

static void first_victim(pid_t twin)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", twin);
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1000", 4) != 4)
		return; /* raising is always allowed; if not, we did what we could */
}

struct err *twin_make(struct patient *p, struct theatre *th)
{
	const uint64_t args[6] = { CLONE_FILES };
	struct injected got;
	struct err *err = inject_syscall(p, SYS_clone, args, clock_ns() + CALL_TIMEOUT_NS, &got);

	if (err)
		return err;
	th->fork_ns = got.took_ns;
	if (got.result < 0)
		return clone_failed(p, -got.result);
	if (!got.newborn)
		return err_new(ERR_GONE, "the twin of process %d was killed at birth", p->pid);
	th->twin = got.newborn;
	th->ns_twin = (pid_t)got.result;
	first_victim(th->twin);
	return NULL;
}

bool twin_watch(struct theatre *th)
{
	siginfo_t si = { 0 };

	if (waitid(P_PID, (id_t)th->twin, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	    si.si_pid == 0)
		return false;
	snprintf(th->why_gone, sizeof(th->why_gone),
		 "the twin was killed from outside (out of memory, or a signal to its group)");
	return true;
}

void twin_drop(struct theatre *th)
{
	if (!th->twin)
		return;
	atomic_store(&th->gone, 1);
	kill(th->twin, SIGKILL);
	while (waitpid(th->twin, NULL, __WALL) < 0 && errno == EINTR)
		;
	th->twin = 0;
}

/* Threads in a futex wait first: /proc tells without stopping anyone. */
static bool sleeps_well(pid_t pid, pid_t tid)
{
	char buf[128];

	return proc_read_small(buf, sizeof(buf), "/proc/%d/task/%d/syscall", pid, tid) > 0 &&
	       strncmp(buf, "202 ", 4) == 0;
}

static bool reap_on(pid_t target, pid_t tid, pid_t ns_twin)
{
	const uint64_t args[6] = { (uint64_t)ns_twin, 0, __WALL | WNOHANG };
	struct patient p;
	struct injected got = { .result = -1 };

	patient_init(&p, target);
	struct err *err = patient_seize_one(&p, tid);

	if (!err)
		err = patient_stop(&p, clock_ns() + 50 * MS);
	if (!err)
		err = inject_syscall(&p, SYS_wait4, args, clock_ns() + CALL_TIMEOUT_NS, &got);
	patient_detach(&p);
	patient_deinit(&p);
	bool done = !err && (got.result == ns_twin || got.result == -ECHILD);

	err_free(err);
	return done;
}

bool twin_reap(pid_t target, pid_t ns_twin)
{
	_cleanup_(freep) pid_t *tids = NULL;
	size_t n = 0;

	if (ns_twin <= 0)
		return true;
	struct err *err = proc_tasks(target, &tids, &n);

	if (err) {
		err_free(err); /* gone: init reaps */
		return true;
	}
	for (unsigned well = 2; well-- > 0;)
		for (size_t i = 0; i < n; i++)
			if (sleeps_well(target, tids[i]) == (well == 1) &&
			    reap_on(target, tids[i], ns_twin))
				return true;
	return false;
}
