/*
 * twin.h - the frozen copy-on-write copy of a process: make, watch, drop (reaping: residue.h).
 *
 * Called by the surgeon only (its tracer).  The twin shares the table of open
 * files (what the program closes is closed), sends no signal at its end, is the
 * first victim when memory ends, and never executes an instruction.
 */
#ifndef LIMPET_TARGET_TWIN_H
#define LIMPET_TARGET_TWIN_H

#include "target/attach.h"
#include "target/surgeon.h"

/* All threads of p are stopped, and stay so.  Fills th->twin, ns_twin, fork_ns. */
struct err *twin_make(struct patient *p, struct theatre *th) MUST_CHECK;

/*
 * Wait for its first stop and bind its life to ours.  After the target runs again:
 * on a busy machine the twin's way to that stop takes longer than all the rest.
 */
struct err *twin_settle(struct theatre *th) MUST_CHECK;

/*
 * For who may trace the program and not open its files: the twin opens its own memory, th->lent_mem
 * is the descriptor's number in it (pidfd_getfd).  Its table of files is its own from then on.
 * Errors: ERR_DENIED (an old kernel, no /proc in its root, a security module), ERR_GONE.
 */
struct err *twin_lend(struct theatre *th) MUST_CHECK;

/* True when the twin should go: it endangers the target, or is gone; th->why_gone says it. */
bool twin_watch(struct theatre *th);

/* Kill it and take its end to notice; idempotent. */
void twin_drop(struct theatre *th);

#endif
