/*
 * corehead.h - a core that arrives on a descriptor, bit by bit, against a deadline.
 *
 * The kernel writes it in order: ELF header, program headers, notes, then memory.  Knows nothing
 * of what is done with it.  Deadlines are clock_ns().
 */
#ifndef LIMPET_CLI_COREHEAD_H
#define LIMPET_CLI_COREHEAD_H

#include "base/err.h"

enum corehead_kind {
	COREHEAD_WHOLE,
	COREHEAD_FOREIGN, /* a core, but not of 64 bits: just its beginning was taken */
};

/*
 * All before the memory, into a file without a name in memory; the rest is left in `in`.
 * Errors: ERR_BAD_DATA (that is no core), ERR_LIMIT (deadline; a head too large), ERR_OS.
 */
struct err *corehead_take(int in, uint64_t deadline, int *ret_fd,
			  enum corehead_kind *ret_kind) MUST_CHECK;

enum corehead_end { CORE_WHOLE, CORE_CUT_BY_SIZE, CORE_CUT_BY_TIME };

/*
 * Head and all that is left in `in`, to a file; pages of zeroes become holes.  What does not fit
 * into max_bytes or arrives after the deadline is left out: *ret_end says so.
 */
struct err *corehead_pass(int head_fd, int in, int out, uint64_t max_bytes, uint64_t deadline,
			  uint64_t *ret_bytes, enum corehead_end *ret_end) MUST_CHECK;

#endif
