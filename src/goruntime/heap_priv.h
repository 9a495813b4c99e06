/*
 * heap_priv.h - between the files that fill a struct go_heap; not a door.
 */
#ifndef LIMPET_GORUNTIME_HEAP_PRIV_H
#define LIMPET_GORUNTIME_HEAP_PRIV_H

#include "goruntime/heap.h"
#include "goruntime/heap_io.h"

#define HEAP_CLASS(spanclass) ((spanclass) >> 1) /* mheap.go: spanClass.sizeclass */
#define HEAP_MSPAN_MAX	      1024		 /* bytes of an mspan image */

/* Arenas and the empty page index: h->index, h->bounds. */
struct err *heap_arenas_read(const struct go *g, struct go_heap *h) MUST_CHECK;
/* h->spans from the arenas' page tables, ascending; fills h->index. */
struct err *heap_spans_read(const struct go *g, struct go_heap *h) MUST_CHECK;
/* What a span's mark bits say. */
enum go_marks heap_marks_of(const struct go_counters *c, uint32_t span_sweepgen);
/* h->alloc_bits and h->mark_bits. */
struct err *heap_bits_read(const struct go *g, unsigned nthreads, struct go_heap *h) MUST_CHECK;
struct err *heap_specials_read(const struct go *g, struct go_heap *h) MUST_CHECK;
struct err *heap_roots_read(const struct go *g, struct go_heap *h) MUST_CHECK;

#endif
