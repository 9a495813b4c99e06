/*
 * sight.h - what one look says besides its objects: goroutines by stack, and what it cost.
 */
#ifndef LIMPET_WATCH_SIGHT_H
#define LIMPET_WATCH_SIGHT_H

#include "base/keep.h"

struct sight_group {
	const char *name; /* "main.worker [chan receive]" */
	uint64_t count, stack_bytes, proved;
};

struct sight_goroutine {
	uint64_t id; /* the runtime's: never used twice */
	uint32_t group;
};

struct sight {
	struct keep keep;
	uint64_t pause_ns; /* UINT64_MAX unknown */
	const char *module;
	VEC(struct sight_group) groups;
	VEC(struct sight_goroutine) goroutines;
};

/* fd: of a store, borrowed.  What it does not hold is empty.  Errors: BAD_DATA, OS, NOMEM. */
struct err *sight_read(int fd, struct sight *ret) MUST_CHECK;
void sight_deinit(struct sight *f);

struct store;
/* The store again: its file has no name any more, and an offset that is not ours. */
struct err *sight_open(int fd, const char *name, struct store **ret) MUST_CHECK;

#endif
