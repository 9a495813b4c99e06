/*
 * dump_read.h - between the parts of the heap dump reader; private to target/.
 */
#ifndef LIMPET_TARGET_DUMP_READ_H
#define LIMPET_TARGET_DUMP_READ_H

#include "target/dump.h"

/* runtime/heapdump.go */
enum dump_tag {
	DUMP_EOF,
	DUMP_OBJECT,
	DUMP_OTHER_ROOT,
	DUMP_TYPE,
	DUMP_GOROUTINE,
	DUMP_FRAME,
	DUMP_PARAMS,
	DUMP_FINALIZER,
	DUMP_ITAB,
	DUMP_THREAD,
	DUMP_MEMSTATS,
	DUMP_QUEUED,
	DUMP_DATA,
	DUMP_BSS,
	DUMP_DEFER,
	DUMP_PANIC,
	DUMP_MEMPROF,
	DUMP_SAMPLE,
	DUMP_NTAGS,
};

#define DUMP_ADDR_END	   (1ULL << 48)
#define DUMP_MEMSTATS_INTS (sizeof(struct dump_memstats) / 8)

/* A record of any kind, its parts in their order in the file. */
struct dump_rec {
	enum dump_tag tag;
	unsigned nn, nm;
	uint64_t n[32];
	struct {
		const uint8_t *p;
		uint64_t n;
	} mem[3];
	struct bytes fields;
	bool has_fields;    /* and there is one in the list */
	uint64_t need;	    /* after a failure: bytes that it has at least; 0: it is none */
	uint64_t steps;	    /* taken in lists */
	struct bytes stack; /* DUMP_MEMPROF: nstk times text, text, number */
};

/* Decode one record; false when it is none, runs out of the bytes or has longer lists. */
bool dump_decode(struct bytes *b, uint64_t max_steps, struct dump_rec *ret);
/* Could it be a record of a real dump? */
bool dump_plausible(const struct dump *d, const struct dump_rec *r);

/*
 * The file from offset `at` on, at least want bytes; fewer where it ends, or cannot be read.  Valid
 * until the next call.
 */
struct bytes dump_bytes(const struct dump *d, struct dump_window *w, uint64_t at, uint64_t want);
void dump_window_free(struct dump_window *w); /* fits _cleanup_ on a struct dump_window */
/* The record at that offset, and where the next one begins; pointers are into the window. */
bool dump_decode_at(const struct dump *d, struct dump_window *w, uint64_t at, struct dump_rec *ret,
		    uint64_t *ret_next);
/* A copy that lives as long as d; NULL: no memory. */
const uint8_t *dump_keep(struct dump *d, const uint8_t *p, uint64_t n);
void dump_drop_kept(struct dump *d);

/* Text, each once. */
struct dump_names;
struct dump_names *dump_names_create(void);
void dump_names_free(struct dump_names *n);
/* Cut at 4096 bytes; NULL: no memory. */
const char *dump_name(struct dump_names *n, const uint8_t *text, uint64_t nbytes);

/* Take all records of the file; losses go to t. */
struct err *dump_records(struct dump *d, struct target *t) MUST_CHECK;
/* Sort what is looked up, and drop what contradicts itself. */
struct err *dump_index(struct dump *d, struct target *t) MUST_CHECK;
void dump_lose(struct target *t, const char *what, uint64_t count, uint64_t bytes);
void dump_deinit(struct dump *d);
/* Bytes from addr on, at most up to the end of the object or segment that holds them; 0: none. */
size_t dump_read_at(const struct dump *d, taddr addr, void *buf, size_t nbytes);

#endif
