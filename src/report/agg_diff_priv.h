/*
 * agg_diff_priv.h - between agg_diff.c (objects) and agg_diff_kept.c (what the stores know
 * besides).
 */
#ifndef LIMPET_REPORT_AGG_DIFF_PRIV_H
#define LIMPET_REPORT_AGG_DIFF_PRIV_H

#include "report/agg.h"
#include "report/agg_diff.h"

void agg_diff_row(const struct diff *d, const struct diff_row *r, const struct ans_diff *a,
		  struct ans_diff_row *to);
/* From old and now: growth and what follows from it. */
void agg_diff_grown(const struct ans_diff *a, struct ans_diff_row *r);
/* Ways from a root to what grew. */
struct err *agg_diff_places(const struct diff_look *looks, size_t n, struct ans_diff *a) MUST_CHECK;
/* Is that word one of the tables whose rows are told by identity? */
bool agg_diff_is_identity(const char *by);
/* Tables by name, what rows retain, goroutines, findings, the memory table. */
struct err *agg_diff_kept(const struct diff_look *looks, size_t n, const struct diff_ask *q,
			  struct ans_diff *a) MUST_CHECK;
/* Both answer (kept.h); without goroutines nothing is added. */
struct err *agg_diff_goroutines(struct agg *was, struct agg *now, const struct diff_ask *q,
				struct ans_diff *a) MUST_CHECK;

#endif
