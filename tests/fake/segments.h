/*
 * segments.h - a target made of byte segments, for tests without Go and processes.
 *
 * Bytes are borrowed until target_close(), so a test may damage them on the way.
 */
#ifndef LIMPET_TESTS_FAKE_SEGMENTS_H
#define LIMPET_TESTS_FAKE_SEGMENTS_H

#include "target/target.h"

struct fake_segment {
	taddr at;
	void *bytes;
	size_t n;
};

/* NULL when memory is short.  Segments must not overlap; order does not matter. */
struct target *fake_target(const struct fake_segment *segments, size_t n);
/* It is a program of that architecture; amd64 unless said. */
void fake_arch(struct target *t, enum target_arch arch);
/* Give it threads; copied. */
void fake_threads(struct target *t, const struct target_thread *threads, size_t n);

#endif
