/*
 * outfile.h - a big file, written bit by bit, and still all or nothing.
 *
 * While it is written the file lies beside its place, as FILE.XXXXXX.  outfile_commit() syncs it
 * and gives it its name; any other way out leaves what was there before, and the part is removed:
 * by us, or when we are killed by the broker (base/files.h).  Mode 0600.  What is no regular file
 * (a pipe) is written to directly, in order.
 */
#ifndef LIMPET_REPORT_OUTFILE_H
#define LIMPET_REPORT_OUTFILE_H

#include "base/err.h"

struct outfile; /* opaque */

/*
 * need_bytes: refused at once when less is free there.  "-" and "/dev/stdout" are stdout.
 * Errors: ERR_OS (exit 3).
 */
struct err *outfile_open(const char *path, uint64_t need_bytes, struct outfile **ret) MUST_CHECK;
/* Without a commit: nothing remains.  NULL allowed. */
void outfile_close(struct outfile *f);
static inline void outfile_closep(struct outfile **f)
{
	outfile_close(*f);
}

/* A regular file: outfile_put_at() works, from several threads. */
bool outfile_seekable(const struct outfile *f);
/* Behind what was put before. */
struct err *outfile_put(struct outfile *f, const void *buf, size_t n) MUST_CHECK;
struct err *outfile_put_at(struct outfile *f, uint64_t off, const void *buf, size_t n) MUST_CHECK;
/* size_bytes: of the file, holes at its end included; 0: as it was put. */
struct err *outfile_commit(struct outfile *f, uint64_t size_bytes) MUST_CHECK;

/* Blocks on the disk, 0 for a pipe; after the last put. */
uint64_t outfile_disk_bytes(const struct outfile *f);

#endif
