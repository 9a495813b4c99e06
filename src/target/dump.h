/*
 * dump.h - a heap dump (runtime/debug.WriteHeapDump) as its records: the file's own model.
 *
 * The format is one for all Go versions and machines: runtime/heapdump.go, "go1.7 heap dump\n".
 * Objects stay in the file: a run is what lies there in a row, and its objects are read again
 * when they are wanted.  Knows nothing of Go but the meaning of the records.
 * All that is here may be a lie; what follows from the shape of the file has been checked.
 */
#ifndef LIMPET_TARGET_DUMP_H
#define LIMPET_TARGET_DUMP_H

#include "base/bytes.h"
#include "target/target.h"

/*
 * Objects of one size one after the other in the file, ascending, at a stride of that size; slots
 * between them that are not in the file are free.  A page belongs to one run only.
 */
struct dump_run {
	taddr base;	   /* of the first one */
	uint64_t elem;	   /* bytes */
	uint64_t at;	   /* in the file: record of the first one */
	uint32_t nslots;   /* from the first to the last one */
	uint32_t nobjects; /* records */
	bool scan;	   /* some of them has pointers */
};

/* Bytes of the program that are no objects, and their pointer words. */
struct dump_segment {
	taddr addr;
	uint64_t bytes;
	const uint8_t *data;
	struct bytes fields; /* dump_field() */
};

struct dump_type {
	taddr addr;
	uint64_t bytes;
	const char *name;
};

struct dump_itab {
	taddr addr;
	taddr type;
};

struct dump_frame {
	struct dump_segment mem; /* from sp up to the caller's frame */
	uint64_t depth;
	taddr child_sp;
	taddr entry, pc;
	const char *name; /* function; inlined ones have no frames */
};

struct dump_goroutine {
	taddr g, sp;
	uint64_t id;
	taddr go_pc;
	uint64_t status; /* runtime._G* */
	bool system;
	uint64_t waitsince;
	uint32_t wait_reason; /* in wait_reasons */
	taddr ctxt, m, defers, panics;
	size_t first_frame, nframes;
	size_t first_defer, ndefers;
	size_t first_panic, npanics;
};

struct dump_defer {
	taddr d, g, sp, pc, fn, fn_pc, link;
};

struct dump_panic {
	taddr p, g, type, data, link;
};

struct dump_finalizer {
	taddr object, fn, fn_pc, fint, ot;
};

struct dump_thread {
	taddr m;
	uint64_t id, procid;
};

struct dump_line {
	const char *function, *file;
	uint64_t line;
};

/* A call stack that memory was sampled at: runtime.MemProfile. */
struct dump_bucket {
	taddr addr;
	uint64_t bytes; /* of one object */
	uint64_t allocs, frees;
	size_t first_line, nlines; /* innermost first */
};

struct dump_sample {
	taddr object, bucket;
};

struct dump_root {
	const char *what;
	taddr to;
};

/* The start of runtime.MemStats, in its order; then 256 PauseNs, NumGC. */
struct dump_memstats {
	uint64_t alloc, total_alloc, sys, lookups, mallocs, frees;
	uint64_t heap_alloc, heap_sys, heap_idle, heap_inuse, heap_released, heap_objects;
	uint64_t stack_inuse, stack_sys, mspan_inuse, mspan_sys, mcache_inuse, mcache_sys;
	uint64_t buckhash_sys, gc_sys, other_sys, next_gc, last_gc, pause_total_ns;
};

struct dump_func {
	taddr entry;
	taddr last_pc; /* greatest seen in it */
	const char *name;
};

struct wrap_file;
struct dump_block;

struct dump {
	struct wrap_file *wrap; /* the file, also a packed one; owned */
	const uint8_t *file;	/* or these bytes, borrowed */
	uint64_t nfile;
	struct dump_block *kept; /* copies of what segments hold */
	uint64_t kept_bytes;
	bool ended; /* the end mark was there */

	char arch[16], version[64];
	bool big_endian;
	uint64_t word_bytes, ncpu;
	struct trange arenas;
	bool has_params, has_memstats;
	struct dump_memstats memstats;
	uint64_t num_gc;

