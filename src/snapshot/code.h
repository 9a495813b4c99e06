/*
 * code.h - what the program's code says of its globals, for programs without DWARF.
 */
#ifndef LIMPET_SNAPSHOT_CODE_H
#define LIMPET_SNAPSHOT_CODE_H

#include "snapshot/snapshot.h"

/*
 * Reads s->code unless it is there, adds to s->vars, and names roots that no symbol names by the
 * functions that use them.  Nothing where DWARF has spoken.
 */
struct err *snap_code_learn(struct snapshot *s, unsigned nthreads) MUST_CHECK;

#endif
