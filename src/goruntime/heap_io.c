/*
 * heap_io.c - a small direct-mapped block cache in front of target_read.
 *
 * Knows nothing of what is read.  A miss costs one read of 64 KiB; what cannot be had
 * from a block (its first page is not mapped) is read directly.
 */
#include "goruntime/heap_io.h"

#define BLOCK_BYTES ((size_t)1 << GO_IO_BLOCK_SHIFT)

struct err *go_io_init(struct go_io *io, const struct go *g)
{
	uint8_t *mem = bigalloc(GO_IO_BLOCKS, BLOCK_BYTES);

	if (!mem)
		return &err_nomem;
	*io = (struct go_io){ .g = g, .mem = mem };
	return NULL;
}

void go_io_deinit(struct go_io *io)
{
	bigfree(io->mem, GO_IO_BLOCKS, BLOCK_BYTES);
	io->mem = NULL;
}

static struct err *load(struct go_io *io, unsigned i, taddr base)
{
	size_t n = 0;
	struct err *err;

	io->base[i] = 0;
	err = target_read_some(io->g->t, base, io->mem + i * BLOCK_BYTES, BLOCK_BYTES, &n);
	if (err_catch(&err, ERR_FAULT))
		n = 0;
	if (err)
		return err;
	io->base[i] = base;
	io->nbytes[i] = n;
	return NULL;
}

struct err *go_io_read(struct go_io *io, taddr addr, void *buf, size_t n)
{
	taddr base = addr & ~(taddr)(BLOCK_BYTES - 1);
	unsigned i = (unsigned)(base >> GO_IO_BLOCK_SHIFT) % GO_IO_BLOCKS;
	size_t off = (size_t)(addr - base);

	if (n > BLOCK_BYTES - off || !base)
		return target_read(io->g->t, addr, buf, n);
	if (io->base[i] != base) {
		struct err *err = load(io, i, base);

		if (err)
			return err;
	}
	if (off + n > io->nbytes[i])
		return target_read(io->g->t, addr, buf, n);
	memcpy(buf, io->mem + i * BLOCK_BYTES + off, n);
	return NULL;
}
