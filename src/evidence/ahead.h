/*
 * ahead.h - a stream unpacked by a thread of its own, while what came before is understood.
 *
 * One producer, one consumer, a ring of buffers between them.  Where no thread can be had the
 * consumer does both.
 */
#ifndef LIMPET_EVIDENCE_AHEAD_H
#define LIMPET_EVIDENCE_AHEAD_H

#include "evidence/input.h"

struct ahead;

/* in: borrowed, and nobody else's until ahead_stop(). */
struct err *ahead_start(struct input *in, struct ahead **ret) MUST_CHECK;
/* The next bytes, borrowed until the next call; *ret_n 0: the end. */
struct err *ahead_read(struct ahead *a, const uint8_t **ret, size_t *ret_n) MUST_CHECK;
void ahead_stop(struct ahead *a); /* NULL allowed */
static inline void ahead_stopp(struct ahead **a)
{
	ahead_stop(*a);
}

#endif
