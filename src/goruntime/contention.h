/*
 * contention.h - the runtime's profiles of blocking and of mutexes: which stacks waited, or made
 * wait, how often and for how long.
 *
 * Recorded only where the program asked for it (runtime.SetBlockProfileRate,
 * SetMutexProfileFraction).  Source: runtime/mprof.go (saveBlockEventStack).
 */
#ifndef LIMPET_GORUNTIME_CONTENTION_H
#define LIMPET_GORUNTIME_CONTENTION_H

#include "goruntime/funcs.h"

enum go_contention_kind { GO_CONTENTION_BLOCK, GO_CONTENTION_MUTEX };

struct go_contended {
	double count;		 /* events, scaled by how many were sampled */
	int64_t ticks;		 /* of cputicks(), all of them together; scaled too */
	struct trange at;	 /* the bucket */
	uint32_t first_pc, npcs; /* in pcs: return addresses, leaf first */
};

/* Owned; go_contention_deinit(). */
struct go_contention {
	bool known; /* false: the runtime's list was not found; with no events it need not be */
	double ticks_per_s;		 /* 0: not known, or nothing to apply it to */
	VEC(struct go_contended) stacks; /* in the order of the list */
	VEC(taddr) pcs;
	uint64_t cut;
};

/* Errors: NOMEM, GONE. */
struct err *go_contention_read(const struct go *g, enum go_contention_kind kind,
			       struct go_contention *ret) MUST_CHECK;
void go_contention_deinit(struct go_contention *c);

#endif
