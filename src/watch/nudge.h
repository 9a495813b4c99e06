/*
 * nudge.h - brings about collections of a running Go program, without a call into it.
 *
 * Two minutes after a collection the runtime begins one by itself.  That time is a variable: it is
 * made a tenth of a second, so that the program's own monitor does what it does anyway, and put
 * back by a process that outlives us (target/poke.h).  The program is not stopped; only where it is
 * quite idle, its monitor sleeps for up to a minute and is woken, with all threads stopped for some
 * hundred microseconds.  No code of the program is run by us, none of its text is changed.
 *
 * Nothing is written if the variable is not certain.  With GOGC=off there are no such collections.
 * If limpet and its helper are both killed at that moment, the short period stays: the next
 * nudge finds it and puts it right, and so does nudge_repair().
 */
#ifndef LIMPET_WATCH_NUDGE_H
#define LIMPET_WATCH_NUDGE_H

#include "watch/pulse.h"

struct nudge; /* opaque */

/*
 * x is borrowed; nothing is written yet.  Errors: ERR_GONE, ERR_DENIED, ERR_UNSUPPORTED (GOGC=off;
 * not found for certain).
 */
struct err *nudge_open(pid_t pid, struct pulse_reader *x, struct nudge **ret) MUST_CHECK;

struct nudge_done {
	unsigned cycles;       /* finished, of those that began after the call */
	unsigned wakes;	       /* how often its monitor had to be woken */
	uint64_t max_pause_ns; /* that all threads were stopped for that, at most */
	uint64_t took_ns;
};

/*
 * Returns after so many collections that began after the call; the period is put back before.
 * *ret is filled in any case.  Errors: ERR_LIMIT: not so many in that time; ERR_GONE.
 */
struct err *nudge_run(struct nudge *n, unsigned cycles, uint64_t timeout_ns,
		      struct nudge_done *ret) MUST_CHECK;

void nudge_close(struct nudge *n); /* NULL allowed */
static inline void nudge_closep(struct nudge **n)
{
	nudge_close(*n);
}

/* All of it once. */
struct err *nudge_cycles(pid_t pid, unsigned cycles, uint64_t timeout_ns,
			 struct nudge_done *ret) MUST_CHECK;

/*
 * Is the period what a nudge makes it?  Then it is put back, *ret_was.  A program of which the
 * place is not known was never nudged: that is no error.  Errors: ERR_GONE, ERR_DENIED.
 */
struct err *nudge_repair(pid_t pid, bool *ret_was) MUST_CHECK;

#endif
