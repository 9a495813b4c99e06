/*
 * detectors.c - the table of detectors, in the order in which they run.
 */
#include "find/priv.h"

const struct detector *const detectors[] = {
	&detect_finalizer_backlog,
	&detect_finalizer_cycle,
	&detect_gc_tuning,
	&detect_off_heap,
	&detect_runtime_metadata,
	&detect_goroutine_leak,
	&detect_channel_backlog,
	&detect_goroutine_hold,
	&detect_lock_contention,
	&detect_unclosed_resource,
	&detect_limits_unset,
	&detect_substring_pin,
	&detect_subslice_pin,
	&detect_slice_waste,
	&detect_map_bloat,
	&detect_sync_pool_dirty,
	&detect_sync_pool_large,
	&detect_duplicate_strings,
	&detect_closure_capture,
	&detect_context_leak,
	&detect_timer_leak,
	/* says nothing of what others have told: comes last */
	&detect_global_growth,
	NULL,
};
