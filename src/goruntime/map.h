/*
 * map.h - a map of the target: how full it is, its live entries, the memory that it is made of.
 *
 * Old maps (to 1.23, and later without the experiment swissmap) and Swiss maps alike; which one
 * it is, is the layout's.  header is what the map value points to: runtime.hmap or
 * internal/runtime/maps.Map; 0 is a nil map, which is empty.
 *
 * Cost: facts and parts one read, of a big Swiss map one a table; each reads all groups once, in
 * blocks.
 */
#ifndef LIMPET_GORUNTIME_MAP_H
#define LIMPET_GORUNTIME_MAP_H

#include "goruntime/cont.h"

/* Where things lie in one bucket (old) or group (Swiss) of 8 entries. */
struct go_map_shape {
	const struct go_type *key, *elem;
	taddr group; /* rtype of bucket or group; 0: the target has none */
	uint64_t group_bytes;
	uint64_t keys_off, key_stride, elems_off, elem_stride;
	bool indirect_key, indirect_elem; /* a slot holds a pointer to it */
	bool swiss;
};

/* Errors: ERR_BAD_DATA (no map; its parts do not fit in it). */
struct err *go_map_shape(const struct go *g, struct go_types *ts, const struct go_type *map,
			 struct go_map_shape *ret) MUST_CHECK;

struct go_map_facts {
	uint64_t len;
	uint64_t slots;	   /* for entries, in buckets (with overflow) or groups */
	uint64_t tables;   /* Swiss: 0 = one small group; old: 0 */
	uint64_t overflow; /* old: overflow buckets; from 2^16 buckets on the runtime's estimate */
	bool growing;	   /* old: some entries still lie in old buckets */
	bool swiss;
};

struct err *go_map_facts(struct go_io *io, struct go_types *ts, const struct go_type *map,
			 taddr header, struct go_map_facts *ret) MUST_CHECK;

/*
 * All memory of it, header first.  Indirect keys and elems are told by the groups' own type.
 * An overflow bucket may lie in the object of the buckets, behind them: of the same type then.
 */
struct err *go_map_parts(struct go_io *io, struct go_types *ts, const struct go_type *map,
			 taddr header, go_cont_part_fn *fn, void *arg) MUST_CHECK;

/* Live entries; key.at and elem.at are where they really lie, indirect ones followed. */
struct err *go_map_each(struct go_io *io, struct go_types *ts, const struct go_type *map,
			taddr header, go_cont_entry_fn *fn, void *arg) MUST_CHECK;

#endif
