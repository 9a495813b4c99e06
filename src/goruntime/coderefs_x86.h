/*
 * coderefs_x86.h - one amd64 instruction: how long it is, what it refers to, what it writes.
 *
 * Not a disassembler: lengths, operands in memory, branches, and which general registers may have
 * changed afterwards.  Private to coderefs*.c.
 */
#ifndef LIMPET_GORUNTIME_CODEREFS_X86_H
#define LIMPET_GORUNTIME_CODEREFS_X86_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum { X86_AX, X86_CX, X86_DX, X86_BX, X86_SP, X86_BP, X86_SI, X86_DI };

enum {
	X86_MODRM = 1,
	X86_RIP = 2,	 /* the operand in memory is at the next instruction's address + disp */
	X86_OPSIZE = 4,	 /* 66 */
	X86_REPEAT = 8,	 /* F2, F3 */
	X86_VECTOR = 16, /* VEX, EVEX */
	X86_BRANCH = 32, /* goes on at the next instruction's address + imm, also */
	X86_CALL = 64,	 /* the same, and comes back */
	X86_END = 128,	 /* does not go on behind itself */
};

struct x86_insn {
	uint8_t len;
	uint8_t map; /* 0 one-byte opcodes, 1: 0F, 2: 0F38, 3: 0F3A */
	uint8_t op;
	uint8_t flags;	      /* X86_* */
	uint8_t mod, reg, rm; /* reg, rm with their REX bits; of X86_MODRM */
	uint8_t base, index;  /* of the operand in memory; 0xff none */
	uint8_t vvvv;	      /* third operand of X86_VECTOR */
	bool wide;	      /* REX.W */
	int32_t disp, imm;
};

/* The instruction at p[0, n); false: there is none, or it is cut. */
bool x86_decode(const uint8_t *p, size_t n, struct x86_insn *ret);

/* Registers (bit r) that may have another value afterwards; SP is not looked after. */
uint32_t x86_writes(const struct x86_insn *in);

/* It changes its operand in memory. */
bool x86_stores(const struct x86_insn *in);

static inline bool x86_in_memory(const struct x86_insn *in)
{
	return (in->flags & X86_MODRM) && in->mod != 3;
}

#endif
