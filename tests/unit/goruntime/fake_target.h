/*
 * fake_target.h - zeroed memory at given addresses, to be filled by the fields of a layout.
 *
 * Over fake/segments.h; the target is made by fake_open() when all is mapped.
 */
#ifndef LIMPET_TESTS_FAKE_TARGET_H
#define LIMPET_TESTS_FAKE_TARGET_H

#include "fake/segments.h"
#include "goruntime/goruntime.h"

#define FAKE_SEGMENTS 16

struct fake {
	struct fake_segment seg[FAKE_SEGMENTS];
	size_t n;
	struct target *t;
};

static inline void fake_map(struct fake *f, taddr addr, size_t nbytes)
{
	f->seg[f->n++] = (struct fake_segment){ addr, zalloc(nbytes, 1), nbytes };
}

static inline struct target *fake_open(struct fake *f)
{
	f->t = fake_target(f->seg, f->n);
	return f->t;
}

static inline void fake_close(struct fake *f)
{
	target_close(f->t);
	for (size_t i = 0; i < f->n; i++)
		free(f->seg[i].bytes);
}

/* Our copy of the target's memory at addr; it must be mapped. */
static inline uint8_t *fake_at(struct fake *f, taddr addr)
{
	for (size_t i = 0; i < f->n; i++) {
		if (addr >= f->seg[i].at && addr - f->seg[i].at < f->seg[i].n)
			return (uint8_t *)f->seg[i].bytes + (addr - f->seg[i].at);
	}
	abort();
}

static inline void fake_put64(struct fake *f, taddr addr, uint64_t x)
{
	memcpy(fake_at(f, addr), &x, 8);
}

/* Set a field of a runtime struct at addr. */
static inline void fake_set(struct fake *f, taddr addr, struct go_field field, uint64_t x)
{
	if (field.off >= 0)
		memcpy(fake_at(f, addr + (uint64_t)field.off), &x, MIN(field.bytes, 8U));
}

#endif
