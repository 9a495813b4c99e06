/*
 * agg_pprof.h - profiles into answers.
 */
#ifndef LIMPET_REPORT_AGG_PPROF_H
#define LIMPET_REPORT_AGG_PPROF_H

#include "evidence/pprof_graph.h"
#include "report/answer_pprof.h"

/* type: of p's values.  Adds to what other files gave already. */
struct err *agg_pprof_head(const struct pprof *p, unsigned type,
			   struct ans_pprof_head *a) MUST_CHECK;

/* Rows of a profile behind those that are there.  again: p has only its heads, and this is its file
 * from the beginning; NULL: it has all. */
struct err *agg_pprof_top_add(const struct pprof *p, struct input *again, const struct pprof_ask *q,
			      struct ans_pprof_top *a) MUST_CHECK;
/* Of several files, each with its own rows: do all count the same, the same value of it? */
bool agg_pprof_top_same(const struct ans_pprof_top *a, size_t n);
/* One's rows behind those of the others; it keeps nothing. */
struct err *agg_pprof_top_join(struct ans_pprof_top *from, struct ans_pprof_top *to) MUST_CHECK;
struct err *agg_pprof_top_named(struct ans_pprof_top *a, const char *file) MUST_CHECK;
void agg_pprof_top_sort(struct ans_pprof_top *a, enum pprof_order order);
/* All files are in: equal rows become one, ordered as asked for, at most limit. */
struct err *agg_pprof_top_end(struct ans_pprof_top *a, enum pprof_order order,
			      size_t limit) MUST_CHECK;

/* Of a heap profile as text, its MemStats.  Errors: UNSUPPORTED: it has none. */
struct ans_memory;
struct err *agg_pprof_memory(const struct pprof *p, struct ans_memory *ret) MUST_CHECK;

/* What a profile is, by what it counts: "CPU profile"; static. */
const char *agg_pprof_what(const struct pprof *p);

#endif
