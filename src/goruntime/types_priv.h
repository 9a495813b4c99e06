/*
 * types_priv.h - between types.c and types_name.c; not a door.
 */
#ifndef LIMPET_GORUNTIME_TYPES_PRIV_H
#define LIMPET_GORUNTIME_TYPES_PRIV_H

#include "goruntime/types.h"

#define GO_NAME_MAX 4096 /* bytes of a type's or field's name that are kept */

enum { GO_NAME_EXPORTED = 1, GO_NAME_TAG = 2, GO_NAME_PKG = 4, GO_NAME_EMBEDDED = 8 };

/*
 * abi.Name at addr: a flag byte, a varint length, the bytes.  Decoded from n bytes of it;
 * *ret is malloc()ed with control bytes made visible.  flags may be NULL.
 */
struct err *go_name_decode(const uint8_t *p, size_t n, char **ret, uint8_t *flags) MUST_CHECK;
struct err *go_name_read(const struct go *g, taddr addr, char **ret, uint8_t *flags) MUST_CHECK;

#endif
