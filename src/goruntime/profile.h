/*
 * profile.h - the runtime's own memory profile: which stacks allocated, and how often.
 *
 * Of all objects a sample is recorded, on average one every MemProfileRate bytes; each object
 * of it has a special that names its bucket (heap.h: GO_SPECIAL_PROFILE), a call stack and an
 * object size.  Source: runtime/mprof.go, runtime/mheap.go (specialprofile).
 */
#ifndef LIMPET_GORUNTIME_PROFILE_H
#define LIMPET_GORUNTIME_PROFILE_H

#include "goruntime/funcs.h"

enum go_profiling {
	GO_PROFILING_ON,
	GO_PROFILING_OFF,      /* MemProfileRate is 0 */
	GO_PROFILING_UNLINKED, /* nothing in the program reads the profile: the linker turned it off
				*/
	GO_PROFILING_UNKNOWN,  /* the runtime's variables were not found */
};

struct go_bucket {
	taddr at;
	uint64_t bytes;		/* of each object */
	uint64_t allocs, frees; /* sampled objects, since the program began */
	/* the same as runtime.MemProfile tells it: as of the last mark termination whose sweep is
	 * over; of a program that has not collected yet: all */
	uint64_t told_allocs, told_frees;
	uint32_t first_pc, npcs; /* in go_profile.pcs, as runtime.Callers gives them: leaf first */
};

/* Owned; go_profile_deinit(). */
struct go_profile {
	uint8_t state;		       /* enum go_profiling */
	uint64_t rate;		       /* MemProfileRate as it is now, bytes; 0: off or not known */
	VEC(struct go_bucket) buckets; /* ascending by at; also of times when it was on */
	VEC(taddr) pcs;
	uint64_t cut; /* the list was broken off: damaged, or longer than any can be */
	bool told;    /* told_* are known */
};

/* Errors: ERR_NOMEM, ERR_GONE.  Cost: one pass over the buckets. */
struct err *go_profile_read(const struct go *g, struct go_profile *ret) MUST_CHECK;
void go_profile_deinit(struct go_profile *p);
/* Index of the bucket at that address; SIZE_MAX: none. */
size_t go_profile_bucket(const struct go_profile *p, taddr at);

/*
 * Each sampled object stands for so many: runtime/pprof/protomem.go, scaleHeapSample.  1 where the
 * rate is not known.
 */
double go_profile_scale(uint64_t bytes, uint64_t rate);

/*
 * Logical frames that one pc of runtime.Callers stands for: the first of those at the call.
 * The outer ones have pcs of their own, but may be cut off after the last: then ask for more.
 * At most max; 0: no Go function.
 */
size_t go_callers_lines(const struct go *g, taddr pc, struct go_line *lines, size_t max);

/* How many frames, from the leaf on, runtime/pprof leaves out of a heap profile. */
uint32_t go_callers_hidden(const struct go *g, const taddr *pcs, uint32_t n);

#endif
