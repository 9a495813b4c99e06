/*
 * source.h - lines of the program's source, and who owns them.
 *
 * A file is looked for below one folder that the user named, by the longest end of the path that
 * the program recorded (built elsewhere, or with -trimpath).  Only files below it, never through a
 * link, and only .go files and CODEOWNERS: what a program under study calls its files is no reason
 * to show others.
 */
#ifndef LIMPET_REPORT_SOURCE_H
#define LIMPET_REPORT_SOURCE_H

#include "report/answer.h"
#include "base/keep.h"

struct source {
	const char *dir;
	char *owners; /* text of CODEOWNERS; NULL: none */
	size_t nowners;
};

/* Errors: ERR_NOMEM.  Without a CODEOWNERS nobody owns. */
struct err *source_open(const char *dir, struct source *ret) MUST_CHECK;
void source_close(struct source *s);

/* Lines around one; *ret.file NULL: there is no such file below the folder. */
struct err *source_lines(const struct source *s, struct keep *keep, const char *file, int line,
			 struct ans_source *ret) MUST_CHECK;

/* Owners of a path below the folder, by the last pattern that matches it; its length, 0: nobody. */
size_t source_owner(const char *text, size_t n, const char *path, const char **ret);

#endif
