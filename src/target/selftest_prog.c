/*
 * selftest_prog.c - the Go program inside limpet, unpacked into a file that can be started.
 *
 * A memory file where the kernel lets one be executed (vm.memfd_noexec), else one in the folder
 * for temporary files that has no name any more.  1.2 MB.
 */
#include "target/selftest.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zlib.h>

#define MAX_PROGRAM_BYTES (64U << 20)
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* Linux 6.3 */
#endif

/* Made by tools/selftest-prog: 8 bytes of size, then zlib's; empty without a Go at build time. */
extern const unsigned char limpet_selftest_prog[], limpet_selftest_prog_end[];

static struct err *put(int fd, const unsigned char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return err_os(errno, "unpacking the selftest's program");
		p += MAX(done, 0);
		n -= (size_t)MAX(done, 0);
	}
	return NULL;
}

static int memory_file(void)
{
	int fd = memfd_create("limpet-selftest", MFD_CLOEXEC | MFD_EXEC);

	return fd < 0 && errno == EINVAL ? memfd_create("limpet-selftest", MFD_CLOEXEC) : fd;
}

/* A file that is open for writing cannot be started: opened anew, then unlinked. */
static struct err *put_temp(const unsigned char *p, size_t n, int *ret_fd)
{
	const char *dir = getenv("TMPDIR");
	char path[512];

	snprintf(path, sizeof(path), "%s/limpet-selftest.XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return err_os(errno, "%s", path);
	struct err *err = put(fd, p, n);

	if (!err && fchmod(fd, 0700))
		err = err_os(errno, "%s", path);
	close(fd);
	fd = err ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (!err && fd < 0)
		err = err_os(errno, "%s", path);
	unlink(path);
	if (!err)
		*ret_fd = fd;
	return err;
}

static struct err *put_file(const unsigned char *p, size_t n, int *ret_fd)
{
	int fd = memory_file();

	if (fd < 0)
		return put_temp(p, n, ret_fd);
	struct err *err = put(fd, p, n);

	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

struct err *selftest_program(int *ret_fd)
{
	size_t packed = (size_t)(limpet_selftest_prog_end - limpet_selftest_prog);

	*ret_fd = -1;
	if (packed <= 8)
		return NULL;
	uLongf n = (uLongf)load_u64(limpet_selftest_prog);

	if (n > MAX_PROGRAM_BYTES)
		return err_bad_data("the selftest's program is damaged");
	_cleanup_(freep) unsigned char *p = zalloc(n, 1);

	if (!p)
		return &err_nomem;
	if (uncompress(p, &n, limpet_selftest_prog + 8, (uLong)(packed - 8)) != Z_OK)
		return err_bad_data("the selftest's program is damaged");
	return put_file(p, n, ret_fd);
}
