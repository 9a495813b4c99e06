/*
 * types.h - rtypes of the target: names, sizes, pointer layout, fields.
 *
 * Source: internal/abi/type.go.  Types are read on demand, validated (kind, size,
 * pointers inside the module's type section or the heap) and cached.
 */
#ifndef LIMPET_GORUNTIME_TYPES_H
#define LIMPET_GORUNTIME_TYPES_H

#include "goruntime/goruntime.h"

enum go_kind { /* internal/abi.Kind */
	GO_BOOL = 1, GO_INT, GO_INT8, GO_INT16, GO_INT32, GO_INT64,
	GO_UINT, GO_UINT8, GO_UINT16, GO_UINT32, GO_UINT64, GO_UINTPTR,
	GO_FLOAT32, GO_FLOAT64, GO_COMPLEX64, GO_COMPLEX128,
	GO_ARRAY, GO_CHAN, GO_FUNC, GO_INTERFACE, GO_MAP, GO_POINTER, GO_SLICE,
	GO_STRING, GO_STRUCT, GO_UNSAFE_POINTER,
};

struct go_type_field {
	const char *name;
	uint64_t offset;
	taddr type;
	bool embedded;
};

struct go_type {
	taddr addr;
	uint64_t bytes, ptr_bytes;	/* size; prefix that can hold pointers */
	uint8_t kind;			/* enum go_kind */
	bool direct_iface;
	const char *name;		/* "*main.Session"; full package path kept apart */
	const char *pkg_path;		/* "" when none */
	taddr elem, key;		/* pointer, slice, array, chan, map */
	uint64_t len;			/* array */
	struct go_type_field *fields;	/* struct */
	size_t nfields;
	taddr gcdata;
	uint8_t tflag;
};

struct go_types; /* the cache; thread-safe */

struct err *go_types_create(const struct go *g, struct go_types **ret) MUST_CHECK;
void go_types_free(struct go_types *ts);

/* Is addr a plausible rtype?  NULL when not.  Borrowed until go_types_free(). */
const struct go_type *go_type_at(struct go_types *ts, taddr addr);
/* Cheap test without reading: inside a module's types, aligned. */
bool go_type_maybe(const struct go *g, taddr addr);
/* Type that an itab at addr is for (itab.Type), or 0 when it is no itab. */
taddr go_itab_type(struct go_types *ts, taddr itab);

#endif
