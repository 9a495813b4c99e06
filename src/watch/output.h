/*
 * output.h - what a program prints, read as it comes so that it never waits for us: its end is
 * kept.
 *
 * One thread for each; the last 64 KiB are held, all of it goes to those who want it (a file, our
 * stderr).  Raw: whoever shows it cleans it.
 */
#ifndef LIMPET_WATCH_OUTPUT_H
#define LIMPET_WATCH_OUTPUT_H

#include "base/err.h"
#include "base/str.h"

struct output;

struct output_opts {
	const char *line; /* extended regular expression that a line is awaited for; NULL */
	int copies[2];	  /* descriptors that get all of it, borrowed; -1 */
};

/* fd: the end to read, ours now, also on error.  Errors: USAGE (line), OS, NOMEM. */
struct err *output_start(int fd, const struct output_opts *o, struct output **ret) MUST_CHECK;
/* Reads what is there still, and then no more: for when its writers are gone. */
void output_finish(struct output *x);
/* The same, and free. */
void output_end(struct output *x);

bool output_seen(struct output *x);	 /* the awaited line */
uint64_t output_bytes(struct output *x); /* so far */
/* The last nlines lines, at most max bytes, without the last newline. */
void output_tail(struct output *x, size_t nlines, size_t max, struct str *ret);

#endif
