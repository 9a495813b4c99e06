/*
 * corefile.h - a core as an answer: which memory leaves, how much of it is said, and to where.
 *
 * The bytes of an ELF core come from target/corewrite.h; here is decided what goes in:
 *
 *   CORE_ALL         all that is readable, but pages of foreign files as they are on disk
 *   CORE_NO_PAYLOAD  without the contents of pointer-free objects, free pages of the heap,
 *                    arguments and environment: structure stays, all answers but contents too
 *   CORE_REDACTED    the same, and no text is left in what else is written: see redact.h
 *
 * Memory is bounded: some MiB a thread, a bit a page, and for the last two the snapshot.
 */
#ifndef LIMPET_REPORT_COREFILE_H
#define LIMPET_REPORT_COREFILE_H

#include "snapshot/snapshot.h"

enum core_detail { CORE_ALL, CORE_NO_PAYLOAD, CORE_REDACTED };
enum core_pack { CORE_PLAIN, CORE_ZSTD };

struct corefile_opts {
	const char *path;
	enum core_detail detail;
	enum core_pack pack;
	unsigned nthreads;
	/* Asked between pieces; an error ends it, and no file is left.  NULL: never. */
	struct err *(*tick)(void *arg, uint64_t done_bytes, uint64_t total_bytes);
	void *arg;
};

struct corefile_done {
	uint64_t bytes;		/* of the core, holes included */
	uint64_t file_bytes;	/* of the file: packed, or as bytes */
	uint64_t disk_bytes;	/* blocks that it takes; 0: a pipe */
	uint64_t memory_bytes;	/* readable memory of the target */
	uint64_t zero_bytes;	/* of it, left out because it was zero */
	uint64_t dropped_bytes; /* of it, left out by the wish of the user, or as it is in a file */
	uint64_t lost_bytes;	/* not readable */
	uint64_t nloads;
};

/*
 * go may be NULL for CORE_ALL, s too; the others need s with types learned (snapshot_edges).
 * The target is let go (target_release) before the file is synced.
 */
struct err *corefile_write(struct target *t, const struct go *go, struct snapshot *s,
			   const struct corefile_opts *o, struct corefile_done *ret) MUST_CHECK;

/* What was done: one line; one JSON document.  After the target was let go: its pause is known. */
struct str;
void corefile_text(struct str *o, const struct target *t, const struct corefile_opts *opts,
		   const struct corefile_done *d);
void corefile_json(struct str *o, const struct target *t, const struct corefile_opts *opts,
		   const struct corefile_done *d);

#endif
