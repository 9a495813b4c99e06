/*
 * fake_target.h - a target made of byte segments, for tests of src/goruntime.
 *
 * Segments are given address and size; what lies outside cannot be read.
 */
#ifndef LIMPET_TESTS_FAKE_TARGET_H
#define LIMPET_TESTS_FAKE_TARGET_H

#include "goruntime/goruntime.h"
#include "target/ops.h"

#define FAKE_SEGMENTS 16

struct fake_segment {
	taddr addr;
	size_t nbytes;
	uint8_t *p;
};

struct fake {
	struct target t;
	struct fake_segment seg[FAKE_SEGMENTS];
	unsigned n;
};

static struct err *fake_read_some(struct target *t, taddr addr, void *buf, size_t nbytes,
				  size_t *ret)
{
	struct fake *f = (struct fake *)t;

	*ret = 0;
	for (unsigned i = 0; i < f->n; i++) {
		const struct fake_segment *s = &f->seg[i];

		if (addr >= s->addr && addr - s->addr < s->nbytes) {
			*ret = MIN(nbytes, s->nbytes - (size_t)(addr - s->addr));
			memcpy(buf, s->p + (addr - s->addr), *ret);
			return NULL;
		}
	}
	return NULL;
}

static void fake_destroy(struct target *t)
{
	struct fake *f = (struct fake *)t;

	for (unsigned i = 0; i < f->n; i++)
		free(f->seg[i].p);
	free(f);
}

static const struct target_ops fake_ops = { fake_read_some, NULL, fake_destroy };

static inline struct fake *fake_new(void)
{
	struct fake *f = zalloc(1, sizeof(*f));

	f->t.ops = &fake_ops;
	f->t.exe_fd = -1;
	return f;
}

/* Zeroed memory at addr. */
static inline void fake_map(struct fake *f, taddr addr, size_t nbytes)
{
	f->seg[f->n++] = (struct fake_segment){ addr, nbytes, zalloc(nbytes, 1) };
}

/* Our copy of the target's memory at addr; it must be mapped. */
static inline uint8_t *fake_at(struct fake *f, taddr addr)
{
	for (unsigned i = 0; i < f->n; i++) {
		if (addr >= f->seg[i].addr && addr - f->seg[i].addr < f->seg[i].nbytes)
			return f->seg[i].p + (addr - f->seg[i].addr);
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
