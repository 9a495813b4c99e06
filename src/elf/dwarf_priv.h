/*
 * dwarf_priv.h - between the files dwarf_*.c; not a door.
 */
#ifndef LIMPET_ELF_DWARF_PRIV_H
#define LIMPET_ELF_DWARF_PRIV_H

#include "base/crash.h"
#include "elf/dwarf_types.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

/* cmd/internal/dwarf */
enum {
	AT_GO_KIND = 0x2900,
	AT_GO_KEY = 0x2901,
	AT_GO_ELEM = 0x2902,
	AT_GO_EMBEDDED = 0x2903,
	AT_GO_RUNTIME_TYPE = 0x2904,
	AT_GO_DICT_INDEX = 0x2906,
	AT_GO_CLOSURE_OFFSET = 0x2907,
};

struct dwarf_func {
	taddr lo, hi;
	Dwarf_Off die;
};

struct dwarf_unit {
	Dwarf_Off die;
	bool indexed;
	VEC(struct dwarf_func) funcs; /* ascending by lo, once indexed */
};

struct dwarf_span {
	taddr lo, hi;
	uint32_t unit;
};

struct dwarf_index {
	Dwarf *dw;
	int fd;
	char words[CRASH_WORDS];      /* what a crash in it says */
	VEC(struct dwarf_unit) units; /* of Go */
	VEC(struct dwarf_span) spans; /* ascending by lo */
	bool spans_known;
	uint64_t seen; /* entries walked over: hostile files may loop */
};

/* Before libdw takes a file.  Errors: ERR_LIMIT (memory), ERR_BAD_DATA (more than any has). */
struct err *dwarf_room(int fd) MUST_CHECK;

/* False when enough has been walked over. */
bool dwarf_index_step(struct dwarf_index *d);

/* Entry of the function that holds pc. */
struct err *dwarf_func_at(struct dwarf_index *d, taddr pc, Dwarf_Die *ret,
			  bool *ret_found) MUST_CHECK;

/* libdw would exit(1) when memory is short, and crash on some lies. */
#define DWARF_WAY_OUT "; --symbols none does without it"

/* Also of a flag: 0 or 1. */
bool dwarf_number(Dwarf_Die *die, unsigned at, uint64_t *ret);
/* Offset of the entry that an attribute refers to, also by an abstract origin's; 0: none. */
uint64_t dwarf_ref(Dwarf_Die *die, unsigned at);

/* Parts of a variable with that location at pc; 0: nowhere. */
unsigned dwarf_parts(Dwarf_Attribute *loc, taddr pc, struct dwarf_part parts[DWARF_MAX_PARTS]);
/* One address and nothing else. */
bool dwarf_fixed(Dwarf_Attribute *loc, taddr *ret);

#endif
