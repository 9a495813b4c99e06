/*
 * facts.h - memory figures of a process as the kernel keeps them.
 *
 * Read just before the threads are stopped: with a twin alive, what was private
 * counts as shared, and a twin never has the file pages (fork does not copy them).
 */
#ifndef LIMPET_TARGET_FACTS_H
#define LIMPET_TARGET_FACTS_H

#include "target/cgroup.h"
#include "target/procfs.h"

/* All but what smaps tells.  What cannot be read stays unknown. */
void facts_read(pid_t pid, const struct proc_status *s, const struct cgroup *g,
		struct target_mem *ret);

/* UINT64_MAX: unknown. */
uint64_t facts_count_fds(pid_t pid);

/* When it started, by the wall clock of now; 0 unknown. */
uint64_t facts_started(pid_t pid);

/* The text of smaps; NULL: a kernel without it. */
struct err *facts_slurp_smaps(pid_t pid, char **ret, size_t *ret_n) MUST_CHECK;

/* Sums over the text of smaps, before it is cut up; unknown when there is none. */
void facts_sum_smaps(const char *text, struct target_mem *ret);

#endif
