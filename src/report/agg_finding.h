/*
 * agg_finding.h - private to the report room: what all findings have beside what their detector
 * says: the way from a root, the cut, the goroutine, the site, texts in the reader's names.
 */
#ifndef LIMPET_REPORT_AGG_FINDING_H
#define LIMPET_REPORT_AGG_FINDING_H

#include "report/agg.h"

void finding_memory(const struct agg *a, const struct ans_memory *m, struct find_memory *ret);

/* What a later look compares this one with; f has run. */
struct err *agg_since_of(struct agg *a, const struct find *f, uint64_t rss,
			 struct find_since **ret) MUST_CHECK;

/* Ways of n findings (x[i] to y[i]) and the edge that frees each; x in any order. */
struct err *finding_paths(struct agg *a, const struct finding *const *x, struct ans_finding *y,
			  size_t n) MUST_CHECK;

/*
 * Where what hangs at v was allocated: by the samples below it; of an object without any, by its
 * like (agg_origin).
 */
struct err *finding_origin(struct agg *a, gnode v, struct ans_origin *ret) MUST_CHECK;

/* One more of findings that were made before, by what is known and wished now; y may be moved. */
struct err *finding_show(struct agg *a, const struct report_ask *ask, struct ans_finding *y,
			 struct ans_findings *ret) MUST_CHECK;

/* The same of what other evidence found, already counted: does somebody wish not to see it, and
 * where it is in the source. */
bool finding_is_ignored(struct agg *a, const struct report_ask *ask, struct ans_finding *y,
			struct ans_ignored *ret);
struct err *finding_source(struct agg *a, const struct source *s,
			   struct ans_finding *y) MUST_CHECK;

/* "main.cache", "(*main.Server).sessions", "the local sess of main.worker": who holds it. */
const char *finding_holder(struct agg *a, const struct ans_finding *y);
/* "main.newSession (session.go:41)" */
const char *finding_site(struct agg *a, const struct ans_origin *o);
/* Is that the name of who holds it, of a global, a type or a field on the way? */
bool finding_names(const struct ans_finding *y, const char *name);
/* text with {holder}, {type} and {site} filled in. */
const char *finding_fill(struct agg *a, const struct ans_finding *y, const char *text);

/* The first frame that is the program's own, else the first; NULL: there is none. */
const struct ans_frame *finding_own_frame(const struct agg *a, const struct ans_frame *v, size_t n);

#endif
