/*
 * code.h - what the program's code says of its globals and closures.
 */
#ifndef LIMPET_SNAPSHOT_CODE_H
#define LIMPET_SNAPSHOT_CODE_H

#include "snapshot/snapshot.h"

/*
 * Reads s->code.  Where DWARF has not spoken it adds to s->vars, and names roots that no symbol
 * names by the functions that use them.
 */
struct err *snap_code_learn(struct snapshot *s, unsigned nthreads) MUST_CHECK;

#endif
