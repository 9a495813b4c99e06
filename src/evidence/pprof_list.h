/*
 * pprof_list.h - functions line by line: flat and cum of each, beside their source.
 *
 * Source is read below one folder that the user named (base/files.h, FILE_SOURCE): there the
 * longest end of the path that the profile has; without it lines are told by their numbers.  As
 * pprof lists, a function's lines are those from its first to five behind the last that has
 * samples; without source only those that have some.
 *
 * Source: printSource(), getSourceFromFile() in internal/report/source.go of google/pprof.
 */
#ifndef LIMPET_EVIDENCE_PPROF_LIST_H
#define LIMPET_EVIDENCE_PPROF_LIST_H

#include "evidence/pattern.h"
#include "evidence/pprof_graph.h"

struct pprof_listed_line {
	int64_t line;
	int64_t flat, cum;
	const char *text; /* NULL: no source */
};

/* A function in a file; of one that names no file, file is "" and there are no lines. */
struct pprof_listed {
	const char *function, *file;
	int64_t flat, cum; /* sums of its lines, as pprof has them */
	bool source;	   /* was found */
	uint32_t first, n; /* of lines */
};

struct pprof_list {
	struct pprof_graph *g; /* by PPROF_BY_SOURCE, whole */
	VEC(struct pprof_listed) functions;
	VEC(struct pprof_listed_line) lines;
	struct keep keep;
};

/* source: NULL: none.  q->by and trimming are the list's own.  Errors: USAGE: nothing matches. */
struct err *pprof_list_create(const struct pprof *p, const struct pprof_ask *q,
			      struct pattern *which, const char *source,
			      struct pprof_list **ret) MUST_CHECK;
void pprof_list_free(struct pprof_list *l); /* NULL allowed */
static inline void pprof_list_freep(struct pprof_list **l)
{
	pprof_list_free(*l);
}

#endif
