/*
 * warden.h - the process between us and a program that we start; private to watch/.
 *
 * It speaks over a SOCK_SEQPACKET socket: struct warden_says to us, struct warden_told to it.  The
 * socket's end is the order to kill all that descends from it.
 */
#ifndef LIMPET_WATCH_WARDEN_H
#define LIMPET_WATCH_WARDEN_H

#include "watch/child.h"

enum warden_word {
	WARDEN_STARTED, /* value: pid */
	WARDEN_FAILED,	/* value: errno of what did not start */
	WARDEN_ENDED,	/* value: the program's wait status */
	WARDEN_DONE,	/* value: processes that could not be ended; killed, others: child_end */
};

struct warden_says {
	int32_t word, value, killed, others;
};

struct warden_told {
	uint64_t grace_ns; /* end them: so long after SIGTERM SIGKILL */
};

/* In a process of its own; never comes back.  out: where the program prints. */
_Noreturn void warden_run(const struct child_opts *o, int sock, int out);

/* SIGKILL to all that descends from root until none is left, or a second is over: that are left. */
unsigned warden_kill_below(pid_t root);

#endif
