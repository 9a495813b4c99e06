/*
 * dwarf_types.h - Go types as DWARF describes them.
 *
 * Knows no process.  A type's id is the offset of its entry; typedefs that only repeat a name
 * are looked through.  Source: cmd/link/internal/ld/dwarf.go, cmd/internal/dwarf (DW_AT_go_*).
 */
#ifndef LIMPET_ELF_DWARF_TYPES_H
#define LIMPET_ELF_DWARF_TYPES_H

#include "elf/dwarf_vars.h"

struct dwarf_type {
	uint64_t id;
	uint8_t kind;	  /* internal/abi.Kind; 0: not said */
	const char *name; /* full: "net/http.Server", "map[string]*main.T"; "" none */
	taddr rtype; /* as written: link-time address or (1.26 on) offset in the types; 0 none */
	uint64_t bytes;
	uint64_t elem, key; /* ids: of pointer, slice, array, chan, map; 0 none */
	uint64_t count;	    /* array */
	bool shape;	    /* of a generic's instance: stands for several types */
};

bool dwarf_type_at(struct dwarf_index *d, uint64_t id, struct dwarf_type *ret);

struct dwarf_type_field {
	const char *name;
	uint64_t offset;
	uint64_t type;
	bool embedded;
};

/* Fields of a struct, in order; fn returns false to stop. */
void dwarf_type_fields(struct dwarf_index *d, uint64_t id,
		       bool (*fn)(void *arg, const struct dwarf_type_field *f), void *arg);

#endif
