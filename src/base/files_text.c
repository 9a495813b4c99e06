/*
 * files_text.c - a small text file, whole: rules, known findings, configuration.
 *
 * Knows nothing of what it says.
 */
#include "base/files_text.h"

#include "base/files.h"
#include "base/mem.h"

#include <errno.h>
#include <unistd.h>

struct err *file_text(int fd, const char *name, size_t max, char **ret, size_t *ret_n)
{
	_cleanup_(freep) char *text = malloc(max + 1);
	size_t n = 0;
	ssize_t got = 0;

	if (!text)
		return &err_nomem;
	while (n <= max && (got = read(fd, text + n, max + 1 - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		return err_os(errno, "%.200s", name);
	if (n > max)
		return err_usage("%.200s: larger than %zu bytes: not what is read there", name,
				 max);
	*ret = STEAL(text);
	*ret_n = n;
	return NULL;
}

struct err *file_source_text(const char *dir, const char *path, size_t max, char **ret,
			     size_t *ret_n)
{
	_cleanup_(closep) int fd = file_source(dir, path);
	_cleanup_(freep) char *text = NULL;
	size_t n = 0, cap = 64 << 10;
	ssize_t got = 0;

	*ret = NULL;
	if (fd < 0)
		return NULL;
	do {
		char *more = realloc(text, cap + 1);

		if (!more)
			return &err_nomem;
		text = more;
		while (n < cap && (got = read(fd, text + n, cap - n)) > 0)
			n += (size_t)got;
		cap *= 2;
	} while (got > 0 && cap <= max);
	text[n] = 0;
	*ret = STEAL(text);
	*ret_n = n;
	return NULL;
}
