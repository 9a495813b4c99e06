/*
 * heap_gcprog.c - run a GC program: literal bits and repeats, into a bitmap.
 *
 * Source: runtime/mbitmap.go, the comment above runGCProg:
 *   00000000        stop
 *   0nnnnnnn        emit n bits copied from the next (n+7)/8 bytes
 *   10000000 n c    repeat the previous n bits c times; n, c are varints
 *   1nnnnnnn c      repeat the previous n bits c times; c is a varint
 * Bits are written one repeat at a time from what is already there; O(bits).
 * Every count is bounded by max_bits.
 */
#include "goruntime/heap_mask.h"

static void put_bit(uint64_t *bits, uint64_t at, uint64_t bit)
{
	bits[at >> 6] |= bit << (at & 63);
}

static uint64_t get_bits(const uint64_t *bits, uint64_t at, unsigned n)
{
	unsigned sh = at & 63;
	uint64_t x = bits[at >> 6] >> sh;

	if (sh + n > 64)
		x |= bits[(at >> 6) + 1] << (64 - sh);
	return n == 64 ? x : x & ((1ULL << n) - 1);
}

static void put_bits(uint64_t *bits, uint64_t at, uint64_t x, unsigned n)
{
	unsigned sh = at & 63;

	bits[at >> 6] |= x << sh;
	if (sh + n > 64)
		bits[(at >> 6) + 1] |= x >> (64 - sh);
}

/* Copy count bits that lie back bits before at; may overlap, as runGCProg does. */
static void copy_back(uint64_t *bits, uint64_t at, uint64_t back, uint64_t count)
{
	while (count) {
		unsigned n = (unsigned)MIN(MIN(back, count), (uint64_t)64);

		put_bits(bits, at, get_bits(bits, at - back, n), n);
		at += n;
		count -= n;
	}
}

uint64_t go_gcprog_expand(const uint8_t *prog, size_t nprog, uint64_t *bits, uint64_t max_bits)
{
	struct bytes b = bytes_of(prog, nprog);
	uint64_t at = 0;

	for (;;) {
		uint8_t inst = bytes_u8(&b);
		uint64_t n = inst & 0x7f, c;

		if (b.bad)
			return UINT64_MAX;
		if (inst == 0)
			return at;
		if (!(inst & 0x80)) {
			uint8_t byte = 0;

			if (n > max_bits - at)
				return UINT64_MAX;
			for (uint64_t i = 0; i < n; i++) {
				if (!(i & 7))
					byte = bytes_u8(&b);
				put_bit(bits, at++, byte >> (i & 7) & 1);
			}
			continue;
		}
		if (!n)
			n = bytes_uvarint(&b);
		c = bytes_uvarint(&b);
		if (b.bad || !n || n > at || c > (max_bits - at) / n)
			return UINT64_MAX;
		copy_back(bits, at, n, n * c);
		at += n * c;
	}
}
