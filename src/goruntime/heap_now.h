/*
 * heap_now.h - what a finished cycle marked, read out of the running program, span by span.
 *
 * Nothing is stopped, so all that is read may change meanwhile.  What makes a span's bits certain:
 * a sweep makes a cycle's marks the span's allocBits, and nothing writes these until the sweep of
 * the next cycle (mgcsweep.go, sweepLocked.sweep; allocation moves freeindex alone). mspan.sweepgen
 * says which cycle that was; it is read before and after the bits, with all else that tells the
 * span. allocBits memory is used again only two cycles later (mheap.go, nextMarkBitArenaEpoch), and
 * a span that is freed and made anew meanwhile has other allocBits.
 *
 * Cost: the mspans twice and the bits once: for ten million objects some tens of megabytes.
 */
#ifndef LIMPET_GORUNTIME_HEAP_NOW_H
#define LIMPET_GORUNTIME_HEAP_NOW_H

#include "goruntime/goruntime.h"

struct go_now_cycle {
	uint32_t sweepgen; /* grows by 2 a cycle, when its marks are complete */
	uint32_t phase;	   /* 0: none is marking */
};

/* Errors: GONE, FAULT. */
struct err *go_now_cycle(const struct go *g, struct go_now_cycle *ret) MUST_CHECK;

enum go_now_state {
	GO_NOW_WAIT, /* not swept yet, or it changed while it was read: ask again */
	GO_NOW_READ,
	GO_NOW_LOST, /* a later sweep was sooner */
};

struct go_now_span {
	taddr base;
	uint64_t elem_bytes;
	uint32_t nelems;
	uint8_t state;
	size_t first; /* word of bits; nelems of them, bit by slot: marked.  READ only */
};

/* Marks of the cycle that made mheap_.sweepgen what is said here. */
struct go_now_marks {
	uint32_t sweepgen;
	VEC(struct go_now_span) spans; /* in use; in no order until go_now_sort() */
	VEC(uint64_t) bits;
	VEC(taddr) wait; /* mspans to ask again */
	bool asked;	 /* all have been once */
	bool holes;	 /* of a span nothing could be read: what is not in spans is not known */
	uint64_t read_bytes;
};

/*
 * First call: all spans; further ones: those that wait.  m->sweepgen is set, all else empty at
 * first.  A span that is not in m->spans in the end was not in use: nothing in it was marked and
 * still is there.  Errors: GONE, NOMEM, UNSUPPORTED, BAD_DATA.
 */
struct err *go_now_read(const struct go *g, struct go_now_marks *m) MUST_CHECK;
/* No more asking: what still waits is LOST; spans ascending by base, one of each. */
struct err *go_now_finish(const struct go *g, struct go_now_marks *m) MUST_CHECK;
void go_now_deinit(struct go_now_marks *m);

#endif
