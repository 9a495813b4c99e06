/*
 * words.h - texts that are said again and again, each kept once.
 *
 * A text is a number: equal texts have equal numbers, 0 is "".  Numbers do not change as more
 * texts come.  Running out of memory sets bad and yields 0: check words_err() once at the end.
 */
#ifndef LIMPET_EVIDENCE_WORDS_H
#define LIMPET_EVIDENCE_WORDS_H

#include "base/err.h"

struct words {
	VEC(char) text; /* all of them, each NUL-terminated */
	VEC(size_t) at; /* by number: where it begins */
	uint32_t *slot; /* open addressing: number, 0 none */
	size_t nslots;	/* a power of two, or 0 */
	bool bad;
};

void words_deinit(struct words *w);
/* n bytes of s; what follows a NUL in them is cut off. */
uint32_t words_add(struct words *w, const char *s, size_t n);
/* Until the next words_add(). */
const char *words_of(const struct words *w, uint32_t number);

static inline struct err *MUST_CHECK words_err(const struct words *w)
{
	return w->bad ? &err_nomem : NULL;
}

#endif
