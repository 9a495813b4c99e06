/*
 * sampling.h - lets a program that keeps no allocation samples keep some.
 *
 * The linker turns them off where nothing in a program reads them (runtime/proc.go, schedinit:
 * disableMemoryProfiling), and GODEBUG=memprofilerate with them; the code that takes them is there,
 * and looks at runtime.MemProfileRate at every allocation.  That word is written, and put back at
 * the end.  For programs that limpet started, and nobody else.
 */
#ifndef LIMPET_WATCH_SAMPLING_H
#define LIMPET_WATCH_SAMPLING_H

#include "watch/pulse.h"

struct sampling; /* opaque */

/*
 * One in so many bytes from now on; *ret NULL: it takes samples already, or where it keeps the rate
 * was not found.  Before Go 1.24 a P notices no new rate while it has not taken a sample
 * (malloc.go, nextSample of 0 is as good as never): nothing comes of it there.  A rate of 1 would
 * be noticed, and makes a server seventeen times as slow.
 */
struct err *sampling_begin(pid_t pid, struct pulse_reader *x, uint64_t rate,
			   struct sampling **ret) MUST_CHECK;
void sampling_end(struct sampling *s); /* NULL allowed */

#endif
