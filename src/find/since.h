/*
 * since.h - an earlier look at a program, reduced to what a later one is compared with.
 *
 * Made from the earlier look's snapshot, graph and findings, which may go then: sizes of roots by
 * their names, of large objects by their addresses, which slots were reachable, and what was found.
 * Addresses say something only if it is the same process (find_since_match()); names always do.
 *
 * LIMIT.  A slot that was freed and used again for an object of the same size looks as if it had
 * stayed.  Cost: 1 bit a slot, 32 bytes a span, 24 bytes a large object.
 */
#ifndef LIMPET_FIND_SINCE_H
#define LIMPET_FIND_SINCE_H

#include "find/look.h"

struct find;

/* What is known of a process, to tell whether it is the same. */
struct find_process {
	int64_t pid;	     /* 0 unknown */
	uint64_t started_ns; /* unix; 0 unknown */
	const char *go, *module, *version, *revision;
	uint64_t at_unix_ns; /* of the look; 0 unknown */
};

enum find_same {
	FIND_SAME_PROCESS, /* addresses mean the same */
	FIND_SAME_PROGRAM, /* another process, or another build of it: names do */
	FIND_OTHER,	   /* another program: nothing can be compared */
};

struct find_since {
	struct find_process process;
	uint64_t reachable_bytes, reachable_objects, stack_bytes;
	uint64_t rss; /* UINT64_MAX unknown */
	uint64_t goroutines;
	uint32_t num_gc;
	uint64_t total_alloc;
	/* by find_since_match() */
	uint8_t same;	    /* enum find_same */
	const char *why;    /* it is not the same process, in words; "" it is */
	uint64_t ns;	    /* between the looks; 0 unknown */
	uint32_t cycles;    /* collections between; 0: none, or unknown */
	uint64_t allocated; /* bytes, meanwhile; 0 unknown */
	struct since_facts *facts;
};

/* f has run.  Texts are copied. */
struct err *find_since_create(const struct find *f, const struct find_process *p, uint64_t rss,
			      struct find_since **ret) MUST_CHECK;
void find_since_free(struct find_since *x);
static inline void find_since_freep(struct find_since **x)
{
	find_since_free(*x);
}

/* Now the later look is there.  s NULL: one that has no heap of its own. */
void find_since_match(struct find_since *x, const struct find_process *now,
		      const struct snapshot *s);

/* Bytes below all roots of that name (find_root_key()); false: there was none. */
bool find_since_root(const struct find_since *x, const char *key, uint64_t *ret_bytes);

/* Was there a reachable object of elem_bytes at addr?  False if it is not the same process. */
bool find_since_alive(const struct find_since *x, taddr addr, uint64_t elem_bytes);

/* What that object retained: false: it was not there, or is not one of the large ones (64 KiB). */
bool find_since_place(const struct find_since *x, taddr addr, uint64_t elem_bytes,
		      uint64_t *ret_bytes);

/* What was found under that signature: false: nothing. */
bool find_since_found(const struct find_since *x, const char *signature, uint64_t *ret_bytes,
		      uint64_t *ret_count);

/*
 * What hangs at a node now and hung there then: by its address, else by its root's name.
 * survived: of the bytes then, how much is still there, by samples; < 0: not known.
 */
struct find_growth {
	uint64_t then_bytes, now_bytes;
	double survived;
};
/* False: there is no earlier look, or it knows nothing of it.  Needs l.dom_first. */
bool find_growth_of(const struct find *f, gnode v, struct find_growth *ret);

#endif
