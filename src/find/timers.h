/*
 * timers.h - all timers of a program, each once; private to the find room.
 *
 * Those in the Ps' heaps, whatever is known of the objects that they lie in, in order of address;
 * then those that are known by their type only (stopped, or not begun).
 */
#ifndef LIMPET_FIND_TIMERS_H
#define LIMPET_FIND_TIMERS_H

#include "find/look.h"

/* id: of the object that it lies in.  Errors: NOMEM, GONE, those of fn. */
struct err *timers_each(const struct look *l, struct go_io *io, look_object_fn *fn,
			void *arg) MUST_CHECK;

#endif
