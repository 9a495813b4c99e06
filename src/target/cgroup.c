/*
 * cgroup.c - where a process lives and how much it may still take.
 *
 * Reads a handful of small files per level of the hierarchy; no state.
 */
#include "target/cgroup.h"

#include "target/procfs.h"

#include <ctype.h>
#include <stdio.h>

/* A v1 limit of "none" is the largest page-aligned long. */
#define V1_NO_LIMIT (UINT64_C(1) << 62)

static bool copy_text(char *to, size_t cap, const char *from, size_t n)
{
	if (n >= cap)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

/* Is word among the comma-separated list[0 .. n)? */
static bool list_has(const char *list, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < n;) {
		size_t w = 0;

		while (i + w < n && list[i + w] != ',')
			w++;
		if (w == len && memcmp(list + i, word, len) == 0)
			return true;
		i += w + 1;
	}
	return false;
}

/* Lines "4:memory:/path", v2 "0::/path"; the path may hold colons. */
bool cgroup_parse_path(const char *text, const char *controller, char *ret, size_t cap)
{
	for (const char *l = text; *l;) {
		size_t n = strcspn(l, "\n");
		const char *a = memchr(l, ':', n);
		const char *b = a ? memchr(a + 1, ':', n - (size_t)(a + 1 - l)) : NULL;

		if (b) {
			size_t len = (size_t)(b - a - 1);
			bool hit = *controller ? list_has(a + 1, len, controller)
					       : len == 0 && a == l + 1 && *l == '0';

			if (hit)
				return copy_text(ret, cap, b + 1, n - (size_t)(b + 1 - l));
		}
		l += n + (l[n] == '\n');
	}
	return false;
}

/* Word number k (from 0) of l[0 .. n). */
static const char *word_at(const char *l, size_t n, unsigned k, size_t *ret_len)
{
	const char *p = l, *end = l + n;

	for (;; k--) {
		while (p < end && *p == ' ')
			p++;
		const char *w = p;

		while (p < end && *p != ' ')
			p++;
		if (w == p)
			return NULL;
		if (k == 0) {
			*ret_len = (size_t)(p - w);
			return w;
		}
	}
}

/* "29 22 0:26 ROOT MOUNT opts optional… - TYPE SOURCE SUPEROPTS", proc(5). */
static bool mount_line(const char *l, size_t n, const char *controller, char *mount,
		       size_t mount_cap, char *root, size_t root_cap)
{
	size_t rn = 0, mn = 0, tn = 0, on = 0;
	const char *r = word_at(l, n, 3, &rn), *m = word_at(l, n, 4, &mn);
	const char *dash = r && m ? memmem(l, n, " - ", 3) : NULL;

	if (!dash)
		return false;
	const char *rest = dash + 3;
	size_t left = n - (size_t)(rest - l);
	const char *type = word_at(rest, left, 0, &tn), *opts = word_at(rest, left, 2, &on);
	const char *want = *controller ? "cgroup" : "cgroup2";

	if (!type || tn != strlen(want) || memcmp(type, want, tn) != 0)
		return false;
	if (*controller && (!opts || !list_has(opts, on, controller)))
		return false;
	return copy_text(mount, mount_cap, m, mn) && copy_text(root, root_cap, r, rn);
}

bool cgroup_parse_mount(const char *text, const char *controller, char *ret_mount, size_t mount_cap,
			char *ret_root, size_t root_cap)
{
	for (const char *l = text; *l;) {
		size_t n = strcspn(l, "\n");

		if (mount_line(l, n, controller, ret_mount, mount_cap, ret_root, root_cap))
			return true;
		l += n + (l[n] == '\n');
	}
	return false;
}

/* A mount may show only a part of the tree, from root on (containers). */
static bool join_dir(char *to, size_t cap, const char *mount, const char *root, const char *path)
{
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (n && (strncmp(path, root, n) != 0 || (path[n] && path[n] != '/')))
		path = "";
	else
		path += n;
	if (strcmp(path, "/") == 0)
		path = "";
	return (size_t)snprintf(to, cap, "%s%s", mount, path) < cap;
}

static bool has_file(const char *dir, const char *name)
{
	char path[CGROUP_DIR_BYTES + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, R_OK) == 0;
}

static bool locate(const char *cgroups, const char *mounts, const char *controller,
		   char path[static 256], char mount[static 256], char dir[static CGROUP_DIR_BYTES])
{
	char root[256];

	return cgroup_parse_path(cgroups, controller, path, 256) &&
	       cgroup_parse_mount(mounts, controller, mount, 256, root, sizeof(root)) &&
	       join_dir(dir, CGROUP_DIR_BYTES, mount, root, path);
}

static void find_pids(const char *cgroups, const char *mounts, struct cgroup *g)
{
	char path[256];

	if (!locate(cgroups, mounts, "pids", path, g->pids_mount, g->pids_dir) &&
	    !locate(cgroups, mounts, "", path, g->pids_mount, g->pids_dir))
		g->pids_dir[0] = '\0';
}

