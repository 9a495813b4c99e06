/*
 * pprof_sense.c - by the names of its values, and whether it has a duration.
 *
 * Go gives a heap, goroutine or mutex profile a duration only where it is the difference of two:
 * net/http/pprof/pprof.go, serveDeltaProfile(), collectProfile(); runtime/pprof has none but for
 * CPU.
 */
#include "evidence/pprof_sense.h"

static const struct {
	const char *type;
	enum pprof_sense sense;
} table[] = {
	{ "inuse_space", PPROF_STATE },
	{ "inuse_objects", PPROF_STATE },
	{ "space", PPROF_STATE },
	{ "objects", PPROF_STATE },
	{ "goroutine", PPROF_STATE },
	{ "goroutineleak", PPROF_STATE },
	{ "goroutines", PPROF_STATE },
	{ "threadcreate", PPROF_STATE },
	{ "retained", PPROF_STATE },
	{ "alloc_space", PPROF_TOTAL },
	{ "alloc_objects", PPROF_TOTAL },
	{ "contentions", PPROF_TOTAL },
	{ "delay", PPROF_TOTAL },
	{ "samples", PPROF_RUN },
	{ "cpu", PPROF_RUN },
};

enum pprof_sense pprof_sense(const struct pprof *p, unsigned type)
{
	const char *name = pprof_text(p, p->types.v[type].type);

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(table[i].type, name))
			return table[i].sense != PPROF_RUN && p->duration_ns > 0 ? PPROF_CHANGE
										 : table[i].sense;
	return PPROF_UNSURE;
}

const char *pprof_sense_words(enum pprof_sense s)
{
	switch (s) {
	case PPROF_STATE:
		return "what was there at one moment";
	case PPROF_TOTAL:
		return "totals since the program's start";
	case PPROF_RUN:
		return "what was sampled while the profile was taken";
	case PPROF_CHANGE:
		return "changes while the profile was taken (?seconds=), no state: negative is less than "
		       "at its begin";
	case PPROF_UNSURE:
		break;
	}
	return "figures of a kind that Go does not write";
}
