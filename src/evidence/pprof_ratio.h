/*
 * pprof_ratio.h - of a heap profile: of what each place allocated, how much is still there.
 *
 * The share alone tells no leak: what is loaded once and kept is all still there, too.  It tells
 * which places cost the collector and which hold memory.  Figures are the profile's estimates from
 * samples: below PPROF_RATIO_SAMPLES of them no share is told.
 */
#ifndef LIMPET_EVIDENCE_PPROF_RATIO_H
#define LIMPET_EVIDENCE_PPROF_RATIO_H

#include "evidence/pprof_graph.h"

/* In percent of what was allocated. */
enum { PPROF_RETAINED_PERCENT = 80, PPROF_CHURN_PERCENT = 5, PPROF_RATIO_SAMPLES = 8 };

enum pprof_ratio_kind {
	PPROF_RETAINED, /* nearly all of it is still there */
	PPROF_CACHE,	/* part of it stays, part is replaced */
	PPROF_CHURN,	/* nearly all of it was let go */
	PPROF_FEW,	/* too few samples */
};

struct pprof_ratio_row {
	const char *name;
	int64_t alloc_bytes, inuse_bytes, alloc_objects, inuse_objects; /* flat */
	double ratio; /* inuse_bytes / alloc_bytes; 0 where nothing was allocated */
	enum pprof_ratio_kind kind;
};

struct pprof_ratios {
	VEC(struct pprof_ratio_row)
	rows; /* kinds in their order, then the most bytes: in use, of churn allocated */
	int64_t alloc_bytes, inuse_bytes;
	struct keep keep;
};

/* q: its type does not matter.  Errors: UNSUPPORTED: it has not both. */
struct err *pprof_ratios_create(const struct pprof *p, const struct pprof_ask *q,
				struct pprof_ratios **ret) MUST_CHECK;
void pprof_ratios_free(struct pprof_ratios *r); /* NULL allowed */
static inline void pprof_ratios_freep(struct pprof_ratios **r)
{
	pprof_ratios_free(*r);
}

const char *pprof_ratio_word(enum pprof_ratio_kind k);
const char *pprof_ratio_means(enum pprof_ratio_kind k);

#endif
