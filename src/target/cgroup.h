/*
 * cgroup.h - memory and pid limits that hold a process, cgroup v1 and v2.
 *
 * A limit of any ancestor binds: figures of limits are the tightest on the way to
 * the root that we can see.  Bytes; UINT64_MAX = none or unknown.
 */
#ifndef LIMPET_TARGET_CGROUP_H
#define LIMPET_TARGET_CGROUP_H

#include "target/target.h"

#define CGROUP_DIR_BYTES 512

struct cgroup {
	unsigned version;	    /* of the memory controller: 1, 2; 0 = none seen */
	char path[256];		    /* as /proc/PID/cgroup says it */
	char mount[256];	    /* where it is mounted */
	char dir[CGROUP_DIR_BYTES]; /* mount + path, readable */
	char pids_mount[256];
	char pids_dir[CGROUP_DIR_BYTES]; /* "" when there is no pids controller */
	pid_t below; /* mount and dir are as this process sees them, 0: as we do */
	bool hidden; /* it is in one, and neither of us can look into that: limits are unknown */
};

struct cgroup_room {
	uint64_t limit;	   /* tightest of the way up */
	uint64_t headroom; /* smallest limit - usage + what reclaim gives at once */
	bool oom_group;	   /* an out-of-memory kill takes the whole group */
};

/* Path of one controller ("memory", or "" for v2) in the text of /proc/PID/cgroup. */
bool cgroup_parse_path(const char *text, const char *controller, char *ret, size_t cap);

/*
 * Mount point of a hierarchy in the text of /proc/self/mountinfo, and the root that it
 * shows.  controller "" asks for cgroup2.
 */
bool cgroup_parse_mount(const char *text, const char *controller, char *ret_mount, size_t mount_cap,
			char *ret_root, size_t root_cap);

/*
 * Where pid lives; version 0 when no memory controller can be seen.  A neighbour in a pod has a
 * cgroup file system of its own, in which ours is all that there is: then the program's is
 * looked into, below its root.
 */
void cgroup_find(pid_t pid, struct cgroup *ret);

void cgroup_room(const struct cgroup *g, struct cgroup_room *ret);

/* Processes that may still be made; UINT64_MAX when unlimited. */
uint64_t cgroup_pids_left(const struct cgroup *g);

/* Fills the cgroup_* members. */
void cgroup_facts(const struct cgroup *g, struct target_mem *ret);

#endif
