/*
 * arch.c - the table of architectures.
 *
 * Source: internal/goarch/goarch_*.go, runtime/traceback.go and stkframe.go (what asks for usesLR
 * and MinFrameSize), internal/abi/abi_*.go (RegArgs), runtime/preempt_*.go (xRegs), the kernel's
 * struct ucontext (arch/.../include/uapi/asm/{sigcontext,ucontext}.h).
 */
#include "goruntime/arch.h"

static void regs_of_amd64(const struct target_regs *regs, struct go_arch_regs *ret)
{
	const struct regs_amd64 *r = &regs->amd64;
	const uint64_t ints[] = { r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
				  r->rdi, r->rsi, r->rbp, r->rbx, r->rdx, r->rax, r->rcx };

	*ret = (struct go_arch_regs){
		.pc = r->rip, .sp = r->rsp, .nints = ARRAY_LEN(ints), .tls = r->fs_base
	};
	memcpy(ret->ints, ints, sizeof(ints));
}

/* asm_arm64.s: R28 is g, also on the system stack. */
static void regs_of_arm64(const struct target_regs *regs, struct go_arch_regs *ret)
{
	const struct regs_arm64 *r = &regs->arm64;

	*ret = (struct go_arch_regs){
		.pc = r->pc, .sp = r->sp, .lr = r->x[30], .nints = ARRAY_LEN(r->x), .g = r->x[28]
	};
	memcpy(ret->ints, r->x, sizeof(r->x));
}

static const struct go_arch archs[] = {
	[TARGET_AMD64] = {
		.name = "amd64",
		.pc_quantum = 1,
		.pushed = 8,
		/* Ints [9]uintptr, Floats [15]uint64, Ptrs [9]unsafe.Pointer, a bitmap */
		.reg_args_bytes = 272,
		.reg_args_first_ptr = 24,
		.reg_args_nptrs = 9,
		.xregs_bytes = 32 * 64 + 8 * 8, /* Z0-Z31, K0-K7 */
		/* r8 .. r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, then rsp, rip */
		.uc = { 16, 32, 40, 15, 160, 168, 0, 176 },
		.regs = regs_of_amd64,
		.code_refs = go_code_refs_amd64,
	},
	[TARGET_ARM64] = {
		.name = "arm64",
		.pc_quantum = 4,
		.min_frame = 8,
		.faked_frame = 16, /* alignUp(sys.MinFrameSize, sys.StackAlign) */
		.bare_frame = 16,
		/* Ints [16]uintptr, Floats [16]uint64, Ptrs [16]unsafe.Pointer, a bitmap */
		.reg_args_bytes = 392,
		.reg_args_first_ptr = 32,
		.reg_args_nptrs = 16,
		.xregs_bytes = 32 * 16, /* V0-V31 */
		/* uc_sigmask fills 128 bytes; fault_address, x0 .. x30, sp, pc from 176 on */
		.uc = { 16, 32, 184, 31, 432, 440, 184 + 30 * 8, 448 },
		.regs = regs_of_arm64,
		.code_refs = go_code_refs_arm64,
	},
};

const struct go_arch *go_arch(const struct go *g)
{
	return &archs[target_arch(g->t)];
}
