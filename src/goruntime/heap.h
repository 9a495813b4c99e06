/*
 * heap.h - spans, heap bits, specials, root tables: the collector's view of the heap.
 *
 * Source: runtime/mheap.go (mspan, specials), mbitmap.go (heap bits, malloc
 * headers), mgcmark.go (what is a root), mgcmark_greenteagc.go (inline marks).
 */
#ifndef LIMPET_GORUNTIME_HEAP_H
#define LIMPET_GORUNTIME_HEAP_H

#include "goruntime/goruntime.h"

enum go_ptr_scheme {
	GO_PTR_NONE,	  /* noscan */
	GO_PTR_LISTED,	  /* in lists beside the heap: go_heap.listed */
	GO_PTR_BITMAP,	  /* heapArena.bitmap, objects of any size (to 1.21) */
	GO_PTR_SPAN_BITS, /* 1 bit/word at the end of the span (1.22+, elem ≤ 512 B) */
	GO_PTR_HEADER,	  /* malloc header: type word before each object */
	GO_PTR_LARGE,	  /* span.largeType */
	GO_PTR_ARENA,	  /* user arena chunk: bits at the end of the chunk */
};

/*
 * What the span's mark bits mean at this instant.  Source: mheap.go (mspan.sweepgen),
 * mgcsweep.go (sweep: gcmarkBits become allocBits).
 */
enum go_marks {
	GO_MARKS_LAST_CYCLE, /* mark bit == survived the last finished cycle; clear+allocated = born
				since */
	GO_MARKS_UNSWEPT,  /* survived or not; what did not waits for the sweeper and is no object:
			    * its  alloc bit is clear here, counted in unswept_garbage_* */
	GO_MARKS_MARKING,  /* a cycle is marking, and all spans were swept before it began (mgc.go,
			    * gcStart:  finishsweep_m): as LAST_CYCLE, of the cycle that finished
			    * before it */
	GO_MARKS_FRESH,	   /* span born since the last cycle: no information */
	GO_MARKS_SWEEPING, /* being swept at this instant: undecidable */
	GO_MARKS_NONE,	   /* the evidence has no mark bits: a heap dump */
};

struct go_span {
	taddr base;
	uint64_t bytes;	     /* npages * GO_PAGE_BYTES */
	uint64_t elem_bytes; /* distance of slots; objects start at base + slot * elem_bytes */
	uint64_t first;	     /* object id of slot 0 */
	uint32_t nelems;
	uint32_t div_mul; /* slot = (offset * div_mul) >> 32, as runtime.(*mspan).objIndex */
	uint32_t freeindex, free_index_for_scan;
	uint8_t spanclass;
	bool noscan;
	uint8_t scheme;	      /* enum go_ptr_scheme */
	uint8_t marks;	      /* enum go_marks */
	bool tiny;	      /* tiny allocator's class (noscan 16 B) */
	uint64_t limit_bytes; /* mspan.limit - base: no object reaches beyond */
	taddr mspan;	      /* of the runtime.mspan */
	taddr large_type;
	taddr specials; /* list head */
};

/* A finalizer, cleanup, weak handle … on an object.  kind is version-independent. */
enum go_special_kind {
	GO_SPECIAL_FINALIZER,
	GO_SPECIAL_CLEANUP,
	GO_SPECIAL_WEAK,
	GO_SPECIAL_PROFILE,
	GO_SPECIAL_OTHER,
};

struct go_special {
	taddr at;	 /* of the special */
	taddr object;	 /* base of the object's slot */
	uint64_t offset; /* of the special's own offset in the span */
	uint8_t kind;
	taddr type;	  /* finalizer: rtype of the pointer that it was set with; 0 unknown */
	taddr words[3];	  /* finalizer: fn; cleanup: call, fn, arg; weak: handle; profile: bucket */
	taddr word_at[3]; /* where those words lie */
	unsigned nwords;  /* root words */
};

/* Pointer words outside heap and stacks. */
enum go_root_kind {
	GO_ROOT_DATA,
	GO_ROOT_BSS,
	GO_ROOT_FINALIZER_QUEUE,
	GO_ROOT_CLEANUP_QUEUE,
	GO_ROOT_RUNTIME, /* the Ps' current tiny blocks */
};

struct go_root_word {
	taddr at;
	taddr value;
	uint8_t kind;
	uint8_t module;
};

