/*
 * known.h - findings that are known, and what is said of them.
 *
 *   known SIGNATURE until YYYY-MM-DD REASON
 *
 * A line each.  '#' begins a comment where a line begins, or between blanks.  Behind that day (UTC) the finding is shown again, with the
 * line.  The same file may hold owners' rules (owner.h) and limits; those lines are not ours.
 */
#ifndef LIMPET_REPORT_KNOWN_H
#define LIMPET_REPORT_KNOWN_H

#include "base/err.h"
#include "base/keep.h"

struct known_line {
	char signature[17];
	char until[11];	    /* "2026-12-31" */
	int64_t end_unix_s; /* first second behind it */
	const char *reason;
	const char *source; /* "limpet.conf:3" */
};

struct known {
	VEC(struct known_line) v;
	struct keep keep;
};

/* More lines of a file; text needs no end.  Errors: ERR_USAGE with path and line. */
struct err *known_parse(const char *path, const char *text, size_t n, struct known *k) MUST_CHECK;
void known_deinit(struct known *k);

/* The line of a signature; NULL: none. */
const struct known_line *known_of(const struct known *k, const char *signature);

/* Of a line of len bytes what stands before its comment. */
size_t known_text_length(const char *p, size_t len);

/* 16 hex digits, in lower case? */
bool known_is_signature(const char *text);

#endif
