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
	       GO_BOOL = 1,
	       GO_INT,
	       GO_INT8,
	       GO_INT16,
	       GO_INT32,
	       GO_INT64,
	       GO_UINT,
	       GO_UINT8,
	       GO_UINT16,
	       GO_UINT32,
	       GO_UINT64,
	       GO_UINTPTR,
	       GO_FLOAT32,
	       GO_FLOAT64,
	       GO_COMPLEX64,
	       GO_COMPLEX128,
	       GO_ARRAY,
	       GO_CHAN,
	       GO_FUNC,
	       GO_INTERFACE,
	       GO_MAP,
	       GO_POINTER,
	       GO_SLICE,
	       GO_STRING,
	       GO_STRUCT,
	       GO_UNSAFE_POINTER,
};

struct go_type_field {
	const char *name;
	uint64_t offset;
	taddr type;
	bool embedded;
	bool exported;
};

/* The first field of what a closure's variables lie in: ".F" up to Go 1.21 (typecheck,
 * ClosureType). */
static inline bool go_is_code_field(const char *name)
{
	return !strcmp(name, "F") || !strcmp(name, ".F");
}

/* How entries lie in a map's memory. */
enum {
	GO_MAP_SWISS =
		1, /* groups of 8 behind 8 control bytes; else buckets of 8, tophash before them */
	GO_MAP_INDIRECT_KEY = 2, /* the slot holds a pointer to the key */
	GO_MAP_INDIRECT_ELEM = 4,
};

struct go_type {
	taddr addr;
	uint64_t bytes, ptr_bytes; /* size; prefix that can hold pointers */
	uint8_t kind;		   /* enum go_kind */
	bool direct_iface;
	const char *name;	      /* "*main.Session"; full package path kept apart */
	const char *pkg_path;	      /* "" when none */
	taddr elem, key;	      /* pointer, slice, array, chan, map */
	uint64_t len;		      /* array */
	struct go_type_field *fields; /* struct */
	size_t nfields;
	taddr gcdata;
	uint8_t tflag;
	bool named; /* a defined type: its name is "pkg.Name" or a basic one */
	/* GO_MAP: key i lies at keys_off + i * key_stride of a group or bucket, elem i likewise; i
	 * < 8 */
	taddr group;	   /* rtype of the group or bucket; 0 unknown */
	uint8_t map_flags; /* GO_MAP_* */
	uint32_t keys_off, key_stride, elems_off, elem_stride;
	const char *full; /* private: ask go_type_full() */
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

/*
 * Every rtype in every module, ascending, whether anything leads to it or not.  Found once, by
 * searching the modules' type sections; borrowed until go_types_free().  Types that reflect made
 * lie in the heap and are not among them.
 * Errors: ERR_NOMEM, ERR_GONE; what cannot be read is not searched.
 */
struct err *go_types_all(struct go_types *ts, const taddr **ret, size_t *ret_n) MUST_CHECK;

/*
 * The defined type of that package path and name: "sync.Pool", "internal/runtime/maps.table",
 * "sync/atomic.Pointer[main.T]".  Of several (types declared in functions) the first; 0: none.
 */
taddr go_type_named(struct go_types *ts, const char *full);
/*
 * Name with full package paths, "map[string]*example.com/shop/cart.Item"; func, struct and
 * interface types that have no name of their own as t->name.  Borrowed; never NULL.
 */
const char *go_type_full(struct go_types *ts, const struct go_type *t);

/*
 * A type that the target has no rtype of: a deep copy of t, known to go_type_at() from now on at
 * an address outside of user space.  t->addr is 0, or what go_type_reserve() gave, for types that
 * refer to each other in circles (each may be made once).  0: no memory, or a million of them.
 */
taddr go_type_reserve(struct go_types *ts);
taddr go_type_make(struct go_types *ts, const struct go_type *t);
static inline bool go_type_made(taddr type)
{
	return type >> 63;
}

/* *elem and []elem: of the target where it has them, else made; 0: no memory. */
taddr go_type_pointer_to(struct go_types *ts, taddr elem);
taddr go_type_slice_of(struct go_types *ts, taddr elem);

/*
 * The place that path names inside a value of t, by field names as in Go source, also through
 * embedded structs (not through pointers): "groups.data".  False: there is no such field.
 */
bool go_type_path(struct go_types *ts, const struct go_type *t, const char *path, uint64_t *ret_off,
		  const struct go_type **ret);

#endif
