/*
 * config.c - limpet.conf is read, and its lines go to whom they concern.
 *
 *   known SIGNATURE until DAY REASON      report/known.h
 *   pool | cache | pass | own NAME        report/owner.h
 *   max-pause | max-memory | threads | values | limit VALUE     as the options of that name
 */
#include "cli/config.h"

#include "base/files.h"
#include "base/files_text.h"

#include <errno.h>
#include <stdio.h>

enum { FILE_MAX = 1 << 20 };

enum family { LINE_NONE, LINE_KNOWN, LINE_OWNER, LINE_LIMIT };

static const struct {
	const char *word;
	uint8_t family;
} words[] = {
	{ "known", LINE_KNOWN },      { "pool", LINE_OWNER },	 { "cache", LINE_OWNER },
	{ "pass", LINE_OWNER },	      { "own", LINE_OWNER },	 { "max-pause", LINE_LIMIT },
	{ "max-memory", LINE_LIMIT }, { "threads", LINE_LIMIT }, { "values", LINE_LIMIT },
	{ "limit", LINE_LIMIT },
};

void config_deinit(struct config *c)
{
	free(c->text);
	*c = (struct config){ 0 };
}

static struct err *check_owner(const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return err_usage("%.200s: no regular file", path);
	if ((st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & (S_IWGRP | S_IWOTH)))
		return err_usage(
			"%.200s: others may write it; make it yours or root's, and mode 0644",
			path);
	return NULL;
}

static struct err *read_all(const char *path, int fd, struct config *c)
{
	struct err *err = file_text(fd, path, FILE_MAX, &c->text, &c->n);

	if (!err)
		c->path = path;
	return err;
}

struct line {
	const char *p, *end;
	unsigned number;
	uint8_t family;
	char word[16];
};

/* The line at *at, without its comment; false: there are no more. */
static bool next_line(const struct config *c, size_t *at, struct line *l)
{
	const char *nl;
	size_t len, n;

	if (*at >= c->n)
		return false;
	l->p = c->text + *at;
	nl = memchr(l->p, '\n', c->n - *at);
	len = nl ? (size_t)(nl - l->p) : c->n - *at;
	*at += len + 1;
	l->number++;
	l->end = l->p + len;
	l->end = l->p + known_text_length(l->p, len);
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
	while (l->end > l->p && (l->end[-1] == ' ' || l->end[-1] == '\t' || l->end[-1] == '\r'))
		l->end--;
	for (n = 0; l->p + n < l->end && l->p[n] != ' ' && l->p[n] != '\t';)
		n++;
	snprintf(l->word, sizeof(l->word), "%.*s", (int)MIN(n, sizeof(l->word)), l->p);
	l->family = LINE_NONE;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].word) == n && !memcmp(words[i].word, l->p, n))
			l->family = words[i].family;
	return true;
}

static struct err *check_words(const struct config *c)
{
	struct line l = { 0 };
	size_t at = 0;

	while (next_line(c, &at, &l))
		if (l.p < l.end && l.family == LINE_NONE)
			return err_usage("%.200s:%u: %.15s: want known, pool, cache, pass, own, "
					 "max-pause, max-memory, threads, values or limit",
					 c->path, l.number, l.word);
	return NULL;
}

struct err *config_read(struct config *ret)
{
	const char *named = getenv("LIMPET_CONF");
	const char *path = named ? named : "/etc/limpet.conf";
	_cleanup_(config_deinit) struct config c = { 0 };
	struct stat st;
	struct err *err;

	if (!*path)
		return NULL;
	_cleanup_(closep) int fd = file_open(path);

	if (fd < 0 && !named && (errno == ENOENT || errno == EACCES || errno == ENOTDIR))
		return NULL;
	if (fd < 0 || fstat(fd, &st))
		return err_os(errno, "LIMPET_CONF %.200s", path);
	err = check_owner(path, &st);
	if (!err)
		err = read_all(path, fd, &c);
	if (!err)
		err = check_words(&c);
	if (err)
		return err;
	*ret = c;
	c = (struct config){ 0 };
	return NULL;
}

struct err *config_limits(const struct config *c, struct args *a)
{
	struct line l = { 0 };
	struct err *err = NULL;
	char value[64];
	size_t at = 0;

	while (!err && next_line(c, &at, &l)) {
		const char *p = l.p + strlen(l.word);

		if (l.family != LINE_LIMIT)
			continue;
		while (p < l.end && (*p == ' ' || *p == '\t'))
			p++;
		snprintf(value, sizeof(value), "%.*s", (int)MIN(l.end - p, 60), p);
		err = err_prefix(args_default(a, l.word, value), "%.200s:%u", c->path, l.number);
	}
	return err;
}

/* Those lines alone, with the others blank: numbers of lines stay. */
static struct err *only(const struct config *c, uint8_t family, char **ret, size_t *ret_n)
{
	char *text = malloc(c->n + 1);
	struct line l = { 0 };
	size_t at = 0;

	if (!text)
		return &err_nomem;
	for (size_t i = 0; i < c->n; i++)
		text[i] = c->text[i] == '\n' ? '\n' : ' ';
	while (next_line(c, &at, &l))
		if (l.family == family)
			memcpy(text + (l.p - c->text), l.p, (size_t)(l.end - l.p));
	*ret = text;
	*ret_n = c->n;
	return NULL;
}

struct err *config_owners(const struct config *c, struct owner_rules *r)
{
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	struct err *err;

	if (!c || !c->text)
		return NULL;
	err = only(c, LINE_OWNER, &text, &n);
	return err ? err : owner_rules_parse(c->path, text, n, r);
}

struct err *config_known(const struct config *c, struct known *k)
{
	return c && c->text ? known_parse(c->path, c->text, c->n, k) : NULL;
}

struct err *config_known_file(const char *path, struct known *k)
{
	_cleanup_(config_deinit) struct config c = { 0 };
	_cleanup_(closep) int fd = file_open(path);
	char name[256];
	struct err *err;

	snprintf(name, sizeof(name), "--known %.200s", path);
	if (fd < 0)
		return err_os(errno, "%s", name);
	err = read_all(name, fd, &c);
	if (!err)
		err = check_words(&c);
	return err ? err : known_parse(path, c.text, c.n, k);
}
