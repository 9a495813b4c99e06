/*
 * wrap.h - a file, or what is packed in it by gzip or zstd, as numbered bytes.
 *
 * Knows nothing of what is in there.  A zstd file in the seekable format (a table of its frames
 * at the end: zstd contrib/seekable_format) is read where it lies; everything else that is packed
 * is unpacked to a temporary file without a name.  Hostile bytes: packed sizes are not believed.
 */
#ifndef LIMPET_TARGET_WRAP_H
#define LIMPET_TARGET_WRAP_H

#include "base/err.h"

enum wrap { WRAP_NONE, WRAP_GZIP, WRAP_ZSTD };

/* By the first bytes of a file. */
enum wrap wrap_of(const void *head, size_t nbytes);

/* The first bytes of what is packed in head; *ret_n = how many, 0 when it cannot be unpacked. */
void wrap_peek(enum wrap w, const void *head, size_t nhead, void *buf, size_t nbuf, size_t *ret_n);

struct wrap_file;

/*
 * max_bytes bounds what is unpacked to disk; 0: what the disk has, less a reserve.  A packed file
 * that is cut short or damaged gives what came out before.
 * Errors: ERR_OS (no such file; disk full), ERR_LIMIT (max_bytes).
 */
struct err *wrap_open(const char *path, uint64_t max_bytes, struct wrap_file **ret) MUST_CHECK;
/*
 * A core by descriptor; both are borrowed.  mem_fd >= 0: fd holds just the head of a core that a
 * pipe is about to bring, and mem_fd is /proc/PID/mem of the program that waits for it: everything
 * behind the head is read there.
 */
struct err *wrap_open_given(int fd, int mem_fd, struct wrap_file **ret) MUST_CHECK;
void wrap_close(struct wrap_file *f); /* NULL allowed */
static inline void wrap_closep(struct wrap_file **f)
{
	wrap_close(*f);
}

/* Bytes that can be read. */
uint64_t wrap_size(const struct wrap_file *f);
/* Why there are not more of them: static text, NULL when the file is whole. */
const char *wrap_damage(const struct wrap_file *f);
/* Of the file itself, for its time. */
int wrap_fd(const struct wrap_file *f);

/*
 * Bytes from offset `at` on, at most n; fewer only at the end or at a damaged place.
 * Thread-safe.
 */
struct err *wrap_read(struct wrap_file *f, uint64_t at, void *buf, size_t n,
		      size_t *ret) MUST_CHECK;

#endif
