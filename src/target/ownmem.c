/*
 * ownmem.c - what is left, and a signal.
 *
 * Knows nothing of what the memory is for.  Cost: a handful of small files a look, some 50 us,
 * at most every 50 ms unless little is left.
 */
#include "target/ownmem.h"

#include "target/preflight.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#define MIB	    (UINT64_C(1) << 20)
#define LOOK_MS	    50
#define FLOOR_BYTES (8 * MIB)
#define FLOOR_MOST  (256 * MIB)
#define VICTIM	    "900" /* twins have 1000 */

void ownmem_init(struct ownmem *m, pid_t pid)
{
	struct cgroup_room room;
	struct sysinfo si;
	uint64_t all;

	*m = (struct ownmem){ .pid = pid };
	cgroup_find(pid, &m->cgroup);
	cgroup_room(&m->cgroup, &room);
	all = sysinfo(&si) ? 0 : (uint64_t)si.totalram * si.mem_unit;
	m->floor_bytes = MIN(FLOOR_BYTES + MIN(all, room.limit) / 64, FLOOR_MOST);
	m->ncpus = (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

int ownmem_look(struct ownmem *m)
{
	uint64_t spare;
	char why[240];

	if (!m->pid)
		return -1;
	if (!preflight_spare(&m->cgroup, m->floor_bytes, &spare, why, sizeof(why))) {
		kill(m->pid, OWNMEM_SIGNAL);
		m->pid = 0;
		return -1;
	}
	/* Memory can be taken at some 1 GB/s a processor. */
	return (int)MAX(MIN(spare / (1000000U * (uint64_t)m->ncpus), (uint64_t)LOOK_MS), 1U);
}

void ownmem_offer_self(void)
{
	char now[16] = "";
	_cleanup_(closep) int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);

	if (fd < 0 || read(fd, now, sizeof(now) - 1) <= 0 || atoi(now) >= atoi(VICTIM))
		return;
	if (pwrite(fd, VICTIM, strlen(VICTIM), 0) < 0)
		return; /* then all are alike */
}
