/*
 * liar.h - a target in front of another, that lies.
 *
 * Stable: the same address always tells the same lie, as a damaged heap does.  Unstable:
 * each read tells another one, as no frozen twin should.
 */
#ifndef LIMPET_TESTS_FUZZ_LIAR_H
#define LIMPET_TESTS_FUZZ_LIAR_H

#include "target/ops.h"

enum lie {
	LIE_NONE,
	LIE_FAULT_NTH,	/* the Nth read finds nothing */
	LIE_FAULT_RATE, /* so do some others, stable by page */
	LIE_SHORT,	/* reads are cut at random lengths */
	LIE_GONE,	/* from the Nth read on the process is gone */
	LIE_WORDS,	/* random words, stable */
	LIE_UNSTABLE,	/* random words, each time others */
	LIE_PAGES,	/* all words of a few pages */
	LIE_HOT,	/* a few words of what limpet is known to look at */
	LIES
};

/* Where the truth is worth a lie; gathered in a run without lies. */
struct liar_notes {
	VEC(struct trange) hot;
	VEC(taddr) pool; /* addresses of things: lies that look true */
};

struct liar {
	struct target t; /* facts are borrowed from the inner one */
	struct target *inner;
	enum lie lie;
	uint64_t seed;
	uint64_t nth;	   /* FAULT_NTH, GONE */
	uint64_t rate_inv; /* one word (page) in that many */
	_Bool armed;
	const struct liar_notes *notes;
	VEC(taddr) chosen; /* HOT, ascending */
	_Atomic uint64_t nreads;
	struct liar_notes *record; /* small reads are noted here */
};

/* seed decides all: which lie, how often, where. */
struct err *liar_init(struct liar *l, struct target *inner, uint64_t seed,
		      const struct liar_notes *notes) MUST_CHECK;
void liar_deinit(struct liar *l);
void liar_describe(const struct liar *l, char *buf, size_t n);

uint64_t liar_hash(uint64_t a, uint64_t b);

#endif
