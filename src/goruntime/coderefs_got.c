/*
 * coderefs_got.c - code that finds its globals, types and functions through tables of the dynamic
 * linker.
 *
 * Built with -dynlink (plugins, -linkshared) a global's address is loaded from the global offset
 * table, and calls go through the linkage table (cmd/internal/obj/x86/obj6.go, rewriteToUseGot).
 * Both tables are read-only once the program runs (-z relro, -z now: cmd/link/internal/ld/lib.go),
 * so what is in memory is what the instruction gets.  Cost: one read a page of the table.
 */
#include "goruntime/coderefs_priv.h"

#include "goruntime/detect.h"

/* Readable, and neither written nor run. */
static bool is_constant(const struct target_region *r)
{
	return r && (r->prot & REGION_READ) && !(r->prot & (REGION_WRITE | REGION_EXEC));
}

bool go_constant_word(const struct go *g, taddr at, uint64_t *ret)
{
	return !(at & 7) && is_constant(target_region_at(g->t, at)) &&
	       go_try_read(g, at, ret, sizeof(*ret));
}

bool code_constant(struct code_worker *w, taddr at, uint64_t *ret)
{
	struct got_page *p = &w->got;
	taddr page = at & ~(taddr)(sizeof(p->bytes) - 1);

	if ((at & 7) || trange_has(p->elsewhere, at))
		return false;
	if (p->at != page || !p->known) {
		const struct target_region *r = target_region_at(w->c->g->t, at);

		if (!is_constant(r)) {
			p->elsewhere = r ? r->range : (struct trange){ page, page + 1 };
			return false;
		}
		p->at = page;
		p->known = true;
		p->ok = go_try_read(w->c->g, page, p->bytes, sizeof(p->bytes));
	}
	if (!p->ok)
		return false;
	*ret = load_u64(p->bytes + (at - page));
	return true;
}

/* System V ABI, amd64, "Procedure Linkage Table": [endbr64] [bnd] jmp *slot(%rip) */
taddr code_through_plt(const struct go *g, taddr entry)
{
	uint8_t p[16];
	uint64_t to;
	size_t i = 0;

	if (!go_try_read(g, entry, p, sizeof(p)))
		return entry;
	if (load_u32(p) == 0xfa1e0ff3)
		i = 4;
	i += p[i] == 0xf2;
	if (p[i] != 0xff || p[i + 1] != 0x25)
		return entry;
	entry += i + 6 + (uint64_t)(int64_t)(int32_t)load_u32(p + i + 2);
	return go_constant_word(g, entry, &to) ? to : 0;
}
