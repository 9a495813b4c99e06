/*
 * follow_priv.h - what all cycles marked; private to follow*.c.
 */
#ifndef LIMPET_WATCH_FOLLOW_PRIV_H
#define LIMPET_WATCH_FOLLOW_PRIV_H

#include "goruntime/heap_now.h"

/* Spans that were there in every cycle, and which of their slots each of these marked. */
struct follow;

struct stayed {
	VEC(struct go_now_span) spans; /* ascending by base; LOST: in one cycle not known */
	VEC(uint64_t) bits;
	uint32_t cycles; /* folded; 0: nothing is said */
	bool holes;	 /* in one cycle a span could not be told: nothing is known */
};

/* One cycle more; m is finished.  Errors: NOMEM. */
struct err *stayed_fold(struct stayed *x, const struct go_now_marks *m) MUST_CHECK;
void stayed_deinit(struct stayed *x);

enum stayed_says { STAYED_BITS, STAYED_NONE, STAYED_UNKNOWN };
/* Of a span of a later look; *ret_bits for BITS. */
enum stayed_says stayed_of(const struct stayed *x, taddr base, uint64_t elem_bytes, uint32_t nelems,
			   const uint64_t **ret_bits);

const struct stayed *follow_stayed(const struct follow *f);

#endif
