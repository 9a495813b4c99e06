/*
 * names.h - text and types of a snapshot, each kept once; not a door.
 *
 * Text lives until the snapshot goes.  Types are numbered as they are found, so numbers
 * may differ between two runs over one snapshot; names do not.  Thread-safe.
 */
#ifndef LIMPET_SNAPSHOT_NAMES_H
#define LIMPET_SNAPSHOT_NAMES_H

#include "snapshot/snapshot.h"

struct snap_names;

struct err *snap_names_create(struct snap_names **ret) MUST_CHECK;
void snap_names_free(struct snap_names *n);

/* A copy of the text; NULL when memory is short. */
const char *snap_text(struct snap_names *n, const char *text);
const char *snap_textf(struct snap_names *n, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "bss+0x1f20", "module1.data+0x10": a place in a module's section. */
const char *snap_place_name(struct snap_names *n, unsigned module, const char *section,
			    uint64_t off);

/*
 * Number of the type with that key (an address, and a word to tell kinds apart); a new one
 * is made with make(), whose name must come from snap_text.  0 when no more can be kept.
 */
struct snap_type_key {
	taddr at;
	uint32_t what;
};

uint32_t snap_type_number(struct snapshot *s, struct snap_type_key key,
			  bool (*make)(struct snapshot *s, struct snap_type_key key,
				       struct snap_type *ret));

/* Say that object id is of that type, unless better is known. */
void snap_type_set(struct snapshot *s, uint64_t id, uint32_t type);

/* Roots of snapshot_create, roots.c. */
struct err *snap_roots_build(struct snapshot *s) MUST_CHECK;
/* learn.c: objects of the runtime itself, known by where they hang. */
struct err *snap_learn_runtime(struct snapshot *s) MUST_CHECK;
/* Closures by entry; 0: pc is no function's entry. */
uint32_t snap_learn_closure(struct snapshot *s, taddr pc);
/* Type of an object by the rtype in its header or span; row: it is longer than two of them. */
uint32_t snap_learn_header(struct snapshot *s, taddr rtype, uint64_t data_bytes);

/* What an interface's first word says about the object behind its second. */
struct snap_iface {
	uint32_t type; /* 0: nothing */
	bool noscan;
	bool at_least;	     /* object may be larger than slot_bytes */
	bool either;	     /* not known whether noscan */
	uint64_t slot_bytes; /* slot that an object of that type has */
};

void snap_learn_iface(struct snapshot *s, taddr word, struct snap_iface *ret);
/* Slot bytes that mallocgc gives an object; 0: none. */
uint64_t snap_slot_bytes(const struct go_layout *L, uint64_t bytes, bool noscan);

#endif
