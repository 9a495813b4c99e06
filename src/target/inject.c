/*
 * inject.c - one system call on a borrowed thread.
 *
 * The thread is sent back to an instruction that makes system calls and is already there, with a
 * harmless number (getpid); at the syscall-entry stop the number and arguments
 * become ours; at the exit stop the registers become what they were.  SINGLESTEP
 * is never used: its trap flag would outlive a killed tracer and kill the program.
 * What that is in registers: calls.c.
 *
 * If the tracer is killed between those stops, the kernel lets the thread run on
 * with what it has.  Therefore the threads are tried in the order of harm: a Go
 * thread parked in futex(2) takes any result for a spurious wakeup, and so does
 * the twin, which then sleeps for ever instead of running the program twice.  A twin
 * of any other thread is born with a stack that faults at its first use.
 * Cost: three stops, some 30 us, and the call itself.
 */
#include "target/inject.h"

#include "base/clock.h"
#include "target/calls.h"
#include "target/procfs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SYSCALL_STOP	 (SIGTRAP | 0x80)
#define NO_STACK	 16  /* below mmap_min_addr: for a child that must not run */
#define K_ERESTARTNOINTR 513 /* include/linux/errno.h: never seen by programs, only by tracers */

/* Lower is better: what happens if we are killed in mid-injection. */
enum harm {
	HARM_NONE,    /* Go's futex wait without a timeout: a spurious wakeup */
	HARM_TIMED,   /* the same with a timeout: an early one */
	HARM_SLEEP,   /* nanosleep and the like: cut short */
	HARM_RESULT,  /* the caller sees a wrong result */
	HARM_FOREIGN, /* in user code: it would go on elsewhere */
	HARM_UNUSABLE,
};

struct site {
	struct patient_thread *t;
	struct call_site at;
	enum harm harm;
};

/* Code may end with its page. */
static void peek_some(pid_t tid, taddr at, void *buf, size_t n)
{
	struct iovec to = { buf, n };
	struct iovec from[2] = { { (void *)(uintptr_t)at, n / 2 },
				 { (void *)(uintptr_t)(at + n / 2), n - n / 2 } };

	(void)!process_vm_readv(tid, &to, 1, from, 2, 0);
}

static bool peek(pid_t tid, taddr at, void *buf, size_t n)
{
	struct iovec to = { buf, n }, from = { (void *)(uintptr_t)at, n };

	return process_vm_readv(tid, &to, 1, &from, 1, 0) == (ssize_t)n;
}

/* FUTEX_WAIT(uaddr, op, val, timeout): nobody has woken it, and in a twin nobody will. */
static bool sleeps_on(pid_t tid, const struct target_regs *r)
{
	uint32_t word = 0;

	return call_arg(REGS_HOST, r, 3) == 0 &&
	       peek(tid, call_arg(REGS_HOST, r, 0), &word, sizeof(word)) &&
	       word == (uint32_t)call_arg(REGS_HOST, r, 2);
}

/* The callers of runtime.futex, futexsleep and futexwakeup, drop the result. */
static enum harm harm_of_call(pid_t tid, const struct target_regs *r, const struct call_site *at)
{
	switch (at->nr) {
	case SYS_futex:
		if (!at->go_futex)
			return HARM_RESULT;
		return sleeps_on(tid, r) ? HARM_NONE : HARM_TIMED;
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
		return HARM_SLEEP;
	default:
		return HARM_RESULT;
	}
}

/* A thread inside a restartable sequence: the kernel would forget to abort it. */
static bool in_rseq(pid_t tid)
{
#ifdef PTRACE_GET_RSEQ_CONFIGURATION
	struct __ptrace_rseq_configuration c = { 0 };
	uint64_t cs = 0;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(c), &c) <= 0 || !c.rseq_abi_pointer)
		return false;
	/* struct rseq (linux/rseq.h): rseq_cs at 8. */
	return !peek(tid, c.rseq_abi_pointer + 8, &cs, sizeof(cs)) || cs != 0;
#else
	(void)tid;
	return false;
#endif
}

/* Reading the code of each of hundreds of threads would cost more than the call. */
enum look { LOOK_FUTEX_ONLY, LOOK_ALL };

static struct site site_of(struct patient_thread *t, enum look look)
{
	const unsigned back = call_insn_bytes(REGS_HOST);
	uint8_t code[CALL_CODE_BYTES] = { 0 };
	struct site s = { .t = t, .harm = HARM_UNUSABLE };

