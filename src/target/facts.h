/*
 * facts.h - memory figures of a process as the kernel keeps them.
 *
 * Read just before the threads are stopped: with a twin alive, what was private
 * counts as shared, and a twin never has the file pages (fork does not copy them).
 */
#ifndef LIMPET_TARGET_FACTS_H
#define LIMPET_TARGET_FACTS_H

#include "target/cgroup.h"
#include "target/ops.h"
#include "target/procfs.h"

/* Fills t->mem, smaps, smap_text, started_unix_ns.  What cannot be read stays unknown. */
struct err *facts_read(struct target *t, pid_t pid, const struct proc_status *s,
		       const struct cgroup *g) MUST_CHECK;

/* Sums over the text of smaps, before it is cut up; unknown when there is none. */
void facts_sum_smaps(const char *text, struct target_mem *ret);

#endif
