/*
 * calls.c - what a function calls: bodies that the compiler put into it, and direct calls.
 *
 * Inlined ones from the inline tree (runtime/symtabinl.go; it does not say how many there are:
 * the largest number that any pc has), direct ones from the code: CALL rel32 on machines of
 * unaligned code, BL imm26 on those of words of four bytes.  No disassembler: a call counts only
 * where its target is exactly a function's entry.  Knows no call through a pointer.
 * O(bytes of code), one read.
 */
#include "goruntime/arch.h"
#include "goruntime/pclntab.h"

#include "base/bytes.h"

#define CALLS_MAX_CODE	 (256U << 10)
#define CALLS_MAX_INLINE 4096

static void inlined(const struct go *g, const struct go_func *f, go_call_fn *fn, void *arg)
{
	taddr tree = go_funcdata(g, f, GO_FUNCDATA_INL_TREE);
	uint64_t each = g->L->inlinedCall_bytes;
	taddr end = MIN(f->end, f->entry + CALLS_MAX_CODE);
	const struct go_pclntab *p = f->module->pclntab;
	int32_t last = -1;

	if (!tree || !each || !p)
		return;
	for (taddr pc = f->entry; pc < end; pc += 4)
		last = MAX(last, go_pcdata(g, f, GO_PCDATA_INL_TREE_INDEX, pc));
	for (int32_t i = 0; i <= MIN(last, CALLS_MAX_INLINE); i++) {
		const uint8_t *b = go_funcdata_view(p, tree + (uint32_t)i * each, each);

		if (!b)
			return;
		fn(arg, go_blob_text(&p->names, go_get(b, g->L->inlinedCall_nameOff)),
		   f->entry + go_get(b, g->L->inlinedCall_parentPc));
	}
}

/* Target of a call at code[i], which lies at pc; 0: there is none. */
static taddr target_of(unsigned quantum, const uint8_t *code, size_t i, size_t n, taddr pc)
{
	if (i + 4 > n)
		return 0;
	if (quantum == 4) {
		uint32_t w = load_u32(code + i);

		return w >> 26 == 0x25 ? pc + (uint64_t)((int64_t)((uint64_t)w << 38) >> 36) : 0;
	}
	if (i + 5 > n || code[i] != 0xe8)
		return 0;
	return pc + 5 + (uint64_t)(int64_t)(int32_t)load_u32(code + i + 1);
}

struct err *go_func_calls(const struct go *g, const struct go_func *f, go_call_fn *fn, void *arg)
{
	size_t n = (size_t)MIN(f->end - f->entry, CALLS_MAX_CODE);
	_cleanup_(freep) uint8_t *code = malloc(n + 1);
	unsigned quantum = go_arch(g)->pc_quantum;
	struct err *err;

	if (!code)
		return &err_nomem;
	inlined(g, f, fn, arg);
	err = go_read(g, f->entry, code, n);
	if (err_catch(&err, ERR_FAULT)) /* only calls are not known */
		return NULL;
	for (size_t i = 0; i < n && !err; i += quantum) {
		taddr to = target_of(quantum, code, i, n, f->entry + i);
		struct go_func callee;

		if (to && go_func_at(g, to, &callee) && callee.entry == to)
			fn(arg, callee.name, f->entry + i);
	}
	return err;
}

struct err *go_func_refers(const struct go *g, const struct go_func *f, struct trange to, bool *ret)
{
	size_t n = (size_t)MIN(f->end - f->entry, CALLS_MAX_CODE), nrefs;
	_cleanup_(freep) uint8_t *code = malloc(n + 1);
	_cleanup_(freep) struct code_ref *refs = zalloc(n / 2 + 1, sizeof(*refs));
	struct err *err;

	*ret = false;
	if (!code || !refs)
		return &err_nomem;
	err = go_read(g, f->entry, code, n);
	if (err_catch(&err, ERR_FAULT))
		return NULL;
	if (err)
		return err;
	nrefs = go_arch(g)->code_refs(code, n, f->entry, refs, n / 2 + 1);
	for (size_t i = 0; i < nrefs && !*ret; i++)
		*ret = trange_has(to, refs[i].to);
	return NULL;
}
