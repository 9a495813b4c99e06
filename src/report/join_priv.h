/*
 * join_priv.h - private to the joiners: where what is alive was made, in one form for looks with
 * samples, looks without, and stores.
 */
#ifndef LIMPET_REPORT_JOIN_PRIV_H
#define LIMPET_REPORT_JOIN_PRIV_H

#include "report/agg_sites.h"
#include "report/join.h"
#include "report/join_match.h"

/* A stack that allocated. */
struct join_site {
	size_t first, n; /* in frames, innermost first */
	uint64_t bytes, objects, alloc_bytes, sampled;
	uint64_t retained; /* where it is summed already */
	uint64_t calls;	   /* by the code: that make such */
	const char *type;  /* of one that it made; "" unknown */
};

struct join_sites {
	struct agg *a;
	const char *module;
	const struct snap_sites *x; /* v[i] is of its site snap[i]; NULL: summed */
	VEC(struct join_site) v;
	VEC(struct ans_frame) frames;
	VEC(uint32_t) snap;
	bool sampled;	  /* by the program's own samples */
	const char *note; /* why nothing can be joined by where it was made; "" */
};

void join_sites_deinit(struct join_sites *s);
struct err *join_sites_make(struct agg *a, struct join_sites *ret) MUST_CHECK;
static inline const struct ans_frame *join_frames(const struct join_sites *s, size_t i)
{
	return s->frames.v + s->v.v[i].first;
}

/* Made where its stack says?  Else that is what its like, or one of several calls, would have. */
static inline bool join_is_made_there(const struct ans_origin *o)
{
	return o->sampled || (o->by_code && o->of == 1);
}

/* What one row of an answer adds up. */
struct join_sum {
	/* retained ANS_UNKNOWN: there is no look; guess ANS_UNKNOWN: they nest, are too few or too unlike, or nothing was estimated */
	uint64_t retained, guess;
	uint64_t bytes, objects, alloc_bytes, sampled, calls;
};

/* To order rows by: the guess, else what is exact, else nothing. */
static inline uint64_t join_held(uint64_t retained, uint64_t guess)
{
	uint64_t n = guess == ANS_UNKNOWN ? retained : guess;

	return n == ANS_UNKNOWN ? 0 : n;
}

/* row[i]: of site i, UINT32_MAX none; sums of nrows, zeroed. */
struct err *join_add_up(const struct join_sites *s, const uint32_t *row, size_t nrows,
			struct join_sum *sum) MUST_CHECK;

typedef struct err *join_fn(struct agg *a, const struct join_file *f, const struct join_sites *s,
			    struct ans_report *r, struct ans_joined *ret);
join_fn join_escape;
join_fn join_lint;

#endif