	/* A signal in hand cannot be given back after a call; mid-clone is mid-call. */
	if (t->state != PATIENT_STOPPED || t->signal || t->in_clone || t->foreign)
		return s;
	if (look == LOOK_FUTEX_ONLY && call_nr(REGS_HOST, &t->regs) != SYS_futex)
		return s;
	/* What cannot be read is no instruction. */
	peek_some(t->tid, regs_pc(REGS_HOST, &t->regs) - back, code, sizeof(code));
	call_look(REGS_HOST, &t->regs, code, &s.at);
	if (s.at.where == CALL_NOWHERE)
		s.harm = in_rseq(t->tid) ? HARM_UNUSABLE : HARM_FOREIGN;
	else if (s.at.where != CALL_ODD)
		s.harm = harm_of_call(t->tid, &t->regs, &s.at);
	return s;
}

/* A syscall instruction in one mapping, 0 if none. */
static taddr scan_text(pid_t pid, struct trange r)
{
	uint8_t buf[16384];

	/* neighbouring pieces share what an instruction may straddle */
	for (taddr at = r.start; at < r.end; at += sizeof(buf) - 4) {
		size_t n = (size_t)MIN((uint64_t)sizeof(buf), r.end - at), i;

		if (!peek(pid, at, buf, n))
			return 0;
		i = call_find_insn(REGS_HOST, buf, n);
		if (i < n)
			return at + i;
	}
	return 0;
}

/* Any syscall instruction that the program may execute: the vdso's, else its own. */
static taddr find_foreign_insn(pid_t pid)
{
	char path[64];
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) struct target_region *maps = NULL;
	size_t n = 0, nmaps = 0;
	taddr at = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	struct err *err = proc_slurp(path, SIZE_MAX, &text, &n);

	if (!err)
		err = proc_parse_maps(text, &maps, &nmaps);
	if (err) {
		err_free(err);
		return 0;
	}
	for (size_t i = nmaps; i-- > 0 && !at;)
		if (maps[i].prot & REGION_EXEC && maps[i].prot & REGION_READ &&
		    strcmp(maps[i].path, "[vsyscall]") != 0)
			at = scan_text(pid, maps[i].range);
	return at;
}

enum step { STEP_CALL, STEP_EVENT, STEP_RETRY, STEP_GONE, STEP_LATE };

/*
 * Run to the next stop that belongs to our call.  STEP_RETRY: a signal came first;
 * it is in hand now, the thread as it was, and another thread must serve.
 */
static enum step run_on(struct patient_thread *t, uint64_t deadline)
{
	for (;;) {
		int status;

		if (ptrace(PTRACE_SYSCALL, t->tid, 0, 0))
			return STEP_GONE;
		pid_t got = patient_wait(t->tid, deadline, &status);

		if (got == 0)
			return STEP_LATE;
		if (got < 0 || !WIFSTOPPED(status))
			return STEP_GONE;
		unsigned event = (unsigned)status >> 16;

		if (event == PTRACE_EVENT_STOP) {
			/* Our own interrupt, or job control: neither is for the call. */
			int sig = WSTOPSIG(status);

			t->group_stop = sig != SIGTRAP;
			continue;
		}
		if (event)
			return STEP_EVENT;
		if (WSTOPSIG(status) == SYSCALL_STOP)
			return STEP_CALL;
		/*
		 * Signal-delivery stop.  With the registers of the interrupted call back in
		 * place (its number too) the kernel itself decides between EINTR and restart.
		 */
		regs_write(t->tid, &t->regs);
		t->signal = WSTOPSIG(status);
		return STEP_RETRY;
	}
}

static bool is_filtered(pid_t pid, pid_t tid)
{
	struct proc_status s;
	struct err *err = proc_read_status(pid, tid, &s);

	if (err) {
		err_free(err);
		return true;
	}
	return s.seccomp != 0;
}

static bool suspend_seccomp(const struct patient_thread *t)
{
	return ptrace(PTRACE_SETOPTIONS, t->tid, 0,
		      PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD |
			      PTRACE_O_SUSPEND_SECCOMP) == 0;
}

/*
 * Traced from birth, never run.  The mark comes before all else: whatever becomes
 * of us, its zombie is known as ours by it.
 */
static pid_t newborn_of(pid_t mother)
{
	unsigned long msg = 0;

	if (ptrace(PTRACE_GETEVENTMSG, mother, 0, &msg) || !msg)
		return 0;
	proc_mark_victim((pid_t)msg);
	return (pid_t)msg;
}

