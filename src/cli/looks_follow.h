/*
 * looks_follow.h - two looks at one running program, and every collection between them seen.
 *
 * The program stands still for the two looks alone; between them its mark bits are read while it
 * runs (watch/follow.h).
 */
#ifndef LIMPET_CLI_LOOKS_FOLLOW_H
#define LIMPET_CLI_LOOKS_FOLLOW_H

#include "cli/stores.h"
#include "watch/follow.h"

struct looks_followed {
	struct session first; /* its heap is let go of, the process is not */
	struct follow *follow;
	struct follow_seen seen;
	const char *why; /* it is not exact, in words; NULL: it is */
	struct store *store[2];
	struct ident *x[2]; /* the second with `stayed` */
	struct ident *inner;
};

/*
 * arg[0], a process; a->follow_ns or a->follow_cycles long.  *ret is deinitialised by the caller
 * also after an error.  Errors: USAGE (no process), those of looks.
 */
struct err *looks_follow(const struct args *a, struct looks_followed *ret) MUST_CHECK;
void looks_followed_deinit(struct looks_followed *l);

#endif
