/*
 * rules.h - pointer-free memory of the runtime that its own contents tell.
 *
 * Tables of itabs, caches of type switches and assertions, nodes of the collector's workers
 * (runtime/iface.go, mgc.go): words of types and itabs only, never a value of the program.
 */
#ifndef LIMPET_SNAPSHOT_RULES_H
#define LIMPET_SNAPSHOT_RULES_H

#include "snapshot/snapshot.h"

typedef void snap_memory_fn(void *arg, taddr at, uint64_t nbytes);

/* Each such object, whole slots.  Errors: ERR_NOMEM, ERR_GONE; what cannot be read is none. */
struct err *snap_runtime_memory(struct snapshot *s, snap_memory_fn *fn, void *arg) MUST_CHECK;

#endif
