/*
 * calls.c - system calls in registers, on amd64 and arm64.
 *
 * An interrupted call, when the tracer looks at it:
 *
 *   amd64  arch/x86/kernel/signal.c: still in it.  rax is -ERESTART…, rip behind the instruction;
 *          registers are turned back after the stop, unless orig_rax is -1.
 *   arm64  arch/arm64/kernel/signal.c (do_signal): turned back before the stop.  pc is at the
 *          instruction, x0 the first argument again, syscallno -1; only the x8 of a
 *          restart_syscall is set after it, and only when pc was left alone.  So on arm64 a thread
 *          goes to its entry stop untouched, and there x8 says which of the two it is.
 *
 * arm64 shows the kind of stop in x7 and puts x7 back afterwards whatever the tracer writes
 * (arch/arm64/kernel/ptrace.c, report_syscall): harmless, it is never to be changed here.
 */
#include "target/calls.h"

#include "base/bytes.h"

#include <errno.h>

#define SVC_0	    0xd4000001U
#define STR_W0_SP48 0xb90033e0U
#define RET	    0xd65f03c0U

/* include/linux/errno.h: never seen by programs, only by tracers. */
enum {
	K_ERESTARTSYS = 512,
	K_ERESTARTNOINTR = 513,
	K_ERESTARTNOHAND = 514,
	K_ERESTART_RESTARTBLOCK = 516,
};

unsigned call_insn_bytes(enum target_arch arch)
{
	return arch == TARGET_ARM64 ? 4 : 2;
}

static _Bool is_insn(enum target_arch arch, const uint8_t *code)
{
	return arch == TARGET_ARM64 ? load_u32(code) == SVC_0 : code[0] == 0x0f && code[1] == 0x05;
}

size_t call_find_insn(enum target_arch arch, const uint8_t *code, size_t n)
{
	unsigned len = call_insn_bytes(arch), step = arch == TARGET_ARM64 ? 4 : 1;

	for (size_t i = 0; i + len <= n; i += step)
		if (is_insn(arch, code + i))
			return i;
	return n;
}

/* runtime.futex ends in MOVL AX, ret+40(FP); RET (runtime/sys_linux_amd64.s). */
static _Bool ends_go_futex_amd64(const uint8_t *after)
{
	static const uint8_t code[5] = { 0x89, 0x44, 0x24, 0x30, 0xc3 };

	return memcmp(after, code, sizeof(code)) == 0;
}

/* MOVW R0, ret+40(FP); RET (runtime/sys_linux_arm64.s). */
static _Bool ends_go_futex_arm64(const uint8_t *after)
{
	return load_u32(after) == STR_W0_SP48 && load_u32(after + 4) == RET;
}

static void look_amd64(const struct regs_amd64 *r, const uint8_t *code, struct call_site *ret)
{
	*ret = (struct call_site){ .nr = (long)r->orig_rax };
	if (ret->nr < 0)
		return;
	ret->where = is_insn(TARGET_AMD64, code) ? CALL_BEHIND : CALL_ODD;
	ret->insn = r->rip - 2;
	ret->go_futex = ends_go_futex_amd64(code + 2);
}

/*
 * Registers do not tell whether a thread is in a call, and need not: at the instruction it will
 * make one, right behind it has made one.
 */
static void look_arm64(const struct regs_arm64 *r, const uint8_t *code, struct call_site *ret)
{
	*ret = (struct call_site){ .nr = -1 };
	if (is_insn(TARGET_ARM64, code + 4)) {
		ret->where = CALL_BEFORE;
		ret->insn = r->pc;
		ret->go_futex = ends_go_futex_arm64(code + 8);
	} else if (is_insn(TARGET_ARM64, code)) {
		ret->where = CALL_BEHIND;
		ret->insn = r->pc - 4;
		ret->go_futex = ends_go_futex_arm64(code + 4);
	} else {
		return;
	}
	ret->nr = (long)r->x[8];
}

void call_look(enum target_arch arch, const struct target_regs *r,
	       const uint8_t code[static CALL_CODE_BYTES], struct call_site *ret)
{
	if (arch == TARGET_ARM64)
		look_arm64(&r->arm64, code, ret);
	else
		look_amd64(&r->amd64, code, ret);
}

