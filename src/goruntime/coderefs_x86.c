/*
 * coderefs_x86.c - lengths and operands of amd64 instructions.
 *
 * Source: Intel SDM vol. 2, 2.1 (format), 2.2.1 (REX), 2.3 (VEX), 2.7 (EVEX), appendix A (opcode
 * maps).  Knows what compilers and the runtime's assembly write; what it does not know it says is
 * none.  Of what an instruction writes it rather says too much.
 */
#include "goruntime/coderefs_x86.h"

#define NO_REG	  0xff
#define MAX_BYTES 15
#define ALL	  0xffffU

/* What follows an opcode. */
enum {
	M = 1,	/* ModRM */
	I8 = 2, /* immediate of a byte */
	IZ = 4, /* of 4 bytes, of 2 with 66 */
	IV = 8, /* of 8 bytes with REX.W, else as IZ */
	I16 = 16,
	J8 = 32, /* relative */
	J32 = 64,
	BAD = 128,
};

#define ALU   M, M, M, M, I8, IZ, BAD, BAD
#define X8(x) x, x, x, x, x, x, x, x

/* clang-format off */
static const uint8_t one[256] = {
	/* 00 */ ALU, ALU,
	/* 10 */ ALU, ALU,
	/* 20 */ ALU, ALU,
	/* 30 */ ALU, ALU,
	/* 40: REX */ X8(BAD), X8(BAD),
	/* 50 */ X8(0), X8(0),
	/* 60 */ BAD, BAD, BAD, M, BAD, BAD, BAD, BAD, IZ, M | IZ, I8, M | I8, 0, 0, 0, 0,
	/* 70 */ X8(J8), X8(J8),
	/* 80 */ M | I8, M | IZ, BAD, M | I8, M, M, M, M, X8(M),
	/* 90 */ X8(0), 0, 0, BAD, 0, 0, 0, 0, 0,
	/* a0 */ BAD, BAD, BAD, BAD, 0, 0, 0, 0, I8, IZ, 0, 0, 0, 0, 0, 0,
	/* b0 */ X8(I8), X8(IV),
	/* c0 */ M | I8, M | I8, I16, 0, BAD, BAD, M | I8, M | IZ, I16 | I8, 0, I16, 0, 0, I8, BAD, 0,
	/* d0 */ M, M, M, M, BAD, BAD, BAD, 0, X8(M),
	/* e0 */ J8, J8, J8, J8, I8, I8, I8, I8, J32, J32, BAD, J8, 0, 0, 0, 0,
	/* f0 */ BAD, 0, BAD, BAD, 0, 0, M, M, 0, 0, 0, 0, 0, 0, M, M,
};

static const uint8_t two[256] = {
	/* 00 */ M, M, M, M, BAD, 0, 0, 0, 0, 0, BAD, 0, BAD, M, 0, BAD,
	/* 10 */ X8(M), X8(M),
	/* 20 */ M, M, M, M, BAD, BAD, BAD, BAD, X8(M),
	/* 30 */ 0, 0, 0, 0, 0, 0, BAD, 0, X8(BAD),
	/* 40 */ X8(M), X8(M),
	/* 50 */ X8(M), X8(M),
	/* 60 */ X8(M), X8(M),
	/* 70 */ M | I8, M | I8, M | I8, M | I8, M, M, M, 0, X8(M),
	/* 80 */ X8(J32), X8(J32),
	/* 90 */ X8(M), X8(M),
	/* a0 */ 0, 0, 0, M, M | I8, M, BAD, BAD, 0, 0, 0, M, M | I8, M, M, M,
	/* b0 */ X8(M), M, M, M | I8, M, M, M, M, M,
	/* c0 */ M, M, M | I8, M, M | I8, M | I8, M | I8, M, X8(0),
	/* d0 */ X8(M), X8(M),
	/* e0 */ X8(M), X8(M),
	/* f0 */ X8(M), X8(M),
};
/* clang-format on */

struct cursor {
	const uint8_t *p;
	size_t n, i;
	uint8_t rex;
	bool bad;
};

static uint8_t next(struct cursor *c)
{
	if (c->i >= c->n) {
		c->bad = true;
		return 0;
	}
	return c->p[c->i++];
}

static int32_t number(struct cursor *c, size_t bytes)
{
	uint32_t x = 0;

	if (bytes > c->n - c->i) {
		c->bad = true;
		return 0;
	}
	memcpy(&x, c->p + c->i, bytes);
	c->i += bytes;
	return bytes == 1 ? (int8_t)x : (int32_t)x;
}

