/*
 * drawn.h - a look made up from a seed: the same every time it is told.
 */
#ifndef LIMPET_TEST_STORE_DRAWN_H
#define LIMPET_TEST_STORE_DRAWN_H

#include "find/ident.h"

enum { DRAWN_SLOTS = 9000 };

struct drawn {
	struct ident x; /* first */
	uint32_t seed;
	size_t nspans, next;
	taddr at;
	uint32_t big;	/* slots of every 100th span */
	bool stayed;	/* such bits are told */
	size_t lacking; /* but not of the one before span number lacking; 0: of all */
	bool dense;	/* all slots are alive */
	struct ident_span span;
	uint64_t alive[DRAWN_SLOTS / 64 + 1], old[DRAWN_SLOTS / 64 + 1], stay[DRAWN_SLOTS / 64 + 1];
	uint32_t group[IDENT_COLUMNS][DRAWN_SLOTS];
	uint64_t state;
	char name[32];
};

void drawn_init(struct drawn *d, uint32_t seed, size_t nspans, const uint32_t *ngroups);

#endif
