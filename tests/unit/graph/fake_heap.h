/*
 * fake_heap.h - a heap of a few spans for tests, and the doors of the rooms below that the
 * graph room walks through (snapshot_edges, go_heap_object_at …), over that heap.
 */
#ifndef LIMPET_TESTS_GRAPH_FAKE_HEAP_H
#define LIMPET_TESTS_GRAPH_FAKE_HEAP_H

#include "graph/graph.h"

#define FAKE_BASE  0x1000000U
#define FAKE_SLOTS 100U /* a span */

enum fake_state {
	FAKE_FREE,
	FAKE_BORN,   /* allocated, not marked */
	FAKE_MARKED, /* allocated and marked */
};

struct fake {
	struct snapshot s;
	uint32_t from[64], to[64], m; /* edges between ids */
	uint32_t bad_from, bad_to;    /* a pointer at a free slot; equal: none */
};

void fake_init(struct fake *f);
void fake_deinit(struct fake *f);
/* Returns id of slot 0. */
uint32_t fake_span(struct fake *f, uint32_t elem_bytes, enum go_marks marks);
void fake_set(struct fake *f, uint32_t id, enum fake_state state);
/* A root with one slot. */
void fake_root(struct fake *f, uint32_t id, uint32_t flags);
void fake_edge(struct fake *f, uint32_t from, uint32_t to);
taddr fake_address(const struct fake *f, uint32_t id);

#endif
