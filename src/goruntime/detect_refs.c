/*
 * detect_refs.c - rip-relative operands in amd64 code, by pattern.
 *
 * Every byte is tried as an opcode; what counts is ModRM mod=00 rm=101 and the length of the
 * immediate behind the displacement (Intel SDM vol. 2, 2.1.3 and 2.2.1.6).  A prefix or REX byte
 * before the opcode changes neither target nor length.  Knows no target.  O(n).
 */
#include "goruntime/arch.h"

#include "base/bytes.h"

/* Bytes of immediate after the displacement of a one-byte opcode; -1: has no ModRM operand. */
static int one_byte(uint8_t op, uint8_t modrm)
{
	switch (op) {
	case 0x80:
	case 0x83:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0x6b:
		return 1;
	case 0x81:
	case 0xc7:
	case 0x69:
		return 4;
	case 0xf6:
		return (modrm & 0x38) ? 0 : 1;
	case 0xf7:
		return (modrm & 0x38) ? 0 : 4;
	case 0x63:
	case 0xfe:
	case 0xff:
		return 0;
	default:
		if (op >= 0x84 && op <= 0x8d)
			return 0;
		/* add, or, adc, sbb, and, sub, xor, cmp with ModRM */
		return op < 0x40 && (op & 7) < 4 ? 0 : -1;
	}
}

/* The same for 0F xx. */
static int two_byte(uint8_t op)
{
	switch (op) {
	case 0xba: /* bt imm8 */
	case 0xa4:
	case 0xac:
	case 0xc2:
	case 0xc6:
		return 1;
	default:
		if ((op >= 0x10 && op <= 0x17) || (op >= 0x28 && op <= 0x2f) ||
		    (op >= 0x40 && op <= 0x7f && op != 0x77) || op >= 0x90)
			return op >= 0xc8 && op <= 0xcf ? -1 : 0;
		return -1;
	}
}

static bool rip_modrm(uint8_t modrm)
{
	return (modrm & 0xc7) == 0x05;
}

/* Opcode at p[i]; sets the index of ModRM. */
static int immediate(const uint8_t *p, size_t i, size_t n, size_t *ret_modrm)
{
	if (p[i] == 0x0f) {
		if (i + 3 > n || !rip_modrm(p[i + 2]))
			return -1;
		*ret_modrm = i + 2;
		return two_byte(p[i + 1]);
	}
	if (!rip_modrm(p[i + 1]))
		return -1;
	*ret_modrm = i + 1;
	return one_byte(p[i], p[i + 1]);
}

/* 66 before the opcode (and its REX) makes a 4-byte immediate one of 2. */
static bool operand16(const uint8_t *p, size_t i)
{
	if (i && (p[i - 1] & 0xf0) == 0x40)
		i--;
	return i && p[i - 1] == 0x66;
}

size_t go_code_refs_amd64(const uint8_t *code, size_t n, taddr base, struct code_ref *refs,
			  size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i + 6 <= n && count < max; i++) {
		size_t modrm = 0, next;
		int imm = immediate(code, i, n, &modrm);

		if (imm < 0 || modrm + 5 > n)
			continue;
		if (imm == 4 && operand16(code, i))
			imm = 2;
		next = modrm + 5 + (size_t)imm;
		refs[count++] = (struct code_ref){
			.to = base + next + (uint64_t)(int64_t)(int32_t)load_u32(code + modrm + 1),
			.kind = code[i] == 0x8d ? REF_LEA : REF_ACCESS,
		};
	}
	return count;
}
