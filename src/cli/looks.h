/*
 * looks.h - several looks at one running program, and its collector's cycles between them.
 *
 * A look costs the program one short pause; the waiting for a cycle costs it nothing, for
 * that reads two words of its memory while it runs.
 */
#ifndef LIMPET_CLI_LOOKS_H
#define LIMPET_CLI_LOOKS_H

#include "cli/session.h"

struct cycle {
	uint32_t sweepgen; /* grows by 2 a cycle */
	uint32_t phase;	   /* 0: none is marking */
};

/* A look by the marks alone. */
struct soon {
	bool came;
	struct cycle at;
	struct go_heap heap;
};

void soon_deinit(struct soon *s);

/* Attach, between two cycles if that can be had at once.  *ret_at: the cycle of that instant. */
struct err *looks_first(const struct args *a, struct session *ret, struct cycle *ret_at) MUST_CHECK;
/*
 * Where collections follow each other closely: the marks of the very next one, while first is still
 * held.  A slot that was garbage at first cannot have been used again by then, so these marks
 * decide nearly all.  *ret is empty before, soon_deinit() after; that none came is no error.
 */
struct err *looks_soon(const struct args *a, struct session *first, struct cycle at,
		       struct soon *ret) MUST_CHECK;
/* Further looks for --wait seconds, each after a later cycle, until the candidates are decided. */
struct err *looks_later(const struct args *a, struct session *first, struct cycle last,
			struct verify_result *v) MUST_CHECK;

#endif
