/*
 * files_temp.c - an output that nobody sees until it is whole.
 *
 * Where the file system can (O_TMPFILE), it has no name before that: whoever is killed leaves
 * nothing.  Elsewhere it is "OUTPUT.abc123", which is renamed or removed.  A name is given through
 * /proc/self/fd: linkat(AT_EMPTY_PATH) takes CAP_DAC_READ_SEARCH (before Linux 6.10).
 */
#include "base/files_temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define TAIL	   "XXXXXX"

/* Tries to find a free name for a link: mkostemp() makes its file, and cannot link. */
#define TRIES 100

static int open_in_folder_of(const char *path)
{
	char dir[PATH_BYTES];
	const char *slash = strrchr(path, '/');

	if (!slash)
		return open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int link_as(int fd, const char *to)
{
	char from[64];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
}

/* The XXXXXX at the end of name become others until the link is made. */
static int link_beside(int fd, char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(name);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t x = (uint64_t)now.tv_nsec * 1000003 + (uint64_t)getpid() * 101 + i;

		for (size_t k = n - strlen(TAIL); k < n; k++, x /= 36)
			name[k] = letters[x % 36];
		if (!link_as(fd, name))
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* A file system may make such a file and refuse the link (and /proc may not be there). */
static int open_nameless(const char *path)
{
	char name[PATH_BYTES];
	int probe = open_in_folder_of(path), fd = -1;

	if (probe < 0)
		return -1;
	snprintf(name, sizeof(name), "%s", path);
	if (!link_beside(probe, name)) {
		unlink(name);
		fd = open_in_folder_of(path);
	}
	close(probe);
	return fd;
}

/* temp_open() left the end of its path as it was: it is no file's name, or somebody else's. */
static bool is_nameless(const char *temp)
{
	size_t n = strlen(temp), k = strlen(TAIL);

	return n >= k && !strcmp(temp + n - k, TAIL);
}

int temp_open(char *path)
{
	int fd;

	if (strlen(path) >= PATH_BYTES || !is_nameless(path)) {
		errno = EINVAL;
		return -1;
	}
	fd = open_nameless(path);
	return fd >= 0 ? fd : mkostemp(path, O_CLOEXEC);
}

int temp_keep(int fd, const char *temp, const char *to)
{
	char name[PATH_BYTES];

	if (!is_nameless(temp))
		return rename(temp, to);
	if (!link_as(fd, to))
		return 0;
	if (errno != EEXIST)
		return -1;
	/* link(2) replaces nothing; rename(2) does */
	snprintf(name, sizeof(name), "%s", temp);
	if (link_beside(fd, name))
		return -1;
	if (rename(name, to)) {
		int no = errno;

		unlink(name);
		errno = no;
		return -1;
	}
	return 0;
}

int temp_drop(const char *temp)
{
	return is_nameless(temp) ? 0 : unlink(temp);
}
