/*
 * heap_io.c - a small direct-mapped block cache in front of target_read.
 *
 * Knows nothing of what is read.  A miss costs one read of a block; what cannot be had
 * from a block (its first page is not mapped) is read directly.
 */
#include "goruntime/heap_io.h"

static struct err *init(struct go_io *io, const struct go *g, unsigned shift)
{
	uint8_t *mem = bigalloc(GO_IO_BYTES, 1);

	if (!mem)
		return &err_nomem;
	*io = (struct go_io){ .g = g, .mem = mem, .shift = shift };
	return NULL;
}

struct err *go_io_init(struct go_io *io, const struct go *g)
{
	return init(io, g, GO_IO_DENSE_SHIFT);
}

struct err *go_io_init_sparse(struct go_io *io, const struct go *g)
{
	return init(io, g, GO_IO_SPARSE_SHIFT);
}

void go_io_deinit(struct go_io *io)
{
	bigfree(io->mem, GO_IO_BYTES, 1);
	io->mem = NULL;
}

static struct err *load(struct go_io *io, unsigned i, taddr base)
{
	size_t n = 0;
	struct err *err;

	io->base[i] = 0;
	err = target_read_some(io->g->t, base, io->mem + ((size_t)i << io->shift),
			       (size_t)1 << io->shift, &n);
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
	size_t block = (size_t)1 << io->shift;
	taddr base = addr & ~(taddr)(block - 1);
	unsigned i = (unsigned)((addr >> io->shift) % (GO_IO_BYTES >> io->shift));
	size_t off = (size_t)(addr - base);

	if (n > block - off || !base)
		return target_read(io->g->t, addr, buf, n);
	if (io->base[i] != base) {
		struct err *err = load(io, i, base);

		if (err)
			return err;
	}
	if (off + n > io->nbytes[i])
		return target_read(io->g->t, addr, buf, n);
	memcpy(buf, io->mem + ((size_t)i << io->shift) + off, n);
	return NULL;
}
