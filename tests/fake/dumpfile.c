/*
 * dumpfile.c - records of runtime/heapdump.go, written by hand.
 */
#include "fake/dumpfile.h"

#include <assert.h>
#include <string.h>

static void put(struct dumpfile *f, const void *p, size_t n)
{
	assert(n <= sizeof(f->bytes) - f->n);
	memcpy(f->bytes + f->n, p, n);
	f->n += n;
}

void dumpfile_int(struct dumpfile *f, uint64_t x)
{
	uint8_t c;

	for (; x >= 0x80; x >>= 7) {
		c = (uint8_t)(x | 0x80);
		put(f, &c, 1);
	}
	c = (uint8_t)x;
	put(f, &c, 1);
}

static void mem(struct dumpfile *f, const void *p, size_t n)
{
	dumpfile_int(f, n);
	put(f, p, n);
}

void dumpfile_text(struct dumpfile *f, const char *s)
{
	mem(f, s, strlen(s));
}

static void fields(struct dumpfile *f, dumpfile_fields at)
{
	for (; at && *at >= 0; at++) {
		dumpfile_int(f, 1);
		dumpfile_int(f, (uint64_t)*at);
	}
	dumpfile_int(f, 0);
}

void dumpfile_begin(struct dumpfile *f, const char *version)
{
	static const uint64_t params[] = { 0, 8, SAMPLE_HEAP, SAMPLE_HEAP + (64U << 20),
					   UINT64_MAX };

	f->n = 0;
	put(f, "go1.7 heap dump\n", 16);
	dumpfile_record(f, 6, params);
	dumpfile_text(f, "amd64");
	dumpfile_text(f, version);
	dumpfile_int(f, 4);
}

void dumpfile_object(struct dumpfile *f, taddr addr, const void *words, size_t nbytes,
		     dumpfile_fields at)
{
	dumpfile_segment(f, 1, addr, words, nbytes, at);
}

void dumpfile_segment(struct dumpfile *f, unsigned tag, taddr addr, const void *words,
		      size_t nbytes, dumpfile_fields at)
{
	dumpfile_int(f, tag);
	dumpfile_int(f, addr);
	mem(f, words, nbytes);
	fields(f, at);
}

void dumpfile_record(struct dumpfile *f, unsigned tag, const uint64_t *numbers)
{
	dumpfile_int(f, tag);
	while (*numbers != UINT64_MAX)
		dumpfile_int(f, *numbers++);
}

void dumpfile_goroutine(struct dumpfile *f, taddr g, uint64_t id, const char *reason)
{
	const uint64_t numbers[] = { g, 0x7000, id, 0x401234, 4, 0, 0, 77, UINT64_MAX };

	dumpfile_record(f, 4, numbers);
	dumpfile_text(f, reason);
	for (unsigned i = 0; i < 4; i++) /* ctxt, m, defer, panic */
		dumpfile_int(f, 0);
}

void dumpfile_frame(struct dumpfile *f, taddr sp, uint64_t depth, const void *words, size_t nbytes,
		    const char *function, taddr entry, dumpfile_fields at)
{
	const uint64_t numbers[] = { sp, depth, 0, UINT64_MAX };

	dumpfile_record(f, 5, numbers);
	mem(f, words, nbytes);
	dumpfile_int(f, entry);
	dumpfile_int(f, entry + 0x20);
	dumpfile_int(f, entry + 0x20);
	dumpfile_text(f, function);
	fields(f, at);
}

void dumpfile_type(struct dumpfile *f, taddr at, uint64_t bytes, const char *name)
{
	dumpfile_int(f, 3);
	dumpfile_int(f, at);
	dumpfile_int(f, bytes);
	dumpfile_text(f, name);
	dumpfile_int(f, 1);
}

void dumpfile_memstats(struct dumpfile *f, uint64_t heap_alloc)
{
	dumpfile_int(f, 10);
	for (unsigned i = 0; i < 24; i++)
		dumpfile_int(f, i == 0 || i == 6 ? heap_alloc : 1000 + i);
	for (unsigned i = 0; i < 256; i++)
		dumpfile_int(f, i);
	dumpfile_int(f, 3);
}

void dumpfile_end(struct dumpfile *f)
{
	dumpfile_int(f, 0);
}

