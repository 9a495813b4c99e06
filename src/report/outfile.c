/*
 * outfile.c - a file under another name until it is whole.
 *
 * Knows nothing of what it writes.  SIGPIPE and SIGXFSZ are expected to be ignored.
 */
#include "report/outfile.h"

#include "base/files.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct outfile {
	char *path; /* NULL: stdout */
	char *temp; /* NULL: no regular file */
	int fd;
	bool seekable, done;
	uint64_t at; /* where outfile_put() goes on */
};

static const char *name_of(const struct outfile *f)
{
	return f->path ? f->path : "stdout";
}

static struct err *write_error(const struct outfile *f, int e)
{
	if (e == ENOSPC || e == EDQUOT)
		return err_os(e,
			      "writing %s: nothing was left there; make room, or choose "
			      "another -o FILE",
			      name_of(f));
	if (e == EFBIG)
		return err_os(e,
			      "writing %s: nothing was left there; the limit on file sizes "
			      "(ulimit -f) is too low",
			      name_of(f));
	return err_os(e, "writing %s", name_of(f));
}

static bool is_stdout(const char *path)
{
	return !strcmp(path, "-") || !strcmp(path, "/dev/stdout") ||
	       !strcmp(path, "/proc/self/fd/1");
}

static struct err *check_room(const char *path, int fd, uint64_t need)
{
	struct statvfs v;
	uint64_t room;
	char a[16], b[16];

	if (fstatvfs(fd, &v))
		return NULL;
	room = (uint64_t)v.f_bavail * (v.f_frsize ? v.f_frsize : v.f_bsize);
	if (room >= need)
		return NULL;
	return err_os(ENOSPC,
		      "%s: needs %s, and %s are free there: make room, choose another -o "
		      "FILE, or write less (--zstd, --no-payload)",
		      path, str_bytes(a, need), str_bytes(b, room));
}

static struct err *open_regular(struct outfile *f, uint64_t need)
{
	f->seekable = true;
	if (asprintf(&f->temp, "%s.XXXXXX", f->path) < 0) {
		f->temp = NULL;
		return &err_nomem;
	}
	f->fd = file_temp(f->temp); /* mode 0600 */
	if (f->fd >= 0)
		return check_room(f->path, f->fd, need);
	free(f->temp);
	f->temp = NULL;
	return err_os(errno, "%s: cannot write there; choose another -o FILE", f->path);
}

/* What is there already and no regular file is written to as it is. */
static struct err *open_at(struct outfile *f, uint64_t need)
{
	struct stat st;

	if (file_stat(f->path, &st) || S_ISREG(st.st_mode))
		return open_regular(f, need);
	if (S_ISDIR(st.st_mode))
		return err_os(EISDIR, "%s", f->path);
	f->fd = file_out(f->path);
	return f->fd < 0 ? err_os(errno, "%s", f->path) : NULL;
}

struct err *outfile_open(const char *path, uint64_t need_bytes, struct outfile **ret)
{
	_cleanup_(outfile_closep) struct outfile *f = zalloc(1, sizeof(*f));
	struct err *err = NULL;

	if (!f)
		return &err_nomem;
	f->fd = -1;
	if (is_stdout(path)) {
		f->fd = dup(STDOUT_FILENO);
		if (f->fd < 0)
			err = err_os(errno, "stdout");
	} else {
		f->path = strdup(path);
		err = f->path ? open_at(f, need_bytes) : &err_nomem;
	}
	if (err)
		return err;
	*ret = STEAL(f);
	return NULL;
}

void outfile_close(struct outfile *f)
{
	if (!f)
		return;
	if (f->temp && !f->done)
		file_unlink(f->temp);
	closep(&f->fd);
	free(f->path);
	free(f->temp);
	free(f);
}

bool outfile_seekable(const struct outfile *f)
{
	return f->seekable;
}

struct err *outfile_put_at(struct outfile *f, uint64_t off, const void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = pwrite(f->fd, (const char *)buf + done, n - done, (off_t)(off + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return write_error(f, k < 0 ? errno : ENOSPC);
		done += (size_t)k;
	}
	return NULL;
}

static struct err *put_stream(struct outfile *f, const void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = write(f->fd, (const char *)buf + done, n - done);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return write_error(f, k < 0 ? errno : ENOSPC);
		done += (size_t)k;
	}
	return NULL;
}

struct err *outfile_put(struct outfile *f, const void *buf, size_t n)
{
	struct err *err = f->seekable ? outfile_put_at(f, f->at, buf, n) : put_stream(f, buf, n);

	f->at += n;
	return err;
}

uint64_t outfile_disk_bytes(const struct outfile *f)
{
	struct stat st;

	return f->seekable && !fstat(f->fd, &st) ? (uint64_t)st.st_blocks * 512 : 0;
}

struct err *outfile_commit(struct outfile *f, uint64_t size_bytes)
{
	struct err *err = NULL;

	if (!f->seekable) {
		f->done = true;
		return NULL;
	}
	if (size_bytes && ftruncate(f->fd, (off_t)size_bytes))
		return write_error(f, errno);
	if (fsync(f->fd) && errno != EINVAL)
		return write_error(f, errno);
	if (file_rename(f->fd, f->temp, f->path))
		err = write_error(f, errno);
	f->done = !err;
	return err;
}
