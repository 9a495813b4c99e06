/*
 * diff_objects.h - every object of a diff, a line each: for who wants to count for himself.
 */
#ifndef LIMPET_REPORT_DIFF_OBJECTS_H
#define LIMPET_REPORT_DIFF_OBJECTS_H

#include "find/diff.h"

enum diff_lines { DIFF_LINES_TEXT, DIFF_LINES_JSON };

/*
 * Streamed to path (NULL: stdout).  TEXT: address, bytes, fate, first and last look, type, apart
 * by tabs; JSON: one object a line.  Errors: diff_each()'s, OS.
 */
struct err *diff_objects_write(struct ident *const *looks, size_t nlooks, enum diff_lines lines,
			       const char *path) MUST_CHECK;

#endif
