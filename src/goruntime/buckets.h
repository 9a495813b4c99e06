/*
 * buckets.h - private to goruntime: the runtime's lists of profile buckets.
 *
 * A bucket is a head, the stack of pcs behind it, the record behind that.  What the record is, the
 * list's kind says.  Source: runtime/mprof.go (bucket, newBucket).
 */
#ifndef LIMPET_GORUNTIME_BUCKETS_H
#define LIMPET_GORUNTIME_BUCKETS_H

#include "goruntime/goruntime.h"

enum { GO_BUCKETS_MAX = 1U << 21, GO_BUCKET_PCS_MAX = 1U << 25, GO_BUCKET_RECORD_MAX = 512 };

/* mprof.go: bucketType */
enum go_bucket_kind { GO_BUCKET_MEM = 1, GO_BUCKET_BLOCK, GO_BUCKET_MUTEX };

/* Borrowed for the call. */
struct go_bucket_image {
	taddr at;
	uint64_t bytes; /* of each object */
	uint32_t npcs;
	const uint8_t *pcs; /* npcs words, leaf first */
	const uint8_t *record;
};

typedef struct err *go_bucket_fn(void *arg, const struct go_bucket_image *b);

struct go_bucket_list {
	taddr head; /* the first bucket; 0: none */
	enum go_bucket_kind kind;
	uint32_t record_bytes; /* at most GO_BUCKET_RECORD_MAX */
};

/* Does the version's table say how a bucket lies? */
bool go_buckets_known(const struct go_layout *L);
/*
 * Each of them, some perhaps twice where the list is a cycle.  *ret_cut counts breaks: a bucket
 * that is none, a cycle, absurd lengths.  Errors: fn's, NOMEM, GONE.
 */
struct err *go_buckets_each(const struct go *g, const struct go_bucket_list *l, go_bucket_fn *fn,
			    void *arg, uint64_t *ret_cut) MUST_CHECK;

#endif
