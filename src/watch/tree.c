/*
 * tree.c - descendants by their parents, Go programs by their build information.
 *
 * One pass over /proc; a small file a process.  An executable's head is read for each descendant.
 */
#include "watch/tree.h"

#include "base/str.h"
#include "elf/exe.h"
#include "target/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

struct pair {
	pid_t pid, parent;
	bool dead;
};

typedef VEC(struct pair) pairs;

static struct err *list(pairs *ret)
{
	DIR *d = opendir("/proc");
	struct err *err = d ? NULL : err_os(errno, "/proc");

	for (struct dirent *e; d && !err && (e = readdir(d));) {
		struct proc_stat s;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		/* a first thread may be dead where others still run, and have children */
		if (proc_read_stat(pid, &s) &&
		    !vec_push(ret, (struct pair){ pid, s.ppid,
						  (s.state == 'Z' || s.state == 'X') &&
							  s.nthreads <= 1 }))
			err = &err_nomem;
	}
	if (d)
		closedir(d);
	return err;
}

static bool has(const pid_list *v, pid_t pid)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i] == pid)
			return true;
	return false;
}

/*
 * Parents before their children.  The list is not of one instant: a parent that was seen dead may
 * have had its children still when they were seen.
 */
static struct err *close_over(const pairs *all, pid_t root, pid_list *ret)
{
	size_t before;

	do {
		before = ret->n;
		for (size_t i = 0; i < all->n; i++) {
			const struct pair *p = &all->v[i];

			if ((p->parent == root || has(ret, p->parent)) && !has(ret, p->pid) &&
			    !vec_push(ret, p->pid))
				return &err_nomem;
		}
	} while (ret->n > before);
	return NULL;
}

static bool is_dead(const pairs *all, pid_t pid)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].pid == pid)
			return all->v[i].dead;
	return true;
}

static void drop_dead(const pairs *all, pid_list *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!is_dead(all, v->v[i]))
			v->v[n++] = v->v[i];
	v->n = n;
}

struct err *tree_below(pid_t root, pid_list *ret)
{
	pairs all = { 0 };
	struct err *err = list(&all);

	ret->n = 0;
	if (!err)
		err = close_over(&all, root, ret);
	if (!err)
		drop_dead(&all, ret);
	vec_free(&all);
	return err;
}

/* The toolchain's programs: "cmd/go", "cmd/compile". */
static bool is_program(pid_t pid, struct stat *ret)
{
	_cleanup_(elf_exe_deinit) struct elf_exe e = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, ret))
		return false;
	struct err *err = elf_exe_read(fd, path, &e);
	bool is = !err && e.go && strncmp(e.info.path, "cmd/", 4) != 0;

	err_free(err);
	return is;
}

static void exe_name(pid_t pid, char buf[static 256])
{
	char path[64], link[4096];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	link[MAX(n, 0)] = '\0';
	const char *slash = strrchr(link, '/');

	snprintf(buf, 256, "%.255s", slash ? slash + 1 : link);
}

struct err *tree_go(pid_t root, const char *name, pid_t *ret)
{
	_cleanup_(str_deinit) struct str names = { 0 };
	struct stat st, first = { 0 };
	pid_list v = { 0 };
	struct err *err = tree_below(root, &v);
	unsigned n = 0;

	*ret = 0;
	for (size_t i = 0; !err && i < v.n; i++) {
		char exe[256];

		exe_name(v.v[i], exe);
		if ((name && strcmp(name, exe) != 0) || !is_program(v.v[i], &st))
			continue;
		/* the copy between fork and exec, a worker of the same program: the eldest counts
		 */
		if (n && st.st_dev == first.st_dev && st.st_ino == first.st_ino)
			continue;
		if (!n++) {
			first = st;
			*ret = v.v[i];
		}
		str_printf(&names, "%s%d %.60s", n > 1 ? ", " : "", v.v[i], exe);
	}
	vec_free(&v);
	if (err || n < 2)
		return err;
	return err_usage(
		"several Go programs were started, say with --exe NAME which one is meant: "
		"%.300s",
		str_ok(&names) ? names.s : "");
}

typedef VEC(uint64_t) inodes;

static void sockets_of(pid_t pid, inodes *ret)
{
	char path[64], name[320], link[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));) {
		uint64_t inode;

		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		ssize_t n = readlink(name, link, sizeof(link) - 1);

		link[MAX(n, 0)] = '\0';
		if (sscanf(link, "socket:[%" SCNu64 "]", &inode) == 1)
			(void)!vec_push(ret, inode);
	}
	if (d)
		closedir(d);
}

static bool holds(const inodes *v, uint64_t inode)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i] == inode)
			return true;
	return false;
}

/* Lines of /proc/net/tcp: "0: 0100007F:1F90 00000000:0000 0A …", state 0A listens; 9th the inode.
 */
static void listening(pid_t pid, const char *table, const inodes *mine, uint16_t *ret, size_t max,
		      size_t *n)
{
	_cleanup_(freep) char *text = NULL;
	char path[64], *save = NULL;
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, table);
	err_free(proc_slurp(path, 16U << 20, &text, &len));
	for (char *l = text ? strtok_r(text, "\n", &save) : NULL; l;
	     l = strtok_r(NULL, "\n", &save)) {
		unsigned port, state;
		uint64_t inode;

		if (sscanf(l, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*s %*s %" SCNu64,
			   &port, &state, &inode) != 3 ||
		    state != 0x0a || !holds(mine, inode))
			continue;
		bool twice = false;

		for (size_t i = 0; i < *n; i++)
			twice = twice || ret[i] == port;
		if (!twice && *n < max)
			ret[(*n)++] = (uint16_t)port;
	}
}

size_t tree_ports(const pid_list *v, uint16_t *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		inodes mine = { 0 };

		sockets_of(v->v[i], &mine);
		if (mine.n) {
			listening(v->v[i], "tcp", &mine, ret, max, &n);
			listening(v->v[i], "tcp6", &mine, ret, max, &n);
		}
		vec_free(&mine);
	}
	return n;
}
