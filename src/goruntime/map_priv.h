/*
 * map_priv.h - between map.c and its two kinds; not a door.
 */
#ifndef LIMPET_GORUNTIME_MAP_PRIV_H
#define LIMPET_GORUNTIME_MAP_PRIV_H

#include "goruntime/map.h"

#define MAP_SLOTS     8	    /* abi.MapBucketCount, abi.MapGroupSlots */
#define MAP_BLOCK     16384 /* bytes of groups that are read at once */
#define MAP_GROUP_MAX 4096  /* keys and elems of more than 128 bytes are indirect */
#define MAP_HEAD_MAX  128

/* One map on its way through a question. */
struct map_walk {
	struct go_io *io;
	struct go_types *ts;
	const struct go_layout *L;
	struct go_map_shape s;
	taddr header;
	uint8_t head[MAP_HEAD_MAX]; /* runtime.hmap or maps.Map */
	go_cont_part_fn *part;	    /* wanted, or NULL */
	go_cont_entry_fn *entry;    /* wanted, or NULL */
	void *arg;
	bool stopped;
	uint64_t nentries;
};

/* Bucket or group whose bytes are b, at `at`: tell of the slots whose bit is set in live. */
struct err *map_slots(struct map_walk *w, taddr at, const uint8_t *b, unsigned live) MUST_CHECK;
void map_part(struct map_walk *w, uint8_t what, taddr at, uint64_t count, taddr elem,
	      uint64_t elem_bytes);

/* For an array of n groups at `at`: fn with each.  Read in blocks. */
typedef struct err *map_group_fn(struct map_walk *w, taddr at, const uint8_t *b);
struct err *map_array(struct map_walk *w, taddr at, uint64_t n, map_group_fn *fn) MUST_CHECK;

struct err *map_old_facts(struct map_walk *w, struct go_map_facts *ret) MUST_CHECK;
struct err *map_old_walk(struct map_walk *w) MUST_CHECK;
struct err *map_swiss_facts(struct map_walk *w, struct go_map_facts *ret) MUST_CHECK;
struct err *map_swiss_walk(struct map_walk *w) MUST_CHECK;

#endif
