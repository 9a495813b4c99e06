/*
 * vars_priv.h - between vars.c, vars_types.c and vars_frames.c; not a door.
 */
#ifndef LIMPET_SNAPSHOT_VARS_PRIV_H
#define LIMPET_SNAPSHOT_VARS_PRIV_H

#include "snapshot/names.h"
#include "snapshot/vars.h"

#include "elf/dwarf_types.h"
#include "goruntime/debugfile.h"

#include <pthread.h>

/* Ids of DWARF types and what they became; 0: not known or not to be had. */
struct id_map {
	struct id_entry {
		uint64_t key; /* 0: empty */
		uint64_t value;
	} * tab;
	size_t n, cap;
};

bool id_map_get(const struct id_map *m, uint64_t key, uint64_t *ret);
bool id_map_put(struct id_map *m, uint64_t key, uint64_t value); /* false: memory is short */

/* A variable of a function at one pc, wherever that function's frame lies. */
struct pc_local {
	const char *name, *function;
	taddr rtype;	/* of the whole; 0 unknown */
	int64_t cfa;	/* where the part begins, from the frame's end */
	uint64_t bytes; /* of the part */
	uint64_t off;	/* of the part in the variable */
	uint16_t depth;
	bool whole; /* the part is all of it */
	bool by_range, parameter;
};

struct pc_locals {
	struct pc_local *v; /* ascending by cfa, inner before outer */
	size_t n;
};

struct closure {
	taddr entry, rtype;
	struct capture {
		uint64_t off;
		const char *name;
	} * v;
	size_t n;
};

struct snap_dwarf {
	pthread_mutex_t lock;
	struct dwarf_index *d;
	const struct go_debug *file;
	struct id_map types;	      /* DIE -> rtype, or where it will be */
	VEC(struct id_entry) pending; /* DIE and address of types still to be made */
	struct id_map pcs;	      /* pc -> index in locals, + 1 */
	VEC(struct pc_locals) locals;
	struct id_map entries; /* entry -> index in closures, + 1 */
	VEC(struct closure) closures;
	unsigned depth; /* of types being made */
	bool nomem;
};

/* rtype in the target of a DWARF type: its own, else one made; 0: none. */
taddr snap_dwarf_type(struct snapshot *s, struct snap_dwarf *x, uint64_t id);
/* Type of that size at offset off of t, fields and elements gone into; NULL. */
const struct go_type *snap_subtype(struct snapshot *s, const struct go_type *t, uint64_t off,
				   uint64_t bytes);
/* Is there a pointer word at that offset? */
bool snap_pointer_word(struct snapshot *s, const struct go_type *t, uint64_t off);

/* Locals at a frame's pc, made once. */
const struct pc_locals *snap_pc_locals(struct snapshot *s, struct snap_dwarf *x, taddr pc);
/* All frames' locals that can be believed, into s->vars. */
struct err *snap_vars_frames(struct snapshot *s, struct snap_dwarf *x) MUST_CHECK;

#endif
