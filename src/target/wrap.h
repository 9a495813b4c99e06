/*
 * wrap.h - what lies in a gzip or zstd file.
 *
 * Knows nothing of what is packed.  Hostile bytes: the packed sizes are not believed, what comes
 * out is bounded by the caller's limits.
 */
#ifndef LIMPET_TARGET_WRAP_H
#define LIMPET_TARGET_WRAP_H

#include "base/err.h"

enum wrap { WRAP_NONE, WRAP_GZIP, WRAP_ZSTD };

/* By the first bytes of a file. */
enum wrap wrap_of(const void *head, size_t nbytes);

/* The first bytes of what is packed in head; *ret_n = how many, 0 when it cannot be unpacked. */
void wrap_peek(enum wrap w, const void *head, size_t nhead, void *buf, size_t nbuf, size_t *ret_n);

#endif
