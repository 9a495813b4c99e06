/*
 * source.c - reading a few lines of source, and CODEOWNERS.
 *
 * Patterns of CODEOWNERS as its makers describe them: like those of .gitignore, the last that
 * matches counts; a pattern with a slash in it begins at the root, '*' stays within a name.
 * Cost: one open for each end of a path until one is there.
 */
#include "report/source.h"

#include "base/files_text.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

enum { FILE_MAX = 4 << 20, AROUND = 2, ENDS_MAX = 24, LINE_MAX_BYTES = 160 };

struct err *source_open(const char *dir, struct source *ret)
{
	static const char *const places[] = { "CODEOWNERS", ".github/CODEOWNERS",
					      ".gitlab/CODEOWNERS", "docs/CODEOWNERS" };
	struct source s = { .dir = dir };
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(places) && !err && !s.owners; i++)
		err = file_source_text(dir, places[i], FILE_MAX, &s.owners, &s.nowners);
	if (err)
		return err;
	*ret = s;
	return NULL;
}

void source_close(struct source *s)
{
	free(s->owners);
	*s = (struct source){ 0 };
}

/* Does a pattern match the path? */
static bool matches(const char *pattern, const char *path)
{
	size_t n = strlen(pattern);
	bool anchored = strchr(pattern, '/') && strchr(pattern, '/') != pattern + n - 1;
	int flags = strstr(pattern, "**") ? FNM_LEADING_DIR : FNM_PATHNAME | FNM_LEADING_DIR;
	char text[256];

	if (n >= sizeof(text) || !n)
		return false;
	memcpy(text, pattern, n + 1);
	if (text[n - 1] == '/')
		text[n - 1] = 0;
	pattern = *text == '/' ? text + 1 : text;
	if (!*pattern || !strcmp(pattern, "*"))
		return true;
	if (anchored)
		return !fnmatch(pattern, path, flags);
	for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (!fnmatch(pattern, p, flags))
			return true;
	return false;
}

size_t source_owner(const char *text, size_t n, const char *path, const char **ret)
{
	size_t found = 0;

	*ret = NULL;
	for (size_t at = 0; at < n;) {
		const char *p = text + at, *nl = memchr(p, '\n', n - at);
		size_t len = nl ? (size_t)(nl - p) : n - at, word, rest;
		char pattern[256];

		at += len + 1;
		if (memchr(p, '#', len))
			len = (size_t)((const char *)memchr(p, '#', len) - p);
		while (len && (p[len - 1] == ' ' || p[len - 1] == '\t' || p[len - 1] == '\r'))
			len--;
		for (word = 0; word < len && p[word] != ' ' && p[word] != '\t';)
			word++;
		if (!word || word >= sizeof(pattern) || *p == '[')
			continue;
		snprintf(pattern, sizeof(pattern), "%.*s", (int)word, p);
		for (rest = word; rest < len && (p[rest] == ' ' || p[rest] == '\t');)
			rest++;
		if (!matches(pattern, path))
			continue;
		*ret = p + rest; /* a pattern without owners takes them away */
		found = len - rest;
	}
	return found;
}

/* The n'th line, from 1, without its end; NULL: there is none. */
static const char *line_of(const char *text, size_t n, int line, size_t *ret_len)
{
	const char *p = text, *end = text + n, *nl;

	for (; line > 1 && p < end; line--) {
		nl = memchr(p, '\n', (size_t)(end - p));
		p = nl ? nl + 1 : end;
	}
	if (p >= end)
		return NULL;
	nl = memchr(p, '\n', (size_t)(end - p));
	*ret_len = MIN(nl ? (size_t)(nl - p) : (size_t)(end - p), (size_t)LINE_MAX_BYTES);
	return p;
}

static struct err *fill(const struct source *s, struct keep *keep, const char *text, size_t n,
			struct ans_source *r)
{
	const char *owner;
	size_t len;

	for (int i = MAX(r->line - AROUND, 1); i <= r->line + AROUND; i++) {
		const char *p = line_of(text, n, i, &len);

		if (!p || r->n == ARRAY_LEN(r->text))
			break;
		if (!r->n)
			r->first = i;
		r->text[r->n++] = keepn(keep, p, len);
	}
	len = s->owners ? source_owner(s->owners, s->nowners, r->file, &owner) : 0;
	r->owner = len ? keepn(keep, owner, len) : "";
	return keep_err(keep);
}

struct err *source_lines(const struct source *s, struct keep *keep, const char *file, int line,
			 struct ans_source *ret)
{
	struct ans_source r = { .line = line, .owner = "" };
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	struct err *err = NULL;
	int ends = 0;

	while (*file == '/')
		file++;
	for (const char *p = file; p && *p && !text && !err && ends < ENDS_MAX; ends++) {
		const char *slash = strchr(p, '/');

		err = file_source_text(s->dir, p, FILE_MAX, &text, &n);
		if (text)
			r.file = keepf(keep, "%s", p);
		p = slash ? slash + 1 : NULL;
	}
	if (!err && text)
		err = fill(s, keep, text, n, &r);
	if (err)
		return err;
	*ret = r;
	return NULL;
}
