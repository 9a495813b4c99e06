/*
 * dwarf_loc.c - where a variable is, from the few operations that Go's compiler writes.
 *
 * Blocks are decoded by hand: elfutils' dwarf_getlocation refuses the DW_FORM_block1 that Go
 * writes in DWARF 4 as well as in 5.  Location lists are libdw's.  An operation that is not
 * known means "nowhere".  Source: cmd/compile/internal/dwarfgen, cmd/compile/internal/ssa/debug.go.
 */
#include "elf/dwarf_priv.h"

#include "base/bytes.h"

#define MAX_OPS 64

static int64_t sleb(struct bytes *b)
{
	uint64_t x = 0;
	unsigned shift = 0;
	uint8_t c;

	do {
		c = bytes_u8(b);
		if (shift < 64)
			x |= (uint64_t)(c & 0x7f) << shift;
		shift += 7;
	} while ((c & 0x80) && shift < 70);
	if (shift < 64 && (c & 0x40))
		x |= ~0ULL << shift;
	return (int64_t)x;
}

/* One operation of a block; false: not one of ours. */
static bool decode(struct bytes *b, Dwarf_Op *op)
{
	op->atom = bytes_u8(b);
	switch (op->atom) {
	case DW_OP_fbreg:
	case DW_OP_consts:
		op->number = (Dwarf_Word)sleb(b);
		return true;
	case DW_OP_piece:
	case DW_OP_regx:
	case DW_OP_plus_uconst:
		op->number = bytes_uvarint(b);
		return true;
	case DW_OP_call_frame_cfa:
	case DW_OP_plus:
	case DW_OP_deref:
		return true;
	default:
		return op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31;
	}
}

static size_t decode_block(const Dwarf_Block *block, Dwarf_Op ops[MAX_OPS])
{
	struct bytes b = bytes_of(block->data, (size_t)block->length);
	size_t n = 0;

	while (bytes_left(&b)) {
		ops[n] = (Dwarf_Op){ 0 };
		if (n + 1 == MAX_OPS || !decode(&b, &ops[n++]) || b.bad)
			return 0;
	}
	return n;
}

/* One operation changes the part that is being described; false: not known. */
static bool apply(const Dwarf_Op *op, int64_t *constant, struct dwarf_part *cur)
{
	switch (op->atom) {
	case DW_OP_call_frame_cfa:
		*cur = (struct dwarf_part){ .where = DWARF_AT_CFA };
		return true;
	case DW_OP_fbreg:
		*cur = (struct dwarf_part){ .where = DWARF_AT_CFA, .off = (int64_t)op->number };
		return true;
	case DW_OP_consts:
		*constant = (int64_t)op->number;
		return cur->where == DWARF_AT_CFA;
	case DW_OP_plus:
	case DW_OP_plus_uconst:
		if (op->atom == DW_OP_plus_uconst)
			*constant = (int64_t)op->number;
		return cur->where == DWARF_AT_CFA &&
		       !__builtin_add_overflow(cur->off, *constant, &cur->off);
	case DW_OP_deref:
		if (cur->where != DWARF_AT_CFA)
			return false;
		cur->where = DWARF_BEHIND_CFA;
		return true;
	case DW_OP_regx:
		*cur = (struct dwarf_part){ .where = DWARF_IN_REGISTER,
					    .off = (int64_t)op->number };
		return true;
	default:
		if (op->atom < DW_OP_reg0 || op->atom > DW_OP_reg31)
			return false;
		*cur = (struct dwarf_part){ .where = DWARF_IN_REGISTER,
					    .off = op->atom - DW_OP_reg0 };
		return true;
	}
}

static unsigned parts_of(const Dwarf_Op *ops, size_t n, struct dwarf_part parts[DWARF_MAX_PARTS])
{
	struct dwarf_part cur = { 0 };
	int64_t constant = 0;
	unsigned nparts = 0;

	for (size_t i = 0; i < n; i++) {
		if (ops[i].atom != DW_OP_piece) {
			if (!apply(&ops[i], &constant, &cur))
				return 0;
			continue;
		}
		if (nparts == DWARF_MAX_PARTS || !ops[i].number)
			return 0;
		cur.bytes = ops[i].number;
		parts[nparts++] = cur;
		cur = (struct dwarf_part){ 0 };
	}
	if (!nparts && cur.where)
		parts[nparts++] = cur;
	return nparts;
}

unsigned dwarf_parts(Dwarf_Attribute *loc, taddr pc, struct dwarf_part parts[DWARF_MAX_PARTS])
{
	Dwarf_Op own[MAX_OPS], *ops = own;
	Dwarf_Block block;
	size_t n = 0;

	if (dwarf_formblock(loc, &block) == 0)
		n = decode_block(&block, own);
	else if (dwarf_getlocation_addr(loc, pc, &ops, &n, 1) != 1)
		n = 0;
	return n ? parts_of(ops, n, parts) : 0;
}

/* DW_OP_addrx: an index into .debug_addr, as clang writes it in DWARF 5. */
static bool indexed(Dwarf_Attribute *a, taddr *ret)
{
	Dwarf_Attribute in_table;
	Dwarf_Addr addr;
	Dwarf_Op *op;
	size_t n;

	if (dwarf_getlocation(a, &op, &n) != 0 || n != 1 ||
	    dwarf_getlocation_attr(a, op, &in_table) != 0 || dwarf_formaddr(&in_table, &addr) != 0)
		return false;
	*ret = addr;
	return true;
}

bool dwarf_fixed(Dwarf_Attribute *loc, taddr *ret)
{
	Dwarf_Block b;

	if (dwarf_formblock(loc, &b) != 0 || !b.length)
		return false;
	if (b.data[0] == DW_OP_addrx)
		return indexed(loc, ret);
	if (b.data[0] != DW_OP_addr || b.length != 9)
		return false;
	*ret = load_u64(b.data + 1);
	return true;
}
