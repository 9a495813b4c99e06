/*
 * sites.h - where objects were allocated, as far as the program's own memory profile knows.
 *
 * A sample of the objects: each was recorded with a chance that grows with its size,
 * 1 - exp(-bytes / rate).  Whether one is alive the graph says; here are also those that
 * wait for the sweeper.
 *
 *   frames of a site   stack[first] .. stack[first + n - 1], leaf first: index in frames
 *   hidden of them     lead: the allocator's own, which runtime/pprof does not show
 */
#ifndef LIMPET_SNAPSHOT_SITES_H
#define LIMPET_SNAPSHOT_SITES_H

#include "goruntime/profile.h"
#include "snapshot/snapshot.h"

struct snap_frame {
	const char *function, *file; /* never NULL; function is "" where the pc is in none of Go */
	int line;		     /* 0: unknown */
	bool inlined;		     /* into the next one */
};

struct snap_site {
	uint64_t bytes;		/* of each object */
	uint64_t allocs, frees; /* sampled objects, since the program began */
	uint32_t first, n;
	uint32_t hidden; /* < n, or 0 */
};

struct snap_sample {
	uint64_t object; /* id */
	uint32_t site;
};

struct snap_sites {
	uint8_t state;	   /* enum go_profiling */
	uint64_t rate;	   /* bytes, 0: not known */
	bool rate_assumed; /* the evidence does not say it: Go's default */
	VEC(struct snap_sample)
	samples; /* ascending by object; several of one tiny block are possible */
	VEC(struct snap_site) sites;
	VEC(uint32_t) stack;
	VEC(struct snap_frame) frames;
	struct go_profile runtime; /* what it was read from; empty for a heap dump */
};

/*
 * Read when first asked for: the target must still be there then.  Borrowed until
 * snapshot_free().  For one thread.
 */
struct err *snapshot_sites(struct snapshot *s, const struct snap_sites **ret) MUST_CHECK;
void snap_sites_free(struct snap_sites *x); /* NULL allowed */

/* Site of a sampled object; NULL: it is not one. */
const struct snap_site *snap_site_of(const struct snap_sites *x, uint64_t object);

/* Frame i of a site, hidden ones first; i < site->n. */
static inline const struct snap_frame *snap_site_frame(const struct snap_sites *x,
						       const struct snap_site *site, uint32_t i)
{
	return &x->frames.v[x->stack.v[site->first + i]];
}

#endif
