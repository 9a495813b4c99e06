/*
 * ident.h - the objects of one look, told by where they lie.
 *
 * Go's collector does not move objects, so an address, the size of its slot and the bit that says
 * whether the last finished cycle found it there tell an object from another that came later:
 *
 *   the slot's old bit is clear    nothing was there when the last finished cycle marked, or what
 *                                  was there is gone: this object is younger than that cycle
 *   it is set                      it was there when the last finished cycle marked
 *
 * A slot becomes free only by the sweep behind a cycle that did not mark it (mgcsweep.go,
 * sweepLocked.sweep: "gcmarkBits becomes the allocBits"), and none is used between that mark and
 * that sweep.  So of two looks at one process with k finished cycles between them:
 *   k == 0          who was reachable then is still there
 *   k == 1          exact: it is still there iff it is reachable and its old bit is set
 *   k >= 2          as for 1, but of those with the bit set some may be others of the same size,
 *                   put there and marked in between: "maybe", unless every cycle was seen (follow)
 *
 * WHY IT HOLDS.
 *   A look while a cycle marks: all spans are swept before it begins (mgc.go, gcStart), and their
 *     allocBits stay the last finished cycle's.  What is reachable then was so when the cycle
 *     began, or is allocated black (malloc.go, gcmarknewobject): that cycle marks it.
 *   Allocated black: the bit is set after the cycle that it was born in.  Its slot was free before
 *     that cycle began, so no earlier look has it.
 *   An unswept span: nothing is allocated in it before it is swept; its bits are gcmarkBits.
 *   A large object is a span of one slot; a span that comes gets allocBits of zero (mheap.go,
 *     initSpan), also where one of the same size had been: its slots' old bits are clear.
 *   The tiny allocator's blocks (16 bytes, noscan): the block is the object.  Values that were put
 *     into a block that was there, and that left it, are not seen.
 *   Green tea (1.26) marks inside the span and moves them to gcmarkBits before they become
 *     allocBits (mgcmark_greenteagc.go, moveInlineMarks).
 *   An arena's chunk (GOEXPERIMENT=arenas) is the object; what lies in it is not seen.
 * WHERE IT DOES NOT.
 *   GOEXPERIMENT=runtimefreegc (malloc.go, freegc; off unless asked for) frees small buffers
 *     without a cycle: in such a program k == 0 and k == 1 are "maybe" for noscan slots.
 *   A finished cycle is one whose sweep has begun: mheap_.sweepgen / 2.  MemStats.NumGC follows
 *     while the world is stopped; a look between the two has to take the former.
 *
 * A look is told span after span, ascending by base, and may be told again.  Names are borrowed
 * from it.  Nothing here knows where it comes from: a snapshot in memory, a store.
 */
#ifndef LIMPET_FIND_IDENT_H
#define LIMPET_FIND_IDENT_H

#include "find/since.h"

/* What every reachable object is numbered by; names by ident_name(). */
enum ident_column {
	IDENT_TYPE,   /* as `top --by type` */
	IDENT_HOLDER, /* the root that alone holds it, by find_root_key(); else "(held by several)"
		       */
	IDENT_FIELD,  /* as `top --by field`, exact tree */
	IDENT_COLUMNS
};

struct ident_span {
	taddr base;
	uint64_t bytes;	     /* of the span */
	uint64_t elem_bytes; /* of a slot */
	uint32_t nelems;
	uint8_t spanclass; /* runtime.spanClass: size class << 1 | noscan */
	bool old_known;	   /* false: the look has no mark bits (heap dump), or they mean nothing */
	const uint64_t *alive; /* bit by slot: reachable */
	const uint64_t *old;   /* bit by slot: survived the last finished cycle */
	/* since an earlier look every cycle was seen, and these survived them all; NULL: not so */
	const uint64_t *stayed;
	const uint32_t *group[IDENT_COLUMNS]; /* by slot, where it is alive; < head.ngroups[] */
};

struct ident_head {
	struct find_process process;
	uint32_t cycles;	 /* finished ones since the program began (mheap_.sweepgen / 2) */
	bool has_cycles;	 /* false: unknown */
	uint32_t followed_from;	 /* stayed: since the look at that many cycles; UINT32_MAX: not */
	uint64_t objects, bytes; /* reachable */
	uint64_t goroutines, stack_bytes;
	uint64_t total_alloc; /* since the program began; 0 unknown */
	uint64_t rss;	      /* UINT64_MAX unknown */
	uint32_t ngroups[IDENT_COLUMNS];
};

struct ident {
	struct ident_head head;
	/* From the first span again. */
	struct err *(*rewind)(struct ident *x);
	/* The next span, *ret NULL behind the last; valid until the next call. */
	struct err *(*next)(struct ident *x, const struct ident_span **ret);
	const char *(*name)(struct ident *x, enum ident_column column, uint32_t group);
};

#endif
