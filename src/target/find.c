/*
 * find.c - a process by its name; one pass over /proc.
 *
 * A name is the exact comm, or the base name of the executable.  Threads and
 * zombies are no answer, nor are we.
 */
#include "target/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool exe_is(pid_t pid, const char *name)
{
	static const char deleted[] = " (deleted)";
	char path[64], link[4096];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	if (n <= 0)
		return false;
	link[n] = '\0';
	size_t cut = sizeof(deleted) - 1;

	if ((size_t)n > cut && strcmp(link + n - cut, deleted) == 0)
		link[(size_t)n - cut] = '\0';
	const char *base = strrchr(link, '/');

	return strcmp(base ? base + 1 : link, name) == 0;
}

static bool is_called(pid_t pid, const char *name)
{
	struct proc_stat s;

	if (pid == getpid() || !proc_read_stat(pid, &s) || s.state == 'Z' || s.state == 'X')
		return false;
	return strcmp(s.comm, name) == 0 || exe_is(pid, name);
}

struct err *target_find_by_name(const char *name, pid_t *ret)
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");
	char list[200] = "";
	pid_t found = 0;
	size_t n = 0, len = 0;

	if (!d)
		return err_os(errno, "/proc");
	for (struct dirent *e; (e = readdir(d));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (!is_called(pid, name))
			continue;
		found = pid;
		n++;
		if (len < sizeof(list) - 16)
			len += (size_t)snprintf(list + len, sizeof(list) - len, " %d", pid);
	}
	if (n == 0)
		return err_new(ERR_GONE, "no process is called %s", name);
	if (n > 1)
		return err_usage("%zu processes are called %s: pid%s%s; give one of them", n, name,
				 list, len >= sizeof(list) - 16 ? " ..." : "");
	*ret = found;
	return NULL;
}
