/*
 * regs.h - registers of one thread of the program that is looked at.
 *
 * Of that program, not of the machine that looks: a core of an arm64 server can be read on an
 * amd64 laptop, and the other way round.  Which member of the union counts is said by
 * target_arch().  Fields and order are those of the kernel's structs, as PTRACE_GETREGSET gives
 * them and NT_PRSTATUS of a core holds them (pr_reg, elf_gregset_t).
 *
 * HOW TO ADD AN ARCHITECTURE: a member here, its row in regs.c, and for live targets
 * calls_<arch>.c and regs_<arch>.c; above it goruntime/arch.c.
 */
#ifndef LIMPET_TARGET_REGS_H
#define LIMPET_TARGET_REGS_H

#include "base/addr.h"

#include <stdint.h>
#include <sys/types.h>

enum target_arch { TARGET_AMD64, TARGET_ARM64 };

/* arch/x86/include/asm/user_64.h: struct user_regs_struct */
struct regs_amd64 {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax; /* number of the system call, (uint64_t)-1: in none */
	uint64_t rip, cs, eflags, rsp, ss;
	uint64_t fs_base, gs_base, ds, es, fs, gs;
};

/* arch/arm64/include/uapi/asm/ptrace.h: struct user_pt_regs, and what other notes have */
struct regs_arm64 {
	uint64_t x[31], sp, pc, pstate;
	uint64_t tpidr; /* NT_ARM_TLS; 0 unknown */
	int64_t call;	/* NT_ARM_SYSTEM_CALL; -1: in none, or unknown */
};

struct target_regs {
	union {
		struct regs_amd64 amd64;
		struct regs_arm64 arm64;
	};
};

/* Floating point and vector registers: struct user_fpregs_struct, struct user_fpsimd_state. */
struct target_floats {
	union {
		uint8_t fxsave[512]; /* amd64: x87, SSE, MXCSR as FXSAVE lays them out */
		uint8_t fpsimd[528]; /* arm64: V0-V31, FPSR, FPCR */
	};
};

/* Sizes of what a core's notes have of the two, in front of the struct. */
struct regs_shape {
	const char *name;    /* "amd64", as GOARCH */
	uint16_t machine;    /* EM_* */
	uint32_t regs_bytes; /* of elf_gregset_t */
	uint32_t floats_bytes;
};

/* Never NULL. */
const struct regs_shape *regs_shape(enum target_arch arch);
/* False: limpet does not know that machine. */
_Bool regs_arch_of_machine(uint16_t machine, enum target_arch *ret);

taddr regs_pc(enum target_arch arch, const struct target_regs *r);
taddr regs_sp(enum target_arch arch, const struct target_regs *r);

/*
 * The door to live threads of this machine: regs_amd64.c or regs_arm64.c with inject.c and
 * twin_lend.c, or arch_none.c.  The thread is in a ptrace stop; false when it is gone.
 */
_Bool regs_read(pid_t tid, struct target_regs *ret);
_Bool regs_write(pid_t tid, const struct target_regs *r);
_Bool regs_read_floats(pid_t tid, struct target_floats *ret);

/* Of live targets, which run what this limpet runs on. */
#ifdef __aarch64__
#define REGS_HOST TARGET_ARM64
#else
#define REGS_HOST TARGET_AMD64
#endif

/* Why no live process can be looked at on this machine; NULL: it can. */
const char *regs_why_not_live(void);

#endif
