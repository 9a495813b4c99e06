/*
 * layout.h - what differs between Go versions, as data.
 *
 * A Go version is a table, never an `if`.  A table holds, for one (Go minor,
 * GOARCH, experiments), the offset and width of each runtime field that limpet
 * reads (layout_fields.h is the list), a few constants, and names of wait
 * reasons.  Tables are generated from DWARF of real builds by tools/gen-layout
 * into src/goruntime/layouts/, or read from a text file (--layout FILE).
 *
 * HOW TO ADD A FIELD: add a line to layout_fields.h, run tools/gen-layout.
 * HOW TO ADD A VERSION: add it to tools/gen-layout's list, run it.
 */
#ifndef LIMPET_GORUNTIME_LAYOUT_H
#define LIMPET_GORUNTIME_LAYOUT_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"

/* One field: offset from the start of its struct and width; off < 0: this version has none. */
struct go_field {
	int32_t off;
	uint32_t bytes;
};

/* Source: the struct of that name in package runtime (or the one named in layout_fields.h). */
struct go_layout {
	const char *go;		 /* "1.26" */
	const char *arch;	 /* "amd64" */
	const char *experiments; /* "" = the version's defaults, else "nogreenteagc,noswissmap"
				    sorted */
	const char *made_from;	 /* "go1.26.8" */

#define LAYOUT_STRUCT(s, type)	   uint32_t s##_bytes; /* 0: absent */
#define LAYOUT_FIELD(s, f, path)   struct go_field s##_##f;
#define LAYOUT_CONST(name, symbol) int64_t c_##name; /* -1: absent */
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST

	const char *const *wait_reasons; /* runtime.waitReasonStrings by value */
	uint32_t nwait_reasons;
	const uint16_t *class_to_size; /* runtime.class_to_size (bytes), [0] = 0 */
	uint32_t nclasses;
};

static inline bool go_has(struct go_field f)
{
	return f.off >= 0;
}

/*
 * Value of a field of 1, 2, 4 or 8 bytes in a struct image that is at least
 * the struct's size; 0 when the version has no such field.
 */
static inline uint64_t go_get(const void *image, struct go_field f)
{
	const uint8_t *p = (const uint8_t *)image + f.off;

	if (f.off < 0)
		return 0;
	switch (f.bytes) {
	case 1:
		return *p;
	case 2:
		return load_u16(p);
	case 4:
		return load_u32(p);
	default:
		return load_u64(p);
	}
}

/* First word of a slice, string or interface field (data, len, cap follow). */
static inline uint64_t go_word(const void *image, struct go_field f, unsigned word)
{
	return f.off < 0 ? 0 : load_u64((const uint8_t *)image + f.off + 8 * word);
}

/* How the collector knows which words of the heap are pointers.  Source: mbitmap*.go, mheap.go. */
enum go_ptr_bits {
	GO_BITS_UNKNOWN,
	GO_BITMAP_2BIT,	  /* heapArena.bitmap: nibbles of pointer and of scan bits (to 1.19) */
	GO_BITMAP_1BIT,	  /* heapArena.bitmap: a bit a word (1.20, 1.21; noallocheaders) */
	GO_MALLOC_HEADER, /* bits in the span, a type before the object, mspan.largeType (1.22) */
};

static inline enum go_ptr_bits go_layout_ptr_bits(const struct go_layout *l)
{
	if (go_has(l->heapArena_bitmap))
		return go_has(l->heapArena_noMorePtrs) ? GO_BITMAP_1BIT : GO_BITMAP_2BIT;
	return go_has(l->mspan_largeType) ? GO_MALLOC_HEADER : GO_BITS_UNKNOWN;
}

/* Compiled-in tables. */
const struct go_layout *const *go_layouts(size_t *ret_n);

/*
 * Table for a version as the binary tells it ("go1.26.8", "go1.26.8-X:nogreenteagc",
 * "devel go1.28-…").  *ret_exact is false when only a neighbour was found.
 * NULL when nothing comes near (older than the oldest table).
 */
const struct go_layout *go_layout_find(const char *version, const char *arch, bool *ret_exact);

/* The i-th nearest table for a version, 0 = the one that go_layout_find gives; NULL at the end. */
const struct go_layout *go_layout_nth(const char *version, const char *arch, size_t i);

/* Text form, one "key value" a line; owned by caller (go_layout_free). */
struct err *go_layout_load(const char *path, struct go_layout **ret) MUST_CHECK;
void go_layout_free(struct go_layout *l); /* only those that were loaded */

#endif
