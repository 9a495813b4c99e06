/*
 * detectors.c - the table of detectors, in the order in which they run.
 */
#include "find/priv.h"

const struct detector *const detectors[] = {
	&detect_global_growth,
	&detect_lock_contention,
	NULL,
};
