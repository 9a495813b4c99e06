/*
 * facts.c - status, smaps, descriptors, start time.
 *
 * One walk of the page tables (smaps; some 20 ms/GB, the program runs meanwhile);
 * smaps_rollup would be a second one, so its figures are summed here.
 */
#include "target/facts.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <time.h>

#define MAX_SMAPS_BYTES (1U << 30)

static const struct {
	const char *key;
	size_t at;
} sums[] = {
	{ "Pss", offsetof(struct target_mem, pss) },
	{ "Private_Dirty", offsetof(struct target_mem, private_dirty) },
	{ "Private_Clean", offsetof(struct target_mem, private_clean) },
	{ "Shared_Clean", offsetof(struct target_mem, shared_clean) },
	{ "Shared_Dirty", offsetof(struct target_mem, shared_dirty) },
	{ "AnonHugePages", offsetof(struct target_mem, anon_huge) },
};

static uint64_t *field_at(struct target_mem *m, size_t at)
{
	return (uint64_t *)(void *)((char *)m + at);
}

void facts_sum_smaps(const char *text, struct target_mem *ret)
{
	for (size_t k = 0; k < ARRAY_LEN(sums); k++)
		*field_at(ret, sums[k].at) = *text ? 0 : UINT64_MAX;
	for (const char *l = text; *l;) {
		size_t n = strcspn(l, ":\n");

		for (size_t k = 0; k < ARRAY_LEN(sums); k++) {
			if (l[n] != ':' || strlen(sums[k].key) != n ||
			    memcmp(l, sums[k].key, n) != 0)
				continue;
			uint64_t v = proc_kb(l, sums[k].key), *sum = field_at(ret, sums[k].at);

			if (v != UINT64_MAX && *sum <= UINT64_MAX / 2 && v <= UINT64_MAX / 2)
				*sum += v;
		}
		l += strcspn(l, "\n");
		l += *l == '\n';
	}
}

uint64_t facts_count_fds(pid_t pid)
{
	char path[64];
	uint64_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *d = opendir(path);

	if (!d)
		return UINT64_MAX;
	for (struct dirent *e; (e = readdir(d));)
		n += isdigit((unsigned char)e->d_name[0]) != 0;
	closedir(d);
	return n;
}

/* Field 22 of stat counts ticks since boot, suspended time included. */
uint64_t facts_started(pid_t pid)
{
	struct proc_stat s;
	struct timespec now, boot;
	long hz = sysconf(_SC_CLK_TCK);

	if (hz <= 0 || !proc_read_stat(pid, &s))
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	int64_t base =
		((int64_t)now.tv_sec - boot.tv_sec) * 1000000000 + (now.tv_nsec - boot.tv_nsec);
	uint64_t hz_u = (uint64_t)hz;
	uint64_t since =
		s.start_ticks / hz_u * 1000000000 + s.start_ticks % hz_u * (1000000000 / hz_u);

	/* The two clocks are read one after the other: no digit below a tick is true. */
	return base > 0 ? ((uint64_t)base + since + 5000000) / 10000000 * 10000000 : 0;
}

struct err *facts_slurp_smaps(pid_t pid, char **ret, size_t *ret_n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	struct err *err = proc_slurp(path, MAX_SMAPS_BYTES, ret, ret_n);

	if (err_catch(&err, ERR_OS)) {
		*ret = NULL;
		*ret_n = 0;
	}
	return err;
}

void facts_read(pid_t pid, const struct proc_status *s, const struct cgroup *g,
		struct target_mem *ret)
{
	ret->rss = s->rss;
	ret->rss_anon = s->rss_anon;
	ret->rss_file = s->rss_file;
	ret->rss_shmem = s->rss_shmem;
	ret->swap = s->vm_swap;
	ret->vm_size = s->vm_size;
	ret->threads = s->threads;
	ret->fds = facts_count_fds(pid);
	cgroup_facts(g, ret);
}
