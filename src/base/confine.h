/*
 * confine.h - give up, for good, every right that analysis does not need.
 *
 * Afterwards this process and all of its threads can compute, read and write the descriptors they
 * have, start threads and end: no file by name, no socket, no program, no other process.  What
 * the kernel does not offer is left out and said, never an error: fewer walls, the same answer.
 * Knows nothing of targets.
 */
#ifndef LIMPET_BASE_CONFINE_H
#define LIMPET_BASE_CONFINE_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct confine_status {
	bool no_caps;	   /* no capability, none to be had again */
	bool no_new_privs; /* execve could give none */
	bool seccomp;	   /* an allow list of system calls */
	int landlock;	   /* ABI of the kernel that keeps all files away; 0: none */
	uid_t uid;	   /* as which it runs */
	char lacks[240];   /* what is not there and why, in words; "" when all is */
};

/*
 * To be called before there are threads and before a byte of a target is read.  peer is the only
 * socket that may be talked to; -1: none.
 */
void confine_self(int peer, struct confine_status *ret);

/* What confine_self() would reach here, as a forked child finds by doing it; for `doctor`. */
struct err *confine_probe(struct confine_status *ret) MUST_CHECK;

/*
 * For who must keep some rights: all capabilities but those of mask (1 << CAP_x) are dropped, no
 * new ones come, and nobody of the same uid can trace us.
 */
void confine_caps(uint64_t mask);

/*
 * Seccomp's part, private to confine.c: 0 or errno.
 */
int confine_syscalls(int peer);

#endif
