/*
 * pace.h - a Go test binary, run from one repetition of its tests to the next.
 *
 * A test binary with -test.count=N repeats its tests in one process and ends: there is no moment at
 * which somebody outside could look at what a repetition left.  pace_run() makes that moment,
 * without touching source or process.  The binary's stdout is a pipe in packet mode (pipe(2),
 * O_DIRECT) with room for one packet, so a write waits until the one before it was read; and what
 * is written next can be seen before it is written, in the arguments of the system call that
 * waits.  Behind the last "--- PASS: TestX" of a repetition the pacer leaves that packet where it
 * is; the goroutine that repeats the tests then waits in its write of "=== RUN   TestX": all tests
 * of the repetition have ended, none of the next has begun, everything else in the process runs on.
 *
 * NEEDS -test.v=true, -test.paniconexit0 or not, no -test.json; /proc/PID/task/TID/syscall of the
 * child (denied only where ptrace is denied even for children: Yama 2 and 3).
 */
#ifndef LIMPET_WATCH_PACE_H
#define LIMPET_WATCH_PACE_H

#include "base/err.h"

#include <sys/types.h>

/* The line that says that the first repetition is over. */
#define PACE_READY "limpet: one repetition is over"

/*
 * Start argv, hold it behind each repetition until pace_next() asks for one more.  socket: path of
 * a Unix socket to be made.  Its output goes to our stdout.  Comes back when it has ended,
 * *ret_status as of waitpid(2).  Errors: OS.
 */
struct err *pace_run(const char *socket, pid_t tracer, char *const *argv,
		     int *ret_status) MUST_CHECK;

/*
 * One more repetition, from another process.  Errors: OS (nobody paces there), BAD_DATA: a test
 * failed or the binary has ended, with what and why.
 */
struct err *pace_next(const char *socket) MUST_CHECK;

#endif
