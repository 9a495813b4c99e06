/*
 * symbol.c - the symbol of a global, for the rooms that know no files.
 */
#include "snapshot/snapshot.h"

#include "elf/symbols.h"

const char *snapshot_symbol(const struct snapshot *s, taddr at, taddr *ret_start)
{
	const struct elf_symbol *sym = elf_symbol_at(s->go->symbols, at);

	if (!sym)
		return NULL;
	*ret_start = sym->addr;
	return sym->name;
}
