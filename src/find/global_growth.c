/*
 * global_growth.c - what hangs under one global variable and is large.
 *
 * One look cannot tell a cache from a leak: a suspect, unless growth was seen.
 */
#include "find/priv.h"

static struct err *run(struct find *f)
{
	(void)f;
	return NULL;
}

const struct detector detect_global_growth = {
	.name = "global-growth",
	.about = "maps, slices and lists under a global that only grow",
	.run = run,
};
