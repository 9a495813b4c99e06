/*
 * typing.c - types by propagation.
 */
#include "snapshot/names.h"

struct err *snapshot_types(struct snapshot *s, unsigned nthreads)
{
	(void)s;
	(void)nthreads;
	return NULL;
}

struct err *snapshot_each_place(struct snapshot *s, const uint64_t *reached, unsigned nthreads,
				uint32_t kinds,
				struct err *(*fn)(void *arg, const struct snap_place *p), void *arg)
{
	(void)s;
	(void)reached;
	(void)nthreads;
	(void)kinds;
	(void)fn;
	(void)arg;
	return NULL;
}
