/*
 * regs.h - registers of one thread of an amd64 program.
 *
 * Of the program that is looked at, not of the machine that looks: a core of an
 * amd64 server can be read on an arm64 laptop.  Fields and order are those of the
 * kernel's struct user_regs_struct (arch/x86/include/asm/user_64.h), as PTRACE_GETREGS
 * gives them and NT_PRSTATUS of a core holds them (pr_reg, elf_gregset_t).
 */
#ifndef LIMPET_TARGET_REGS_H
#define LIMPET_TARGET_REGS_H

#include <stdint.h>
#include <sys/types.h>

struct target_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax; /* number of the system call, (uint64_t)-1: in none */
	uint64_t rip, cs, eflags, rsp, ss;
	uint64_t fs_base, gs_base, ds, es, fs, gs;
};

/* x87, SSE, MXCSR as FXSAVE lays them out: struct user_fpregs_struct, NT_PRFPREG of a core. */
struct target_floats {
	uint8_t fx[512];
};

/*
 * The door per architecture: regs_amd64.c and inject.c, or arch_none.c.
 * Registers of a thread in a ptrace stop; false when it is gone.
 */
_Bool regs_read(pid_t tid, struct target_regs *ret);
_Bool regs_read_floats(pid_t tid, struct target_floats *ret);

/* Why no live process can be looked at on this machine; NULL: it can. */
const char *regs_why_not_live(void);

#endif
