/*
 * verify_again.c - what a later observation says of the candidates of the first.
 *
 * An object that was garbage at the first is not marked by the next cycle: at the
 * beginning of its marking nothing reaches it (runtime/mgc.go: all that is reachable when
 * marking begins is marked, and what is born meanwhile lies in slots that were free).
 * So: free now, or not marked now = garbage then.  Still marked and still not reached = missed.
 * Cost: O(candidates).
 */
#include "graph/verify.h"

static const char reason_freed[] = "garbage since the cycle before: its slot is free now";
static const char reason_unmarked[] = "garbage since the cycle before: not marked by the next";
static const char reason_span[] = "garbage since the cycle before: its span is gone";
static const char reason_finalized[] = "dead, kept once more for its finalizer";
static const char reason_reached[] =
	"reached later: its slot was used again, or running code held it for a moment";
static const char reason_missed[] = "marked again by a later cycle, and still not reached: missed";

enum verdict { EXPLAINED, MISSED, NOTHING };

/* Slot of the candidate at the second observation; GO_NO_OBJECT: another span lies there. */
static uint64_t same_slot(const struct go_heap *h2, const struct verify_diff *d)
{
	uint64_t id = go_heap_object_at(h2, d->addr);
	uint64_t bytes = 0;

	if (id >= h2->nobjects || go_heap_address(h2, id, &bytes) != d->addr || bytes != d->bytes)
		return GO_NO_OBJECT;
	return id;
}

static bool has_finalizer(const struct go_heap *h2, taddr object)
{
	for (size_t i = 0; i < h2->specials.n; i++)
		if (h2->specials.v[i].object == object &&
		    h2->specials.v[i].kind == GO_SPECIAL_FINALIZER)
			return true;
	return false;
}

/* Allocated and marked: what else could it be than missed? */
static enum verdict judge_marked(const struct go_heap *h2, const struct graph *g2,
				 struct verify_diff *d, uint64_t id)
{
	/* mgcsweep.go: sweep marks a dead object whose finalizer it queues, and takes the special.
	 */
	if ((d->flags & VERIFY_FINALIZER) && !has_finalizer(h2, d->addr)) {
		d->reason = reason_finalized;
		return EXPLAINED;
	}
	if (!g2)
		return NOTHING;
	if (graph_reached(g2, graph_node_of_object(g2, id))) {
		d->reason = reason_reached;
		return EXPLAINED;
	}
	d->reason = reason_missed;
	return MISSED;
}

static enum verdict judge(const struct go_heap *h2, const struct graph *g2, struct verify_diff *d)
{
	uint64_t id = same_slot(h2, d);
	const struct go_span *sp;

	if (id == GO_NO_OBJECT) {
		d->reason = reason_span;
		return EXPLAINED;
	}
	sp = go_heap_span_at(h2, d->addr);
	if (!sp || sp->marks == GO_MARKS_SWEEPING || sp->marks == GO_MARKS_FRESH)
		return NOTHING;
	if (!go_bit(h2->alloc_bits, id)) {
		d->reason = reason_freed;
		return EXPLAINED;
	}
	if (!go_bit(h2->mark_bits, id)) {
		d->reason = reason_unmarked;
		return EXPLAINED;
	}
	return judge_marked(h2, g2, d, id);
}

static void settle(struct verify_result *r, struct verify_diff *d, enum verdict v)
{
	if (v == NOTHING)
		return;
	if (!(d->flags & VERIFY_DECIDED))
		r->undecided--;
	d->flags |= VERIFY_DECIDED;
	d->explained = v == EXPLAINED;
	r->missing -= v == EXPLAINED;
	r->garbage_since += v == EXPLAINED;
}

void verify_again(struct verify_result *r, const struct go_heap *h2, const struct graph *g2)
{
	/* Counted modulo 2^32; less than half a turn lies between two observations. */
	if ((int32_t)(h2->counters.num_gc - r->cycles) <= 0)
		return;
	for (size_t i = 0; i < r->diffs.n; i++) {
		struct verify_diff *d = &r->diffs.v[i];

		if (d->side == VERIFY_MISSING && !d->explained)
			settle(r, d, judge(h2, g2, d));
	}
	r->second = true;
}

bool verify_tiny_left(const struct verify_result *r)
{
	for (size_t i = 0; i < r->diffs.n; i++)
		if (!r->diffs.v[i].explained && (r->diffs.v[i].flags & VERIFY_TINY))
			return true;
	return false;
}
