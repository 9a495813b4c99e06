/*
 * series.h - what the judge is told, from the looks of a trial.
 *
 * Of n looks in the order of time: how many objects of a type under a holder, how many goroutines
 * of a stack, how much in all; and of the objects that were first seen at each look, how many are
 * still there at the last.  Objects are followed through eight looks at once (find/diff.h); of more
 * looks in several passes, each with the last look in it.
 */
#ifndef LIMPET_WATCH_SERIES_H
#define LIMPET_WATCH_SERIES_H

#include "find/diff.h"
#include "watch/sight.h"
#include "watch/judge.h"

struct series {
	struct keep keep;
	VEC(struct judge_series)
	v; /* things that have not grown from the first look to the last are left out */
	VEC(struct ident_head) heads; /* of each look; texts of the keep */
};

/* A look: its store, and what sight_read() said of it. */
struct series_look {
	int fd;
	const struct sight *sight;
};

/* All is borrowed; names live as long as these.  Errors: BAD_DATA, USAGE (not one process), OS,
 * NOMEM. */
struct err *series_create(const struct series_look *looks, size_t n, struct series *ret) MUST_CHECK;
void series_deinit(struct series *s);

#endif
