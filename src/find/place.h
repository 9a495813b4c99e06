/*
 * place.h - large places of the heap and what speaks for and against their growing without end;
 * private to the find room: global-growth and pointer-chain.
 */
#ifndef LIMPET_FIND_PLACE_H
#define LIMPET_FIND_PLACE_H

#include "find/fans.h"
#include "find/find.h"

enum place_form {
	PLACE_MAP,
	PLACE_SLICE,
	PLACE_LIST,   /* container/list, or a struct that owns one */
	PLACE_LINKED, /* nodes of one type hang from each other */
	PLACE_SYNC_MAP,
	PLACE_STRUCT, /* what it consists of together holds them */
	PLACE_SHARED, /* several roots together */
};

/* One level of a chain: n things of a type, each below one of the level above. */
struct place_level {
	uint32_t type; /* index in s->types */
	gnode node;    /* an example */
	uint64_t n;    /* below one */
	bool spreads;  /* a container: what is below it is many */
};
enum { PLACE_LEVELS = 12 };

struct place {
	gnode node; /* the place */
	uint8_t form;
	uint64_t bytes;
	uint64_t n;    /* like things in it; 0: not known */
	uint32_t like; /* their type; 0: not known */
	gnode sample[FANS_SAMPLES];
	unsigned nsamples;
	gnode owner;  /* root; 0: several */
	bool counted; /* n is what the container says; else what hangs from it */
	const char *
		steady; /* why it is none that grows without end, in words; NULL: nothing says so */
	const char *metric; /* it is a metric's: the library's name for it */
	struct place_level level[PLACE_LEVELS];
	unsigned nlevels;    /* from the outermost container down to where the weight is */
	unsigned self;	     /* level of the place itself */
	unsigned containers; /* of the levels */
};

/* place_bound.c: is there a bound that its owner keeps, was it made at start?  Sets steady. */
struct err *place_judge(struct find *f, struct go_io *io, struct place *x) MUST_CHECK;

/* place_levels.c: the way from the place down to where the weight is. */
struct err *place_levels(struct find *f, struct place *x) MUST_CHECK;

/* place_read.c: what a fan is: its form, how many of what it has.  form stays UINT8_MAX where it is
 * nothing that could grow. */
struct err *place_read(struct find *f, struct go_io *io, const struct fans *fans,
		       const struct fan_place *p, struct place *ret) MUST_CHECK;

/* Children of v, parts of maps replaced by theirs; room for PLACE_KIDS. */
enum { PLACE_KIDS = 512 };
struct err *place_kids(const struct look *l, gnode v, gnode *kid, size_t *ret_n) MUST_CHECK;

/*
 * Of n nodes the type that retains most together; its largest is the example.  False: that is less
 * than half of `of`.
 */
bool place_heaviest(const struct look *l, const gnode *kid, size_t n, uint64_t of,
		    struct place_level *ret);

/* Name of a type by index in s->types; "" unknown. */
static inline const char *place_type_name(const struct look *l, uint32_t type)
{
	const char *name = type && type < l->s->types.n ? l->s->types.v[type].name : NULL;

	return name ? name : "";
}

/* Is it what a sync.Map or a list wraps its elements in? */
bool place_is_wrapper(const struct look *l, uint32_t type);

/* A number with commas, bytes in words: of the keep. */
const char *place_count(struct find *f, uint64_t n);
const char *place_bytes(struct find *f, uint64_t n);

#endif