/* Numbers that the runtime itself keeps, for cross-checks and the memory table. Bytes. */
struct go_counters {
	uint32_t gcphase; /* 0 off, 1 mark, 2 mark termination */
	uint32_t sweepgen;
	uint32_t num_gc;      /* finished cycles */
	uint64_t heap_marked; /* gcController.heapMarked: live after last mark */
	uint64_t heap_live;   /* gcController.heapLive */
	uint64_t heap_in_use, heap_free, heap_released; /* gcController.heapInUse … */
	uint64_t stacks_in_use, mspan_sys, mspan_in_use, mcache_sys, buckhash_sys, gc_misc_sys,
		other_sys;
	uint64_t total_alloc_bytes, total_free_bytes;
	uint64_t mapped_ready;
	int64_t memory_limit; /* GOMEMLIMIT; INT64_MAX: none, 0: not known */
	int32_t gc_percent;   /* GOGC; negative: off */
	bool gc_percent_known;
	uint64_t heap_goal; /* by GOGC alone, without the limit; UINT64_MAX: off */
	uint64_t heap_minimum, stack_scan, globals_scan;
	uint64_t last_gc_unix_ns;
	uint64_t last_gc_ns; /* the same instant by the clock of nanotime(); 0 unknown */
	uint64_t total_pause_ns;
};

/*
 * Where an address lies, in three dependent loads:
 *   arena_slot[(addr - lo) >> arena_shift] = 1 + n, 0: no arena
 *   page_span[n << page_bits | page in the arena] = 1 + span, 0: none in use
 *   hot[span]: what object lookup needs of a span, 24 bytes
 * bigalloc'd; page_span is filled only for in-use spans.
 */
struct go_span_hot {
	taddr base;
	uint64_t bytes; /* nelems * elem_bytes, or up to mspan.limit: beyond are no objects */
	uint32_t first;
	uint32_t div_mul;
};

struct go_heap_index {
	taddr lo;
	uint64_t nslots; /* of arena_slot */
	uint32_t arena_shift;
	uint32_t page_bits;
	uint32_t narenas;
	uint32_t *arena_slot;
	taddr *meta; /* of arena n: its runtime.heapArena, 0 if it could not be told */
	uint32_t *page_span;
	struct go_span_hot *hot;
	size_t nhot;
};

struct go_scan_ops;
struct go_heap;

/* Who knows the pointer words of GO_PTR_LISTED spans; only: of that object, or GO_NO_OBJECT. */
struct go_listed {
	struct err *(*scan)(void *arg, const struct go_heap *h, size_t span, uint64_t only,
			    const struct go_scan_ops *ops, void *ops_arg);
	void *arg;
};

struct go_heap {
	VEC(struct go_span) spans; /* in use, ascending by base */
	VEC(struct go_special) specials;
	VEC(struct go_root_word) roots; /* non-zero words only */
	uint64_t nobjects;		/* sum of nelems = number of ids */
	uint64_t *alloc_bits;	    /* bit id: slot is allocated and initialised (may be scanned);
				       bigalloc'd */
	uint64_t *mark_bits;	    /* bit id: marked, per the span's `marks` */
	uint64_t manual_span_bytes; /* spans not of the collected heap: stacks, work buffers */
	uint64_t nmanual_spans, narenas;
	VEC(struct trange) manual; /* those spans, ascending */
	uint64_t unswept_garbage_objects, unswept_garbage_bytes;
	struct trange bounds; /* all arenas lie inside */
	struct go_counters counters;
	struct go_heap_index index;
	struct go_masks *masks;		 /* pointer masks of types seen in headers; heap_mask.h */
	const struct go_listed *listed;	 /* NULL: no such spans; borrowed */
	uint64_t lost_spans, lost_bytes; /* unreadable or inconsistent: losses */
};

/* Go's own figures alone; also part of go_heap_read(). */
struct err *go_counters_read(const struct go *g, struct go_counters *ret) MUST_CHECK;
struct err *go_heap_read(const struct go *g, unsigned nthreads, struct go_heap *ret) MUST_CHECK;
void go_heap_deinit(struct go_heap *h);

#define GO_NO_OBJECT UINT64_MAX
#define GO_NO_SPAN   SIZE_MAX

