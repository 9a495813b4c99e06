/*
 * pattern.h - regular expressions of the command line (and of files) against names of a file.
 *
 * The syntax is what Go's regexp has; what PCRE2 has besides is taken, too.  Neither a hostile
 * pattern nor a hostile name can run on: a match is bounded in steps, all matches of a pattern
 * together in time, and what goes beyond is an error of pattern_err(), not an answer.
 */
#ifndef LIMPET_EVIDENCE_PATTERN_H
#define LIMPET_EVIDENCE_PATTERN_H

#include "base/err.h"

#include <stdbool.h>

enum { PATTERN_MAX_BYTES = 1 << 16 };

struct pattern; /* opaque */

/* what: "--focus", for messages; borrowed.  Errors: USAGE. */
struct err *pattern_create(const char *what, const char *text, struct pattern **ret) MUST_CHECK;
void pattern_free(struct pattern *p); /* NULL allowed */
static inline void pattern_freep(struct pattern **p)
{
	pattern_free(*p);
}

/* Is there a match anywhere in it? */
bool pattern_matches(struct pattern *p, const char *text);
/* The same, and where the first match begins and ends. */
bool pattern_find(struct pattern *p, const char *text, size_t *ret_begin, size_t *ret_end);
/* After all matches.  Errors: LIMIT: at least one was given up. */
struct err *pattern_err(const struct pattern *p) MUST_CHECK;

#endif
