/*
 * files.c - open, stat, rename: here, or by who may.
 *
 * The delegate is the process's, as the filter that makes it necessary is in the kernel: it is
 * set once and not by threads.  Knows nothing of what is in the files but the magic of ELF.
 */
#include "base/files.h"

#include "base/debuginfod.h"
#include "base/files_folder.h"
#include "base/files_temp.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	files_fn *fn;
	void *arg;
} delegate;

void files_delegate(files_fn *fn, void *arg)
{
	delegate.fn = fn;
	delegate.arg = arg;
}

static struct {
	const char *name;
	int fd;
} given[FILES_GIVEN];
static size_t ngiven;

void files_give(const char *name, int fd)
{
	if (ngiven == FILES_GIVEN) {
		close(fd);
		return;
	}
	given[ngiven].name = name;
	given[ngiven++].fd = fd;
}

static int given_fd(const char *name)
{
	for (size_t i = 0; i < ngiven; i++)
		if (!strcmp(given[i].name, name))
			return given[i].fd;
	return -1;
}

bool files_given(const char *name)
{
	return given_fd(name) >= 0;
}

static int fail(int fd, int no)
{
	if (fd >= 0)
		close(fd);
	errno = no;
	return -1;
}

/* Executables and libraries: a core, /proc/kcore too, is somebody's memory. */
static bool is_program(const uint8_t head[static 18])
{
	unsigned type = head[EI_DATA] == ELFDATA2MSB ? head[17] : head[16];

	return !memcmp(head, ELFMAG, SELFMAG) && (type == ET_EXEC || type == ET_DYN);
}

/*
 * Looked at before it is opened: opening a device or a pipe may do something.  The second open
 * is of the same file, by the descriptor of the first; without /proc it is by name again.
 */
static int open_elf(const char *path)
{
	char again[64];
	uint8_t head[18];
	struct stat st, now;
	int at = open(path, O_PATH | O_CLOEXEC), fd;

	if (at < 0)
		return -1;
	if (fstat(at, &st) || !S_ISREG(st.st_mode))
		return fail(at, EINVAL);
	snprintf(again, sizeof(again), "/proc/self/fd/%d", at);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail(at, errno);
	close(at);
	if (fstat(fd, &now) || now.st_ino != st.st_ino || now.st_dev != st.st_dev ||
	    pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) || !is_program(head))
		return fail(fd, EINVAL);
	return fd;
}

const char *file_scratch_dir(void)
{
	const char *dir = getenv("TMPDIR");

	/* not /tmp: often it is memory */
	return dir && *dir ? dir : "/var/tmp";
}

static int open_nameless(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	/* a file system without O_TMPFILE */
	if (snprintf(path, sizeof(path), "%s/limpet-XXXXXX", dir) >= (int)sizeof(path))
		return fail(-1, ENAMETOOLONG);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int open_scratch(void)
{
	int fd = open_nameless(file_scratch_dir());

	if (fd < 0 && (errno == ENOENT || errno == EACCES || errno == EROFS))
		fd = open_nameless("/tmp");
	return fd;
}

/* Opening a pipe without a writer must not wait for one; reading from it may. */
static int open_named(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode))
		return folder_gather(fd);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

/* With a place of its own to read at; without /proc from the beginning. */
static int open_again(int fd)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	if (again >= 0)
		return again;
	again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (again >= 0)
		(void)lseek(again, 0, SEEK_SET);
	return again;
}

static bool is_source(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name);

	return !strcmp(name, "CODEOWNERS") || (n > 3 && !strcmp(name + n - 3, ".go"));
}

/* Kernels before 5.6 have no such open: then no source is shown. */
static int open_source(const char *dir, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	struct stat st;
	int at, fd;

	if (!dir || !is_source(path))
		return fail(-1, EPERM);
	at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
	if (fd < 0)
		return fail(at, errno);
	close(at);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return fail(fd, EINVAL);
	return fd;
}

int files_here(const struct file_ask *ask)
{
	switch (ask->op) {
	case FILE_OPEN:
		return files_given(ask->path) ? open_again(given_fd(ask->path))
					      : open_named(ask->path);
	case FILE_OPEN_ELF:
		return open_elf(ask->path);
	case FILE_DEBUGINFO:
		return debuginfod_fetch(ask->path, -1);
	case FILE_SOURCE:
		return open_source(ask->to, ask->path);
	case FILE_STAT:
		return files_given(ask->path) ? fstat(given_fd(ask->path), ask->st)
					      : stat(ask->path, ask->st);
	case FILE_OUT:
		return open(ask->path, O_WRONLY | O_CLOEXEC);
	case FILE_TEMP:
		return temp_open(ask->path);
	case FILE_SCRATCH:
		return open_scratch();
	case FILE_RENAME:
		return temp_keep(ask->fd, ask->path, ask->to);
	case FILE_UNLINK:
		return temp_drop(ask->path);
	}
	return fail(-1, ENOSYS);
}

static int ask(const struct file_ask *a)
{
	return delegate.fn ? delegate.fn(delegate.arg, a) : files_here(a);
}

int file_open(const char *path)
{
	return ask(&(struct file_ask){ .op = FILE_OPEN, .path = (char *)path });
}

int file_open_elf(const char *path)
{
	return ask(&(struct file_ask){ .op = FILE_OPEN_ELF, .path = (char *)path });
}

int file_debuginfo(const char *build_id)
{
	return ask(&(struct file_ask){ .op = FILE_DEBUGINFO, .path = (char *)build_id });
}

int file_source(const char *dir, const char *path)
{
	return ask(&(struct file_ask){ .op = FILE_SOURCE, .path = (char *)path, .to = dir });
}

int file_stat(const char *path, struct stat *ret)
{
	return ask(&(struct file_ask){ .op = FILE_STAT, .path = (char *)path, .st = ret });
}

int file_out(const char *path)
{
	return ask(&(struct file_ask){ .op = FILE_OUT, .path = (char *)path });
}

int file_temp(char *path)
{
	return ask(&(struct file_ask){ .op = FILE_TEMP, .path = path });
}

int file_scratch(void)
{
	return ask(&(struct file_ask){ .op = FILE_SCRATCH });
}

int file_rename(int fd, const char *temp, const char *to)
{
	return ask(
		&(struct file_ask){ .op = FILE_RENAME, .path = (char *)temp, .to = to, .fd = fd });
}

int file_unlink(const char *temp)
{
	return ask(&(struct file_ask){ .op = FILE_UNLINK, .path = (char *)temp });
}
