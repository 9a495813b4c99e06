/*
 * priv.h - all detectors, and how findings are signed and ranked; private to the find room.
 */
#ifndef LIMPET_FIND_PRIV_H
#define LIMPET_FIND_PRIV_H

#include "find/find.h"

extern const struct detector detect_finalizer_backlog;
extern const struct detector detect_finalizer_cycle;
extern const struct detector detect_gc_tuning;
extern const struct detector detect_off_heap;
extern const struct detector detect_runtime_metadata;
extern const struct detector detect_channel_backlog;
extern const struct detector detect_global_growth;
extern const struct detector detect_goroutine_hold;
extern const struct detector detect_goroutine_leak;
extern const struct detector detect_closure_capture;
extern const struct detector detect_context_leak;
extern const struct detector detect_timer_leak;
extern const struct detector detect_limits_unset;
extern const struct detector detect_lock_contention;
extern const struct detector detect_unclosed_resource;
extern const struct detector detect_substring_pin, detect_subslice_pin, detect_slice_waste,
	detect_duplicate_strings, detect_map_bloat, detect_sync_pool_dirty, detect_sync_pool_large;

/* With an earlier look: suspects that grew are raised, those that did not are cleared. */
void find_compare(struct find *f);
/* Can what has grown that much between two looks have grown so all the time? */
bool find_growth_fits(uint64_t now, uint64_t grown, uint64_t between_ns, uint64_t up_ns);
/* What a root points to that retains most; the root where that is nothing. */
gnode find_biggest_held(const struct look *l, gnode root);
/* Sets signature. */
void find_sign(struct finding *x);
/* Merges what says the same; then bytes that can be freed × certainty, largest first. */
struct err *find_rank(struct find *f) MUST_CHECK;
/* Findings of one signature and verdict become one with their sum: two places of the same name. */
struct err *find_unite(struct find *f) MUST_CHECK;

#endif
