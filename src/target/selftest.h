/*
 * selftest.h - the whole of a snapshot, on a child of limpet's own.
 */
#ifndef LIMPET_TARGET_SELFTEST_H
#define LIMPET_TARGET_SELFTEST_H

#include "target/doctor.h"

/* Snapshot, read, let go, reap a C child that counts; adds checks "snapshot" and "unharmed". */
void selftest_child(struct doctor *d);

/* TARGET_BY_FREEZE where a filter on limpet would judge the injected call. */
enum target_method selftest_method(void);

/*
 * The Go program that is built in (tools/selftest-prog), as a file to be started: *ret_fd, owned by
 * the caller; -1 when limpet was built without.
 */
struct err *selftest_program(int *ret_fd) MUST_CHECK;

/* A program as a child that says READY on its stdout and waits for its stdin. */
struct prey {
	pid_t pid;
	int to, from; /* pipes; owned */
	bool echoes;  /* it answers a byte with that byte */
};
/*
 * Start the executable behind fd (borrowed).  Errors: ERR_OS, ERR_UNSUPPORTED when it does not
 * say READY in time (it is killed then).
 */
struct err *prey_start(int fd, const char *name, struct prey *ret) MUST_CHECK;
/* It still runs (and answers, if it did), has no tracer and no child. */
bool prey_lives(const struct prey *p, char *why, size_t cap);
/* Kill and reap it; idempotent. */
void prey_end(struct prey *p);

#endif
