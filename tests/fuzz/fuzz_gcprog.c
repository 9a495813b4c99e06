/*
 * fuzz_gcprog.c - GC programs: bits of an untrusted program into a bounded buffer.
 */
#include "goruntime/heap_mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t max = n ? 1 + (uint64_t)data[0] * 37 : 1;
	_cleanup_(freep) uint64_t *bits = zalloc((size_t)(max / 64 + 1), 8);
	uint64_t got;

	if (!bits || !n)
		return 0;
	got = go_gcprog_expand(data + 1, n - 1, bits, max);
	if (got != UINT64_MAX && got > max)
		abort();
	for (uint64_t i = got == UINT64_MAX ? max : got; i < (max / 64 + 1) * 64; i++)
		if (bits[i / 64] >> (i % 64) & 1 && i >= max)
			abort(); /* beyond what was allowed */
	return 0;
}
