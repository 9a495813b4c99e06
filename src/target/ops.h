/*
 * ops.h - what a kind of target must be able to do; private to target/.
 *
 * A kind embeds struct target as its first member, fills the facts it knows and
 * sets ops.  All text and arrays in struct target are owned by it and freed by
 * target_close() after ops->destroy(); a kind frees only what it added itself.
 */
#ifndef LIMPET_TARGET_OPS_H
#define LIMPET_TARGET_OPS_H

#include "target/target.h"

struct target;

struct target_ops {
	/*
	 * As much as can be read from addr on, at most nbytes; *ret = bytes read, 0 if
	 * none.  Thread-safe.  Errors: ERR_GONE, ERR_OS; an unreadable byte is none.
	 */
	struct err *(*read_some)(struct target *t, taddr addr, void *buf, size_t nbytes,
				 size_t *ret);
	/* Exactly nbytes as they are now, not at the snapshot.  NULL: this kind has no now. */
	struct err *(*peek)(struct target *t, taddr addr, void *buf, size_t nbytes);
	/* target_extent(); NULL: all is bytes. */
	enum target_extent (*extent)(const struct target *t, taddr addr, taddr *ret_end);
	/* Let go of the evidence; called at most once.  May be NULL. */
	void (*release)(struct target *t);
	/* Free what the kind added, and the struct itself. */
	void (*destroy)(struct target *t);
};

struct target {
	const struct target_ops *ops;
	struct target_capture capture;
	enum target_arch arch;
	struct target_mem mem;
	struct target_place place;

	struct target_thread *threads;
	size_t nthreads;
	struct target_floats *floats;  /* nthreads, or NULL */
	struct target_region *regions; /* ascending, not overlapping */
	size_t nregions;
	char *region_text; /* the bytes behind regions[].path */
	struct target_smap *smaps;
	size_t nsmaps;
	char *smap_text;
	struct target_fd *fds;
	size_t nfds;
	char *fd_text;

	char *file; /* the evidence itself; NULL: not of a file, or not said */
	char *exe;  /* "" when unknown */
	int exe_fd; /* -1: none */
	char *auxv; /* raw bytes, NULL: unknown */
	size_t nauxv;
	VEC(struct target_loss) losses;
	unsigned left_out; /* TARGET_NO_PAYLOAD … */
	uint64_t started_unix_ns;
	uint64_t start_ticks; /* 0 unknown */
	_Bool released;
};

#endif
