/*
 * test_calls.c - injected system calls, played against a model of each kernel.
 *
 * The models are what arch/x86/kernel/signal.c with entry/common.c, and arch/arm64/kernel/signal.c
 * (do_signal) with syscall.c and ptrace.c (report_syscall), do to the registers of a thread at the
 * stops that an injection sees.  A program must see the call that was interrupted, and nothing of
 * ours; so every machine is tested on every machine.
 */
#include "target/calls.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define INSN	0x89000UL /* of the instruction that makes calls */
#define OWN	0x70000UL /* some code of the program */
#define GETPID	172
#define CLONE	220
#define RESTART 128
#define SP	0x7000UL

enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_BLOCK = 516 };

struct kernel {
	enum target_arch arch;
	struct target_regs regs;
	uint64_t orig_x0, x7, restart_at;
	long retval; /* of the interrupted call */
	bool in_call;
};

/* What the program, or the kernel for it, does next. */
struct seen {
	long nr; /* -1: goes on in its code */
	uint64_t args[6], pc, result;
};

static const uint64_t some_args[6] = { 0xc000012345, 128, 3, 0, 5, 6 };

static bool restarts(long x)
{
	return x == -ERESTARTSYS || x == -ERESTARTNOINTR || x == -ERESTARTNOHAND ||
	       x == -ERESTART_BLOCK;
}

static bool is_arm(const struct kernel *k)
{
	return k->arch == TARGET_ARM64;
}

/* A thread in a call that an interrupt of the tracer's ends with retval. */
static void interrupted(struct kernel *k, enum target_arch arch, long nr, long retval)
{
	struct regs_amd64 *a = &k->regs.amd64;
	struct regs_arm64 *r = &k->regs.arm64;

	*k = (struct kernel){ .arch = arch, .retval = retval, .in_call = true };
	if (!is_arm(k)) {
		*a = (struct regs_amd64){ .rdi = some_args[0],
					  .rsi = some_args[1],
					  .rdx = some_args[2],
					  .r10 = some_args[3],
					  .r8 = some_args[4],
					  .r9 = some_args[5],
					  .rip = INSN + 2,
					  .rax = (uint64_t)retval,
					  .orig_rax = (uint64_t)nr,
					  .rsp = SP };
		return;
	}
	for (unsigned i = 0; i < 31; i++)
		r->x[i] = 100 + i;
	memcpy(r->x, some_args, sizeof(some_args));
	r->x[8] = (uint64_t)nr;
	k->restart_at = INSN;
	r->pc = restarts(retval) ? INSN : INSN + 4;
	r->x[0] = restarts(retval) ? some_args[0] : (uint64_t)retval;
	r->sp = SP;
	r->call = -1; /* forget_syscall() */
}

/* Out of the stop that interrupted() is in, to where user code goes on. */
static void leave_signal_stop(struct kernel *k)
{
	struct regs_amd64 *a = &k->regs.amd64;
	struct regs_arm64 *r = &k->regs.arm64;

	if (is_arm(k)) {
		if (k->in_call && r->pc == k->restart_at && k->retval == -ERESTART_BLOCK)
			r->x[8] = RESTART;
		return;
	}
	if ((long)a->orig_rax < 0 || !restarts((long)a->rax))
		return;
	a->rax = (long)a->rax == -ERESTART_BLOCK ? RESTART : a->orig_rax;
	a->rip -= 2;
}

/* User code up to its next call, which must be at pc; the entry stop. */
static void enter(struct kernel *k)
{
	struct regs_amd64 *a = &k->regs.amd64;
	struct regs_arm64 *r = &k->regs.arm64;

	assert_int_equal(regs_pc(k->arch, &k->regs), INSN);
	if (is_arm(k)) {
		r->call = (int64_t)r->x[8];
		r->pc += 4;
		k->orig_x0 = r->x[0];
		k->x7 = r->x[7];
		r->x[7] = 0;
	} else {
		a->orig_rax = a->rax;
		a->rax = (uint64_t)-ENOSYS;
		a->rip += 2;
	}
}

/* The call itself, and its exit stop. */
static struct seen perform(struct kernel *k, long result)
{
	struct regs_arm64 *r = &k->regs.arm64;
	struct seen s = { .nr = is_arm(k) ? (long)r->call : (long)k->regs.amd64.orig_rax };

	for (unsigned i = 0; i < 6; i++)
		s.args[i] = call_arg(k->arch, &k->regs, i);
	if (is_arm(k)) {
		r->x[0] = (uint64_t)result;
		r->x[7] = 1;
	} else {
		k->regs.amd64.rax = (uint64_t)result;
	}
	return s;
}

