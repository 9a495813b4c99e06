/*
 * child.h - a program that we start, and all that it starts: watched, and ended for sure.
 *
 * Between it and us stands a warden: a process of ours that starts the program, is the parent that
 * orphans get (PR_SET_CHILD_SUBREAPER), and holds one end of a socket.  The other end is ours. When
 * we go, however we go, the socket closes and the warden kills whatever descends from it; when the
 * warden goes, its orphans become ours and child_end_all() kills them.  The program has a session
 * of its own, /dev/null as stdin, and output that never blocks (output.h).
 */
#ifndef LIMPET_WATCH_CHILD_H
#define LIMPET_WATCH_CHILD_H

#include "watch/output.h"

#include <sys/types.h>

struct child;

struct child_opts {
	char *const *argv; /* NULL-ended; argv[0] by PATH */
	char *const *env;  /* NULL-ended; NULL: ours */
	const char *dir;   /* where it runs; NULL: here */
	struct output_opts output;
	pid_t tracer; /* who, with its children, may look at it where ptrace is narrowed (Yama) */
};

/* Errors: OS (cannot be started: errno of execve), USAGE (output.line), NOMEM. */
struct err *child_start(const struct child_opts *o, struct child **ret) MUST_CHECK;
pid_t child_pid(const struct child *c); /* of the program itself */
pid_t child_warden(const struct child *c);
/* Has it ended?  Then *ret_status is as of waitpid(2).  Never blocks. */
bool child_ended(struct child *c, int *ret_status);
struct output *child_output(struct child *c);
/* "exited with 1", "was ended by signal 9 (Killed)"; buf is returned. */
const char *child_status_words(int status, char buf[static 80]);

struct child_end {
	int status;	 /* of the program; -1: it is not known */
	bool had_ended;	 /* before it was told to */
	bool was_killed; /* it did not end on SIGTERM in that time */
	unsigned others; /* had_ended: processes of it that were still there */
	unsigned left;	 /* that could not be ended */
};

/* SIGTERM to all of them; grace_ns later SIGKILL, until none is left.  ret may be NULL. */
void child_stop(struct child *c, uint64_t grace_ns, struct child_end *ret);
/* The same at once, and free. */
void child_free(struct child *c);
static inline void child_freep(struct child **c)
{
	child_free(*c);
}

/* At the very end: whatever still descends from us; how many could not be ended. */
unsigned child_end_all(void);

#endif
