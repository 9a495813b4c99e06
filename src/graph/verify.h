/*
 * verify.h - is limpet right?  Our reachable set against the collector's mark bits.
 *
 *   missing  marked by the collector (or older than its cycle and alive), not reached by us
 *   extra    reached by us, but the slot is not allocated
 *
 * One snapshot cannot decide everything: an object marked in the last finished cycle may
 * have become garbage since.  Such candidates are told apart by a second snapshot after
 * later cycles: still marked at the same address and still not reached = a true miss.
 */
#ifndef LIMPET_GRAPH_VERIFY_H
#define LIMPET_GRAPH_VERIFY_H

#include "graph/graph.h"

enum verify_side { VERIFY_MISSING, VERIFY_EXTRA };

enum {
	VERIFY_FINALIZER = 1,	/* has a finalizer: is kept once more when it dies */
	VERIFY_TINY = 2,	/* in the tiny allocator's class */
	VERIFY_DECIDED = 4,	/* a second observation has spoken */
};

struct verify_diff {
	taddr addr;
	uint64_t bytes;
	uint8_t side;		/* enum verify_side */
	uint8_t flags;		/* VERIFY_* */
	bool explained;
	const char *reason;	/* static text: "garbage since the last cycle", "span being swept" … */
};

/* Diffs kept one by one; beyond that candidates are counted and stay undecided. */
#define VERIFY_DIFFS_MAX (1U << 20)

struct verify_result {
	uint64_t reachable_objects, reachable_bytes;
	uint64_t gc_objects, gc_bytes;		/* marked, in spans whose marks say something */
	uint64_t missing, extra;		/* unexplained or not yet decided */
	uint64_t garbage_since;			/* marked, unreached, explained by a second observation */
	uint64_t undecided;			/* candidates that one snapshot cannot decide; part of missing */
	uint64_t born_since;			/* reached, allocated, not marked: born after the cycle */
	uint64_t spans_valid, spans_undecidable;
	uint32_t gcphase, cycles;
	uint64_t conservative_frames, conservative_slots;
	/*
	 * What the collector counted itself: gcController.heapMarked, less the objects with finalizers,
	 * which it counts twice.  Comparable with gc_bytes only when no cycle runs and each span's marks
	 * are readable; two markers that race count an object twice as well.
	 */
	uint64_t counter_bytes;
	bool counter_comparable;
	bool second;				/* a second observation has been made */
	const char *phase;			/* static text: what could be compared at that instant */
	VEC(struct verify_diff) diffs;		/* candidates and differences, by address */
};

/*
 * First observation.  *ret is empty before, verify_deinit() after.  Where a reached object points at
 * a free slot, the heap is scanned once more to say which: the twin must still be there.
 */
struct err *verify_run(const struct snapshot *s, const struct graph *g, struct verify_result *ret) MUST_CHECK;
/*
 * Second one, of the same process after at least one more finished cycle: candidates of r that are no
 * longer marked are explained; those still marked and still unreached stay missing.  Without a new
 * finished cycle it decides nothing.  May be called again with later observations.  g2 NULL: by the
 * marks alone; what is still marked stays as it was.
 */
void verify_again(struct verify_result *r, const struct go_heap *h2, const struct graph *g2);
/*
 * Among what is left are tiny blocks.  Each P's current one is marked when a cycle begins and given up
 * when it ends (mgcmark.go, gcMarkTinyAllocs; mcache.go, releaseAll): that a block was marked once more
 * does not mean that anything held it; that it is each time, does.
 */
bool verify_tiny_left(const struct verify_result *r);
void verify_deinit(struct verify_result *r);
/*
 * No unexplained difference.  Before a second observation undecided candidates are tolerated up to
 * half of what the collector marked: a wrong layout loses nearly all of it.
 */
bool verify_holds(const struct verify_result *r);

#endif
