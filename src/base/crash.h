/*
 * crash.h - last words of a process that a damaged or crafted file took down.
 *
 * Libraries that read files of others (libelf, libdw) may be led astray by one.  The process is
 * confined (confine.h) and ends; what is left to do is to say which file it was, and how to go on.
 */
#ifndef LIMPET_BASE_CRASH_H
#define LIMPET_BASE_CRASH_H

#include <stddef.h>

/*
 * From now on a fatal signal ends the process with one line on stderr: exit code 4 while some
 * file is being read, else 70.  Under a sanitizer it is the sanitizer's.  Call once.
 */
void crash_install(void);

/*
 * The calling thread reads a file from now on: words are what a crash then says, borrowed until
 * the next call; NULL: no more.  Returns what it was before.
 */
const char *crash_reading(const char *words);

/* Restores what was before: READING(words) for the rest of a block. */
static inline void crash_read_end(const char **before)
{
	(void)crash_reading(*before);
}
#define READING(words)                                                                             \
	__attribute__((cleanup(crash_read_end), unused)) const char *crash_before =                \
		crash_reading(words)

/* Memory has a limit that the user set: such a crash may come of it, and is exit code 5. */
void crash_limited(void);

/* "cannot read WHAT of FILE … WAY_OUT", for READING(). */
#define CRASH_WORDS 320
const char *crash_words(char buf[CRASH_WORDS], const char *what, const char *file,
			const char *way_out);

/* For libraries that would exit(1) when memory is short: one line, exit code 5. */
__attribute__((noreturn)) void crash_nomem(void);

#endif
