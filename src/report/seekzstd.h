/*
 * seekzstd.h - the seekable zstd format: independent frames, and a table of them at the end.
 *
 * As in contrib/seekable_format/zstd_seekable_compression_format.md of zstd: the table is a
 * skippable frame, so `zstd -d` unpacks the file, and who knows it reads any frame alone.
 */
#ifndef LIMPET_REPORT_SEEKZSTD_H
#define LIMPET_REPORT_SEEKZSTD_H

#include "base/err.h"

#define SEEKZSTD_FRAME_BYTES (2U << 20)

struct seekzstd_entry {
	uint32_t packed_bytes, bytes;
};

typedef VEC(struct seekzstd_entry) seekzstd_table;

/* Room that a packed frame may need. */
size_t seekzstd_bound(size_t nbytes);
/* One frame of n <= SEEKZSTD_FRAME_BYTES bytes; *ret = its packed size.  Thread-safe. */
struct err *seekzstd_pack(const void *buf, size_t n, void *to, size_t cap, size_t *ret) MUST_CHECK;
/* The table as bytes; caller frees *ret with free(). */
struct err *seekzstd_table_bytes(const seekzstd_table *t, void **ret, size_t *ret_n) MUST_CHECK;

#endif
