/*
 * needs.h - what of a program's memory is the runtime's, and what of pointer-free objects an
 * analysis reads: what must stay when the rest of it is taken out of a copy.
 *
 * Knows nothing of copies.  Ranges come in no order and may overlap.
 */
#ifndef LIMPET_GORUNTIME_NEEDS_H
#define LIMPET_GORUNTIME_NEEDS_H

#include "goruntime/heap.h"
#include "goruntime/stack.h"

typedef void go_range_fn(void *arg, taddr at, uint64_t nbytes);

/*
 * Memory in which the runtime keeps only figures and pointers of its own: spans, bitmaps, arena
 * tables, counters, masks, and the figures of g.  What cannot be read is left out.
 */
struct err *go_own_memory(const struct go *g, const struct go_heap *h, const struct go_stacks *st,
			  go_range_fn *fn, void *arg) MUST_CHECK;

/*
 * In pointer-free objects: the heads of channels, whose elements lie behind them.  fn is called
 * by one thread at a time.  Cost: reads all objects that could be one.
 */
struct err *go_channel_heads(const struct go *g, const struct go_heap *h, unsigned nthreads,
			     go_range_fn *fn, void *arg) MUST_CHECK;

/*
 * The pointer mask (or GC program) of a type that the program made itself, by reflect: bytes on
 * the heap.  Exactly its bytes: others' share the block.  No type there: nothing.
 */
void go_made_mask(const struct go *g, taddr type, go_range_fn *fn, void *arg);

#endif
