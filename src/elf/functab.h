/*
 * functab.h - functions of a file by address, and the linker's marks, from .symtab.
 *
 * For telling whether a file belongs to a program.  Addresses are link-time.  Knows no process.
 */
#ifndef LIMPET_ELF_FUNCTAB_H
#define LIMPET_ELF_FUNCTAB_H

#include "base/err.h"

struct elf_func {
	taddr addr;
	uint64_t bytes;
	const char *name; /* "main.Map[go.shape.int_0]" */
};

struct elf_functab; /* opaque, owned */

/* Errors: ERR_BAD_DATA (no ELF, no symbol table).  fd is borrowed for the call. */
struct err *elf_functab_read(int fd, const char *name, struct elf_functab **ret) MUST_CHECK;
void elf_functab_free(struct elf_functab *f); /* NULL allowed */

/* Function that begins at addr, the last of several; NULL: none. */
const struct elf_func *elf_functab_at(const struct elf_functab *f, taddr addr);
/* Address of runtime.text, runtime.ebss …; false: there is no such mark. */
bool elf_functab_mark(const struct elf_functab *f, const char *name, taddr *ret);

#endif
