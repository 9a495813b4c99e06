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
	GO_PTR_NONE,		/* noscan */
	GO_PTR_SPAN_BITS,	/* 1 bit/word at the end of the span (1.22+, elem ≤ 512 B) */
	GO_PTR_HEADER,		/* malloc header: type word before each object */
	GO_PTR_LARGE,		/* span.largeType */
	GO_PTR_ARENA,		/* user arena chunk: bits at the end of the chunk */
};

/* What the span's mark bits mean at this instant (see go-runtime facts: sweepgen). */
enum go_marks {
	GO_MARKS_LAST_CYCLE,	/* mark bit == survived the last finished cycle; clear+allocated = born since */
	GO_MARKS_UNSWEPT,	/* as above, but allocated && !marked is garbage waiting for the sweeper */
	GO_MARKS_PARTIAL,	/* a cycle is marking: set bits are true, clear ones say nothing */
	GO_MARKS_FRESH,		/* span born since the last cycle: no information */
	GO_MARKS_SWEEPING,	/* being swept at this instant: undecidable */
};

struct go_span {
	taddr base;
	uint64_t bytes;		/* npages * GO_PAGE_BYTES */
	uint64_t elem_bytes;	/* distance of slots; objects start at base + slot * elem_bytes */
	uint64_t first;		/* object id of slot 0 */
	uint32_t nelems;
	uint32_t div_mul;	/* slot = (offset * div_mul) >> 32, as runtime.(*mspan).objIndex */
	uint32_t freeindex, free_index_for_scan;
	uint8_t spanclass;
	bool noscan;
	uint8_t scheme;		/* enum go_ptr_scheme */
	uint8_t marks;		/* enum go_marks */
	bool tiny;		/* tiny allocator's class (noscan 16 B) */
	taddr mspan;		/* of the runtime.mspan */
	taddr large_type;
	taddr specials;		/* list head */
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
	taddr at;		/* of the special */
	taddr object;		/* base of the object's slot */
	uint64_t offset;	/* of the special's own offset in the span */
	uint8_t kind;
	taddr words[3];		/* finalizer: fn; cleanup: call, fn, arg; weak: handle; profile: bucket */
	taddr word_at[3];	/* where those words lie */
	unsigned nwords;	/* root words */
};

/* Pointer words outside heap and stacks. */
enum go_root_kind {
	GO_ROOT_DATA,
	GO_ROOT_BSS,
	GO_ROOT_FINALIZER_QUEUE,
	GO_ROOT_CLEANUP_QUEUE,
	GO_ROOT_RUNTIME,	/* anything else the collector keeps: see heap_roots.c */
};

struct go_root_word {
	taddr at;
	taddr value;
	uint8_t kind;
	uint8_t module;
};

/* Numbers that the runtime itself keeps, for cross-checks and the memory table. Bytes. */
struct go_counters {
	uint32_t gcphase;		/* 0 off, 1 mark, 2 mark termination */
	uint32_t sweepgen;
	uint32_t num_gc;		/* finished cycles */
	uint64_t heap_marked;		/* gcController.heapMarked: live after last mark */
	uint64_t heap_live;		/* gcController.heapLive */
	uint64_t heap_in_use, heap_free, heap_released;	/* gcController.heapInUse … */
	uint64_t stacks_in_use, mspan_sys, mspan_in_use, mcache_sys, buckhash_sys, gc_misc_sys, other_sys;
	uint64_t total_alloc_bytes, total_free_bytes;
	uint64_t mapped_ready;
	int64_t memory_limit;
	int32_t gc_percent;
	uint64_t heap_goal;
	uint64_t last_gc_unix_ns;
	uint64_t total_pause_ns;
};

struct go_heap {
	VEC(struct go_span) spans;	/* in use, ascending by base */
	VEC(struct go_special) specials;
	VEC(struct go_root_word) roots;	/* non-zero words only */
	uint64_t nobjects;		/* sum of nelems = number of ids */
	uint64_t *alloc_bits;		/* bit id: slot is allocated and initialised (may be scanned); bigalloc'd */
	uint64_t *mark_bits;		/* bit id: marked, per the span's `marks` */
	uint64_t stack_span_bytes, manual_span_bytes, free_bytes, released_bytes;
	uint64_t nstack_spans, narenas;
	struct trange bounds;		/* all arenas lie inside */
	struct go_counters counters;
	/* Page -> span index + 1 for arenas, in arena order; see go_heap_span_at(). */
	struct go_heap_index *index;
	uint64_t lost_spans, lost_bytes;	/* unreadable or inconsistent: losses */
};

struct err *go_heap_read(const struct go *g, unsigned nthreads, struct go_heap *ret) MUST_CHECK;
void go_heap_deinit(struct go_heap *h);

/* Span that holds addr, or NULL.  O(1). */
const struct go_span *go_heap_span_at(const struct go_heap *h, taddr addr);

#define GO_NO_OBJECT UINT64_MAX
/* Object id that addr (also interior) falls into, allocated or not; GO_NO_OBJECT outside the heap. */
uint64_t go_heap_object_at(const struct go_heap *h, taddr addr);
taddr go_heap_address(const struct go_heap *h, uint64_t id, uint64_t *ret_bytes);

static inline bool go_bit(const uint64_t *bits, uint64_t i)
{
	return bits[i >> 6] >> (i & 63) & 1;
}

/*
 * Walk the pointer words of the objects of spans [lo, hi), in ascending id order,
 * streaming through one reused buffer.  Objects that are not allocated are passed over.
 */
struct go_scan_ops {
	/* Next object begins; word0 = first word of its memory (closure pc, …); type = rtype from
	 * malloc header or span, else 0. */
	struct err *(*object)(void *arg, uint64_t id, taddr type, uint64_t word0);
	/* Non-zero pointer word: at = offset in the object, before = preceding word (0 when at == 0):
	 * an interface's type or itab. */
	struct err *(*pointer)(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before);
	/* Memory that could not be read. */
	void (*lost)(void *arg, taddr addr, uint64_t nbytes);
};

struct err *go_heap_scan(const struct go *g, const struct go_heap *h, size_t lo, size_t hi,
			 const struct go_scan_ops *ops, void *arg) MUST_CHECK;
/* The same for one object only. */
struct err *go_heap_scan_object(const struct go *g, const struct go_heap *h, uint64_t id,
				const struct go_scan_ops *ops, void *arg) MUST_CHECK;

#endif
