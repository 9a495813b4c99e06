/*
 * addr.h - addresses of a program that is not us.
 *
 * A taddr is a virtual address in the target.  It is never dereferenced and
 * never cast to a pointer; bytes behind it come through target_read() only.
 */
#ifndef LIMPET_BASE_ADDR_H
#define LIMPET_BASE_ADDR_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t taddr;

#define TADDR_FMT "0x%" PRIx64

/* Half-open range [start, end) of target addresses; empty when start == end. */
struct trange {
	taddr start;
	taddr end;
};

static inline bool trange_has(struct trange r, taddr a)
{
	return a >= r.start && a < r.end;
}

static inline uint64_t trange_bytes(struct trange r)
{
	return r.end > r.start ? r.end - r.start : 0;
}

/* True if [a, a + n) lies inside r; safe against overflow of a + n. */
static inline bool trange_has_all(struct trange r, taddr a, uint64_t n)
{
	return a >= r.start && a <= r.end && n <= r.end - a;
}

#endif