void cgroup_find(pid_t pid, struct cgroup *ret)
{
	char cgroups[8192];
	_cleanup_(freep) char *mounts = NULL;
	size_t n = 0;

	*ret = (struct cgroup){ 0 };
	if (proc_read_small(cgroups, sizeof(cgroups), "/proc/%d/cgroup", pid) < 0)
		return;
	struct err *err = proc_slurp("/proc/self/mountinfo", 16U << 20, &mounts, &n);

	if (err) {
		err_free(err);
		return;
	}
	find_pids(cgroups, mounts, ret);
	if (locate(cgroups, mounts, "memory", ret->path, ret->mount, ret->dir) &&
	    has_file(ret->dir, "memory.usage_in_bytes")) {
		ret->version = 1;
		return;
	}
	/* The root of v2 has no memory.current: then nothing is limited there. */
	if (locate(cgroups, mounts, "", ret->path, ret->mount, ret->dir) &&
	    has_file(ret->dir, "memory.current")) {
		ret->version = 2;
		return;
	}
	ret->path[0] = ret->dir[0] = '\0';
}

/* A file of one number; "max" and what cannot be read are UINT64_MAX. */
static uint64_t read_number(const char *dir, const char *name)
{
	char buf[64];

	if (proc_read_small(buf, sizeof(buf), "%s/%s", dir, name) <= 0 ||
	    !isdigit((unsigned char)buf[0]))
		return UINT64_MAX;
	return strtoull(buf, NULL, 10);
}

/* One level up, not above mount; false at the top. */
static bool go_up(char *dir, const char *mount)
{
	char *slash = strrchr(dir, '/');

	if (!slash || (size_t)(slash - dir) < strlen(mount))
		return false;
	*slash = '\0';
	return true;
}

static void level_room(const struct cgroup *g, const char *dir, struct cgroup_room *r)
{
	bool v1 = g->version == 1;
	char stat[8192] = "";
	uint64_t limit = read_number(dir, v1 ? "memory.limit_in_bytes" : "memory.max");
	uint64_t usage = read_number(dir, v1 ? "memory.usage_in_bytes" : "memory.current");

	if (!v1 && read_number(dir, "memory.oom.group") == 1)
		r->oom_group = true;
	if (limit >= V1_NO_LIMIT || usage == UINT64_MAX)
		return;
	proc_read_small(stat, sizeof(stat), "%s/memory.stat", dir);
	uint64_t cache = proc_number(stat, v1 ? "total_inactive_file" : "inactive_file");

	usage -= cache == UINT64_MAX ? 0 : MIN(cache, usage);
	r->limit = MIN(r->limit, limit);
	r->headroom = MIN(r->headroom, limit > usage ? limit - usage : 0);
}

void cgroup_room(const struct cgroup *g, struct cgroup_room *ret)
{
	struct cgroup_room r = { .limit = UINT64_MAX, .headroom = UINT64_MAX };
	char dir[CGROUP_DIR_BYTES];

	memcpy(dir, g->dir, sizeof(dir));
	if (g->version)
		do
			level_room(g, dir, &r);
		while (go_up(dir, g->mount));
	*ret = r;
}

uint64_t cgroup_pids_left(const struct cgroup *g)
{
	uint64_t left = UINT64_MAX;
	char dir[CGROUP_DIR_BYTES];

	memcpy(dir, g->pids_dir, sizeof(dir));
	if (!*dir)
		return left;
	do {
		uint64_t max = read_number(dir, "pids.max"), now = read_number(dir, "pids.current");

		if (max != UINT64_MAX && now != UINT64_MAX)
			left = MIN(left, max > now ? max - now : 0);
	} while (go_up(dir, g->pids_mount));
	return left;
}

static void facts_v1(const struct cgroup *g, const char *stat, struct target_mem *m)
{
	m->cgroup_usage = read_number(g->dir, "memory.usage_in_bytes");
	m->cgroup_anon = proc_number(stat, "total_rss");
	m->cgroup_file = proc_number(stat, "total_cache");
	m->cgroup_shmem = proc_number(stat, "total_shmem");
	m->cgroup_inactive_file = proc_number(stat, "total_inactive_file");
	m->cgroup_kernel = read_number(g->dir, "memory.kmem.usage_in_bytes");
	m->cgroup_sock = read_number(g->dir, "memory.kmem.tcp.usage_in_bytes");
}

static void facts_v2(const struct cgroup *g, const char *stat, struct target_mem *m)
{
	m->cgroup_usage = read_number(g->dir, "memory.current");
	m->cgroup_anon = proc_number(stat, "anon");
	m->cgroup_file = proc_number(stat, "file");
	m->cgroup_shmem = proc_number(stat, "shmem");
	m->cgroup_inactive_file = proc_number(stat, "inactive_file");
	m->cgroup_kernel = proc_number(stat, "kernel");
	m->cgroup_sock = proc_number(stat, "sock");
}

void cgroup_facts(const struct cgroup *g, struct target_mem *ret)
{
	char stat[8192] = "";
	struct cgroup_room room;

	ret->cgroup_usage = ret->cgroup_limit = UINT64_MAX;
	ret->cgroup_anon = ret->cgroup_file = ret->cgroup_shmem = UINT64_MAX;
	ret->cgroup_kernel = ret->cgroup_sock = ret->cgroup_inactive_file = UINT64_MAX;
	ret->cgroup_oom_group = false;
	ret->cgroup_path[0] = '\0';
	if (!g->version)
		return;
	proc_read_small(stat, sizeof(stat), "%s/memory.stat", g->dir);
	if (g->version == 1)
		facts_v1(g, stat, ret);
	else
		facts_v2(g, stat, ret);
	cgroup_room(g, &room);
	ret->cgroup_limit = room.limit;
	ret->cgroup_oom_group = room.oom_group;
	memcpy(ret->cgroup_path, g->path, sizeof(ret->cgroup_path));
}
