/*
 * residue.h - twins that a killed surgeon left behind, and the end of our own.
 *
 * A twin of ours is a child of the target with exit signal 0 and oom_score_adj
 * 1000; or, alive and not yet marked, one that shares the table of open files but
 * not the memory, which nothing else does.  Dead helper processes of a killed limpet, which the
 * program inherits when it is pid 1 of their pid namespace, are taken away with the twins.  No
 * other child is ever touched: a program may have children that it wants to wait for itself.
 */
#ifndef LIMPET_TARGET_RESIDUE_H
#define LIMPET_TARGET_RESIDUE_H

#include "target/target.h"

/*
 * SIGKILL to a tracee of ours.  Without CAP_KILL another user's process may not be signalled, but
 * its tracer may end it.  False: it ends when we do (EXITKILL), not before.
 */
bool residue_kill_tracee(pid_t pid);

/* Living and dead twins in a process; injects and stops nothing. */
unsigned residue_count(pid_t target);

/*
 * Zombies that may have been twins and bear no mark: killed with their surgeon in the instant
 * before it, which is longer where only the twin itself can set it (twin_lend(), twin.h).  Nobody
 * can tell, so they are not touched.
 */
unsigned residue_unmarked(pid_t target);

/* Kill those alive and untraced.  Injects nothing. */
void residue_kill(pid_t target);

/*
 * Reap own (0: none; in the target's pid namespace) and all dead twins by wait4
 * injected into one thread.  Nothing is done when the target is no longer the
 * process that started at start_ticks.  Returns the number of zombies left;
 * *ret_reaped = those taken away.
 */
unsigned residue_reap(pid_t target, uint64_t start_ticks, pid_t own, unsigned *ret_reaped);

#endif
