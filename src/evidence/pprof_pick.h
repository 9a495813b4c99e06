/*
 * pprof_pick.h - which samples of a profile count, and which of their frames are seen: --focus,
 * --ignore, --hide, --show, --show-from, --tag-focus, --tag-ignore as pprof means them, and what
 * the profile itself wants dropped (drop_frames).
 *
 * A view on a profile that must outlive it; the profile is not changed.
 *
 * Source: profile/filter.go, profile/prune.go, internal/driver/driver_focus.go of google/pprof.
 */
#ifndef LIMPET_EVIDENCE_PPROF_PICK_H
#define LIMPET_EVIDENCE_PPROF_PICK_H

#include "evidence/pprof.h"

enum pprof_inlines { PPROF_INLINES, PPROF_NO_INLINES /* a frame is the function it is in */ };

/* NULL: not asked for. */
struct pprof_filters {
	const char *focus, *ignore, *hide, *show, *show_from, *tag_focus, *tag_ignore;
	enum pprof_inlines inlines;
};

/* Which of them matched nothing at all, for a warning: bits in the order above. */
enum {
	PPROF_PICK_FOCUS = 1 << 0,
	PPROF_PICK_IGNORE = 1 << 1,
	PPROF_PICK_HIDE = 1 << 2,
	PPROF_PICK_SHOW = 1 << 3,
	PPROF_PICK_SHOW_FROM = 1 << 4,
	PPROF_PICK_TAG_FOCUS = 1 << 5,
	PPROF_PICK_TAG_IGNORE = 1 << 6,
};

struct pprof_pick;

/* f NULL: all.  Errors: USAGE (a bad regular expression), LIMIT (one that runs on), NOMEM. */
struct err *pprof_pick_create(const struct pprof *p, const struct pprof_filters *f,
			      struct pprof_pick **ret) MUST_CHECK;
void pprof_pick_free(struct pprof_pick *k); /* NULL allowed */
static inline void pprof_pick_freep(struct pprof_pick **k)
{
	pprof_pick_free(*k);
}

/* w: a sample.  Locations of it that are seen, outermost first, borrowed until the next call.
 * false: the sample does not count (or memory was short: pprof_pick_err). */
bool pprof_pick_sample(struct pprof_pick *k, const struct pprof_walk *w, const uint32_t **ret,
		       size_t *ret_n);
/* Lines of a location that are seen, innermost first; may be none. */
const struct pprof_line *pprof_pick_lines(const struct pprof_pick *k, uint32_t location,
					  size_t *ret_n);
/* After all samples. */
struct err *pprof_pick_err(const struct pprof_pick *k) MUST_CHECK;
unsigned pprof_pick_unmatched(const struct pprof_pick *k);

/* Of numbers that are labels: their unit, as pprof finds it; borrowed. */
const char *pprof_label_unit(const struct pprof *p, const struct pprof_label *l);

#endif
