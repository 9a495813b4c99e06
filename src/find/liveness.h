/*
 * liveness.h - which goroutines can never run again.
 *
 *   proved   what it waits for is reached from nothing that can still run: graph/live.h.  Or the
 *            same, but parts of the program could not be read, where something might reach it:
 *            then only suspect (weak)
 *   suspect  many like it wait, each for a thing of its own, for long: someone could still wake
 *            them, and nobody does
 *   no       all others
 *
 * Main's `select {}` is how programs wait for their end: no leak, as runtime/mgc.go
 * (findGoroutineLeaks) has it.
 */
#ifndef LIMPET_FIND_LIVENESS_H
#define LIMPET_FIND_LIVENESS_H

#include "find/look.h"

enum leak_state { LEAK_NO, LEAK_SUSPECT, LEAK_PROVED };

/* Goroutines of one stack and one go statement. */
struct leak_group {
	size_t first, n; /* order[first .. first + n) */
	uint8_t state;	 /* enum leak_state, of all of them */
	uint8_t what;	 /* enum go_wait_what */
	uint64_t things; /* PROVED, SUSPECT: different ones that they wait for */
	uint64_t stack_bytes;
	uint64_t bytes, objects; /* PROVED: of the heap, that would go with them; once each */
	int64_t since;		 /* the earliest waitsince; 0 unknown */
};

struct liveness {
	size_t n;	  /* goroutines */
	uint8_t *state;	  /* n, enum leak_state */
	uint32_t *waiter; /* n, index in s->waits.v; UINT32_MAX: does not wait so */
	gnode *root;	  /* n, its root's node; 0: none */
	size_t *order;	  /* waiting goroutines, those of a group together, ascending */
	VEC(struct leak_group) groups;
	uint64_t nproved;
	const char *weak; /* why nothing is proved; NULL: proofs hold */
	bool known;	  /* false: the evidence does not say who waits for what */
};

/* What was lost that could have reached anything: nothing is proved then; NULL: proofs hold. */
const char *liveness_weakness(const struct snapshot *s);

/* Errors: NOMEM. */
struct err *liveness_create(const struct look *l, struct liveness *ret) MUST_CHECK;
void liveness_deinit(struct liveness *v);

const char *leak_state_word(uint8_t state); /* "proved" */

#endif
