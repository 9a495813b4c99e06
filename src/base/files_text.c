/*
 * files_text.c - a small text file, whole: rules, known findings, configuration.
 *
 * Knows nothing of what it says.
 */
#include "base/files_text.h"

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
