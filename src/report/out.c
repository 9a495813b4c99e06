/*
 * out.c - the one place that writes answers.
 *
 * Knows nothing of what it writes.  SIGPIPE is expected to be ignored.
 */
#include "report/out.h"

#include "base/files.h"

#include <errno.h>
#include <stdio.h>

static struct err *write_all(int fd, const struct str *s, const char *where)
{
	for (size_t done = 0; done < s->n;) {
		ssize_t n = write(fd, s->s + done, s->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE)
			return NULL;
		if (n < 0)
			return err_os(errno, "writing %s", where);
		done += (size_t)n;
	}
	return NULL;
}

static struct err *write_direct(const char *path, const struct str *s)
{
	_cleanup_(closep) int fd = file_out(path);

	if (fd < 0)
		return err_os(errno, "%s", path);
	return write_all(fd, s, path);
}

static struct err *write_temp(const char *path, char *temp, const struct str *s)
{
	_cleanup_(closep) int fd = file_temp(temp); /* mode 0600 */
	struct err *err;

	if (fd < 0)
		return err_os(errno, "%s: cannot write there; choose another file", path);
	err = write_all(fd, s, path);
	if (!err && fsync(fd) && errno != EINVAL)
		err = err_os(errno, "writing %s", path);
	if (!err && file_rename(fd, temp, path))
		err = err_os(errno, "%s", path);
	if (err)
		file_unlink(temp);
	return err;
}

struct err *out_write(const char *path, const struct str *s)
{
	_cleanup_(freep) char *temp = NULL;
	struct stat st;

	if (s->bad)
		return &err_nomem;
	if (!path)
		return write_all(STDOUT_FILENO, s, "stdout");
	if (!file_stat(path, &st) && !S_ISREG(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			return err_os(EISDIR, "%s", path);
		return write_direct(path, s);
	}
	if (asprintf(&temp, "%s.XXXXXX", path) < 0) {
		temp = NULL;
		return &err_nomem;
	}
	return write_temp(path, temp, s);
}
