/*
 * cgroup.c - where a process lives and how much it may still take.
 *
 * Reads a handful of small files per level of the hierarchy; no state.  Sources:
 * cgroup_namespaces(7) (paths in /proc/PID/cgroup and roots in mountinfo are relative to the
 * reader's namespace).
 */
#include "target/cgroup.h"

#include "target/procfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

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

/* Is the process in our own cgroups?  Then what is mounted here is of these, whatever it is called.
 */
enum whose { WHOSE_OURS, WHOSE_ITS };

/* A mount may show only a part of the tree, from root on (containers). */
static bool join_dir(char *to, size_t cap, const char *mount, const char *root, const char *path,
		     enum whose whose)
{
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
	bool below = !n || (strncmp(path, root, n) == 0 && (!path[n] || path[n] == '/'));
	const char *rest = below ? path + n : "";

	/* "/../NAME": beside the root of our namespace, so not in this mount */
	if (!strncmp(rest, "/..", 3) && (!rest[3] || rest[3] == '/')) {
		below = false;
		rest = "";
	}
	if (!below && whose != WHOSE_OURS)
		return false;
	if (strcmp(rest, "/") == 0)
		rest = "";
	return (size_t)snprintf(to, cap, "%s%s", mount, rest) < cap;
}

/*
 * A file of cgroupfs in the root of another process, which may have made it look as it likes: no
 * link is followed, and nothing is opened but what the kernel itself answers for.
 */
