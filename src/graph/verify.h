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

struct verify_diff {
	taddr addr;
	uint64_t bytes;
	uint8_t side;		/* enum verify_side */
	bool explained;
	const char *reason;	/* static text: "garbage since the last cycle", "span being swept" … */
};

struct verify_result {
	uint64_t reachable_objects, reachable_bytes;
	uint64_t gc_objects, gc_bytes;		/* marked, in spans whose marks say something */
	uint64_t missing, extra;		/* unexplained or not yet decided */
	uint64_t garbage_since;			/* marked, unreached, explained by a second observation */
	uint64_t undecided;			/* candidates that one snapshot cannot decide */
	uint64_t born_since;			/* reached, allocated, not marked: born after the cycle */
	uint64_t spans_valid, spans_partial, spans_undecidable;
	uint32_t gcphase, cycles;
	uint64_t conservative_frames, conservative_slots;
	bool second;				/* a second observation has been made */
	VEC(struct verify_diff) diffs;		/* candidates and differences, by address */
};

/* First observation. */
struct err *verify_run(const struct snapshot *s, const struct graph *g, struct verify_result *ret) MUST_CHECK;
/*
 * Second one, of the same process after at least one more finished cycle: candidates of r that are
 * no longer marked and unreached are explained; the others stay missing.
 */
struct err *verify_again(struct verify_result *r, const struct snapshot *s2, const struct graph *g2) MUST_CHECK;
void verify_deinit(struct verify_result *r);
/* No unexplained difference. */
bool verify_holds(const struct verify_result *r);

#endif
