/*
 * load.h - one command to its end: a round's load, a look by limpet itself.
 *
 * The command is ended when the program under test ends, when the user wants it, or when its time
 * is over.
 */
#ifndef LIMPET_WATCH_LOAD_H
#define LIMPET_WATCH_LOAD_H

#include "watch/child.h"
#include "watch/host.h"

struct load_opts {
	char *const *argv;
	char *const *env;
	struct child *under; /* the program under test; NULL: it is not ours */
	pid_t pid;	     /* else: it must be there; 0 */
	uint64_t timeout_ns;
	uint64_t grace_ns; /* to end by SIGTERM */
	int copies[2];
};

struct load_done {
	int status;	 /* of waitpid(2); -1 unknown */
	bool timed_out;	 /* it was ended */
	bool under_gone; /* the program under test ended first: the command was ended */
	unsigned others; /* processes that the command left behind, which were ended */
	uint64_t ns;
	char *tail; /* last lines of what it printed; owned */
};

/* Errors: OS (cannot be started), the host's, NOMEM. */
struct err *load_run(const struct load_opts *o, const struct host *h,
		     struct load_done *ret) MUST_CHECK;
void load_deinit(struct load_done *d);

#endif
