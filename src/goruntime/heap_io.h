/*
 * heap_io.h - many small reads of neighbouring memory, few system calls.
 *
 * mspans, mark bits and specials lie densely in the runtime's own chunks
 * (mfixalloc.go, mheap.go gcBitsArena), so blocks of 64 KiB are kept, direct-mapped.  What is
 * scattered over the heap (tables, nodes, entries) is better read by blocks of a page.
 * For one thread.  About 1 MiB.  Reads the frozen target only: nothing gets stale.
 */
#ifndef LIMPET_GORUNTIME_HEAP_IO_H
#define LIMPET_GORUNTIME_HEAP_IO_H

#include "goruntime/goruntime.h"

#define GO_IO_BYTES	   ((size_t)1 << 20)
#define GO_IO_BLOCKS	   256 /* at most */
#define GO_IO_DENSE_SHIFT  16
#define GO_IO_SPARSE_SHIFT 12

struct go_io {
	const struct go *g;
	uint8_t *mem;		     /* blocks, GO_IO_BYTES of them */
	unsigned shift;		     /* of a block's bytes */
	taddr base[GO_IO_BLOCKS];    /* 0: empty */
	size_t nbytes[GO_IO_BLOCKS]; /* readable from base on */
};

struct err *go_io_init(struct go_io *io, const struct go *g) MUST_CHECK;
struct err *go_io_init_sparse(struct go_io *io, const struct go *g) MUST_CHECK;
void go_io_deinit(struct go_io *io); /* fits _cleanup_ on a struct go_io */

/* As target_read: exactly n bytes, or ERR_FAULT. */
struct err *go_io_read(struct go_io *io, taddr addr, void *buf, size_t n) MUST_CHECK;

#endif
