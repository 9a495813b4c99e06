/*
 * idx.c - a table of numbers made anew when it is full.
 *
 * Knows nothing of what is found by it.  The sum of all rebuilds is O(n).
 */
#include "evidence/idx.h"

static bool never(const void *arg, uint32_t i)
{
	(void)arg;
	(void)i;
	return false;
}

bool idx_grow(struct idx *x, idx_hash *hash, const void *arg)
{
	uint64_t cap = x->n < 1U << 20 ? (uint64_t)x->n * 3 + 64 : (uint64_t)x->n * 8 / 5;

	free(x->slot);
	x->slot = cap < UINT32_MAX ? calloc(cap, sizeof(*x->slot)) : NULL;
	if (!x->slot) {
		x->cap = 0;
		return false;
	}
	x->cap = (uint32_t)cap;
	for (uint32_t i = 0; i < x->n; i++)
		*idx_slot(x, hash(arg, i), never, NULL) = i + 1;
	return true;
}
