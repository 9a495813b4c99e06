/*
 * arch.h - what differs between architectures in frames, calls and code, as data.
 *
 * Of the program that is looked at.  A table like the layouts: nobody asks for a GOARCH by name.
 * HOW TO ADD ONE: a row in arch.c, a decoder detect_refs_<arch>.c, layouts for it.
 */
#ifndef LIMPET_GORUNTIME_ARCH_H
#define LIMPET_GORUNTIME_ARCH_H

#include "goruntime/goruntime.h"

/* A reference to memory in machine code. */
enum { REF_LEA = 1, REF_ACCESS = 2, REF_ANY = 3 };

struct code_ref {
	taddr to;
	uint8_t kind;
};

/*
 * All places in code[0, n), which lies at base, that name an address of data.  No disassembler:
 * false ones occur and must be outvoted.  Returns the count, at most max.
 */
typedef size_t go_code_refs(const uint8_t *code, size_t n, taddr base, struct code_ref *refs,
			    size_t max);
go_code_refs go_code_refs_amd64, go_code_refs_arm64;

/* Registers that may hold pointers, where code stood. */
struct go_arch_regs {
	taddr pc, sp, lr; /* lr: 0 where there is none */
	uint64_t ints[32];
	unsigned nints;
	/* how a thread knows what it runs, 0 where it is not so: base of its own storage; g itself
	 */
	taddr tls, g;
};

/* The kernel's struct ucontext as it lies on a signal stack; offsets. */
struct go_arch_ucontext {
	uint32_t stack_sp, stack_bytes; /* uc_stack: the signal stack as it was set */
	uint32_t regs, nregs;		/* integer registers, 8 bytes each */
	uint32_t sp, pc, lr;		/* lr: 0 none */
	uint32_t bytes;
};

struct go_arch {
	const char *name;    /* GOARCH */
	uint8_t pc_quantum;  /* sys.PCQuantum: unit of the pc tables */
	uint8_t pushed;	     /* bytes that a call pushes; 0: the return address is in a register */
	uint8_t min_frame;   /* sys.MinFrameSize: between a frame's end and its arguments */
	uint8_t faked_frame; /* what (*sigctxt).pushCall puts below a faked call; 0 none */
	uint8_t bare_frame;  /* locals up to so many bytes have no map: getStackMap's minsize */
	/* internal/abi.RegArgs: the pointers in it are words [first, first + n) */
	uint16_t reg_args_bytes;
	uint8_t reg_args_first_ptr, reg_args_nptrs;
	uint16_t xregs_bytes; /* runtime.xRegs */
	struct go_arch_ucontext uc;
	void (*regs)(const struct target_regs *r, struct go_arch_regs *ret);
	go_code_refs *code_refs;
};

const struct go_arch *go_arch(const struct go *g);

#endif
