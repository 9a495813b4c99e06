/*
 * corewrite.h - an ELF core as a file that nobody has written yet.
 *
 * From a plan (which memory, which notes) comes an image: its size is known, and any range of
 * it can be asked for, in any order and from several threads.  Who asks decides where the bytes
 * go: a file with holes, a pipe, a compressor.
 *
 *   ELF header | program headers | notes | pages of loads[0] | pages of loads[1] | …
 *
 * Knows nothing of Go and of what may leave: bytes can be changed on their way by a filter.
 * The shape is that of fs/binfmt_elf.c (elf_core_dump), so what opens a kernel core opens it.
 */
#ifndef LIMPET_TARGET_COREWRITE_H
#define LIMPET_TARGET_COREWRITE_H

#include "target/target.h"

#define CORE_PAGE    4096U
#define CORE_CONTEXT 64U /* what a filter sees beside the bytes that are asked for */

/* One PT_LOAD.  Whole pages; ascending, not overlapping; file_bytes <= bytes of range. */
struct core_load {
	struct trange range;
	uint64_t file_bytes; /* the first so many are dumped, the rest is left out */
	unsigned prot;	     /* REGION_* */
	bool lost;	     /* nothing dumped: the evidence had no bytes of it */
};

/* Change what was read from [at, at + n), n a multiple of 8.  Thread-safe. */
typedef void core_filter(void *arg, taddr at, uint8_t *buf, size_t n);

/* All borrowed: loads, regions and filter until core_image_free(), the rest during the call. */
struct core_plan {
	const struct core_load *loads;
	size_t nloads;
	const struct target_thread *threads; /* NT_PRSTATUS; the leader is put first */
	size_t nthreads;
	const struct target_floats *floats; /* NT_PRFPREG, one a thread; NULL: none */
	const struct target_region *files;  /* NT_FILE: those with a path that begins with '/' */
	size_t nfiles;
	uint32_t flags;	     /* CORENOTE_FLAG_* */
	core_filter *filter; /* NULL: as it is */
	void *arg;
};

struct core_image; /* opaque, borrows the target */

struct err *core_image_create(struct target *t, const struct core_plan *p,
			      struct core_image **ret) MUST_CHECK;
void core_image_free(struct core_image *c); /* NULL allowed */
static inline void core_image_freep(struct core_image **c)
{
	core_image_free(*c);
}

/* Size of the file, holes included; a multiple of CORE_PAGE. */
uint64_t core_image_bytes(const struct core_image *c);

/*
 * Bytes [off, off + n) of the file, off and n multiples of CORE_PAGE and within its size.
 * Unreadable memory gives zeroes and is counted.  Errors: ERR_GONE, ERR_OS, ERR_NOMEM.
 */
struct err *core_image_read(struct core_image *c, uint64_t off, void *buf, size_t n) MUST_CHECK;

/* Bytes that could not be read so far. */
uint64_t core_image_lost_bytes(const struct core_image *c);

/* core_fds.c: the desc of CORENOTE_FDS. */
struct str;
void core_fds_put(struct str *o, const struct target_fd *v, size_t n);

/* corewrite_notes.c: the notes of a plan, appended to o (its text is bytes). */
void core_notes(struct str *o, const struct target *t, const struct core_plan *p);

#endif
