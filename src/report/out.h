/*
 * out.h - bytes to stdout or to a file, all or nothing.
 *
 * A file is written beside its place with mode 0600, synced and renamed: a full
 * disk leaves no half file.  What is no regular file (/dev/stdout, a pipe) is
 * written to directly.
 */
#ifndef LIMPET_REPORT_OUT_H
#define LIMPET_REPORT_OUT_H

#include "base/err.h"
#include "base/str.h"

/* path NULL: stdout.  A reader that went away (EPIPE) is no error. */
struct err *out_write(const char *path, const struct str *s) MUST_CHECK;

#endif