/* From the exit stop on, with work pending, so that restarts are looked at. */
static struct seen go_on(struct kernel *k)
{
	struct regs_amd64 *a = &k->regs.amd64;
	struct regs_arm64 *r = &k->regs.arm64;
	struct seen s = { .nr = -1 };

	if (is_arm(k)) {
		r->x[7] = k->x7;
		if (r->call != -1 && restarts((int32_t)r->x[0])) {
			r->x[0] = k->orig_x0;
			r->pc -= 4;
		}
	} else {
		leave_signal_stop(k);
	}
	s.pc = regs_pc(k->arch, &k->regs);
	s.result = (uint64_t)call_result(k->arch, &k->regs);
	if (s.pc != INSN)
		return s;
	s.nr = is_arm(k) ? (long)r->x[8] : (long)a->rax;
	for (unsigned i = 0; i < 6; i++)
		s.args[i] = call_arg(k->arch, &k->regs, i);
	return s;
}

/* As memory has it: the instruction, and what runtime.futex ends in. */
static void code_at(enum target_arch arch, taddr at, uint8_t code[static CALL_CODE_BYTES])
{
	static const uint32_t arm[] = { 0xd4000001, 0xb90033e0, 0xd65f03c0, 0xd503201f };
	static const uint8_t x86[] = { 0x0f, 0x05, 0x89, 0x44, 0x24, 0x30, 0xc3 };
	uint8_t all[64] = { 0 };

	memcpy(all + 16, arch == TARGET_ARM64 ? (const void *)arm : x86,
	       arch == TARGET_ARM64 ? sizeof(arm) : sizeof(x86));
	memset(code, 0, CALL_CODE_BYTES);
	if (at >= INSN - 16 && at + CALL_CODE_BYTES <= INSN - 16 + sizeof(all))
		memcpy(code, all + (at - (INSN - 16)), CALL_CODE_BYTES);
}

static struct call_site look(const struct kernel *k)
{
	uint8_t code[CALL_CODE_BYTES];
	struct call_site s;

	code_at(k->arch, regs_pc(k->arch, &k->regs) - call_insn_bytes(k->arch), code);
	call_look(k->arch, &k->regs, code, &s);
	return s;
}

/* inject.c's inject_at(), with a kernel that is asked instead of ptrace. */
static struct seen inject(struct kernel *k, struct call_site s, long result)
{
	static const uint64_t args[6] = { 0x400 };
	struct target_regs orig = k->regs, entered;
	struct seen call;

	k->regs = call_go_back(k->arch, &orig, &s, GETPID);
	leave_signal_stop(k);
	enter(k);
	entered = k->regs;
	k->regs = call_make(k->arch, &orig, &s, CLONE, args);
	call = perform(k, result);
	assert_int_equal(call.nr, CLONE);
	assert_memory_equal(call.args, args, sizeof(args));
	assert_int_equal(call_result(k->arch, &k->regs), result);
	k->regs = call_restart(k->arch, &orig, &s, &entered, RESTART);
	return go_on(k);
}

#define FUTEX 98
#define SLEEP 115
#define EPOLL 22

static const struct {
	long nr, retval;
	long again; /* what is called anew; -1: it returns retval */
} cases[] = {
	{ FUTEX, -ERESTARTSYS, FUTEX },
	{ FUTEX, -ERESTARTNOINTR, FUTEX },
	{ SLEEP, -ERESTARTNOHAND, SLEEP },
	{ SLEEP, -ERESTART_BLOCK, RESTART },
	{ FUTEX, -ERESTART_BLOCK, RESTART },
	{ EPOLL, -EINTR, -1 },
	{ FUTEX, 0, -1 },
	{ FUTEX, -EAGAIN, -1 },
};

static void test_interrupted(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		enum target_arch arch = i % 2 ? TARGET_ARM64 : TARGET_AMD64;
		const long results[] = { 4711, -EAGAIN, -ERESTARTNOINTR };

		for (size_t j = 0; j < ARRAY_LEN(results); j++) {
			struct kernel k, was;
			struct seen s;

			interrupted(&k, arch, cases[i / 2].nr, cases[i / 2].retval);
			was = k;
			s = inject(&k, look(&k), results[j]);
			assert_int_equal(s.nr, cases[i / 2].again);
			if (s.nr < 0)
				assert_int_equal((long)s.result, cases[i / 2].retval);
			else
				assert_memory_equal(s.args, some_args, sizeof(some_args));
			assert_int_equal(regs_sp(arch, &k.regs), SP);
			/* what no call touches is as it was */
			if (arch == TARGET_ARM64)
				for (unsigned r = 1; r < 31; r++)
					assert_true(r == 8 ||
						    k.regs.arm64.x[r] == was.regs.arm64.x[r]);
		}
	}
}

