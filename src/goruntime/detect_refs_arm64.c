/*
 * detect_refs_arm64.c - addresses of data that arm64 code makes, followed through registers.
 *
 * cmd/internal/obj/arm64 makes an address by ADRP, which gives its page, and adds the rest in an
 * ADD or in the load or store itself.  So each register is a known address or nothing; calls make
 * all of them nothing, jumps none: what comes from elsewhere may be taken for known, and must be
 * outvoted.  Encodings: Arm ARM (DDI 0487), C4.1.  Knows no target.  O(n).
 */
#include "goruntime/arch.h"

#include "base/bytes.h"

struct state {
	taddr known[32]; /* 0: not; 31 never is, it is SP or zero */
	struct code_ref *refs;
	size_t n, max;
};

static void refer(struct state *s, taddr to, uint8_t kind)
{
	if (s->n < s->max)
		s->refs[s->n++] = (struct code_ref){ to, kind };
}

static void set(struct state *s, uint32_t reg, taddr value)
{
	if (reg != 31)
		s->known[reg] = value;
}

static uint32_t field(uint32_t insn, unsigned low, unsigned width)
{
	return insn >> low & ((1U << width) - 1);
}

static uint64_t signed_field(uint32_t insn, unsigned low, unsigned width)
{
	uint32_t up = 32 - width - low;

	return (uint64_t)((int32_t)(insn << up) >> (32 - (int)width));
}

static bool is(uint32_t insn, uint32_t mask, uint32_t value)
{
	return (insn & mask) == value;
}

/* Data processing with an immediate: ADR, ADRP, ADD; all others only end what was known. */
static void immediate(struct state *s, uint32_t insn, taddr pc)
{
	uint64_t rel = signed_field(insn, 5, 19) << 2 | field(insn, 29, 2);
	taddr base = s->known[field(insn, 5, 5)], to = 0;
	uint32_t rd = field(insn, 0, 5);

	if (is(insn, 0x9f000000, 0x90000000)) { /* ADRP */
		set(s, rd, (pc & ~(taddr)0xfff) + (rel << 12));
		return;
	}
	if (is(insn, 0x9f000000, 0x10000000)) /* ADR */
		to = pc + rel;
	else if (is(insn, 0xff800000, 0x91000000) && base) /* ADD Xd, Xn, #imm{, LSL #12} */
		to = base + ((uint64_t)field(insn, 10, 12) << (insn & 1U << 22 ? 12 : 0));
	if (to)
		refer(s, to, REF_LEA);
	set(s, rd, to);
}

static void registers(struct state *s, uint32_t insn)
{
	taddr value = 0;

	if (is(insn, 0xffe0ffe0, 0xaa0003e0)) /* MOV Xd, Xm */
		value = s->known[field(insn, 16, 5)];
	set(s, field(insn, 0, 5), value);
}

/* log2 of the bytes that are moved. */
static unsigned scale_of(uint32_t insn)
{
	bool vector = insn & 1U << 26;

	if (is(insn, 0x3a000000, 0x28000000)) /* a pair */
		return vector ? 2 + field(insn, 30, 2) : 2 + field(insn, 31, 1);
	return vector && insn & 1U << 23 ? 4 : field(insn, 30, 2);
}

/* Offset from the base register; false: not a number in the instruction. */
static bool offset_of(uint32_t insn, uint64_t *ret)
{
	*ret = 0;
	if (is(insn, 0x3b000000, 0x39000000)) { /* unsigned offset */
		*ret = (uint64_t)field(insn, 10, 12) << scale_of(insn);
		return true;
	}
	if (is(insn, 0x3a000000, 0x28000000)) { /* a pair; mode 1: the base, then moved */
		if (field(insn, 23, 2) != 1)
			*ret = signed_field(insn, 15, 7) << scale_of(insn);
		return true;
	}
	if (is(insn, 0x3b200000, 0x38000000)) { /* unscaled, post- and pre-indexed */
		if (field(insn, 10, 2) != 1)
			*ret = signed_field(insn, 12, 9);
		return true;
	}
	/* an index in a register; all others (exclusive, ordered, atomic, vectors) go by the base
	 */
	return !is(insn, 0x3b200c00, 0x38200800);
}

/* Is the register in bits 0..4 written?  Of the forms with an immediate and of pairs. */
static bool loads(uint32_t insn)
{
	if (insn & 1U << 26)
		return false;
	if (is(insn, 0x3a000000, 0x28000000))
		return insn & 1U << 22;
	return insn & 3U << 22;
}

static void memory(struct state *s, uint32_t insn, taddr pc)
{
	taddr base = s->known[field(insn, 5, 5)];
	bool pair = is(insn, 0x3a000000, 0x28000000);
	uint64_t off;

	if (is(insn, 0x3b000000, 0x18000000)) { /* LDR of a literal */
		refer(s, pc + (signed_field(insn, 5, 19) << 2), REF_ACCESS);
	} else if (base && offset_of(insn, &off)) {
		refer(s, base + off, REF_ACCESS);
		if (pair)
			refer(s, base + off + (1ULL << scale_of(insn)), REF_ACCESS);
	}
	if (!loads(insn))
		return;
	set(s, field(insn, 0, 5), 0);
	if (pair)
		set(s, field(insn, 10, 5), 0);
}

size_t go_code_refs_arm64(const uint8_t *code, size_t n, taddr base, struct code_ref *refs,
			  size_t max)
{
	struct state s = { .refs = refs, .max = max };

	for (size_t i = 0; i + 4 <= n && s.n < max; i += 4) {
		uint32_t insn = load_u32(code + i);

		if (is(insn, 0x1c000000, 0x10000000))
			immediate(&s, insn, base + i);
		else if (is(insn, 0x0e000000, 0x0a000000))
			registers(&s, insn);
		else if (is(insn, 0x0a000000, 0x08000000))
			memory(&s, insn, base + i);
		else if (is(insn, 0xfc000000, 0x94000000) || is(insn, 0xfffffc1f, 0xd63f0000))
			memset(s.known, 0, sizeof(s.known)); /* BL, BLR: no register survives */
	}
	return s.n;
}
