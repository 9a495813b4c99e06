/*
 * preflight.h - may this process be snapshotted, and what would it cost it?
 *
 * All of it before anything is stopped or injected: a refusal here has not
 * touched the program.
 */
#ifndef LIMPET_TARGET_PREFLIGHT_H
#define LIMPET_TARGET_PREFLIGHT_H

#include "target/cgroup.h"
#include "target/procfs.h"

struct preflight {
	struct proc_status status;
	struct cgroup cgroup;
	uint64_t start_ticks; /* tells a process from a later one with its pid */
	uint64_t predicted_ns;
	uint64_t floor_bytes; /* the twin is dropped when less than this is free */
	bool lend; /* it may be traced, but its files are not ours to open: see twin_lend() */
};

/* Is it there, alive, ours to look at, of our machine?  Fills ret. */
struct err *preflight_look(pid_t pid, struct preflight *ret) MUST_CHECK;

/* What is asked before a fork; `limpet doctor` asks one by one. */
enum preflight_item {
	PREFLIGHT_SECCOMP,
	PREFLIGHT_NAMESPACE,
	PREFLIGHT_PAUSE,
	PREFLIGHT_MEMORY,
	PREFLIGHT_OVERCOMMIT,
	PREFLIGHT_PIDS,
	PREFLIGHT_ITEMS,
};
struct err *preflight_item(enum preflight_item item, pid_t pid, const struct target_opts *o,
			   const struct preflight *pf) MUST_CHECK;

/* May it be forked: all of them. */
struct err *preflight_fork(pid_t pid, const struct target_opts *o,
			   const struct preflight *pf) MUST_CHECK;

/* Pause of a fork in ns, from figures in bytes; pure. */
uint64_t preflight_predict(uint64_t threads, uint64_t rss_anon, uint64_t huge,
			   uint64_t page_tables);

/*
 * *ret_spare = bytes that may still be taken before less than floor is free, in the
 * cgroup and on the machine.  False when there are none; why says where.
 */
bool preflight_spare(const struct cgroup *g, uint64_t floor_bytes, uint64_t *ret_spare, char *why,
		     size_t cap);

#endif