/* ModRM, SIB and displacement. */
static void operand(struct cursor *c, struct x86_insn *in)
{
	uint8_t modrm = next(c), rm = modrm & 7;

	in->flags |= X86_MODRM;
	in->mod = modrm >> 6;
	in->reg = (uint8_t)((modrm >> 3 & 7) | (c->rex & 4) << 1);
	in->rm = (uint8_t)(rm | (c->rex & 1) << 3);
	if (in->mod == 3)
		return;
	in->base = in->rm;
	if (rm == 4) {
		uint8_t sib = next(c);

		in->base = (uint8_t)((sib & 7) | (c->rex & 1) << 3);
		in->index = (uint8_t)((sib >> 3 & 7) | (c->rex & 2) << 2);
		if (in->index == X86_SP)
			in->index = NO_REG;
		if (!in->mod && (sib & 7) == 5) {
			in->base = NO_REG;
			in->disp = number(c, 4);
			return;
		}
	} else if (!in->mod && rm == 5) {
		in->base = NO_REG;
		in->flags |= X86_RIP;
		in->disp = number(c, 4);
		return;
	}
	if (in->mod)
		in->disp = number(c, in->mod == 1 ? 1 : 4);
}

static void immediate(struct cursor *c, struct x86_insn *in, uint8_t form)
{
	size_t z = in->flags & X86_OPSIZE ? 2 : 4;

	if (form & I16)
		number(c, 2);
	if (form & (I8 | J8))
		in->imm = number(c, 1);
	if (form & IZ)
		in->imm = number(c, z);
	if (form & J32)
		in->imm = number(c, 4);
	if (form & IV) {
		in->imm = number(c, in->wide ? 4 : z);
		if (in->wide)
			number(c, 4);
	}
	if (!(form & (J8 | J32)))
		return;
	in->flags |= in->op == 0xe8 && !in->map ? X86_CALL : X86_BRANCH;
	if (!in->map && (in->op == 0xe9 || in->op == 0xeb))
		in->flags |= X86_END;
}

/* C5, C4, 62: opcode, map and register bits of vector instructions. */
static uint8_t vector(struct cursor *c, struct x86_insn *in, uint8_t escape)
{
	uint8_t a = next(c), b = a, map = 1, form;

	if (escape != 0xc5) {
		map = a & (escape == 0x62 ? 7 : 31);
		b = next(c);
		c->rex = (uint8_t)(~a >> 5 & 7);
	} else {
		c->rex = (uint8_t)(~a >> 5 & 4);
	}
	if (escape == 0x62)
		next(c);
	in->flags |= X86_VECTOR;
	in->wide = escape != 0xc5 && b >> 7;
	in->vvvv = ~b >> 3 & 15;
	in->map = map;
	in->op = next(c);
	if (map == 1) {
		form = two[in->op];
		return in->op == 0x77 ? 0 : (form & I8) | M;
	}
	return map == 2 || map == 5 || map == 6 ? M : map == 3 ? M | I8 : BAD;
}

static uint8_t opcode(struct cursor *c, struct x86_insn *in)
{
	in->op = next(c);
	in->rm = (uint8_t)((in->op & 7) | (c->rex & 1) << 3); /* where there is no ModRM */
	if (in->op == 0x62 || in->op == 0xc4 || in->op == 0xc5)
		return vector(c, in, in->op);
	if (in->op != 0x0f)
		return one[in->op];
	in->map = 1;
	in->op = next(c);
	if (in->op != 0x38 && in->op != 0x3a)
		return two[in->op];
	in->map = in->op == 0x38 ? 2 : 3;
	in->op = next(c);
	return in->map == 2 ? M : M | I8;
}

static void prefixes(struct cursor *c, struct x86_insn *in)
{
	for (;;) {
		uint8_t b = c->i < c->n ? c->p[c->i] : 0;

		if (b == 0x66)
			in->flags |= X86_OPSIZE;
		else if (b == 0xf2 || b == 0xf3)
			in->flags |= X86_REPEAT;
		else if (b != 0xf0 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0x26 &&
			 b != 0x64 && b != 0x65)
			break;
		c->i++;
	}
	if (c->i < c->n && (c->p[c->i] & 0xf0) == 0x40)
		c->rex = c->p[c->i++];
	in->wide = c->rex & 8;
}

bool x86_decode(const uint8_t *p, size_t n, struct x86_insn *ret)
{
	struct cursor c = { .p = p, .n = n < MAX_BYTES ? n : MAX_BYTES };
	uint8_t form;

	*ret = (struct x86_insn){ .base = NO_REG, .index = NO_REG };
	prefixes(&c, ret);
	form = opcode(&c, ret);
	if (form & BAD)
		return false;
	if (form & M)
		operand(&c, ret);
	/* test r/m, imm: the only immediate that ModRM decides on */
	if (!ret->map && (ret->op & 0xfe) == 0xf6 && !(ret->reg & 6))
		form |= ret->op & 1 ? IZ : I8;
	immediate(&c, ret, form);
	if (!ret->map && (ret->op == 0xc3 || ret->op == 0xcc || ret->op == 0xc2 ||
			  (ret->op == 0xff && (ret->reg & 6) == 4)))
		ret->flags |= X86_END;
	if (ret->map == 1 && ret->op == 0x0b && !(ret->flags & X86_VECTOR))
		ret->flags |= X86_END; /* ud2 */
	ret->len = (uint8_t)c.i;
	return !c.bad;
}

