/*
 * agg_pprof_parts.c - what a profile's figures are, in words: parts of a CPU profile, and changes
 * that could be taken for states.
 */
#include "report/agg_pprof_parts.h"

#include "evidence/pprof_parts.h"
#include "evidence/pprof_sense.h"
#include "evidence/pprof_unit.h"

struct err *agg_pprof_parts(const struct pprof *p, unsigned type, struct ans_pprof_head *a)
{
	int64_t sum[PPROF_PARTS];
	enum pprof_sense sense = pprof_sense(p, type);

	if (sense == PPROF_CHANGE &&
	    !vec_push(&a->notes, keepf(&a->keep, "%s: %s", p->name, pprof_sense_words(sense))))
		return &err_nomem;
	if (sense != PPROF_RUN)
		return NULL;
	pprof_parts(p, type, sum);
	for (unsigned i = 0; i < PPROF_PARTS; i++) {
		struct ans_pprof_part part = { pprof_part_word(i), pprof_part_means(i), sum[i] };

		if (a->parts.n < PPROF_PARTS) {
			if (!vec_push(&a->parts, part))
				return &err_nomem;
		} else {
			a->parts.v[i].value = pprof_plus(a->parts.v[i].value, sum[i]);
		}
	}
	return NULL;
}
