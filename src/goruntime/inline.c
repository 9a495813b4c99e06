/*
 * inline.c - logical frames at a pc: the inline tree, files and lines.
 *
 * Source: runtime/symtabinl.go (inlineUnwinder), runtime/symtab.go (funcline1,
 * funcfile).  Reads the copied tables only, so it works after the twin is gone.
 */
#include "goruntime/pclntab.h"

#define INLINE_MAX_DEPTH 1024U

static const char *file_of(const struct go_pclntab *p, const uint8_t *func, int32_t fileno)
{
	uint64_t cu = go_get(func, p->L->func_cuOffset);
	const uint8_t *slot = go_blob_at(&p->cutab, 4 * (cu + (uint32_t)fileno), 4);
	uint32_t off = slot ? load_u32(slot) : UINT32_MAX;

	return off < p->files.n ? go_blob_text(&p->files, off) : "?";
}

/* runtime.funcline1 */
static void line_at(const struct go_func *f, taddr pc, struct go_line *ret)
{
	const struct go_pclntab *p = f->module->pclntab;
	const uint8_t *b = go_blob_at(&p->funcs, f->func_off, p->L->func_bytes);
	int32_t file = -1, line = -1;

	if (b) {
		file = go_pcvalue(p, (uint32_t)go_get(b, p->L->func_pcfile), f->entry, pc);
		line = go_pcvalue(p, (uint32_t)go_get(b, p->L->func_pcln), f->entry, pc);
	}
	ret->file = file < 0 || line < 0 ? "?" : file_of(p, b, file);
	ret->line = file < 0 || line < 0 ? 0 : line;
}

/* One entry of FUNCDATA_InlTree (runtime.inlinedCall), or NULL. */
static const uint8_t *inlined_call(const struct go *g, const struct go_func *f, int32_t index)
{
	taddr tree = go_funcdata(g, f, GO_FUNCDATA_INL_TREE);
	uint64_t each = g->L->inlinedCall_bytes;

	if (index < 0 || !tree || !each)
		return NULL;
	return go_funcdata_view(f->module->pclntab, tree + (uint32_t)index * each, each);
}

static void whose(const struct go *g, uint8_t func_id, uint64_t start_line, struct go_line *l)
{
	const struct go_layout *L = g->L;

	l->wrapper = func_id == L->c_funcid_wrapper;
	l->panics = func_id == L->c_funcid_gopanic || func_id == L->c_funcid_sigpanic ||
		    func_id == L->c_funcid_panicwrap;
	l->start_line = (int)(int32_t)start_line;
}

static uint64_t start_line_of(const struct go_func *f)
{
	const struct go_pclntab *p = f->module->pclntab;
	const uint8_t *b = go_blob_at(&p->funcs, f->func_off, p->L->func_bytes);

	return b ? go_get(b, p->L->func_startLine) : 0;
}

size_t go_lines_at(const struct go *g, taddr pc, struct go_line *lines, size_t max)
{
	const uint8_t *call;
	struct go_func f;
	size_t n = 0;

	if (!max || !go_func_at(g, pc, &f))
		return 0;
	if (!f.module->pclntab) {
		*lines = (struct go_line){ .function = f.name, .file = "", .pc = pc, .entry = f.entry };
		return 1;
	}
	do {
		struct go_line *l = &lines[n];

		call = inlined_call(g, &f, go_pcdata(g, &f, GO_PCDATA_INL_TREE_INDEX, pc));
		line_at(&f, pc, l);
		l->inlined = call;
		l->function = f.name;
		l->pc = pc;
		l->entry = f.entry;
		if (!call)
			whose(g, f.func_id, start_line_of(&f), l);
		if (call) {
			whose(g, (uint8_t)go_get(call, g->L->inlinedCall_funcID),
			      go_get(call, g->L->inlinedCall_startLine), l);
			l->function = go_blob_text(&f.module->pclntab->names,
						   go_get(call, g->L->inlinedCall_nameOff));
			pc = f.entry + go_get(call, g->L->inlinedCall_parentPc);
		}
		n++;
	} while (call && n < max && n < INLINE_MAX_DEPTH);
	return n;
}
