/*
 * chunk.h - spans and their objects as bytes: what one row of the table `objects` holds, unpacked.
 *
 * Little-endian, arrays one after another, in this order (docs/store.md):
 *
 *   u32 magic "LOB1", nspans, ncells, nalive, bits (1: there are `stayed` bits)
 *   of each span  u64 base  u64 bytes  u64 elem_bytes  u32 nelems  u8 spanclass  u8 old_known
 *                 (arrays of each: all bases, all bytes …)
 *   of each cell  u32 type  u32 holder  u32 field       (a cell is a triple that occurs here)
 *   bits of slots, of each span ceil(nelems / 64) u64: alive; alive and not old; with bits & 1
 *                 alive and not stayed
 *   of each alive slot, in order, its cell: u8 where ncells <= 256, u16 where <= 65536, else u32
 *
 * Knows neither SQLite nor zstd.
 */
#ifndef LIMPET_STORE_CHUNK_H
#define LIMPET_STORE_CHUNK_H

#include "find/ident.h"

enum {
	CHUNK_MAGIC = 0x31424f4c,
	CHUNK_SLOTS = 1 << 16,	   /* about so many in one */
	CHUNK_RAW_MAX = 256 << 20, /* bytes, unpacked */
};

/* What will be a chunk: copies of spans.  Kept from one chunk to the next. */
struct chunk_span {
	taddr base;
	uint64_t bytes, elem_bytes;
	uint32_t nelems;
	uint8_t spanclass, old_known;
	size_t word;  /* its first in alive, old, stayed */
	size_t first; /* its first slot in group[] */
};

struct chunk {
	VEC(struct chunk_span) spans;
	VEC(uint64_t) alive;
	VEC(uint64_t) old;
	VEC(uint64_t) stayed;
	VEC(uint32_t) group[IDENT_COLUMNS];
	bool has_stayed;
	uint64_t nslots, nalive; /* nalive: set by chunk_encode() */
	VEC(uint8_t) raw;	 /* by chunk_encode() */
	VEC(uint8_t) packed;	 /* of who packs it */
};

void chunk_reset(struct chunk *c);
void chunk_deinit(struct chunk *c);
struct err *chunk_add(struct chunk *c, const struct ident_span *sp) MUST_CHECK;
struct err *chunk_encode(struct chunk *c) MUST_CHECK;

/* A chunk being read: bytes are borrowed, all of it was checked by chunk_read(). */
struct chunk_view {
	const uint8_t *base, *bytes, *elem_bytes, *nelems, *spanclass, *old_known, *cells, *alive,
		*young, *unstayed, *index; /* unstayed NULL: there are none */
	uint32_t nspans, ncells, nalive, width;
	/* of chunk_next() */
	uint32_t span;
	size_t word;
	uint32_t at;
};

/* Room for one span, grown as needed. */
struct chunk_room {
	VEC(uint64_t) alive;
	VEC(uint64_t) old;
	VEC(uint64_t) stayed;
	VEC(uint32_t) group[IDENT_COLUMNS];
};

void chunk_room_deinit(struct chunk_room *r);

/* ngroups: a number beyond it is damage.  Errors: BAD_DATA. */
struct err *chunk_read(const uint8_t *raw, size_t n, const uint32_t *ngroups,
		       struct chunk_view *ret) MUST_CHECK;
/* The next span; false: there was none.  Errors: BAD_DATA, NOMEM. */
struct err *chunk_next(struct chunk_view *v, struct chunk_room *room, struct ident_span *ret,
		       bool *ret_has) MUST_CHECK;

#endif
