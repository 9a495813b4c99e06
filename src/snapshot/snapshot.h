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
#include "goruntime/waits.h"

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
	const char *name;	/* "main.cache", "global used by main.f (data+0x1f20)", "goroutine 17 main.worker"; borrowed */
	const char *place;	/* "data+0x1f20": a global without a symbol; else NULL */
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
enum snap_type_kind {
	SNAP_TYPE_UNKNOWN,
	SNAP_TYPE_RTYPE,
	SNAP_TYPE_CLOSURE,
	SNAP_TYPE_CHAN,
	SNAP_TYPE_OTHER,	/* the runtime's own, without an rtype; a guess */
	SNAP_TYPE_MAP,		/* a map's header */
	SNAP_TYPE_PART,		/* other memory of a map */
	SNAP_TYPE_STRING,	/* bytes that strings point to */
	SNAP_TYPE_TINY,		/* several small values without pointers */
};
struct snap_type {
	uint8_t kind;
	uint8_t rank;		/* enum snap_rank: of two claims about one object the higher is believed */
	uint8_t form;		/* private: enum typing_form */
	bool array;		/* RTYPE: the object is a row of them */
	taddr rtype;		/* RTYPE: of the object, of each element of a row; CHAN: of the element; MAP,
				 * PART: of the map */
	taddr elem;		/* PART: rtype of each element, 0 none */
	taddr entry;		/* CLOSURE: of its function */
	uint64_t bytes;		/* of rtype (PART: of elem), 0 unknown */
	const char *name;	/* "main.Session", "[]main.T", "closure of main.f.func1", "chan int", "runtime.g" */
};

/*
 * Memory outside of heap objects whose type is known: a global, a local of a frame.  Its
 * pointers tell types of objects as those of a typed object do.
 */
struct snap_var {
	taddr at;
	taddr rtype;		/* of the variable itself */
	const char *name;	/* "main.cache", "sess"; borrowed from snap_text() */
	uint32_t root;		/* index in roots, UINT32_MAX: none (its memory holds no root slot) */
	uint32_t frame;		/* index in stacks.frames, UINT32_MAX: a global */
	uint8_t rank;		/* enum snap_rank: how sure its type is */
};

/* Evidence for a type; of two claims about one object the higher is believed. */
enum snap_rank {
	SNAP_RANK_NONE,
	SNAP_RANK_GUESS,	/* only the shape speaks for it; its name begins with "~", and it tells nothing of others */
	SNAP_RANK_INSIDE,	/* of all types only this one has that shape and what pointers to its middle say */
	SNAP_RANK_WEAK,		/* a word that looks like an itab before a pointer in memory of unknown type, and what follows from it */
	SNAP_RANK_FLOW,		/* pointers in memory of known type */
	SNAP_RANK_RUNTIME,	/* the runtime's own structures, parts of containers */
	SNAP_RANK_HEADER,	/* the type that mallocgc was called with */
};

struct snap_loss {
	const char *what;
	uint64_t count;
	uint64_t bytes;
};

/* What snapshot_types did, for those who doubt it. */
struct snap_typing_stats {
	uint64_t seeds;		/* objects whose type was known before: headers, interfaces, the runtime's own */
	uint64_t claims;	/* pointers in typed memory that lead to objects */
	uint64_t accepted;	/* objects that these gave a type, or a better one */
	uint64_t refused_size;	/* claims refused: mallocgc would have given another slot */
	uint64_t refused_mask;	/* the collector's pointer bits say otherwise */
	uint64_t refused_inside; /* a pointer into the middle, which tells nothing of the whole */
	uint64_t conflicts;	/* objects with two claims of which neither contains the other */
	uint64_t checked;	/* claims of the right size about objects with a malloc header, which says it better */
	uint64_t checked_wrong;	/* of these: another type with the same pointer bits */
	uint64_t rounds;
	uint64_t read_bytes;
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
	uint32_t *type_of;		/* by object id: index in types; bigalloc'd, filled by snapshot_edges and _types */
	VEC(struct snap_var) vars;	/* ascending by at */
	struct go_code *code;		/* what its code says, goruntime/coderefs.h; NULL: not asked */
	VEC(uint64_t) shapes;		/* private: pointer bits in names of guesses */
	VEC(struct snap_loss) losses;
	struct go_waits waits;		/* of goroutines that only others can wake; a heap dump has none */
	struct snap_dump *dump;		/* a heap dump's part of it, dump.h; NULL: evidence with a runtime */
	struct snap_bits *bits;		/* pointer bits, from snapshot_edges on; typing.h */
	struct snap_sites *sites;	/* sites.h; NULL: not asked yet */
	struct snap_dwarf *dwarf;	/* vars.h; NULL: none, or not asked yet */
	struct snap_labels *labels;	/* labels.h; NULL: not asked */
	struct snap_words {		/* by edge of an object: in which word of it; v NULL: not kept */
		uint16_t *v;
		uint64_t cap;
	} words;
	struct snap_names *names;	/* owner of text and of the index of types; names.h */
	struct snap_typing_stats typing;
	unsigned keep;			/* enum snap_keep */
	uint64_t read_ns, extract_ns, names_ns;
};

