/*
 * pprof_diff.h - two profiles as one of their difference, NEW - OLD.
 *
 * Of states: what grew.  Of totals since the start: what came between.  Of runs and changes: how
 * one differs from the other, which only means something for equal durations.  Shares are of the
 * difference itself (pprof -base), or of OLD (pprof -diff_base).
 *
 * Source: fetchProfiles() in internal/driver/fetch.go, Normalize() in profile/merge.go of
 * google/pprof.
 */
#ifndef LIMPET_EVIDENCE_PPROF_DIFF_H
#define LIMPET_EVIDENCE_PPROF_DIFF_H

#include "evidence/pprof_graph.h"

enum pprof_share { PPROF_OF_CHANGE, PPROF_OF_OLD };
enum pprof_scaling { PPROF_AS_IS, PPROF_NORMALIZE /* NEW's totals become OLD's */ };

/* *ret: a profile of its own.  Errors: UNSUPPORTED: they do not count the same. */
struct err *pprof_diff(const struct pprof *old, const struct pprof *new, enum pprof_share share,
		       enum pprof_scaling scaling, struct pprof **ret) MUST_CHECK;

/* By nodes: the difference, and what each had before and after. */
struct pprof_change {
	int64_t old_flat, old_cum, new_flat, new_cum;
};

struct pprof_changes {
	struct pprof *diff;
	struct pprof_graph *g;	     /* of diff */
	VEC(struct pprof_change) of; /* of each node of g */
	int64_t old_total, new_total;
};

/* q: its type is one of old's. */
struct err *pprof_changes_create(const struct pprof *old, const struct pprof *new,
				 const struct pprof_ask *q, enum pprof_share share,
				 enum pprof_scaling scaling, struct pprof_changes **ret) MUST_CHECK;
void pprof_changes_free(struct pprof_changes *c); /* NULL allowed */
static inline void pprof_changes_freep(struct pprof_changes **c)
{
	pprof_changes_free(*c);
}

#endif
