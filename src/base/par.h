/*
 * par.h - one loop over several threads.
 *
 * par_for(nthreads, n, grain, fn, arg) calls fn(arg, worker, lo, hi) until
 * [0, n) is covered once; worker is in [0, nthreads).  Chunks are handed out in
 * ascending order.  The first error stops further chunks and is returned.
 * nthreads <= 1 runs in the caller.  No global state; threads end with the call.
 */
#ifndef LIMPET_BASE_PAR_H
#define LIMPET_BASE_PAR_H

#include "base/err.h"

typedef struct err *par_fn(void *arg, unsigned worker, size_t lo, size_t hi);

struct err *par_for(unsigned nthreads, size_t n, size_t grain, par_fn *fn, void *arg) MUST_CHECK;

/* Threads to use when nobody said: CPUs that this process may run on, 1 to 64. */
unsigned par_default_threads(void);

#endif
