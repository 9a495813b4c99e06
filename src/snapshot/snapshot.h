/*
 * snapshot.h - the frozen model: objects, roots, goroutines of one instant.
 *
 * The waist of the house.  Right of it there are no processes, no faults and no Go
 * versions, only plain immutable arrays.  While the twin lives, single objects can
 * still be looked into (snapshot_look_*).
 *
 *   object ids     0 .. heap.nobjects - 1 = every slot of every span, in address order;
 *                  a slot is an object iff its alloc bit is set
 *   roots          roots[r] owns slots[roots[r].first_slot .. + nslots)
 *   one root is    a global variable (by symbol, else one pointer word), a goroutine
 *                  (all its frames), one special, one queue
 */
#ifndef LIMPET_SNAPSHOT_SNAPSHOT_H
#define LIMPET_SNAPSHOT_SNAPSHOT_H

#include "goruntime/heap.h"
#include "goruntime/stack.h"
#include "goruntime/types.h"

enum snap_root_kind {
	SNAP_ROOT_GLOBAL,
	SNAP_ROOT_GOROUTINE,
	SNAP_ROOT_FINALIZER,	/* a finalizer special: its fn, and what its object points to */
	SNAP_ROOT_CLEANUP,
	SNAP_ROOT_WEAK,
	SNAP_ROOT_FINALIZER_QUEUE,
	SNAP_ROOT_CLEANUP_QUEUE,
	SNAP_ROOT_RUNTIME,
};

struct snap_root {
	uint8_t kind;		/* enum snap_root_kind */
	uint8_t module;
	uint32_t goroutine;	/* index in stacks.gs, else UINT32_MAX */
	taddr addr;		/* of the variable; the g; the special's object */
	uint64_t bytes;		/* of the variable, 0 unknown */
	const char *name;	/* "main.cache", "data+0x1f20", "goroutine 17 main.worker"; borrowed */
	uint64_t first_slot;
	uint64_t nslots;
};

struct snap_slot {
	taddr at;		/* 0: a register */
	taddr value;
	uint64_t object;	/* id, or GO_NO_OBJECT */
	uint32_t frame;		/* index in stacks.frames, else UINT32_MAX */
	uint32_t flags;		/* GO_SLOT_* */
};

/* What an object is, as far as it is known; index 0 = unknown. */
enum snap_type_kind { SNAP_TYPE_UNKNOWN, SNAP_TYPE_RTYPE, SNAP_TYPE_CLOSURE, SNAP_TYPE_CHAN, SNAP_TYPE_OTHER };
struct snap_type {
	uint8_t kind;
	uint8_t rank;		/* of two claims about one object the higher is believed */
	bool array;		/* RTYPE: the object is a row of them */
	taddr rtype;		/* RTYPE: of the object, of each element of a row; CHAN: of the element */
	uint64_t bytes;		/* of that rtype, 0 unknown */
	const char *name;	/* "main.Session", "[...]main.T", "closure of main.f.func1", "chan int", "runtime.g" */
};

struct snap_loss {
	const char *what;
	uint64_t count;
	uint64_t bytes;
};

struct snapshot {
	struct target *t;	/* borrowed */
	struct go *go;		/* borrowed */
	struct go_heap heap;
	struct go_stacks stacks;
	struct go_types *rtypes;
	VEC(struct snap_root) roots;
	VEC(struct snap_slot) slots;
	VEC(struct snap_type) types;	/* [0] = unknown; never moves once edges are being read */
	uint32_t *type_of;		/* by object id: index in types; bigalloc'd, filled by snapshot_edges */
	VEC(struct snap_loss) losses;
	struct snap_dump *dump;		/* a heap dump's part of it, dump.h; NULL: evidence with a runtime */
	struct snap_names *names;	/* owner of text and of the index of types; names.h */
	uint64_t read_ns, extract_ns;
};

struct snap_opts {
	unsigned nthreads;	/* 0: all */
	uint64_t max_memory;	/* bytes of our own; 0: no limit; beyond: ERR_LIMIT */
};

struct err *snapshot_create(struct target *t, struct go *g, const struct snap_opts *o,
			    struct snapshot **ret) MUST_CHECK;
void snapshot_free(struct snapshot *s);
static inline void snapshot_freep(struct snapshot **s)
{
	snapshot_free(*s);
}

/*
 * Object-to-object edges as compressed sparse rows over ids [0, heap.nobjects):
 *   edges of id: to[first[id]] .. to[first[id + 1] - 1], in slot order, with repeats
 * Only allocated targets are recorded; a pointer at a free slot is counted in bad.
 * Also learns types (type_of).  All arrays bigalloc'd: owner frees with snapshot_edges_deinit.
 */
struct snap_edges {
	uint64_t n;		/* = heap.nobjects */
	uint64_t m;
	uint64_t *first_hi;	/* NULL while m < 2^32 */
	uint32_t *first;	/* n + 1 */
	uint32_t *to;		/* m; ids fit in 32 bits or ERR_LIMIT (8 G slots of 16 bytes and more are refused) */
	uint64_t to_cap;	/* elements mapped at to */
	uint64_t bad;		/* pointers at slots that are no objects: not recorded */
};

struct err *snapshot_edges(struct snapshot *s, unsigned nthreads, struct snap_edges *ret) MUST_CHECK;
void snapshot_edges_deinit(struct snap_edges *e);

/* Text of an object's type: never NULL; unknown ones are "~48 B scan", "~16 B noscan". buf ≥ 64. */
const char *snapshot_type_name(const struct snapshot *s, uint64_t id, char *buf, size_t nbuf);

/* Name a field path at byte offset `at` of the type of object id: ".buf", "[3].key", "" unknown. */
void snapshot_field_name(struct snapshot *s, uint64_t id, uint64_t at, char *buf, size_t nbuf);

void snapshot_lose(struct snapshot *s, const char *what, uint64_t count, uint64_t bytes);

static inline bool snapshot_is_object(const struct snapshot *s, uint64_t id)
{
	return id < s->heap.nobjects && go_bit(s->heap.alloc_bits, id);
}

#endif
