/*
 * twin_lend.c - the twin opens its own memory for us, where we may trace it but not open its files.
 *
 * /proc/PID/mem and auxv are their user's alone (0600, 0400), and that is asked before
 * ptrace_may_access() is (fs/proc/base.c): CAP_SYS_PTRACE does not open them, CAP_DAC_READ_SEARCH
 * does.  But the twin may open its own, and pidfd_getfd(2) hands out descriptors of whoever may be
 * traced.  A few calls on the instruction that it was born behind; four words of its
 * stack hold a path meanwhile and are put back.  The program sees nothing of it: first of all the
 * twin gets a table of open files of its own, with none in it. Cost: some 100 us, after the program
 * runs again, and the copy of one page.
 */
#include "base/clock.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/procfs.h"
#include "target/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define TIMEOUT_NS   UINT64_C(5000000000)
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define WORDS	     4 /* of the longest path */

struct lender {
	pid_t pid;
	struct target_regs born; /* behind the clone */
	taddr at;		 /* where the path goes */
	long was[WORDS];	 /* what was there */
	uint64_t deadline;
};

/* Every other stop is a signal to its group, or job control: neither is for a twin. */
static bool to_next_call_stop(const struct lender *l)
{
	while (clock_ns() < l->deadline) {
		int status;

		if (ptrace(PTRACE_SYSCALL, l->pid, 0, 0) ||
		    patient_wait(l->pid, l->deadline, &status) <= 0 || !WIFSTOPPED(status))
			return false;
		if (WSTOPSIG(status) == SYSCALL_STOP)
			return true;
	}
	return false;
}

/* Its result as a program would see it; -ESRCH when the twin is no more. */
static long call(const struct lender *l, long nr, const uint64_t args[static 6])
{
	struct target_regs r = call_again(REGS_HOST, &l->born, nr, args);

	if (!regs_write(l->pid, &r) || !to_next_call_stop(l) || !to_next_call_stop(l) ||
	    !regs_read(l->pid, &r))
		return -ESRCH;
	return call_result(REGS_HOST, &r);
}

static bool peek(pid_t pid, taddr at, long *ret)
{
	errno = 0;
	*ret = ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)at, 0);
	return errno == 0;
}

/* PEEKDATA and not process_vm_readv: it leaves pages shared. */
static bool has_insn(const struct lender *l)
{
	unsigned n = call_insn_bytes(REGS_HOST);
	long word;

	return peek(l->pid, regs_pc(REGS_HOST, &l->born) - n, &word) &&
	       call_find_insn(REGS_HOST, (const uint8_t *)&word, n) == 0;
}

static bool put(const struct lender *l, const long word[static WORDS])
{
	for (unsigned i = 0; i < WORDS; i++)
		if (ptrace(PTRACE_POKEDATA, l->pid, (void *)(uintptr_t)(l->at + i * 8), word[i]))
			return false;
	return true;
}

static bool save(struct lender *l)
{
	for (unsigned i = 0; i < WORDS; i++)
		if (!peek(l->pid, l->at + i * 8, &l->was[i]))
			return false;
	return true;
}

/* The stack of any thread will do: what is there is put back before anybody reads. */
static bool find_place(struct lender *l, const struct theatre *th)
{
	for (size_t i = 0; i < th->nthreads; i++) {
		l->at = regs_sp(REGS_HOST, &th->threads[i].regs) & ~UINT64_C(7);
		if (save(l) && put(l, l->was))
			return true;
	}
	return false;
}

static bool put_text(const struct lender *l, const char *text)
{
	long word[WORDS] = { 0 };

	memcpy(word, text, MIN(strlen(text), sizeof(word) - 1));
	return put(l, word);
}

static long open_own(const struct lender *l, const char *path, int flags)
{
	const uint64_t args[6] = { (uint64_t)AT_FDCWD, l->at, (uint64_t)flags | O_CLOEXEC };

	return put_text(l, path) ? call(l, SYS_openat, args) : -EFAULT;
}

/* proc_mark_victim(), which may not write another user's file without CAP_DAC_OVERRIDE. */
static void mark_itself(const struct lender *l)
{
	long fd = open_own(l, "/proc/self/oom_score_adj", O_WRONLY);

	if (fd >= 0 && put_text(l, "1000"))
		call(l, SYS_write, (const uint64_t[6]){ (uint64_t)fd, l->at, 4 });
}

/* Its filter would judge these calls too. */
static bool set_options(pid_t twin)
{
	const unsigned long all = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
	struct proc_status s;
	struct err *err = proc_read_status(twin, 0, &s);

	if (err) {
		err_free(err);
		return false;
	}
	return ptrace(PTRACE_SETOPTIONS, twin, 0,
		      s.seccomp ? all | PTRACE_O_SUSPEND_SECCOMP : all) == 0;
}

static long lend(struct lender *l, struct theatre *th)
{
	long rc = call(l, SYS_close_range, (const uint64_t[6]){ 0, ~0U, CLOSE_RANGE_UNSHARE });

	if (rc < 0)
		return rc;
	th->own_files = true;
	mark_itself(l);
	rc = open_own(l, "/proc/self/mem", O_RDONLY);
	th->lent_mem = rc < 0 ? -1 : (int)rc;
	if (rc >= 0)
		th->lent_auxv = (int)MAX(open_own(l, "/proc/self/auxv", O_RDONLY), -1);
	return rc;
}

static struct err *refused(const struct theatre *th, const char *why)
{
	return err_new(ERR_DENIED,
		       "the memory of process %d opens for its own user only, and its twin could "
		       "not lend it (%s): give limpet CAP_DAC_READ_SEARCH too (Docker: --cap-add "
		       "DAC_READ_SEARCH), or run it as that user",
		       th->pid, why);
}

struct err *twin_lend(struct theatre *th)
{
	struct lender l = { .pid = th->twin, .deadline = clock_ns() + TIMEOUT_NS };

	if (!regs_read(l.pid, &l.born) || !set_options(l.pid))
		return refused(th, strerror(errno));
	if (!has_insn(&l) || !find_place(&l, th))
		return refused(th, "no place for the call");
	long rc = lend(&l, th);

	/* No memory is better than changed memory. */
	if (!put(&l, l.was) || !regs_write(l.pid, &l.born))
		rc = -ESRCH;
	if (rc == -ESRCH)
		return err_new(ERR_GONE, "the twin of process %d was killed at birth", th->pid);
	return rc < 0 ? refused(th, strerror((int)-rc)) : NULL;
}
