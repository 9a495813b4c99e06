/*
 * idx.h - elements of an array found by what they hold: open addressing, 4 bytes a slot.
 *
 * Elements are numbered as they are entered, 0, 1, 2 …, and live elsewhere.  A table that is full
 * is dropped and made anew from them, larger: never two at a time.  Cost: 5 to 8 bytes an element.
 */
#ifndef LIMPET_EVIDENCE_IDX_H
#define LIMPET_EVIDENCE_IDX_H

#include "base/mem.h"

#include <stdbool.h>

struct idx {
	uint32_t *slot; /* number + 1; 0: free */
	uint32_t cap, n;
};

typedef bool idx_same(const void *arg, uint32_t i);
typedef uint64_t idx_hash(const void *arg, uint32_t i);

static inline uint64_t idx_mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;

	h = (h ^ (h >> 29) ^ b) * 0x94d049bb133111ebULL;
	return h ^ (h >> 32);
}

/* The slot that has it, or the free one where it belongs; the table has room. */
static inline uint32_t *idx_slot(const struct idx *x, uint64_t hash, idx_same *same,
				 const void *arg)
{
	size_t i = (size_t)(((hash & UINT32_MAX) * x->cap) >> 32);

	while (x->slot[i] && !same(arg, x->slot[i] - 1))
		i = i + 1 < x->cap ? i + 1 : 0;
	return &x->slot[i];
}

bool idx_grow(struct idx *x, idx_hash *hash, const void *arg);

/* Room for one more; false: out of memory, and the table is empty. */
static inline bool idx_room(struct idx *x, idx_hash *hash, const void *arg)
{
	return x->slot && x->n < x->cap - x->cap / 5 ? true : idx_grow(x, hash, arg);
}

static inline void idx_deinit(struct idx *x)
{
	free(x->slot);
	*x = (struct idx){ 0 };
}

#endif
