/*
 * answer_pprof.h - answers out of profiles, as values.
 *
 * Figures are in the unit of the value that was asked for.  Text is owned by the answer's keep and
 * raw.  Made by agg_pprof.h.
 */
#ifndef LIMPET_REPORT_ANSWER_PPROF_H
#define LIMPET_REPORT_ANSWER_PPROF_H

#include "base/keep.h"
#include "base/mem.h"

#include <stdbool.h>

struct ans_pprof_type {
	const char *type, *unit;
};

/* What time went to: pprof_parts.h; texts are static. */
struct ans_pprof_part {
	const char *word, *means;
	int64_t value;
};

/* What was read: of several files, all of them. */
struct ans_pprof_head {
	VEC(const char *) files;
	const char *form;  /* "pprof", "text" */
	const char *what;  /* "heap profile" */
	const char *value; /* the one that is shown; "": it has no name */
	unsigned value_at; /* its number */
	const char *unit;  /* of its figures */
	VEC(struct ans_pprof_type) types;
	uint64_t samples;
	uint64_t time_ns, duration_ns; /* of the earliest; all together; 0: not said */
	int64_t period;
	struct ans_pprof_type period_type;
	const char *exe, *build_id; /* of the first mapping; "" */
	VEC(const char *) comments;
	const char *doc_url;	 /* "" */
	const char *damage;	 /* why one of them may lack its end; NULL */
	VEC(struct ans_pprof_part) parts; /* of a CPU profile; each sample in one */
	VEC(const char *) notes; /* what of it is not as it should be, in words */
	struct keep keep;
};

struct ans_pprof_row {
	const char *name;
	int64_t flat, cum;
	const char *inlined; /* "inline", "partial-inline", "" */
};

struct ans_pprof_top {
	struct ans_pprof_head head;
	const char *by, *sort;
	const char *shown; /* the unit that text is in: as pprof chooses it */
	int64_t total;
	bool negative; /* of samples below 0, too */
	unsigned unmatched; /* filters that matched nothing: bits as of pprof_graph.h */
	size_t nrows; /* before the limit */
	bool limited;
	VEC(struct ans_pprof_row) rows;
	struct keep keep;
};

void ans_pprof_head_deinit(struct ans_pprof_head *a);
void ans_pprof_top_deinit(struct ans_pprof_top *a);

#endif