static int open_below(pid_t pid, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	char root[64], again[64];
	struct statfs fs;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	_cleanup_(closep) int top = open(root, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (top < 0)
		return -1;
	_cleanup_(closep) int at = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	if (at < 0 || fstatfs(at, &fs) ||
	    (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC))
		return -1;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", at);
	return open(again, O_RDONLY | O_CLOEXEC);
}

/* As proc_read_small(). */
static ssize_t read_file(const struct cgroup *g, const char *dir, const char *name, char *buf,
			 size_t cap)
{
	char path[CGROUP_DIR_BYTES + 64];

	if (!g->below)
		return proc_read_small(buf, cap, "%s/%s", dir, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	_cleanup_(closep) int fd = open_below(g->below, path);
	ssize_t n = fd < 0 ? -ENOENT : read(fd, buf, cap - 1);

	buf[MAX(n, 0)] = '\0';
	return n;
}

static bool has_file(const struct cgroup *g, const char *dir, const char *name)
{
	char buf[64];

	return read_file(g, dir, name, buf, sizeof(buf)) >= 0;
}

/* What is said of a process: its cgroups, and the mounts that show them. */
struct looked {
	const char *cgroups, *mounts;
	enum whose whose;
};

static bool locate(const struct looked *l, const char *controller, char path[static 256],
		   char mount[static 256], char dir[static CGROUP_DIR_BYTES])
{
	char root[256];

	return cgroup_parse_path(l->cgroups, controller, path, 256) &&
	       cgroup_parse_mount(l->mounts, controller, mount, 256, root, sizeof(root)) &&
	       join_dir(dir, CGROUP_DIR_BYTES, mount, root, path, l->whose);
}

static void find_pids(const struct looked *l, struct cgroup *g)
{
	char path[256];

	if (!locate(l, "pids", path, g->pids_mount, g->pids_dir) &&
	    !locate(l, "", path, g->pids_mount, g->pids_dir))
		g->pids_dir[0] = '\0';
}

static void find_memory(const struct looked *l, struct cgroup *g)
{
	if (locate(l, "memory", g->path, g->mount, g->dir) &&
	    has_file(g, g->dir, "memory.usage_in_bytes")) {
		g->version = 1;
		return;
	}
	/* The root of v2 has no memory.current: then nothing is limited there. */
	if (locate(l, "", g->path, g->mount, g->dir) && has_file(g, g->dir, "memory.current")) {
		g->version = 2;
		return;
	}
	g->path[0] = g->dir[0] = '\0';
}

static void look(pid_t below, const struct looked *l, struct cgroup *ret)
{
	*ret = (struct cgroup){ .below = below };
	find_pids(l, ret);
	find_memory(l, ret);
}

/* In no group but the roots there is nothing to be seen. */
static bool is_in_one(const char *cgroups)
{
	char path[256] = "/";

	return (cgroup_parse_path(cgroups, "memory", path, sizeof(path)) && strcmp(path, "/")) ||
	       (cgroup_parse_path(cgroups, "", path, sizeof(path)) && strcmp(path, "/"));
}

static char *read_mounts(const char *path)
{
	char *text = NULL;
	size_t n = 0;

	err_free(proc_slurp(path, 16U << 20, &text, &n));
	return text;
}

void cgroup_find(pid_t pid, struct cgroup *ret)
{
	char cgroups[8192], ours[8192] = "", path[64];
	struct looked l = { .cgroups = cgroups };

	*ret = (struct cgroup){ 0 };
	if (proc_read_small(cgroups, sizeof(cgroups), "/proc/%d/cgroup", pid) < 0)
		return;
	proc_read_small(ours, sizeof(ours), "/proc/self/cgroup");
	l.whose = strcmp(ours, cgroups) ? WHOSE_ITS : WHOSE_OURS;
	_cleanup_(freep) char *here = read_mounts("/proc/self/mountinfo");

	l.mounts = here;
	if (here)
		look(0, &l, ret);
	if (ret->version || l.whose == WHOSE_OURS)
		return;
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	_cleanup_(freep) char *there = read_mounts(path);
	struct cgroup its;

	l.mounts = there;
	if (there)
		look(pid, &l, &its);
	if (there && its.version)
		*ret = its;
	ret->hidden = !ret->version && is_in_one(cgroups);
}

/* A file of one number; "max" and what cannot be read are UINT64_MAX. */
static uint64_t read_number(const struct cgroup *g, const char *dir, const char *name)
{
	char buf[64];

	if (read_file(g, dir, name, buf, sizeof(buf)) <= 0 || !isdigit((unsigned char)buf[0]))
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
	uint64_t limit = read_number(g, dir, v1 ? "memory.limit_in_bytes" : "memory.max");
	uint64_t usage = read_number(g, dir, v1 ? "memory.usage_in_bytes" : "memory.current");

	if (!v1 && read_number(g, dir, "memory.oom.group") == 1)
		r->oom_group = true;
	if (limit >= V1_NO_LIMIT || usage == UINT64_MAX)
		return;
	read_file(g, dir, "memory.stat", stat, sizeof(stat));
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
		uint64_t max = read_number(g, dir, "pids.max"),
			 now = read_number(g, dir, "pids.current");

		if (max != UINT64_MAX && now != UINT64_MAX)
			left = MIN(left, max > now ? max - now : 0);
	} while (go_up(dir, g->pids_mount));
	return left;
}

static void facts_v1(const struct cgroup *g, const char *stat, struct target_mem *m)
{
	m->cgroup_usage = read_number(g, g->dir, "memory.usage_in_bytes");
	m->cgroup_anon = proc_number(stat, "total_rss");
	m->cgroup_file = proc_number(stat, "total_cache");
	m->cgroup_shmem = proc_number(stat, "total_shmem");
	m->cgroup_inactive_file = proc_number(stat, "total_inactive_file");
	m->cgroup_kernel = read_number(g, g->dir, "memory.kmem.usage_in_bytes");
	m->cgroup_sock = read_number(g, g->dir, "memory.kmem.tcp.usage_in_bytes");
}

static void facts_v2(const struct cgroup *g, const char *stat, struct target_mem *m)
{
	m->cgroup_usage = read_number(g, g->dir, "memory.current");
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
	read_file(g, g->dir, "memory.stat", stat, sizeof(stat));
	if (g->version == 1)
		facts_v1(g, stat, ret);
	else
		facts_v2(g, stat, ret);
	cgroup_room(g, &room);
	ret->cgroup_limit = room.limit;
	ret->cgroup_oom_group = room.oom_group;
	memcpy(ret->cgroup_path, g->path, sizeof(ret->cgroup_path));
}
