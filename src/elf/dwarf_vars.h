/*
 * dwarf_vars.h - variables of a Go program by DWARF: globals, and those of a function at a pc.
 *
 * Knows no process: addresses are link-time, places of locals are offsets from the frame's
 * canonical address (CFA: what the stack pointer was before the call).  Only units of Go are
 * looked at.  Versions 4 and 5, compressed or not.  Not thread-safe: one index, one thread.
 * Names are borrowed until dwarf_index_close().
 */
#ifndef LIMPET_ELF_DWARF_VARS_H
#define LIMPET_ELF_DWARF_VARS_H

#include "base/err.h"

struct dwarf_index; /* opaque, owned by who opened it */

/* fd is borrowed for the call only.  Errors: ERR_UNSUPPORTED (no DWARF), ERR_BAD_DATA, ERR_OS. */
struct err *dwarf_index_open(int fd, const char *name, struct dwarf_index **ret) MUST_CHECK;
void dwarf_index_close(struct dwarf_index *d); /* NULL allowed */
static inline void dwarf_index_closep(struct dwarf_index **d)
{
	dwarf_index_close(*d);
}

/* Type ids are those of dwarf_types.h; 0: none. */
struct dwarf_global {
	const char *name; /* "main.cache" */
	taddr addr;
	uint64_t type;
};

struct err *dwarf_globals(struct dwarf_index *d,
			  struct err *(*fn)(void *arg, const struct dwarf_global *v),
			  void *arg) MUST_CHECK;

enum dwarf_where {
	DWARF_NOWHERE,
	DWARF_AT_CFA,	  /* in the frame */
	DWARF_BEHIND_CFA, /* on the heap: the word there points at it */
	DWARF_IN_REGISTER,
};

/* One part of a variable, in order; the parts' bytes add up to the variable. */
struct dwarf_part {
	uint8_t where;	/* enum dwarf_where */
	int64_t off;	/* from CFA; number of the register */
	uint64_t bytes; /* 0: all of it (the only part) */
};

#define DWARF_MAX_PARTS 16

struct dwarf_local {
	const char *name;     /* "sess"; "&sess": on the heap, this is the pointer to it */
	const char *function; /* inlined one that it belongs to; NULL: the function at pc itself */
	uint64_t type;
	uint32_t line;	   /* of its declaration, 0 unknown */
	uint16_t depth;	   /* of lexical nesting: an inner one hides an outer of that name */
	bool parameter;	   /* or result */
	bool by_range;	   /* a location list says that it is there at this very pc */
	uint64_t captured; /* offset in the closure's object, 0: not captured */
	unsigned nparts;   /* 0: not available at pc */
	struct dwarf_part parts[DWARF_MAX_PARTS];
};

/* Variables in scope at pc, outer before inner.  Nothing when no function of Go has that pc. */
struct err *dwarf_locals(struct dwarf_index *d, taddr pc,
			 struct err *(*fn)(void *arg, const struct dwarf_local *v),
			 void *arg) MUST_CHECK;

/* All variables of the function that begins at entry which are captured (Go 1.23 and later). */
struct err *dwarf_captures(struct dwarf_index *d, taddr entry,
			   struct err *(*fn)(void *arg, const struct dwarf_local *v),
			   void *arg) MUST_CHECK;

#endif