/* In code of the program: it goes on there. */
static void test_foreign(void **state)
{
	(void)state;
	for (enum target_arch arch = TARGET_AMD64; arch <= TARGET_ARM64; arch++) {
		struct kernel k, was;
		struct call_site s;
		struct seen seen;

		interrupted(&k, arch, FUTEX, 0);
		k.in_call = false;
		if (arch == TARGET_ARM64) {
			k.regs.arm64.pc = OWN;
		} else {
			k.regs.amd64.rip = OWN;
			k.regs.amd64.orig_rax = UINT64_MAX;
		}
		was = k;
		s = look(&k);
		assert_int_equal(s.where, CALL_NOWHERE);
		s.insn = INSN;
		seen = inject(&k, s, 4711);
		assert_int_equal(seen.nr, -1);
		assert_int_equal(seen.pc, OWN);
		assert_memory_equal(&k.regs, &was.regs,
				    arch == TARGET_ARM64 ? sizeof(struct regs_arm64)
							 : sizeof(struct regs_amd64));
	}
}

/* Where a thread stands, by registers and code. */
static void test_look(void **state)
{
	struct kernel k;
	struct call_site s;

	(void)state;
	interrupted(&k, TARGET_AMD64, FUTEX, -ERESTARTSYS);
	s = look(&k);
	assert_true(s.where == CALL_BEHIND && s.insn == INSN && s.nr == FUTEX && s.go_futex);
	k.regs.amd64.rip = OWN; /* int 0x80, or another program's page */
	assert_int_equal(look(&k).where, CALL_ODD);

	interrupted(&k, TARGET_ARM64, FUTEX, -ERESTARTSYS);
	s = look(&k);
	assert_true(s.where == CALL_BEFORE && s.insn == INSN && s.nr == FUTEX && s.go_futex);
	interrupted(&k, TARGET_ARM64, FUTEX, 0);
	s = look(&k);
	assert_true(s.where == CALL_BEHIND && s.insn == INSN && s.nr == FUTEX && s.go_futex);
	k.regs.arm64.pc = INSN + 8;
	assert_int_equal(look(&k).where, CALL_NOWHERE);
}

/* The threads of a Go 1.26 program in qemu, as its core has them: pc, x8, code from pc - 4 on. */
static void test_recorded(void **state)
{
	static const struct {
		uint64_t pc, x8;
		uint32_t code[4];
		bool go_futex;
	} threads[] = {
		/* runtime.futex, in FUTEX_WAIT */
		{ 0x898e0, 98, { 0xd4000001, 0xb90033e0, 0xd65f03c0, 0 }, true },
		/* internal/runtime/syscall.Syscall6, in epoll_pwait */
		{ 0x16fc0, 22, { 0xd4000001, 0xb13ffc1f, 0x540000e3, 0x92800004 }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		struct target_regs r = { .arm64 = { .pc = threads[i].pc, .call = -1 } };
		struct call_site s;

		r.arm64.x[8] = threads[i].x8;
		call_look(TARGET_ARM64, &r, (const uint8_t *)threads[i].code, &s);
		assert_int_equal(s.where, CALL_BEHIND);
		assert_int_equal(s.insn, threads[i].pc - 4);
		assert_int_equal(s.nr, threads[i].x8);
		assert_int_equal(s.go_futex, threads[i].go_futex);
	}
}

/* A twin, born behind its clone, that opens a file. */
static void test_twin(void **state)
{
	(void)state;
	for (enum target_arch arch = TARGET_AMD64; arch <= TARGET_ARM64; arch++) {
		struct kernel k;
		struct seen s;

		interrupted(&k, arch, CLONE, 0);
		k.regs = call_again(arch, &k.regs, 56, some_args);
		leave_signal_stop(&k);
		enter(&k);
		s = perform(&k, 5);
		assert_int_equal(s.nr, 56);
		assert_memory_equal(s.args, some_args, sizeof(some_args));
		assert_int_equal(call_result(arch, &k.regs), 5);
	}
}

static void test_find(void **state)
{
	static const uint8_t amd64[] = { 0x90, 0x0f, 0x0f, 0x05, 0x0f };
	static const uint32_t arm64[] = { 0xd4000002, 0x000001d4, 0xd4000001 };

	(void)state;
	assert_int_equal(call_find_insn(TARGET_AMD64, amd64, 5), 2);
	assert_int_equal(call_find_insn(TARGET_AMD64, amd64, 3), 3);
	assert_int_equal(call_find_insn(TARGET_ARM64, (const uint8_t *)arm64, 12), 8);
	assert_int_equal(call_find_insn(TARGET_ARM64, (const uint8_t *)arm64, 11), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupted), cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_look),	    cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_twin),	    cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
