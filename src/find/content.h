/*
 * content.h - what the detectors of pins, spare capacity and equal strings share: one pass over
 * all strings and slices, made only if there is enough memory behind them to speak of.
 *
 * Candidates are chosen by their spans and types first; who has too many of them takes a sample,
 * by address, and says so (shift).
 */
#ifndef LIMPET_FIND_CONTENT_H
#define LIMPET_FIND_CONTENT_H

#include "find/find.h"
#include "find/look_pools.h"
#include "find/look_spots.h"

/* Objects that are of no use as pins below these; a size class above 256 bytes. */
enum { CONTENT_PIN_SLOT = 257, CONTENT_PIN_RETAINED = 1024 };

/* A string in memory of its own, of the sample. */
struct content_string {
	taddr data;
	uint32_t len; /* UINT32_MAX: that or more */
	uint32_t spot;
};

struct content {
	bool made, pools_made;
	struct look_pools pools;
	struct look_spots *spots;
	uint64_t *reached; /* by object id; bigalloc'd */
	uint64_t *holders; /* the same of those that have strings or slices in them */
	uint64_t nreached; /* words */
	bool want_pins, want_strings, want_spare;
	uint64_t *pin;		    /* by object id: a candidate; NULL: none wanted */
	uint64_t *covered;	    /* by object id: one view shows half of it or more */
	VEC(struct look_view) pins; /* small views of candidates, by object, header; each once */
	uint64_t *spare;	    /* by object id: a slice of it uses little */
	VEC(uint64_t) spare_bytes;  /* by spot: of such slices */
	VEC(struct content_string) strings; /* ascending by data */
	struct look_pooled pooled;
	unsigned pin_shift, string_shift; /* 1 of 2^shift objects was looked at */
};

/* Bytes below which nothing is said: 1 % of what is reachable, 1 MiB at least. */
uint64_t content_floor(const struct find *f);

/* The pass, once; then from f. */
struct err *content_of(struct find *f, const struct content **ret) MUST_CHECK;
/* All pools, found once; then from f. */
struct err *content_pools(struct find *f, const struct look_pools **ret) MUST_CHECK;
void content_free(struct content *c); /* NULL allowed */

/* Is the object of the 1 of 2^shift that are looked at? */
static inline bool content_sampled(uint64_t id, unsigned shift)
{
	return !shift || (id * 0x9e3779b97f4a7c15ULL) >> (64 - shift) == 0;
}

/* References of reachable nodes to each of n objects, ids ascending. */
struct err *content_in_degrees(const struct look *l, const uint64_t *ids, size_t n,
			       uint32_t *ret) MUST_CHECK;

/* An object and how many views show it. */
struct content_viewed {
	uint64_t id;
	size_t nviews;
};

/*
 * Of *n rows of row_bytes, ascending, that begin with a struct content_viewed, those stay whose
 * objects have no other reference than these views.
 */
struct err *content_drop_others(const struct look *l, void *rows, size_t row_bytes,
				size_t *n) MUST_CHECK;

/* Start of an object's data and its bytes, without a malloc header. */
taddr content_data(const struct look *l, uint64_t id, uint64_t *ret_bytes);
/* Bytes of the slot that n bytes take. */
uint64_t content_slot(const struct look *l, uint64_t n);

/*
 * Is it one slice from the object's first byte on, with all the rest as capacity that holds
 * nothing?  Zeroes behind len are capacity; what was there once is hidden behind a short view.
 * Memory is read for the first few of each place: after these, most of them decide.
 */
struct content_spare {
	uint32_t asked, spare;
};
struct content_spares {
	VEC(struct content_spare) of; /* by spot */
};
struct err *content_is_spare(const struct look *l, struct content_spares *known,
			     const struct look_view *v, size_t n, bool *ret) MUST_CHECK;

/*
 * Whose they are: the root that dominates all of up to 32 of these nodes; "" several.  *ret_key:
 * its name for a signature.
 */
const char *content_owner(struct find *f, const gnode *nodes, size_t n, const char **ret_key);
/* The same root's node, for the chain of holders; 0: none. */
gnode content_root(const struct look *l, gnode v);

/* " under main.index": empty without an owner, or if the spot is the owner itself. */
const char *content_under(struct find *f, const char *owner, const char *spot);
/* "1.5 MiB", of the keep. */
const char *content_bytes(struct find *f, uint64_t bytes);
/* "10,000 strings", "1 string". */
const char *content_count(struct find *f, uint64_t n, const char *one, const char *more);

#endif
