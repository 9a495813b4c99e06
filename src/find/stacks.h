/*
 * stacks.h - goroutines by their stacks, and how long they wait.
 */
#ifndef LIMPET_FIND_STACKS_H
#define LIMPET_FIND_STACKS_H

#include "snapshot/look.h"

/* nanotime() of the snapshot's instant, or shortly before; 0: unknown. */
uint64_t look_clock_ns(const struct snapshot *s);
/* Since waitsince, at that clock; UINT64_MAX: unknown. */
uint64_t look_waited_ns(uint64_t clock_now, int64_t waitsince);

/*
 * Goroutines order[0 .. n) by their physical frames and where they began: those that have the same
 * ones, and the same salt (by goroutine; NULL: none), lie together, group k at
 * order[ret_first[k] .. ret_first[k + 1]).  ret_first has room for n + 1.  Errors: NOMEM.
 */
struct err *look_group_stacks(const struct go_stacks *st, const uint64_t *salt, size_t n,
			      size_t *order, size_t *ret_first, size_t *ret_ngroups) MUST_CHECK;

/* "" unknown. */
const char *look_function_at(const struct go *go, taddr pc);
/*
 * What the go statement started, in the reader's names: `go f(x)` is compiled to a wrapper
 * (f.gowrap1), main.main runs in runtime.main.
 */
const char *look_goroutine_function(const struct snapshot *s, size_t i);
const char *look_creator(const struct snapshot *s, size_t i);
/* The innermost line that is the program's own; false: none. */
bool look_waiting_line(const struct snapshot *s, size_t i, struct go_line *ret);
/* The go statement. */
bool look_creation_line(const struct snapshot *s, size_t i, struct go_line *ret);

#endif
