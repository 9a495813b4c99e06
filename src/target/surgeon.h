/*
 * surgeon.h - the small process that does the dangerous part.
 *
 * It traces the target, makes the twin and keeps it; the process that was asked
 * for a report only reads.  So a kill -9 of limpet at any instant leaves someone
 * who puts the program's registers back, kills the twin and reaps it: the surgeon
 * has its own session and its own name, and sees our end as end-of-file.
 *
 * Legal order: surgeon_start() -> reads -> surgeon_finish().
 */
#ifndef LIMPET_TARGET_SURGEON_H
#define LIMPET_TARGET_SURGEON_H

#include "target/preflight.h"
#include "target/target.h"

#include <stdatomic.h>

#define THEATRE_MAX_THREADS 65536
#define SURGEON_NAME	    "lmp-surgeon" /* in ps */

/*
 * Shared between the surgeon, who started it, and (read-only) who reads the twin; what is not
 * atomic is written before the reply byte.
 */
struct theatre {
	/* in */
	pid_t pid;
	enum target_method method;
	uint64_t max_pause_ns;
	uint64_t stop_timeout_ns;
	uint64_t start_ticks; /* of the target */
	uint64_t floor_bytes; /* the twin is dropped when less memory is free */
	struct cgroup cgroup;
	uint64_t spare_bytes; /* as last seen by twin_watch() */
	unsigned ncpus;
	unsigned ns_depth; /* 1: it sees the pids that we see */
	bool want_floats;
	bool lend; /* the twin is to open its memory: its files are not ours to open */

	/* out, valid after the first reply byte */
	struct err err; /* when failed */
	bool failed;
	pid_t twin;		 /* as we see it; 0 when frozen */
	pid_t ns_twin;		 /* as the target sees it */
	int lent_mem, lent_auxv; /* descriptors in the twin; -1 none */
	bool own_files;		 /* the twin's table of open files is no longer the program's */
	uint64_t at_unix_ns, pause_ns, fork_ns;
	uint64_t lost_ns; /* stopped in vain, in earlier tries; part of pause_ns */

	/* out, any time */
	_Atomic int gone; /* the twin is no more, or soon: reads are worthless */
	char why_gone[240];
	bool spared; /* dropped early to protect the target: a limit, not an end */

	/* out, valid after the second reply byte */
	unsigned zombies_left; /* dead twins that the target still keeps */
	unsigned reaped;

	size_t nthreads;
	bool has_floats;
	struct target_thread threads[THEATRE_MAX_THREADS];
	struct target_floats
		floats[THEATRE_MAX_THREADS]; /* when has_floats; else no page of it is touched */
};

struct surgeon {
	struct theatre *th;
	int th_fd; /* to map it elsewhere: sealed, no new mapping can write */
	pid_t pid;
	int sock;
};

#define SURGEON_NONE ((struct surgeon){ .th_fd = -1, .sock = -1 })

/* Snapshot or freeze into s, which was SURGEON_NONE; on error nobody is left behind. */
struct err *surgeon_start(struct surgeon *s, pid_t target, const struct target_opts *o,
			  const struct preflight *pf) MUST_CHECK;

/* Kill and reap what killed surgeons left in a target; *ret_left = zombies that stay. */
struct err *surgeon_clean(pid_t target, unsigned *ret_reaped, unsigned *ret_left) MUST_CHECK;

/* Who finds the surgeon killed (its socket at an end) says so to the readers. */
void surgeon_mourn(struct surgeon *s);

/* Kill and reap the twin, or let the target run; idempotent. */
void surgeon_finish(struct surgeon *s);

/* Unmap what surgeon_finish() left readable. */
void surgeon_deinit(struct surgeon *s);

/* The theatre for one who only looks; NULL: no memory, or not such a file. */
const struct theatre *theatre_map(int fd);
void theatre_unmap(const struct theatre *th);

#endif