	VEC(struct dump_run) runs;	   /* ascending; a page is in one only */
	VEC(struct dump_segment) segments; /* of frames, data, bss; ascending, not overlapping */
	VEC(struct dump_segment) data;	   /* data, then bss */
	size_t ndata;			   /* of them, data */
	VEC(struct dump_type) types;	   /* ascending */
	VEC(struct dump_itab) itabs;	   /* ascending */
	VEC(struct dump_goroutine) gs;
	VEC(struct dump_frame) frames;
	VEC(struct dump_defer) defers;
	VEC(struct dump_panic) panics;
	VEC(struct dump_finalizer) finalizers, queued;
	VEC(struct dump_thread) threads;
	VEC(struct dump_bucket) buckets; /* ascending */
	VEC(struct dump_line) lines;
	VEC(struct dump_sample) samples; /* ascending by object */
	VEC(struct dump_root) other_roots;
	VEC(struct dump_func) funcs; /* those of frames, ascending */
	VEC(const char *) wait_reasons;
	uint64_t nobjects, object_bytes;
	struct dump_names *names; /* owner of all text */
};

/* Some bytes of the file; all zero before the first use, least_bytes aside. */
struct dump_window {
	uint8_t *buf;
	size_t cap, n;
	uint64_t at;
	uint64_t least_bytes; /* at once, to save calls */
	uint64_t nread;
	bool nomem;
};

/* One object in the file; bytes are those of the walk, until its next step. */
struct dump_object {
	taddr addr;
	uint64_t bytes;
	const uint8_t *data;
	struct bytes fields;
};

/* Walks the objects of a run: zero but for these two.  Each thread has its own. */
struct dump_walk {
	const struct dump *d;
	const struct dump_run *run;
	struct dump_window win;
	uint64_t at;
	uint32_t n;
	bool lost;  /* the file is no longer what it was, or no memory */
	taddr next; /* no object begins before */
};

/* False at the end, and where all that follows is lost. */
bool dump_next(struct dump_walk *w, struct dump_object *ret);
/* The object that begins at or spans addr; the walk, zero before, is what its bytes lie in. */
bool dump_object_at(const struct dump *d, taddr addr, struct dump_walk *w, struct dump_object *ret);
void dump_walk_end(struct dump_walk *w); /* fits _cleanup_ on a struct dump_walk */

/* Next word of a field list that may hold a pointer: offset, ascending; false at the end. */
static inline bool dump_field(struct bytes *b, uint64_t *ret_at)
{
	uint64_t kind = bytes_uvarint(b), at;

	if (!kind || b->bad)
		return false;
	at = bytes_uvarint(b);
	/* fieldKindPtr; fieldKindIface and fieldKindEface (not since Go 1.5): the second word */
	*ret_at = kind == 1 ? at : at + 8;
	return !b->bad;
}

const struct dump_type *dump_type_at(const struct dump *d, taddr addr);
const struct dump_itab *dump_itab_at(const struct dump *d, taddr addr);
/* NULL: no function of that pc is known. */
const struct dump_func *dump_func_at(const struct dump *d, taddr pc);
/* Where the object at addr was allocated; NULL: it is not one of the sample. */
const struct dump_bucket *dump_bucket_of(const struct dump *d, taddr object);

/*
 * Also one packed by gzip or zstd.  Errors: ERR_OS, ERR_BAD_DATA (no heap dump), ERR_UNSUPPORTED
 * (32 bits, big endian), ERR_LIMIT (no room to unpack it).  What is cut off or damaged is in
 * target_losses().
 */
struct err *target_open_dump(const char *path, const struct target_file_opts *o,
			     struct target **ret) MUST_CHECK;
/* The same of bytes in memory, borrowed until target_close(). */
struct err *target_open_dump_bytes(const void *bytes, size_t nbytes,
				   struct target **ret) MUST_CHECK;
/* The model; NULL when t is not of a dump. */
const struct dump *target_dump(const struct target *t);

#endif
