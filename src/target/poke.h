/*
 * poke.h - a word of a running program, changed for a while and changed back whatever happens to
 * us.
 *
 * A process of its own does the writing (lmp-poke).  It changes the word back when it is told to,
 * and when it hears no more of who started it; the program is not stopped for that.  Knows nothing
 * of Go; writes nothing where the program has not what was expected.
 */
#ifndef LIMPET_TARGET_POKE_H
#define LIMPET_TARGET_POKE_H

#include "base/addr.h"
#include "base/err.h"

#include <sys/types.h>

struct poke; /* opaque */

struct poke_plan {
	taddr at;		   /* an aligned word in private, writable memory */
	uint64_t usual, meanwhile; /* one of the two is there */
};

/*
 * Nothing is changed yet.  Errors: ERR_GONE, ERR_DENIED, ERR_UNSUPPORTED (the word is neither, or
 * not the program's own).
 */
struct err *poke_start(pid_t pid, const struct poke_plan *p, struct poke **ret) MUST_CHECK;

/* Errors: ERR_GONE; ERR_UNSUPPORTED: somebody else changed it. */
enum poke_state { POKE_USUAL, POKE_MEANWHILE };
struct err *poke_set(struct poke *k, enum poke_state s) MUST_CHECK;

struct poke_word {
	taddr at;
	uint32_t bytes; /* 1, 2, 4, 8 */
	uint64_t expect, value;
};
enum { POKE_WORDS = 4 };

/*
 * All threads are stopped for some hundred microseconds; if each word is as expected, those that
 * are to change are written in this order.  *ret_done false: one was not.  Errors: ERR_GONE,
 * ERR_DENIED, ERR_LIMIT.
 */
struct err *poke_words(struct poke *k, const struct poke_word *w, size_t n, bool *ret_done,
		       uint64_t *ret_pause_ns) MUST_CHECK;

/* Changes back, ends the other process.  NULL allowed. */
void poke_end(struct poke *k);
static inline void poke_endp(struct poke **k)
{
	poke_end(*k);
}

#endif
