/*
 * keep.h - text that lives as long as an answer.
 *
 * keepf() makes a text that the keep owns; the values of an answer borrow it.
 * When memory is short it yields "" and sets bad: check keep_err() once at the end.
 */
#ifndef LIMPET_BASE_KEEP_H
#define LIMPET_BASE_KEEP_H

#include "base/err.h"

#include <stdbool.h>

struct keep {
	VEC(char *) texts;
	bool bad;
};

const char *keepf(struct keep *k, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *keepn(struct keep *k, const char *text, size_t n);
/* A copy of n bytes; NULL when memory was short. */
const void *keep_bytes(struct keep *k, const void *p, size_t n);
void keep_deinit(struct keep *k);

static inline struct err *MUST_CHECK keep_err(const struct keep *k)
{
	return k->bad ? &err_nomem : NULL;
}

#endif
