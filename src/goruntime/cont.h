/*
 * cont.h - containers of the target as what they are: maps, channels, sync.Map, contexts …
 *
 * A container is recognised by the type of the place where it lies (package path and name,
 * generics by prefix) and then read from the target's memory.  Three questions:
 *
 *   facts    name/value pairs: len, cap, slots, growing, fd, state …
 *   entries  what it holds: {key, elem} as typed places, in the order of the program where
 *            there is one (channel: next to be received first); deleted ones never
 *   parts    blocks of memory behind pointers that their types do not tell: a map's groups,
 *            a pool's locals, a trie's nodes
 *
 * WHERE `at` IS.  A map or a channel: the header (what the map or chan value points to, not the
 * variable that holds the pointer).  All others: the first byte of the value itself, as for any
 * place of that type; so a *list.List is followed before it is asked here.
 *
 * All that is read may be a lie: counts are bounded, chains end, and what does not hold together
 * is ERR_BAD_DATA.  Still a slice that says it has 2^40 elements is told of them all, up to 2^28:
 * who shows has a limit of his own.  A part or an entry that was handed out before stays
 * handed out.  A callback that has enough returns CONT_STOP: that is no error.
 *
 * For one thread per struct go_io; any number of them at once.
 *
 * HOW TO ADD ONE: a row in cont.c's table, a decoder in cont_*.c.
 */
#ifndef LIMPET_GORUNTIME_CONT_H
#define LIMPET_GORUNTIME_CONT_H

#include "goruntime/heap_io.h"
#include "goruntime/types.h"

enum go_cont_go_on { CONT_ON, CONT_STOP };

/* A typed place.  type NULL: not known (a type that the target has no rtype of). at 0: none. */
struct go_place {
	taddr at;
	const struct go_type *type;
};

/* One entry.  Of what has no keys, key.at is 0; a set's elem has a type of no bytes. */
struct go_cont_entry {
	struct go_place key, elem;
	const char *label; /* static; "" or what it is: "private", "victim", "parent", "laddr" */
	uint64_t index;	   /* of this label: place in the queue, the list, the slice; P of a pool */
};

enum go_fact_form {
	GO_FACT_NUMBER,	  /* n */
	GO_FACT_SIGNED,	  /* (int64_t)n */
	GO_FACT_BYTES,	  /* n */
	GO_FACT_BOOL,	  /* n */
	GO_FACT_NS,	  /* (int64_t)n: a duration */
	GO_FACT_NANOTIME, /* (int64_t)n: on the program's monotonic clock, go_unix_of_nanotime() */
	GO_FACT_UNIX_NS,  /* (int64_t)n: wall clock */
	GO_FACT_ADDR,	  /* n */
	GO_FACT_FUNC,	  /* n: a pc, entry of a function */
	GO_FACT_TYPE,	  /* n: address of an rtype */
	GO_FACT_WORD,	  /* word */
};

struct go_fact {
	const char *name; /* static, snake_case: a JSON key */
	uint8_t form;	  /* enum go_fact_form */
	uint64_t n;
	const char *word; /* static */
};

enum go_part_kind {
	GO_PART_HEADER,
	GO_PART_DIRECTORY, /* Swiss: pointers to tables */
	GO_PART_TABLE,
	GO_PART_GROUPS,
	GO_PART_BUCKETS,
	GO_PART_OLD_BUCKETS,
	GO_PART_OVERFLOW, /* one bucket */
	GO_PART_EXTRA,
	GO_PART_OVERFLOW_LIST, /* of extra: backing array of []*bmap */
	GO_PART_NODE,	       /* of a trie, a list, a chain */
	GO_PART_ENTRY,
	GO_PART_LOCALS, /* of a pool: one an P */
	GO_PART_BUFFER, /* of a channel */
	GO_PART_VALUE,	/* what an untyped pointer points to */
};

/*
 * A block of count elements of type elem at `at`.  The object there may be larger: buckets for
 * later overflow lie behind the array of an old map; then the rest is of the same type.
 */
struct go_map_part {
	uint8_t what; /* enum go_part_kind */
	taddr at;
	uint64_t count;
	taddr elem;	     /* rtype, 0 none known */
	uint64_t elem_bytes; /* known also when elem is not */
};

typedef enum go_cont_go_on go_cont_entry_fn(void *arg, const struct go_cont_entry *e);
typedef enum go_cont_go_on go_cont_fact_fn(void *arg, const struct go_fact *f);
typedef enum go_cont_go_on go_cont_part_fn(void *arg, const struct go_map_part *p);

struct go_cont; /* one kind of container; static */

/* What container is a value of that type?  NULL: none.  Pure: to be kept per type. */
const struct go_cont *go_cont_of(struct go_types *ts, const struct go_type *t);

/* "map", "chan", "sync.Map", "list", "context", "file" …: static, the word for people. */
const char *go_cont_word(const struct go_cont *c);

/*
 * Is it rather a thing that holds others (map, list, pool: entries are its contents), or a
 * thing with fields of its own (os.File, http.Request, time.Timer: to be shown beside them)?
 */
bool go_cont_holds(const struct go_cont *c);

struct err *go_cont_facts(const struct go_cont *c, struct go_io *io, struct go_types *ts,
			  struct go_place p, go_cont_fact_fn *fn, void *arg) MUST_CHECK;
struct err *go_cont_each(const struct go_cont *c, struct go_io *io, struct go_types *ts,
			 struct go_place p, go_cont_entry_fn *fn, void *arg) MUST_CHECK;
struct err *go_cont_parts(const struct go_cont *c, struct go_io *io, struct go_types *ts,
			  struct go_place p, go_cont_part_fn *fn, void *arg) MUST_CHECK;

/*
 * The value in an interface at `at` (its two words lie there): what it points to or, of a type
 * that is stored in the word itself, the second word.  type NULL: a nil interface.
 */
struct err *go_iface_value(struct go_io *io, struct go_types *ts, struct go_place iface,
			   struct go_place *ret) MUST_CHECK;

/* Wall clock of a reading of the program's monotonic one; 0: it cannot be told (no GC ran). */
int64_t go_unix_of_nanotime(const struct go *g, int64_t nanotime);

#endif
