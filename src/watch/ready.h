/*
 * ready.h - when is a program that was started ready, and which process is it?
 *
 * By what the user names (a port, a line, a command); else when it listens on a port, or has been
 * quiet (no output, next to no CPU) for QUIET_NS.
 */
#ifndef LIMPET_WATCH_READY_H
#define LIMPET_WATCH_READY_H

#include "watch/child.h"
#include "watch/host.h"

enum { READY_PORTS = 8 };

struct ready_opts {
	const char *port; /* "[HOST:]PORT"; NULL */
	const char *line; /* the same as the child's output.line; NULL */
	const char *cmd;  /* for sh -c, tried until it exits with 0; NULL */
	const char *exe;  /* base name of the Go program's executable; NULL: the only one */
	uint64_t timeout_ns;
};

struct ready {
	pid_t pid; /* of the Go program */
	uint16_t ports[READY_PORTS];
	size_t nports;
	const char *how; /* "listens", "said so", "was quiet" … */
	/* it is not: why, in words; NULL: it is */
	char *why;
};

/* "HOST:PORT", "PORT", "[::1]:PORT".  Errors: USAGE. */
struct err *ready_port_check(const char *text) MUST_CHECK;

/* c has just been started.  Not ready is no error (ret->why).  Errors: USAGE, the host's, NOMEM. */
struct err *ready_wait(struct child *c, const struct ready_opts *o, const struct host *h,
		       struct ready *ret) MUST_CHECK;
void ready_deinit(struct ready *r);

#endif
