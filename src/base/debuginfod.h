/*
 * debuginfod.h - a file with DWARF from the servers that $DEBUGINFOD_URLS names, by build id.
 *
 * Nothing is asked of anybody where that variable is not set.  The library (libdebuginfod, and
 * libcurl below it) runs in a child without rights, which gives back a descriptor.
 */
#ifndef LIMPET_BASE_DEBUGINFOD_H
#define LIMPET_BASE_DEBUGINFOD_H

#include "base/err.h"

/* Are there servers to ask? */
bool debuginfod_wanted(void);

/*
 * A descriptor, or -1 and errno: ENOENT (no server has it), ETIMEDOUT (60 s, or what
 * $DEBUGINFOD_MAXTIME says), ENOPKG (the library is not there; never in the static file),
 * ECANCELED (the other end of the socket watch is closed; -1: none), ENOTCONN (no server answers),
 * EINVAL (no servers, or no build id).  What is in the file is for who reads it to judge.
 */
int debuginfod_fetch(const char *build_id, int watch);

#endif
