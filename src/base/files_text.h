/*
 * files_text.h - a small text file, whole.
 */
#ifndef LIMPET_BASE_FILES_TEXT_H
#define LIMPET_BASE_FILES_TEXT_H

#include "base/err.h"

#include <stddef.h>

/*
 * All that can be read from fd (borrowed), at most max bytes; caller frees *ret with free().  It
 * ends with no zero.  name: the file in messages.  Errors: ERR_OS, ERR_USAGE (larger), NOMEM.
 */
struct err *file_text(int fd, const char *name, size_t max, char **ret, size_t *ret_n) MUST_CHECK;

/*
 * A source file below a folder that the user named (files.h, file_source); text[*ret_n] is a zero.
 * *ret NULL: there is none.  Of one much larger than max only the beginning.  Errors: NOMEM.
 */
struct err *file_source_text(const char *dir, const char *path, size_t max, char **ret,
			     size_t *ret_n) MUST_CHECK;

#endif
