/*
 * intake.c - URLs fetched, pipes drained, and files_give() told.
 *
 * A password in a URL is for the server: in every message and answer it is "***".  Cost: the disk
 * that it takes, in $TMPDIR or /var/tmp, until the end.
 */
#include "cli/intake.h"

#include "base/fetch.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { DEFAULT_SECONDS = 60 };
#define MOST_BYTES (16ULL << 30)

unsigned intake_targets(const struct args *a)
{
	return MIN(MAX(a->cmd->targets, 1U), a->nargs);
}

/* "//user:secret@host/…" */
static bool find_password(const char *url, const char **from, const char **to)
{
	const char *rest = strstr(url, "://") + 3, *end = rest + strcspn(rest, "/?#");
	const char *at = memrchr(rest, '@', (size_t)(end - rest));
	const char *colon = at ? memchr(rest, ':', (size_t)(at - rest)) : NULL;

	*from = colon ? colon + 1 : NULL;
	*to = at;
	return colon;
}

/* Lives as long as the arguments do. */
static const char *shown(const char *url)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	const char *from, *to;

	if (!find_password(url, &from, &to))
		return url;
	str_putn(&o, url, (size_t)(from - url));
	str_printf(&o, "***%s", to);
	return str_steal(&o);
}

/* As `go tool pprof` does: a server alone, or the index page, means its heap profile. */
static char *completed(const struct args *a, const char *url)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	const char *rest = strstr(url, "://") + 3, *path = rest + strcspn(rest, "/?#");
	size_t n = strlen(path);
	const char *what = strcmp(a->cmd->name, "goroutines") ? "heap" : "goroutine?debug=2";

	while (n && path[n - 1] == '/')
		n--;
	if (n && (n != 12 || strncmp(path, "/debug/pprof", 12) != 0))
		str_put(&o, url);
	else
		str_printf(&o, "%.*s/debug/pprof/%s", (int)(path - url), url, what);
	return str_steal(&o);
}

/* A profile of so many seconds takes so many. */
static uint64_t patience(const struct args *a, const char *url)
{
	const char *query = strchr(url, '?'), *at = query ? strstr(query, "seconds=") : NULL;
	unsigned long s = at ? strtoul(at + 8, NULL, 10) : 0;

	if (a->fetch.timeout_ns)
		return a->fetch.timeout_ns;
	return (DEFAULT_SECONDS + MIN(s, 86400UL)) * 1000000000ULL;
}

static struct err *fetch(const struct args *a, const char *url, const char *name, int fd)
{
	_cleanup_(freep) char *whole = completed(a, url);
	struct fetch_ask q = { .url = whole,
			       .name = name,
			       .headers = a->fetch.header,
			       .nheaders = a->fetch.nheaders,
			       .unix_socket = a->fetch.unix_socket,
			       .timeout_ns = patience(a, url),
			       .max_bytes = MOST_BYTES };

	if (!whole)
		return &err_nomem;
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return err_usage("%.200s: want a URL of http or https", name);
	return fetch_url(&q, fd);
}

static struct err *drain(int from, const char *name, int fd)
{
	_cleanup_(freep) char *buf = malloc(1 << 16);
	uint64_t all = 0;

	for (ssize_t n = 1; buf && n;) {
		n = read(from, buf, 1 << 16);
		if (n < 0 && errno == EINTR)
			return err_new(ERR_LIMIT, "interrupted");
		if (n < 0)
			return err_os(errno, "%.200s", name);
		all += (uint64_t)n;
		if (all > MOST_BYTES)
			return err_new(ERR_LIMIT, "%.200s: more than %llu bytes", name, MOST_BYTES);
		for (ssize_t put = 0, k; put < n; put += k) {
			k = write(fd, buf + put, (size_t)(n - put));
			if (k < 0)
				return err_os(errno, "%.200s: a copy of it in %.200s", name,
					      file_scratch_dir());
		}
	}
	return buf ? NULL : &err_nomem;
}

static struct err *drain_stdin(const char *name, int fd)
{
	if (isatty(STDIN_FILENO))
		return err_usage("-: standard input is a terminal; pipe something into it");
	return drain(STDIN_FILENO, name, fd);
}

static struct err *drain_pipe(const char *path, int fd)
{
	_cleanup_(closep) int from = open(path, O_RDONLY | O_CLOEXEC);

	return from < 0 ? err_os(errno, "%.200s", path) : drain(from, path, fd);
}

static bool is_pipe(const char *path)
{
	struct stat st;

	return !stat(path, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static struct err *bring(struct args *a, unsigned i)
{
	const char *text = a->arg[i], *name = text;
	bool url = strstr(text, "://"), in = !strcmp(text, "-");
	struct err *err;

	if (!url && !in && !is_pipe(text))
		return NULL;
	if (files_given(text))
		return err_usage("%.200s: given twice", text);
	_cleanup_(closep) int fd = file_scratch();

	if (fd < 0)
		return err_os(errno, "%.200s: no room for a copy of it in %.200s", text,
			      file_scratch_dir());
	name = url ? shown(text) : text;
	if (!name)
		return &err_nomem;
	err = url ? fetch(a, text, name, fd) : in ? drain_stdin(name, fd) : drain_pipe(text, fd);
	if (err)
		return err;
	a->arg[i] = name;
	files_give(name, fd);
	fd = -1; /* theirs */
	return NULL;
}

struct err *intake(struct args *a)
{
	struct err *err = NULL;

	for (unsigned i = 0; !err && !a->cmd->free && i < intake_targets(a); i++)
		err = bring(a, i);
	return err;
}
