/*
 * symbols.h - global variables of a file by address and by name.
 *
 * From .symtab; where it was stripped and DWARF was not, from DWARF.  Writable data only.
 * Ascending by address; names are borrowed until elf_symbols_free().  Immutable once read.
 */
#ifndef LIMPET_ELF_SYMBOLS_H
#define LIMPET_ELF_SYMBOLS_H

#include "base/err.h"

struct elf_symbol {
	taddr addr; /* as loaded: link-time address + bias */
	uint64_t bytes;
	const char *name; /* "main.cache" */
};

struct elf_symbols {
	VEC(struct elf_symbol) syms; /* ascending by addr */
	uint32_t *by_name;	     /* indexes of syms, ascending by name */
	char *text;		     /* owner of the names */
	struct elf_symbols *joined;  /* owner of more names */
};

/* *ret = NULL when the file has neither.  fd is borrowed; name is for messages. */
struct err *elf_symbols_read(int fd, const char *name, taddr bias,
			     struct elf_symbols **ret) MUST_CHECK;
void elf_symbols_free(struct elf_symbols *s); /* NULL allowed */

/* Give each another address; those that get 0 go.  Before anybody else knows them. */
void elf_symbols_move(struct elf_symbols *s, taddr (*to)(const void *arg, taddr addr),
		      const void *arg);

/*
 * Add another file's, which go where the first has the name already: the dynamic linker takes the
 * first.  Consumes more, *s may be NULL.
 */
struct err *elf_symbols_join(struct elf_symbols **s, struct elf_symbols *more) MUST_CHECK;

/* Symbol that holds addr, or NULL.  s may be NULL. */
const struct elf_symbol *elf_symbol_at(const struct elf_symbols *s, taddr addr);
const struct elf_symbol *elf_symbol_named(const struct elf_symbols *s, const char *name);

#endif
