/*
 * attach.h - hold all threads of a process still, and let go without a trace.
 *
 * Legal order: patient_seize() -> patient_stop() -> [inject.h] -> patient_resume()
 * or patient_detach().  One patient per tracing process, used from one thread only:
 * waits are for any child.  Knows nothing of twins and of Go.
 *
 * Never sets EXITKILL on the process: when we die, the kernel lets it go.
 */
#ifndef LIMPET_TARGET_ATTACH_H
#define LIMPET_TARGET_ATTACH_H

#include "base/err.h"
#include "target/regs.h"

#include <sys/types.h>

enum patient_state {
	PATIENT_RUNS,	 /* seized, not stopped as far as we know */
	PATIENT_STOPPED, /* in a ptrace stop */
	PATIENT_GONE,	 /* exited */
};

struct patient_thread {
	pid_t tid;
	pid_t ns_tid;
	enum patient_state state;
	int signal;		 /* taken from it while it was stopped, handed on when it resumes */
	bool group_stop;	 /* stopped by job control: stays so */
	bool in_clone;		 /* stopped in the middle of making a thread */
	bool foreign;		 /* a process that it made meanwhile: only let go */
	struct target_regs regs; /* of the instant when all had stopped */
};

struct patient {
	pid_t pid;
	unsigned ns_depth;
	VEC(struct patient_thread) threads;
	size_t nsorted;	     /* threads.v[0 .. nsorted) ascend by tid */
	uint64_t stopped_at; /* clock_ns() before the first thread was interrupted */
	pid_t late;	     /* who did not stop in time, after ERR_LIMIT */
	bool execed;
};

void patient_init(struct patient *p, pid_t pid);
void patient_deinit(struct patient *p);

/* Trace all threads without stopping them; threads born later are caught too. */
struct err *patient_seize(struct patient *p) MUST_CHECK;

/* Trace just one thread; ERR_GONE when it is no more. */
struct err *patient_seize_one(struct patient *p, pid_t tid) MUST_CHECK;

/*
 * Stop all and read all registers.  ERR_LIMIT names the thread that did not stop
 * before the deadline (clock_ns); some are stopped then: patient_resume().
 */
struct err *patient_stop(struct patient *p, uint64_t deadline) MUST_CHECK;

/*
 * After ERR_LIMIT: let all run but wait for the late one, which stops as soon as it
 * leaves the kernel.  True when it has, or has ended; false at the deadline.
 */
bool patient_await_late(struct patient *p, uint64_t deadline);

/* Let the stopped ones run, still traced. */
void patient_resume(struct patient *p);

/* Let all go.  A thread that never stopped is let go by the kernel when we exit. */
void patient_detach(struct patient *p);

/*
 * Wait for a stop of one tid (any tracee for -1) until the deadline; what other
 * tracees report meanwhile stays queued for them when tid is not -1.
 * Returns the tid, 0 at the deadline, -1 when there is nothing to wait for.
 */
pid_t patient_wait(pid_t tid, uint64_t deadline, int *ret_status);

/* Words for a failed PTRACE_SEIZE: who traces it, what is missing. */
struct err *patient_denied(pid_t pid, int os_errno) MUST_CHECK;

#endif
