/*
 * look_special.h - finalizers, cleanups and weak pointers with the roots that they are, and the
 * queues of those that are to run.
 */
#ifndef LIMPET_FIND_LOOK_SPECIAL_H
#define LIMPET_FIND_LOOK_SPECIAL_H

#include "find/look.h"

struct look_special {
	const struct go_special *sp;
	uint64_t id;   /* of its object; GO_NO_OBJECT: none */
	uint32_t root; /* index in s->roots */
};

/* Begin with { 0 }; false: that was the last.  Profile records are left out. */
struct look_specials {
	size_t special, root;
};
bool look_special_next(const struct look *l, struct look_specials *at, struct look_special *ret);

/* Function of a finalizer or cleanup, without what AddCleanup wraps around it; "" unknown. */
const char *look_special_function(const struct look *l, const struct go_special *sp);

enum look_queue { LOOK_QUEUE_FINALIZERS, LOOK_QUEUE_CLEANUPS };
/* fn: a *funcval; arg: what it is called with, 0 where fn itself has it. */
typedef struct err *look_queued_fn(void *arg, taddr fn, taddr object);

#define LOOK_NO_QUEUE UINT64_MAX
/*
 * Entries that wait, the running one among them; each may be NULL.  *ret LOOK_NO_QUEUE: this
 * version has none, or it cannot be read.  Not of a heap dump.  Errors: each's.
 */
struct err *look_queue(const struct look *l, enum look_queue which, look_queued_fn *each, void *arg,
		       uint64_t *ret) MUST_CHECK;

/* ".next", "+0x18": which field of an object holds a pointer to another; "" none.  Of the keep. */
const char *look_field_to(const struct look *l, uint64_t id, uint64_t next);

#endif
