/*
 * debugfile.h - the file with DWARF of a program: its own, or one that was built or cut with it.
 *
 * Addresses in it are link-time; each section may have been loaded with a difference of its own
 * (a twin that was linked with other flags).  A file that is not the program itself is accepted
 * only if its function table is the program's: names, places and sizes of all functions.
 */
#ifndef LIMPET_GORUNTIME_DEBUGFILE_H
#define LIMPET_GORUNTIME_DEBUGFILE_H

#include "goruntime/goruntime.h"

#define GO_DEBUG_PARTS 8

struct go_debug_part {
	struct trange link; /* in the file */
	uint64_t shift;	    /* run time minus link time */
};

struct go_debug {
	int fd; /* owned */
	char *path;
	struct go_debug_part parts[GO_DEBUG_PARTS];
	unsigned nparts;
};

/* 0: nothing of the file is loaded there. */
taddr go_debug_run(const struct go_debug *d, taddr link);
taddr go_debug_link(const struct go_debug *d, taddr run);

/* The program's own file; fd is borrowed. */
struct err *go_debug_own(struct go *g, int fd, const char *path, taddr bias) MUST_CHECK;
void go_debug_free(struct go_debug *d); /* NULL allowed */

/*
 * Sets g->debug, and g->symbols where the program has none: o->symbols; else the program's own
 * file; else, by build id or debug link, a file below /usr/lib/debug or beside the program (below
 * o->sysroot); else, where servers are configured, what debuginfod has by build id.  Errors: of
 * o->symbols only: ERR_OS, ERR_BAD_DATA (another program's).
 */
struct err *go_debug_find(struct go *g, const struct go_opts *o) MUST_CHECK;

#endif