static void sample_heap(struct dumpfile *f)
{
	static const int64_t at0[] = { 0, -1 }, at8[] = { 8, -1 };
	const taddr h = SAMPLE_HEAP, big = SAMPLE_HEAP + 0x10000;
	uint64_t w[128] = { 0 };

	/* 16-byte slots 0, 1, 3: a list; 5: by a local; 6: by an array; 7: by its finalizer's
	 * object */
	for (unsigned i = 0; i < 8; i++) {
		if (i == 2 || i == 4)
			continue;
		w[0] = i == 0 ? h + 16 : i == 1 ? h + 48 : 0;
		w[1] = i;
		dumpfile_object(f, h + 16 * i, w, 16, at0);
	}
	/* 24-byte objects without pointers: one behind an interface, one by a defer, one garbage */
	w[0] = w[1] = w[2] = 0x1234;
	for (unsigned i = 0; i < 3; i++)
		dumpfile_object(f, h + 0x2000 + 24 * i, w, 24, NULL);
	/* a large one: an itab before the pointer at 8 */
	w[0] = 0x500100;
	w[1] = h + 0x2000;
	dumpfile_object(f, big, w, 1024, at8);
	/* the finalized one, and the finalizer's closure */
	w[0] = h + 16 * 7;
	dumpfile_object(f, h + 0x4000, w, 32, at0);
	w[0] = 0x402000;
	dumpfile_object(f, h + 0x6000, w, 8, NULL);
}

static void sample_stack(struct dumpfile *f)
{
	static const int64_t local[] = { 8, 24, -1 }, none[] = { -1 };
	uint64_t inner[6] = { 0, SAMPLE_HEAP + 16 * 5, 0, 0x7000 + 48 + 16, 0, 0 };
	uint64_t outer[4] = { 0, 0, SAMPLE_HEAP + 16 * 6 + 8, 0 };
	static const uint64_t deferred[] = { 0x7050,
					     SAMPLE_HEAP + 0x7000,
					     0x7000,
					     0x401000,
					     SAMPLE_HEAP + 0x2000 + 24,
					     0x403000,
					     0,
					     UINT64_MAX };
	static const uint64_t panic[] = { 0x7040, SAMPLE_HEAP + 0x7000, 0, 0, 0, 0, UINT64_MAX };

	dumpfile_goroutine(f, SAMPLE_HEAP + 0x7000, 17, "chan receive");
	dumpfile_frame(f, 0x7000, 0, inner, sizeof(inner), "main.inner", 0x401000, local);
	dumpfile_frame(f, 0x7000 + 48, 1, outer, sizeof(outer), "main.outer", 0x401200, none);
	dumpfile_record(f, 14, deferred);
	dumpfile_record(f, 15, panic);
}

void dumpfile_sample(struct dumpfile *f)
{
	static const uint64_t itab[] = { 0x500100, 0x500000, UINT64_MAX };
	static const uint64_t thread[] = { 0x8000, 1, 4711, UINT64_MAX };
	static const uint64_t finalizer[] = {
		SAMPLE_HEAP + 0x4000, SAMPLE_HEAP + 0x6000, 0x402000, 0, 0, UINT64_MAX
	};
	static const uint64_t bucket[] = { 0x9000, 16, 1, UINT64_MAX };
	static const uint64_t sample[] = { SAMPLE_HEAP, 0x9000, UINT64_MAX };
	static const int64_t both[] = { 0, 8, -1 };
	const uint64_t data[] = { SAMPLE_HEAP, SAMPLE_HEAP + 0x10000 };

	dumpfile_begin(f, "go1.22.12");
	dumpfile_type(f, 0x500000, 24, "example.com/x/main.value");
	dumpfile_record(f, 8, itab);
	sample_heap(f);
	sample_stack(f);
	dumpfile_record(f, 9, thread);
	dumpfile_segment(f, 12, 0x600000, data, sizeof(data), both);
	dumpfile_segment(f, 13, 0x601000, data, 8, NULL);
	dumpfile_record(f, 7, finalizer);
	dumpfile_record(f, 11, finalizer);
	dumpfile_memstats(f, 6 * 16 + 3 * 24 + 1024 + 32 + 8);
	dumpfile_record(f, 16, bucket);
	dumpfile_text(f, "main.make");
	dumpfile_text(f, "main.go");
	dumpfile_int(f, 42);
	dumpfile_int(f, 1);
	dumpfile_int(f, 0);
	dumpfile_record(f, 17, sample);
	dumpfile_end(f);
}
