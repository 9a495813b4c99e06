/*
 * cycle.h - has a linked list of the target come round?
 *
 * Brent's algorithm: no memory; a cycle is noticed within three times its length and what
 * leads to it.  Start from { 0 }, ask at each node.
 */
#ifndef LIMPET_BASE_CYCLE_H
#define LIMPET_BASE_CYCLE_H

#include "base/addr.h"

struct cycle {
	taddr old;
	uint64_t left, power;
};

static inline bool cycle_closed(struct cycle *c, taddr at)
{
	if (at && at == c->old)
		return true;
	if (c->left-- == 0) {
		c->old = at;
		c->power = c->power ? 2 * c->power : 1;
		c->left = c->power;
	}
	return false;
}

#endif
