/*
 * pprof_tag.h - --tag-focus and --tag-ignore: samples by their labels.
 *
 *   route        a regular expression against "key:value"; several, with commas: all of them match
 *   key=/cart    against the values of one key; several: one of them matches
 *   64kb:1mb     labels that are numbers, between two; "32kb:", ":32kb", "32kb"; also key=64kb:
 *
 * Source: compileTagFilter(), parseTagFilterRange() in internal/driver/driver_focus.go of
 * google/pprof.
 */
#ifndef LIMPET_EVIDENCE_PPROF_TAG_H
#define LIMPET_EVIDENCE_PPROF_TAG_H

#include "evidence/pprof.h"

struct pprof_tag;

/* text NULL or "": *ret stays.  Errors: USAGE, NOMEM. */
struct err *pprof_tag_create(const struct pprof *p, const char *what, const char *text,
			     struct pprof_tag **ret) MUST_CHECK;
void pprof_tag_free(struct pprof_tag *t); /* NULL allowed */
static inline void pprof_tag_freep(struct pprof_tag **t)
{
	pprof_tag_free(*t);
}

bool pprof_tag_matches(struct pprof_tag *t, const struct pprof_walk *s);
struct err *pprof_tag_err(const struct pprof_tag *t) MUST_CHECK;

#endif
