/*
 * inject.c - one system call on a borrowed thread.
 *
 * The thread is sent back to a `syscall` instruction that is already there with a
 * harmless number (getpid); at the syscall-entry stop the number and arguments
 * become ours; at the exit stop the registers become what they were.  SINGLESTEP
 * is never used: its trap flag would outlive a killed tracer and kill the program.
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
#include "target/procfs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SYSCALL_INSN_BYTES 2
#define SYSCALL_STOP	   (SIGTRAP | 0x80)
#define NO_STACK	   8 /* below mmap_min_addr: for a child that must not run */

/* include/linux/errno.h: never seen by programs, only by tracers. */
enum {
	K_ERESTARTSYS = 512,
	K_ERESTARTNOINTR = 513,
	K_ERESTARTNOHAND = 514,
	K_ERESTART_RESTARTBLOCK = 516,
};

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
	taddr insn; /* of a syscall instruction */
	enum harm harm;
};

static bool peek(pid_t tid, taddr at, void *buf, size_t n)
{
	struct iovec to = { buf, n }, from = { (void *)(uintptr_t)at, n };

	return process_vm_readv(tid, &to, 1, &from, 1, 0) == (ssize_t)n;
}

static bool in_syscall(const struct regs_amd64 *r)
{
	return (long)r->orig_rax >= 0;
}

/* runtime.futex ends in MOVL AX, ret+40(FP); RET (runtime/sys_linux_amd64.s): its
 * callers futexsleep and futexwakeup drop the result. */
static bool is_go_futex(const uint8_t after[static 5])
{
	static const uint8_t code[5] = { 0x89, 0x44, 0x24, 0x30, 0xc3 };

	return memcmp(after, code, sizeof(code)) == 0;
}

/* FUTEX_WAIT(uaddr rdi, val rdx): nobody has woken it, and in a twin nobody will. */
static bool sleeps_on(pid_t tid, const struct regs_amd64 *r)
{
	uint32_t word = 0;

	return r->r10 == 0 && peek(tid, r->rdi, &word, sizeof(word)) && word == (uint32_t)r->rdx;
}

static enum harm harm_of_call(pid_t tid, const struct regs_amd64 *r, const uint8_t *after)
{
	switch ((long)r->orig_rax) {
	case SYS_futex:
		if (!is_go_futex(after))
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
	uint8_t code[SYSCALL_INSN_BYTES + 5] = { 0 };
	struct site s = { .t = t, .harm = HARM_UNUSABLE };

	/* A signal in hand cannot be given back after a call; mid-clone is mid-call. */
	if (t->state != PATIENT_STOPPED || t->signal || t->in_clone || t->foreign)
		return s;
	if (look == LOOK_FUTEX_ONLY && (long)t->regs.amd64.orig_rax != SYS_futex)
		return s;
	if (!in_syscall(&t->regs.amd64)) {
		if (!in_rseq(t->tid))
			s.harm = HARM_FOREIGN;
		return s;
	}
	s.insn = t->regs.amd64.rip - SYSCALL_INSN_BYTES;
	if (!peek(t->tid, s.insn, code, sizeof(code)) || code[0] != 0x0f || code[1] != 0x05)
		return s;
	s.harm = harm_of_call(t->tid, &t->regs.amd64, code + SYSCALL_INSN_BYTES);
	return s;
}

/* A syscall instruction in one mapping, 0 if none. */
static taddr scan_text(pid_t pid, struct trange r)
{
	uint8_t buf[16384];

	for (taddr at = r.start; at < r.end; at += sizeof(buf) - 1) {
		size_t n = (size_t)MIN((uint64_t)sizeof(buf), r.end - at);

		if (!peek(pid, at, buf, n))
			return 0;
		for (size_t i = 0; i + 1 < n; i++)
			if (buf[i] == 0x0f && buf[i + 1] == 0x05)
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

/*
 * The interrupted call begins anew when the thread runs: by hand, since our own
 * call stands between its interruption and its restart.
 */
static struct regs_amd64 restarting(const struct regs_amd64 *orig)
{
	struct regs_amd64 r = *orig;

	if (!in_syscall(orig))
		return r;
	switch (-(long)orig->rax) {
	case K_ERESTARTSYS:
	case K_ERESTARTNOINTR:
	case K_ERESTARTNOHAND:
		r.rax = orig->orig_rax;
		r.rip -= SYSCALL_INSN_BYTES;
		break;
	case K_ERESTART_RESTARTBLOCK:
		r.rax = SYS_restart_syscall;
		r.rip -= SYSCALL_INSN_BYTES;
		break;
	default:
		break; /* done, with its result in rax */
	}
	r.orig_rax = (unsigned long long)-1;
	return r;
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
		 * place (orig_rax too) the kernel itself decides between EINTR and restart.
		 */
		ptrace(PTRACE_SETREGS, t->tid, 0, &t->regs.amd64);
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
	struct regs_amd64 call = s.t->regs.amd64, now;
	uint64_t began = clock_ns();

	call.rip = s.insn + SYSCALL_INSN_BYTES;
	call.orig_rax = (unsigned long long)nr;
	call.rax = (unsigned long long)-ENOSYS;
	call.rdi = args[0];
	call.rsi = args[1];
	call.rdx = args[2];
	call.r10 = args[3];
	call.r8 = args[4];
	call.r9 = args[5];
	if (nr == SYS_clone && s.harm != HARM_NONE)
		call.rsi = NO_STACK;
	if (ptrace(PTRACE_SETREGS, s.t->tid, 0, &call))
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
	if (ptrace(PTRACE_GETREGS, s.t->tid, 0, &now))
		return STEP_GONE;
	ret->result = (long)now.rax;
	return STEP_CALL;
}

static enum step inject_at(struct site s, long nr, const uint64_t args[static 6], uint64_t deadline,
			   struct injected *ret)
{
	struct regs_amd64 r = s.t->regs.amd64;

	r.rip = s.insn;
	r.rax = SYS_getpid;
	r.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, s.t->tid, 0, &r))
		return STEP_GONE;
	enum step step = run_on(s.t, deadline);

	if (step != STEP_CALL)
		return step;
	for (;;) {
		step = perform(s, nr, args, deadline, ret);
		/* Gone, or a request was refused that never is: then it must not see our call's
		 * result. */
		if (step == STEP_GONE) {
			r = restarting(&s.t->regs.amd64);
			ptrace(PTRACE_SETREGS, s.t->tid, 0, &r);
		}
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
	r = restarting(&s.t->regs.amd64);
	return ptrace(PTRACE_SETREGS, s.t->tid, 0, &r) ? STEP_GONE : STEP_CALL;
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
		best.insn = find_foreign_insn(p->pid);
		if (!best.insn)
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
