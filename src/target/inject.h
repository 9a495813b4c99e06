/*
 * inject.h - make a stopped program perform one system call, and not notice.
 *
 * All threads of the patient are stopped (or the one, for a single-thread
 * patient).  Registers only: neither text nor memory of the program is written.
 * On return every thread is stopped as before, its registers those that let it
 * go on as if nothing had happened.
 */
#ifndef LIMPET_TARGET_INJECT_H
#define LIMPET_TARGET_INJECT_H

#include "target/attach.h"

struct injected {
	long result;   /* as the program would see it: -errno or value */
	pid_t newborn; /* of clone: the child as we see it, traced, marked, on its way to its first
			  stop */
	uint64_t took_ns; /* inside the call */
};

/*
 * Errors: ERR_LIMIT (no thread could be used before the deadline), ERR_GONE,
 * ERR_UNSUPPORTED (a seccomp filter would judge the call and cannot be suspended).
 * A call that was made and failed is no error: see result.
 */
struct err *inject_syscall(struct patient *p, long nr, const uint64_t args[static 6],
			   uint64_t deadline, struct injected *ret) MUST_CHECK;

#endif
