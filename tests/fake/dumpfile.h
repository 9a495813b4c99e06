/*
 * dumpfile.h - a heap dump written record by record, as runtime/heapdump.go does, for tests.
 */
#ifndef LIMPET_TESTS_FAKE_DUMPFILE_H
#define LIMPET_TESTS_FAKE_DUMPFILE_H

#include "base/addr.h"

struct dumpfile {
	uint8_t bytes[65536];
	size_t n;
};

/* Offsets of pointer words, ended by a negative one. */
typedef const int64_t *dumpfile_fields;

/* Header and parameters. */
void dumpfile_begin(struct dumpfile *f, const char *version);
void dumpfile_int(struct dumpfile *f, uint64_t x);
void dumpfile_text(struct dumpfile *f, const char *s);
void dumpfile_object(struct dumpfile *f, taddr addr, const void *words, size_t nbytes,
		     dumpfile_fields at);
/* tag: 12 data, 13 bss */
void dumpfile_segment(struct dumpfile *f, unsigned tag, taddr addr, const void *words,
		      size_t nbytes, dumpfile_fields at);
void dumpfile_goroutine(struct dumpfile *f, taddr g, uint64_t id, const char *reason);
void dumpfile_frame(struct dumpfile *f, taddr sp, uint64_t depth, const void *words, size_t nbytes,
		    const char *function, taddr entry, dumpfile_fields at);
/* A tag and numbers up to the first UINT64_MAX. */
void dumpfile_record(struct dumpfile *f, unsigned tag, const uint64_t *numbers);
void dumpfile_type(struct dumpfile *f, taddr at, uint64_t bytes, const char *name);
void dumpfile_memstats(struct dumpfile *f, uint64_t heap_alloc);
void dumpfile_end(struct dumpfile *f);

/*
 * One of everything: a global holds a list of three, a goroutine an object by a local, one by an
 * array whose address it took, a finalizer, a queued one, defer, panic, thread, profile.
 */
void dumpfile_sample(struct dumpfile *f);

#define SAMPLE_HEAP    0xc000000000ULL
#define SAMPLE_REACHED 11U /* objects, of SAMPLE_OBJECTS */
#define SAMPLE_OBJECTS 12U

#endif