static uint32_t bit(unsigned reg)
{
	return reg < 16 ? 1U << reg : 0;
}

/* The register or the place in memory that ModRM's rm names. */
static uint32_t rm_bit(const struct x86_insn *in)
{
	return in->mod == 3 ? bit(in->rm) : 0;
}

static uint32_t one_writes(const struct x86_insn *in)
{
	uint8_t op = in->op;

	if (op < 0x40) {
		if ((op & 0x38) == 0x38) /* cmp */
			return 0;
		return (op & 7) < 2 ? rm_bit(in) : (op & 7) < 4 ? bit(in->reg) : bit(X86_AX);
	}
	if (op >= 0x70 && op <= 0x7f)
		return 0;
	if (op >= 0x80 && op <= 0x83)
		return in->reg == 7 ? 0 : rm_bit(in);
	switch (op) {
	case 0x63:
	case 0x69:
	case 0x6b:
	case 0x8a:
	case 0x8b:
	case 0x8d:
		return bit(in->reg);
	case 0x88:
	case 0x89:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return rm_bit(in);
	case 0x84:
	case 0x85:
	case 0x90:
	case 0xa8:
	case 0xa9:
	case 0xc3:
	case 0xcc:
	case 0xe9:
	case 0xeb:
		return 0;
	case 0xf6:
	case 0xf7:
		return (in->reg & 6) == 0 ? 0 : rm_bit(in) | bit(X86_AX) | bit(X86_DX);
	case 0xfe:
		return rm_bit(in);
	case 0xff: /* inc, dec; call; jmp; push */
		return (in->reg & 7) < 2 ? rm_bit(in) : (in->reg & 7) < 4 ? ALL : 0;
	case 0x98:
	case 0x99:
		return bit(X86_AX) | bit(X86_DX);
	case 0xa4:
	case 0xa5:
	case 0xaa:
	case 0xab:
		return bit(X86_CX) | bit(X86_SI) | bit(X86_DI);
	default:
		if (op >= 0x50 && op <= 0x57) /* push */
			return 0;
		if ((op >= 0x58 && op <= 0x5f) || op >= 0xb0) /* pop, mov imm */
			return op <= 0xbf ? bit(in->rm) : ALL;
		return ALL;
	}
}

static uint32_t two_writes(const struct x86_insn *in)
{
	uint8_t op = in->op;

	/* moves and arithmetic of vector registers, long nops, prefetches, jumps */
	if ((op >= 0x0d && op <= 0x29) || (op >= 0x51 && op <= 0x6f && op != 0x6e) ||
	    (op >= 0x70 && op <= 0x76) || op == 0x2e || op == 0x2f || op == 0x7f ||
	    (op >= 0x80 && op <= 0x8f) || op == 0xae || op == 0xd6 || op == 0xef || op == 0x0b)
		return 0;
	if ((op >= 0x40 && op <= 0x4f) || op == 0xaf || (op >= 0xb6 && op <= 0xbf && op != 0xba))
		return bit(in->reg);
	if (op >= 0x90 && op <= 0x9f)
		return rm_bit(in);
	if (op == 0x6e || op == 0xa3) /* movq to a vector register, bt */
		return 0;
	if (op == 0x7e)
		return rm_bit(in);
	if (op == 0xa2 || op == 0x31 || op == 0x01 || op == 0x05)
		return ALL;
	return (in->flags & X86_MODRM ? bit(in->reg) | rm_bit(in) | bit(X86_AX) | bit(X86_DX)
				      : ALL);
}

uint32_t x86_writes(const struct x86_insn *in)
{
	if (in->flags & X86_VECTOR)
		return bit(in->reg) | rm_bit(in) | bit(in->vvvv) | bit(X86_DX);
	if (in->map == 0)
		return one_writes(in);
	if (in->map == 1)
		return two_writes(in);
	return bit(in->reg) | rm_bit(in);
}

bool x86_stores(const struct x86_insn *in)
{
	uint8_t op = in->op;

	if (!x86_in_memory(in))
		return false;
	if (in->map == 1)
		return op == 0x11 || op == 0x13 || op == 0x17 || op == 0x29 || op == 0x7e ||
		       op == 0x7f || op == 0xd6 || op == 0xe7 || (op >= 0x90 && op <= 0x9f) ||
		       op == 0xb0 || op == 0xb1 || op == 0xc0 || op == 0xc1 || op == 0xc7;
	if (in->map)
		return false;
	if (op < 0x38)
		return (op & 7) < 2;
	if (op >= 0x80 && op <= 0x83)
		return in->reg != 7;
	switch (op) {
	case 0x86:
	case 0x87:
	case 0x88:
	case 0x89:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return true;
	case 0xf6:
	case 0xf7:
		return (in->reg & 7) == 2 || (in->reg & 7) == 3;
	case 0xfe:
	case 0xff:
		return (in->reg & 7) < 2;
	default:
		return false;
	}
}
