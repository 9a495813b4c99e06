/*
 * objects.h - the reachable objects of a look in a store: written span by span, read as an ident.
 *
 * Chunks of spans, ascending; each chunk one blob, zstd, of its columns one after another (spans;
 * alive bits; old bits; a group number an object for each column): ten million objects are some
 * tens of megabytes.  Format: docs/store.md.
 */
#ifndef LIMPET_STORE_OBJECTS_H
#define LIMPET_STORE_OBJECTS_H

#include "find/ident.h"
#include "store/store.h"

/* All spans of x, and its names. */
struct err *store_put_objects(struct store *w, struct ident *x, unsigned nthreads) MUST_CHECK;

/* The same back; *ret is the caller's (store_objects_close()), and borrows the store. */
struct err *store_objects(struct store *x, struct ident **ret) MUST_CHECK;
void store_objects_close(struct ident *x);

#endif
