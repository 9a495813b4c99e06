/*
 * redact.h - what of a program's memory must not leave, byte by byte.
 *
 * Three sets of addresses, later ones win:
 *   scrub   text is taken out: runs of four and more printable bytes (ASCII, or UTF-8) become
 *           zeroes, but for words that point into a mapping: those are structure
 *   drop    all is zero: pointer-free objects, free slots and pages of the heap
 *   keep    as it is: what the runtime itself needs of that, and what the analysis reads
 * Built once from a snapshot, then only read: redact_filter() may run in several threads.
 */
#ifndef LIMPET_REPORT_REDACT_H
#define LIMPET_REPORT_REDACT_H

#include "report/corefile.h"

/* Sorted and merged by ranges_settle(). */
struct ranges {
	VEC(struct trange) at;
	bool bad; /* memory was short */
};

void ranges_add(struct ranges *r, taddr at, uint64_t nbytes);
struct err *ranges_settle(struct ranges *r) MUST_CHECK;
/* Index of the first range that ends behind addr; r->at.n: none. */
size_t ranges_after(const struct ranges *r, taddr addr);
/* Does one of them touch, or one alone cover [at, at + n)? */
bool ranges_touch(const struct ranges *r, taddr at, uint64_t n);
bool ranges_cover(const struct ranges *r, taddr at, uint64_t n);

struct redact {
	const struct target_region *regions; /* borrowed */
	size_t nregions;
	struct ranges scrub, drop, keep;
};

/* detail is not CORE_ALL.  s has its types learned. */
struct err *redact_create(struct snapshot *s, enum core_detail detail, unsigned nthreads,
			  struct redact *ret) MUST_CHECK;
void redact_deinit(struct redact *r);

/* Nothing of [at, at + n) leaves. */
static inline bool redact_drops(const struct redact *r, taddr at, uint64_t n)
{
	return ranges_cover(&r->drop, at, n) && !ranges_touch(&r->keep, at, n);
}

/* A core_filter; arg is the struct redact. */
void redact_filter(void *arg, taddr at, uint8_t *buf, size_t n);
/* Text out of any bytes; at, n: multiples of 8 (at only tells words apart). */
void redact_scrub(const struct redact *r, uint8_t *buf, size_t n);

/* redact_keep.c: what of dropped and scrubbed memory must stay. */
struct err *redact_keep(struct snapshot *s, enum core_detail detail, unsigned nthreads,
			struct redact *r) MUST_CHECK;

#endif