/* Edges of larger objects have no words. */
#define SNAP_WORDS_MAX 65535U

enum snap_keep {
	SNAP_KEEP_EDGES,
	SNAP_KEEP_WORDS,	/* too, until snap_words_free(); of a dump there are none */
};

struct snap_opts {
	unsigned nthreads;	/* 0: all */
	enum snap_keep keep;
	uint64_t max_memory;	/* bytes of our own; 0: no limit; beyond: ERR_LIMIT */
};

struct err *snapshot_create(struct target *t, struct go *g, const struct snap_opts *o,
			    struct snapshot **ret) MUST_CHECK;
void snapshot_free(struct snapshot *s);
void snap_words_free(struct snapshot *s);
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

/* Those edges where they are kept now: of id, to[first[id]] - by .. to[first[id + 1] - 1] - by. */
struct snap_arrows {
	const uint32_t *first, *to;
	uint32_t by;
};

/*
 * Types by propagation: from objects and variables (s->vars) of known type through their
 * pointers, slices, strings, maps … until nothing changes.  After snapshot_edges().  A type is
 * accepted only where its pointer mask agrees with the collector's bits for the whole slot
 * and mallocgc gives such a slot for it.  The result depends neither on nthreads nor on the
 * edges: with them objects of plain pointers need not be read again.
 */
struct err *snapshot_types(struct snapshot *s, const struct snap_arrows *a,
			   unsigned nthreads) MUST_CHECK;

/* One typed place: a whole value, a field of it, an element, however deep. */
struct snap_place {
	taddr at;
	const struct go_type *type;
	const uint8_t *bytes;	/* type->bytes of them; borrowed for the call */
	uint64_t object;	/* id; GO_NO_OBJECT: in a variable */
	uint64_t off;		/* in the object's slot (malloc header included), or in the variable */
	uint32_t var;		/* index in vars; UINT32_MAX: in an object */
	uint64_t in;		/* off in one element, if the object is a row, and of arrays in that of the first */
	unsigned worker;	/* whose call this is: 0 .. nthreads - 1 */
};

/*
 * Call fn for each place of certain kinds (bits 1u << GO_STRING …) in all typed objects and
 * variables; guesses are left out.  reached: bits by object id, NULL: all.  fn is called by
 * nthreads threads at once, in no order; its error ends the walk.  Objects without pointers
 * are looked into only if kinds has other bits than those of kinds with pointers.
 */
struct err *snapshot_each_place(struct snapshot *s, const uint64_t *reached, unsigned nthreads,
				uint32_t kinds,
				struct err *(*fn)(void *arg, const struct snap_place *p),
				void *arg) MUST_CHECK;

/*
 * The same for places of certain types: types[], ascending by address.  Places of one object are
 * told by one worker, in the order of memory; objects that hold none of them are not read.
 */
struct err *snapshot_each_typed(struct snapshot *s, const uint64_t *reached, unsigned nthreads,
				const taddr *types, size_t ntypes,
				struct err *(*fn)(void *arg, const struct snap_place *p),
				void *arg) MUST_CHECK;

/* Is the object's type known?  A guess is not. */
static inline bool snapshot_is_typed(const struct snapshot *s, uint64_t id)
{
	return s->type_of && s->type_of[id] && s->types.v[s->type_of[id]].rank > SNAP_RANK_GUESS;
}

/* Text of an object's type: never NULL; unknown ones are "~48 B scan", "~16 B noscan". buf ≥ 64. */
const char *snapshot_type_name(const struct snapshot *s, uint64_t id, char *buf, size_t nbuf);

/* Name a field path at byte offset `at` of the type of object id: ".buf", "[3].key", "" unknown. */
void snapshot_field_name(struct snapshot *s, uint64_t id, uint64_t at, char *buf, size_t nbuf);

/* Name of the data symbol that holds an address, and where it begins; NULL: none (stripped). */
const char *snapshot_symbol(const struct snapshot *s, taddr at, taddr *ret_start);

void snapshot_lose(struct snapshot *s, const char *what, uint64_t count, uint64_t bytes);

static inline bool snapshot_is_object(const struct snapshot *s, uint64_t id)
{
	return id < s->heap.nobjects && go_bit(s->heap.alloc_bits, id);
}

#endif
