/*
 * debugfile_priv.h - between debugfile.c and debugtwin.c; not a door.
 */
#ifndef LIMPET_GORUNTIME_DEBUGFILE_PRIV_H
#define LIMPET_GORUNTIME_DEBUGFILE_PRIV_H

#include "goruntime/debugfile.h"

/* Fills d->parts.  ERR_BAD_DATA: d is no twin of the program, or cannot be told to be one. */
struct err *go_debug_twin(const struct go *g, struct go_debug *d) MUST_CHECK;

#define GO_DEBUG_ZSTD                                                                              \
	"DWARF that zstd packed, which this libelf cannot read: no names by it (objcopy "          \
	"--decompress-debug-sections unpacks it)"

#endif