/* Index of the in-use span that holds addr, or GO_NO_SPAN. */
static inline size_t go_heap_span_index(const struct go_heap *h, taddr addr)
{
	const struct go_heap_index *x = &h->index;
	uint64_t off = addr - x->lo;
	uint64_t slot = off >> x->arena_shift;
	uint32_t arena, page;

	if (slot >= x->nslots)
		return GO_NO_SPAN;
	arena = x->arena_slot[slot];
	if (!arena)
		return GO_NO_SPAN;
	page = (uint32_t)(off >> GO_PAGE_SHIFT) & ((1U << x->page_bits) - 1);
	return (size_t)x->page_span[((size_t)(arena - 1) << x->page_bits) | page] - 1;
}

/* Span outside the collected heap (a stack's, a work buffer's) that holds addr; {0, 0}: none. */
struct trange go_heap_manual_at(const struct go_heap *h, taddr addr);
/* Span that holds addr, or NULL.  O(1). */
static inline const struct go_span *go_heap_span_at(const struct go_heap *h, taddr addr)
{
	size_t i = go_heap_span_index(h, addr);

	return i == GO_NO_SPAN ? NULL : &h->spans.v[i];
}

/* Object id that addr falls into in the span of that index (may be GO_NO_SPAN). */
static inline uint64_t go_heap_object_in(const struct go_heap *h, size_t span, taddr addr)
{
	const struct go_span_hot *hot;
	uint64_t off;

	if (span == GO_NO_SPAN)
		return GO_NO_OBJECT;
	hot = &h->index.hot[span];
	off = addr - hot->base;
	if (off >= hot->bytes)
		return GO_NO_OBJECT;
	return (uint64_t)hot->first + (off * hot->div_mul >> 32);
}

/*
 * Object id that addr (also interior) falls into, allocated or not; GO_NO_OBJECT outside
 * the heap.  Source: mbitmap.go, findObject and objIndex.
 */
static inline uint64_t go_heap_object_at(const struct go_heap *h, taddr addr)
{
	return go_heap_object_in(h, go_heap_span_index(h, addr), addr);
}

/* Span that holds an object id; id < nobjects.  O(log spans). */
const struct go_span *go_heap_span_of(const struct go_heap *h, uint64_t id);
/* Start of the object's slot (a malloc header comes first) and the slot's bytes (may be NULL). */
taddr go_heap_address(const struct go_heap *h, uint64_t id, uint64_t *ret_bytes);

/* One object in a span of its own. */
static inline bool go_span_large(const struct go_span *s)
{
	return s->scheme == GO_PTR_LARGE || (s->scheme == GO_PTR_BITMAP && !(s->spanclass >> 1));
}

/* Bytes of malloc header before the data of the span's objects: 8 or 0. */
static inline uint64_t go_span_header(const struct go_span *s)
{
	return s->scheme == GO_PTR_HEADER ? 8 : 0;
}

static inline bool go_bit(const uint64_t *bits, uint64_t i)
{
	return bits[i >> 6] >> (i & 63) & 1;
}

/*
 * Walk the pointer words of the objects of spans [lo, hi), in ascending id order,
 * streaming through one reused buffer.  Objects that are not allocated are passed over.
 */
struct go_scan_ops {
	/* Next object begins; word0 = first word of its data (closure pc, …; 0 where that word is a
	 * pointer by the mask); type = rtype from malloc header or span, else 0. */
	struct err *(*object)(void *arg, uint64_t id, taddr type, uint64_t word0);
	/* Non-zero pointer word: at = offset in the slot (malloc header included), before =
	 * preceding word, an interface's type or itab; 0 when there is none or it is itself a
	 * pointer. */
	struct err *(*pointer)(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before);
	/* Memory that could not be read. */
	void (*lost)(void *arg, taddr addr, uint64_t nbytes);
	/*
	 * May be NULL.  Heap bits of a GO_PTR_SPAN_BITS or GO_PTR_BITMAP span, 1 bit a word, before
	 * its objects; of large objects in pieces: at = offset in the span, a multiple of 512.
	 */
	void (*bits)(void *arg, const struct go_span *s, uint64_t at, const uint64_t *bits,
		     uint64_t nbytes);
};

struct err *go_heap_scan(const struct go *g, const struct go_heap *h, size_t lo, size_t hi,
			 const struct go_scan_ops *ops, void *arg) MUST_CHECK;
/* The same for one object only. */
struct err *go_heap_scan_object(const struct go *g, const struct go_heap *h, uint64_t id,
				const struct go_scan_ops *ops, void *arg) MUST_CHECK;

#endif
