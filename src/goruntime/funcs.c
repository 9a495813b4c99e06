/*
 * funcs.c - function at a pc, and its pc-indexed tables.
 *
 * Knows _func and pctab, nothing of stacks.  Source: runtime/symtab.go (findfunc,
 * pcvalue, step, funcdata).  Cost: O(log functions) a lookup, O(function's code)
 * a table value; callers that ask often cache by pc (unwind.c).
 */
#include "goruntime/pclntab.h"

static const struct go_pclntab *pclntab_of(const struct go_func *f)
{
	return f->module->pclntab;
}

/* Index of the last entry that is not above off. */
static uint32_t ftab_find(const struct go_pclntab *p, uint32_t off)
{
	uint32_t lo = 0, hi = p->nfunc;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (go_pclntab_entryoff(p, mid) <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static bool func_fill(const struct go_module *m, const struct go_pclntab *p, uint32_t i,
		      struct go_func *ret)
{
	const struct go_layout *L = p->L;
	uint64_t at = go_pclntab_funcoff(p, i);
	const uint8_t *f = go_blob_at(&p->funcs, at, L->func_bytes);

	if (!f)
		return false;
	*ret = (struct go_func){
		.module = m,
		.name = go_pclntab_name(p, i),
		.entry = go_pclntab_text_addr(p, go_pclntab_entryoff(p, i)),
		.end = go_pclntab_text_addr(p, go_pclntab_entryoff(p, i + 1)),
		.func_off = at,
		.func_id = (uint8_t)go_get(f, L->func_funcID),
		.flag = (uint8_t)go_get(f, L->func_flag),
		.args_bytes = (int32_t)go_get(f, L->func_args),
		.deferreturn = (uint32_t)go_get(f, L->func_deferreturn),
		.npcdata = (uint32_t)go_get(f, L->func_npcdata),
		.nfuncdata = (uint32_t)go_get(f, L->func_nfuncdata),
	};
	return true;
}

bool go_func_at(const struct go *g, taddr pc, struct go_func *ret)
{
	for (size_t i = 0; i < g->nmodules; i++) {
		const struct go_module *m = &g->modules[i];
		uint32_t off;

		if (!m->pclntab || !go_pclntab_text_off(m->pclntab, pc, &off))
			continue;
		if (off < go_pclntab_entryoff(m->pclntab, 0))
			return false;
		return func_fill(m, m->pclntab, ftab_find(m->pclntab, off), ret);
	}
	return go_known_func_at(g, pc, ret);
}

bool go_func_by_name(const struct go *g, const char *name, struct go_func *ret)
{
	for (size_t i = 0; i < g->nmodules; i++) {
		const struct go_module *m = &g->modules[i];
		uint32_t k;

		if (m->pclntab && go_pclntab_find_name(m->pclntab, name, &k))
			return func_fill(m, m->pclntab, k, ret);
	}
	return false;
}

void go_func_each(const struct go *g, void (*fn)(void *arg, const struct go_func *f), void *arg)
{
	struct go_func f;

	for (size_t i = 0; i < g->nmodules; i++) {
		const struct go_module *m = &g->modules[i];

		for (uint32_t k = 0; m->pclntab && k < m->pclntab->nfunc; k++)
			if (func_fill(m, m->pclntab, k, &f))
				fn(arg, &f);
	}
	for (size_t i = 0; i < g->nknown; i++)
		if (go_known_func_at(g, g->known[i].entry, &f))
			fn(arg, &f);
}

/* runtime.readvarint, at most 5 bytes. */
static bool read_varint(const uint8_t **p, const uint8_t *end, uint32_t *ret)
{
	uint32_t v = 0;

	for (unsigned shift = 0; shift < 35 && *p < end; shift += 7) {
		uint8_t c = *(*p)++;

		v |= (uint32_t)((uint64_t)(c & 0x7f) << shift);
		if (!(c & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

int32_t go_pcvalue(const struct go_pclntab *p, uint32_t off, taddr entry, taddr pc)
{
	const uint8_t *at = go_blob_at(&p->pctab, off, 1);
	const uint8_t *end = p->pctab.p + p->pctab.n;
	uint32_t val = UINT32_MAX, v, d;
	taddr cur = entry;

	if (!off || !at || pc < entry)
		return -1;
	for (;;) {
		if (!read_varint(&at, end, &v) || (!v && cur != entry))
			return -1;
		val += -(v & 1) ^ v >> 1;
		if (!read_varint(&at, end, &d))
			return -1;
		cur += (taddr)d * p->quantum;
		if (pc < cur)
			return (int32_t)val;
	}
}

/* The u32 words that follow _func: npcdata offsets, then nfuncdata offsets. */
static bool func_tail(const struct go_func *f, uint64_t word, uint32_t *ret)
{
	const struct go_pclntab *p = pclntab_of(f);
	uint64_t at = f->func_off + (uint64_t)p->L->func_nfuncdata.off + 1 + 4 * word;
	const uint8_t *b = go_blob_at(&p->funcs, at, 4);

	if (b)
		*ret = load_u32(b);
	return b;
}

int32_t go_pcdata(const struct go *g, const struct go_func *f, unsigned table, taddr pc)
{
	uint32_t off;

	(void)g;
	if (table >= f->npcdata || !func_tail(f, table, &off))
		return -1;
	return go_pcvalue(pclntab_of(f), off, f->entry, pc);
}

taddr go_funcdata(const struct go *g, const struct go_func *f, unsigned table)
{
	uint32_t off;

	(void)g;
	if (table >= f->nfuncdata || !func_tail(f, (uint64_t)f->npcdata + table, &off))
		return 0;
	return off == UINT32_MAX ? 0 : pclntab_of(f)->gofunc + off;
}

int32_t go_spdelta(const struct go *g, const struct go_func *f, taddr pc)
{
	const struct go_pclntab *p = pclntab_of(f);
	const uint8_t *b = go_blob_at(&p->funcs, f->func_off, p->L->func_bytes);

	(void)g;
	return b ? go_pcvalue(p, (uint32_t)go_get(b, p->L->func_pcsp), f->entry, pc) : -1;
}