/* From the entry stop to the exit stop. */
static enum step perform(struct site s, long nr, const uint64_t args[static 6], uint64_t deadline,
			 struct injected *ret)
{
	uint64_t a[6] = { args[0], args[1], args[2], args[3], args[4], args[5] };
	struct target_regs r;
	uint64_t began = clock_ns();

	/* clone(flags, stack, …) on all machines; what differs comes behind */
	if (nr == SYS_clone && s.harm != HARM_NONE)
		a[1] = NO_STACK;
	r = call_make(REGS_HOST, &s.t->regs, &s.at, nr, a);
	if (!regs_write(s.t->tid, &r))
		return STEP_GONE;
	enum step step = run_on(s.t, deadline);

	if (step == STEP_EVENT) {
		ret->took_ns = clock_ns() - began;
		ret->newborn = newborn_of(s.t->tid);
		step = run_on(s.t, deadline);
	}
	if (step != STEP_CALL)
		return step;
	if (!ret->took_ns)
		ret->took_ns = clock_ns() - began;
	if (!regs_read(s.t->tid, &r))
		return STEP_GONE;
	ret->result = call_result(REGS_HOST, &r);
	return STEP_CALL;
}

static enum step put_back(struct site s, const struct target_regs *entered)
{
	struct target_regs r =
		call_restart(REGS_HOST, &s.t->regs, &s.at, entered, SYS_restart_syscall);

	return regs_write(s.t->tid, &r) ? STEP_CALL : STEP_GONE;
}

static enum step inject_at(struct site s, long nr, const uint64_t args[static 6], uint64_t deadline,
			   struct injected *ret)
{
	struct target_regs r = call_go_back(REGS_HOST, &s.t->regs, &s.at, SYS_getpid), entered;

	if (!regs_write(s.t->tid, &r))
		return STEP_GONE;
	enum step step = run_on(s.t, deadline);

	if (step != STEP_CALL)
		return step;
	if (!regs_read(s.t->tid, &entered))
		return STEP_GONE;
	for (;;) {
		step = perform(s, nr, args, deadline, ret);
		/* Gone, or a request was refused that never is: then it must not see our call's
		 * result. */
		if (step == STEP_GONE)
			(void)!put_back(s, &entered);
		if (step != STEP_CALL)
			return step;
		if (ret->result != -K_ERESTARTNOINTR)
			break;
		/* clone(2) refuses while a signal is pending: fetch that one, or, if it was
		 * only an interrupt of ours, get to where the kernel enters anew. */
		step = run_on(s.t, deadline);
		if (step != STEP_CALL)
			return step;
	}
	return put_back(s, &entered);
}

static struct site best_site(struct patient *p)
{
	struct site best = { .harm = HARM_UNUSABLE };

	for (enum look look = LOOK_FUTEX_ONLY; look <= LOOK_ALL && best.harm > HARM_TIMED; look++)
		for (size_t i = 0; i < p->threads.n && best.harm != HARM_NONE; i++) {
			struct site s = site_of(&p->threads.v[i], look);

			if (s.harm < best.harm)
				best = s;
		}
	if (best.harm == HARM_FOREIGN) {
		best.at.insn = find_foreign_insn(p->pid);
		if (!best.at.insn)
			best.harm = HARM_UNUSABLE;
	}
	return best;
}

struct err *inject_syscall(struct patient *p, long nr, const uint64_t args[static 6],
			   uint64_t deadline, struct injected *ret)
{
	for (;;) {
		struct injected got = { 0 };
		struct site s = best_site(p);

		if (s.harm == HARM_UNUSABLE)
			return err_new(
				ERR_LIMIT,
				"no thread of process %d can be borrowed for a call right now "
				"(signals under way on all of them); it runs on, try again",
				p->pid);
		if (is_filtered(p->pid, s.t->tid) && !suspend_seccomp(s.t))
			return err_unsupported(
				"process %d has a seccomp filter that would judge the injected call, "
				"and only CAP_SYS_ADMIN may suspend it: run as root, or use --freeze",
				p->pid);
		switch (inject_at(s, nr, args, deadline, &got)) {
		case STEP_CALL:
			*ret = got;
			return NULL;
		case STEP_RETRY:
			continue;
		case STEP_GONE:
			s.t->state = PATIENT_GONE;
			return err_new(ERR_GONE, "process %d exited while it was stopped", p->pid);
		default:
			return err_new(ERR_LIMIT,
				       "process %d: the injected call did not return in time",
				       p->pid);
		}
	}
}
