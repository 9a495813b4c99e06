/*
 * regs_amd64.c - registers of a live thread, on amd64.
 *
 * The kernel's struct is ours, field by field: checked here, at compile time.
 */
#include "target/regs.h"

#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define SAME(field)                                                                                \
	_Static_assert(offsetof(struct regs_amd64, field) ==                                       \
			       offsetof(struct user_regs_struct, field),                           \
		       #field " lies elsewhere in struct user_regs_struct")

SAME(r15);
SAME(rbp);
SAME(r10);
SAME(rax);
SAME(rdi);
SAME(orig_rax);
SAME(rip);
SAME(rsp);
SAME(fs_base);
SAME(gs);
_Static_assert(sizeof(struct regs_amd64) == sizeof(struct user_regs_struct), "registers missing");

_Bool regs_read(pid_t tid, struct target_regs *ret)
{
	return ptrace(PTRACE_GETREGS, tid, 0, &ret->amd64) == 0;
}

_Bool regs_write(pid_t tid, const struct target_regs *r)
{
	return ptrace(PTRACE_SETREGS, tid, 0, &r->amd64) == 0;
}

_Static_assert(sizeof(((struct target_floats *)0)->fxsave) == sizeof(struct user_fpregs_struct),
	       "elf_fpregset_t of amd64");

_Bool regs_read_floats(pid_t tid, struct target_floats *ret)
{
	return ptrace(PTRACE_GETFPREGS, tid, 0, ret->fxsave) == 0;
}

const char *regs_why_not_live(void)
{
	return NULL;
}