long call_nr(enum target_arch arch, const struct target_regs *r)
{
	return (long)(arch == TARGET_ARM64 ? r->arm64.x[8] : r->amd64.orig_rax);
}

uint64_t call_arg(enum target_arch arch, const struct target_regs *r, unsigned i)
{
	const struct regs_amd64 *a = &r->amd64;
	const uint64_t amd64[] = { a->rdi, a->rsi, a->rdx, a->r10, a->r8, a->r9 };

	return arch == TARGET_ARM64 ? r->arm64.x[i] : amd64[i];
}

static void set_args(enum target_arch arch, struct target_regs *r, const uint64_t args[static 6])
{
	if (arch == TARGET_ARM64) {
		memcpy(r->arm64.x, args, 6 * sizeof(args[0]));
		return;
	}
	r->amd64.rdi = args[0];
	r->amd64.rsi = args[1];
	r->amd64.rdx = args[2];
	r->amd64.r10 = args[3];
	r->amd64.r8 = args[4];
	r->amd64.r9 = args[5];
}

struct target_regs call_go_back(enum target_arch arch, const struct target_regs *orig,
				const struct call_site *s, long harmless_nr)
{
	struct target_regs r = *orig;

	if (arch == TARGET_ARM64 && s->where != CALL_BEFORE) {
		r.arm64.pc = s->insn;
		r.arm64.x[8] = (uint64_t)harmless_nr;
		r.arm64.call = -1;
	} else if (arch == TARGET_AMD64) {
		r.amd64.rip = s->insn;
		r.amd64.rax = (uint64_t)harmless_nr;
		r.amd64.orig_rax = UINT64_MAX;
	}
	return r;
}

struct target_regs call_make(enum target_arch arch, const struct target_regs *orig,
			     const struct call_site *s, long nr, const uint64_t args[static 6])
{
	struct target_regs r = *orig;

	set_args(arch, &r, args);
	if (arch == TARGET_ARM64) {
		r.arm64.pc = s->insn + 4;
		r.arm64.call = nr;
	} else {
		r.amd64.rip = s->insn + 2;
		r.amd64.orig_rax = (uint64_t)nr;
		r.amd64.rax = (uint64_t)-ENOSYS;
	}
	return r;
}

long call_result(enum target_arch arch, const struct target_regs *r)
{
	return (long)(arch == TARGET_ARM64 ? r->arm64.x[0] : r->amd64.rax);
}

static void restart_amd64(struct regs_amd64 *r, long restart_nr)
{
	long was = (long)r->orig_rax;

	r->orig_rax = UINT64_MAX;
	if (was < 0)
		return;
	switch (-(long)r->rax) {
	case K_ERESTARTSYS:
	case K_ERESTARTNOINTR:
	case K_ERESTARTNOHAND:
		r->rax = (uint64_t)was;
		r->rip -= 2;
		break;
	case K_ERESTART_RESTARTBLOCK:
		r->rax = (uint64_t)restart_nr;
		r->rip -= 2;
		break;
	default:
		break; /* done, with its result in rax */
	}
}

struct target_regs call_restart(enum target_arch arch, const struct target_regs *orig,
				const struct call_site *s, const struct target_regs *entered,
				long restart_nr)
{
	struct target_regs r = *orig;

	if (arch == TARGET_AMD64) {
		restart_amd64(&r.amd64, restart_nr);
		return r;
	}
	r.arm64.call = -1; /* or what is in x0 could pass for the result of an interrupted call */
	if (s->where == CALL_BEFORE && entered && entered->arm64.x[8] == (uint64_t)restart_nr)
		r.arm64.x[8] = (uint64_t)restart_nr;
	return r;
}

struct target_regs call_again(enum target_arch arch, const struct target_regs *behind, long nr,
			      const uint64_t args[static 6])
{
	struct target_regs r = *behind;

	set_args(arch, &r, args);
	if (arch == TARGET_ARM64) {
		r.arm64.pc -= 4;
		r.arm64.x[8] = (uint64_t)nr;
		r.arm64.call = -1;
	} else {
		r.amd64.rip -= 2;
		r.amd64.rax = (uint64_t)nr;
		r.amd64.orig_rax = UINT64_MAX;
	}
	return r;
}
