/*
 * bytes.h - the one cursor through which hostile bytes are read.
 *
 * Little endian.  A read past the end yields 0 and sets bad, which sticks:
 * read all fields, then check b.bad once.  Borrows the memory it walks.
 */
#ifndef LIMPET_BASE_BYTES_H
#define LIMPET_BASE_BYTES_H

#include "base/addr.h"

#include <string.h>

struct bytes {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct bytes bytes_of(const void *p, size_t n)
{
	return (struct bytes){ .p = p, .end = n ? (const uint8_t *)p + n : p }; /* of none: NULL */
}

static inline size_t bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->p);
}

static inline bool bytes_take(struct bytes *b, void *to, size_t n)
{
	if (b->bad || bytes_left(b) < n) {
		b->bad = true;
		memset(to, 0, n);
		return false;
	}
	memcpy(to, b->p, n);
	b->p += n;
	return true;
}

static inline void bytes_skip(struct bytes *b, size_t n)
{
	if (b->bad || bytes_left(b) < n)
		b->bad = true;
	else
		b->p += n;
}

#define BYTES_READER(bits)                                          \
	static inline uint##bits##_t bytes_u##bits(struct bytes *b) \
	{                                                           \
		uint##bits##_t x;                                   \
		bytes_take(b, &x, sizeof(x));                       \
		return x;                                           \
	}
BYTES_READER(8)
BYTES_READER(16)
BYTES_READER(32)
BYTES_READER(64)
#undef BYTES_READER

/* Unsigned LEB128, at most 10 bytes. */
static inline uint64_t bytes_uvarint(struct bytes *b)
{
	uint64_t x = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t c = bytes_u8(b);

		if (shift < 64)
			x |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return x;
	}
	b->bad = true;
	return 0;
}

/* Unaligned loads from memory already known to be long enough. */
static inline uint64_t load_u64(const void *p)
{
	uint64_t x;

	memcpy(&x, p, 8);
	return x;
}

static inline uint32_t load_u32(const void *p)
{
	uint32_t x;

	memcpy(&x, p, 4);
	return x;
}

static inline uint16_t load_u16(const void *p)
{
	uint16_t x;

	memcpy(&x, p, 2);
	return x;
}

#endif
