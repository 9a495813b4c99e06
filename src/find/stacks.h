/*
 * stacks.h - goroutines by their stacks, and how long they wait.
 */
#ifndef LIMPET_FIND_STACKS_H
#define LIMPET_FIND_STACKS_H

#include "snapshot/snapshot.h"

/* nanotime() of the snapshot's instant, or shortly before; 0: unknown. */
uint64_t look_clock_ns(const struct snapshot *s);
/* Since waitsince, at that clock; UINT64_MAX: unknown. */
uint64_t look_waited_ns(uint64_t clock_now, int64_t waitsince);

/* Compare two goroutines by their physical frames and where they began. */
int look_compare_stacks(const struct go_stacks *st, size_t x, size_t y);

#endif
