/*
 * look_maps.h - what the mappings of the process are, as seen from Go.
 */
#ifndef LIMPET_FIND_LOOK_MAPS_H
#define LIMPET_FIND_LOOK_MAPS_H

#include "snapshot/snapshot.h"

enum look_map {
	LOOK_MAP_HEAP,	       /* Go's arenas */
	LOOK_MAP_GLOBALS,      /* data and bss of Go's modules */
	LOOK_MAP_FILE,	       /* a file, or the kernel's own */
	LOOK_MAP_THREAD_STACK, /* of a thread, outside of Go's stacks */
	LOOK_MAP_C_HEAP,       /* "[heap]": brk, of malloc */
	LOOK_MAP_RUNTIME,      /* anonymous, and structs of Go's runtime lie in it */
	LOOK_MAP_ANON,	       /* anonymous, and none does */
};

enum look_map look_map_of(const struct snapshot *s, const struct target_smap *m);

#endif
