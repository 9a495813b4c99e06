/*
 * regs_arm64.c - registers of a live thread, on arm64.
 *
 * Source: arch/arm64/kernel/ptrace.c.  There is no PTRACE_GETREGS: registers, the number of the
 * system call and the thread pointer are sets of their own.  Was compiled and its structs were
 * checked, but never run on such a machine: docs/arm64.md.
 */
#include "target/regs.h"

#include "base/mem.h"

#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

_Static_assert(sizeof(struct user_regs_struct) == offsetof(struct regs_arm64, tpidr),
	       "struct user_pt_regs");
_Static_assert(offsetof(struct user_regs_struct, sp) == offsetof(struct regs_arm64, sp), "sp");
_Static_assert(offsetof(struct user_regs_struct, pc) == offsetof(struct regs_arm64, pc), "pc");
_Static_assert(sizeof(struct user_fpsimd_struct) == sizeof(((struct target_floats *)0)->fpsimd),
	       "struct user_fpsimd_state");

static _Bool get_set(pid_t tid, unsigned long set, void *buf, size_t n)
{
	struct iovec v = { buf, n };

	return ptrace(PTRACE_GETREGSET, tid, set, &v) == 0 && v.iov_len == n;
}

static _Bool put_set(pid_t tid, unsigned long set, const void *buf, size_t n)
{
	struct iovec v = { (void *)(uintptr_t)buf, n };

	return ptrace(PTRACE_SETREGSET, tid, set, &v) == 0;
}

_Bool regs_read(pid_t tid, struct target_regs *ret)
{
	struct regs_arm64 *r = &ret->arm64;
	int call = -1;

	*ret = (struct target_regs){ .arm64.call = -1 };
	if (!get_set(tid, NT_PRSTATUS, r, sizeof(struct user_regs_struct)) ||
	    !get_set(tid, NT_ARM_SYSTEM_CALL, &call, sizeof(call)))
		return 0;
	r->call = call;
	/* only shown: a kernel that gives more than one word is none to fail for */
	(void)!get_set(tid, NT_ARM_TLS, &r->tpidr, sizeof(r->tpidr));
	return 1;
}

_Bool regs_write(pid_t tid, const struct target_regs *r)
{
	int call = (int)r->arm64.call;

	return put_set(tid, NT_PRSTATUS, &r->arm64, sizeof(struct user_regs_struct)) &&
	       put_set(tid, NT_ARM_SYSTEM_CALL, &call, sizeof(call));
}

_Bool regs_read_floats(pid_t tid, struct target_floats *ret)
{
	return get_set(tid, NT_PRFPREG, ret->fpsimd, sizeof(ret->fpsimd));
}

const char *regs_why_not_live(void)
{
	return NULL;
}
