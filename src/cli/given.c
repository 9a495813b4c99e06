/*
 * given.c - options that were given and are not for what was found.
 */
#include "cli/given.h"

static const struct {
	uint64_t ids;
	const char *what;
} whose[] = {
	{ OPT_PPROF | OPT_PPROF_NAMES | OPT_PPROF_ROWS | OPT_PPROF_DRAW | OPT_PPROF_DIFF |
		  OPT_PPROF_SOURCE,
	  "profiles" },
	{ OPT_BY | OPT_SORT, "heaps and profiles" },
	{ OPT_TREES | OPT_DEPTH | OPT_DIFF | OPT_FOLLOW | OPT_WATCH | OPT_FINDINGS | OPT_OUTPUTS,
	  "heaps (a process, a core, a store)" },
	{ OPT_GCLOG, "GC logs" },
	{ OPT_GOTEXT, "goroutines as text" },
};

static const char *whose_is(const struct opt *o)
{
	if (!strcmp(o->name, "--granularity") || !strcmp(o->name, "--package-depth"))
		return "heaps (a process, a core, a store)"; /* beside --by */
	for (size_t i = 0; i < ARRAY_LEN(whose); i++)
		if (o->id & whose[i].ids)
			return whose[i].what;
	return "something else";
}

static bool is_known(const struct opt *o, const char *const *known)
{
	for (; *known; known++)
		if (!strcmp(o->name, *known))
			return true;
	return (o->id & OPTS_COMMON) != 0;
}

struct err *given_only(const struct args *a, const char *const *known, const char *is)
{
	for (size_t i = 0; i < a->ngiven; i++)
		if (!is_known(a->given[i], known))
			return err_usage("%s is for %s; %.200s is %s", a->given[i]->name,
					 whose_is(a->given[i]), a->arg[0], is);
	return NULL;
}

bool given_any(const struct args *a, uint64_t ids)
{
	for (size_t i = 0; i < a->ngiven; i++)
		if (a->given[i]->id & ids)
			return true;
	return false;
}
