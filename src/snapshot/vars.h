/*
 * vars.h - what DWARF says about variables: globals, locals of frames, captures of closures.
 *
 * DWARF only names and types; what is alive is the collector's to say.  A local is believed
 * (s->vars) only where the frame's live pointers agree with its type; names alone, for people to
 * read, are also given where that cannot be told.  Without DWARF all of it is empty.
 */
#ifndef LIMPET_SNAPSHOT_VARS_H
#define LIMPET_SNAPSHOT_VARS_H

#include "snapshot/snapshot.h"

/* Fills s->vars.  After snapshot_create(), before snapshot_types(). */
struct err *snap_vars_learn(struct snapshot *s) MUST_CHECK;

/* The variable that has a word of a frame; thread-safe. */
struct snap_local {
	const char *name; /* "sess"; "&sess": the variable is on the heap, the word points at it */
	const char
		*function; /* that it belongs to, may be inlined in the frame's: "main.handler" */
	const struct go_type *type; /* of all of it; NULL unknown */
	uint64_t off;		    /* of the word, in the variable */
	uint8_t role;		    /* SNAP_LOCAL_* */
	bool ends; /* at the call: where that returns to it has no place any more; not for dlv */
};
enum { SNAP_LOCAL_VARIABLE, SNAP_LOCAL_PARAMETER };

bool snap_local_at(struct snapshot *s, uint32_t frame, taddr at, struct snap_local *ret);

/* Index in s->vars of the variable that holds addr, or SIZE_MAX. */
size_t snap_var_at(struct snapshot *s, taddr addr);

/*
 * The variable that a closure of the function at entry keeps at that offset of its object:
 * "sess"; "&sess": captured by reference.  "": not known (before Go 1.23 DWARF does not say).
 */
const char *snap_capture_name(struct snapshot *s, taddr entry, uint64_t offset);
/* rtype of such a closure's object as far as its captures are known: struct { F uintptr; … }; 0. */
taddr snap_closure_type(struct snapshot *s, taddr entry);

void snap_vars_free(struct snap_dwarf *x); /* NULL allowed */

#endif
