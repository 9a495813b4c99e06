/*
 * owner_file.c - rules of the user: "pool main.bufs", a line each.
 *
 *   pool NAME    a free list, a channel of buffers: what it holds is whose turn it is
 *   cache NAME   what it holds is owned by who else holds it
 *   pass NAME    the same, for anything else: registers, trackers, back pointers
 *   own NAME     it owns; no rule of limpet's applies to it
 *
 * NAME is a global (main.bufs), a type (main.Cache, example.com/shop/cart.Cache), or a field of
 * one of them (main.Tracker.items).  Knows no target: names are looked up in owner_types.c.
 */
#include "report/owner.h"

#include "base/files.h"
#include "base/files_text.h"

#include <errno.h>
#include <stdio.h>

enum { FILE_MAX = 1 << 20, RULES_MAX = 4096, NAME_MAX_BYTES = 400 };

static const struct {
	const char *word;
	uint8_t how;
	const char *reason;
} words[] = {
	{ "pool", OWNER_PLAIN, "a pool, by the user's rules" },
	{ "cache", OWNER_PLAIN, "a cache, by the user's rules" },
	{ "pass", OWNER_PLAIN, "passes on, by the user's rules" },
	{ "own", OWNER_KEEP, "owns, by the user's rules" },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Next word of [*p, end); its length, 0: none. */
static size_t next_word(const char **p, const char *end)
{
	const char *s;

	while (*p < end && is_blank(**p))
		(*p)++;
	for (s = *p; s < end && !is_blank(*s); s++)
		;
	return (size_t)(s - *p);
}

static const char *keep_text(struct owner_rules *r, const char *s, size_t n)
{
	char *copy = malloc(n + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = 0;
	if (!vec_push(&r->texts, copy)) {
		free(copy);
		return NULL;
	}
	return copy;
}

static const char *source_text(struct owner_rules *r, const char *path, unsigned line)
{
	char text[300];
	int n = snprintf(text, sizeof(text), "%.250s:%u", path, line);

	return keep_text(r, text, (size_t)MIN(n, (int)sizeof(text) - 1));
}

static struct err *add(struct owner_rules *r, const char *path, unsigned line, size_t word,
		       const char *name, size_t n)
{
	struct owner_rule rule = { .what = OWNER_NAMED,
				   .how = words[word].how,
				   .reason = words[word].reason };

	if (n > NAME_MAX_BYTES || (!memchr(name, '.', n) && !memchr(name, '+', n)))
		return err_usage(
			"%.200s:%u: %.*s: want a global, a type or a field of one, with its "
			"package, as in main.cache",
			path, line, (int)MIN(n, (size_t)60), name);
	rule.holder = keep_text(r, name, n);
	rule.source = source_text(r, path, line);
	if (!rule.holder || !rule.source || !vec_push(&r->v, rule))
		return &err_nomem;
	return NULL;
}

static struct err *parse_line(struct owner_rules *r, const char *path, unsigned line, const char *p,
			      const char *end)
{
	size_t n = next_word(&p, end), word;
	const char *name;

	if (!n)
		return NULL;
	for (word = 0; word < ARRAY_LEN(words); word++)
		if (strlen(words[word].word) == n && !memcmp(words[word].word, p, n))
			break;
	if (word == ARRAY_LEN(words))
		return err_usage("%.200s:%u: %.*s: want pool, cache, pass or own, and a name", path,
				 line, (int)MIN(n, (size_t)60), p);
	name = p + n;
	n = next_word(&name, end);
	if (!n)
		return err_usage("%.200s:%u: %s: of what? want a name, as in `%s main.cache`", path,
				 line, words[word].word, words[word].word);
	p = name + n;
	if (next_word(&p, end))
		return err_usage("%.200s:%u: more than one name; want one a line", path, line);
	return add(r, path, line, word, name, n);
}

struct err *owner_rules_parse(const char *path, const char *text, size_t n, struct owner_rules *r)
{
	size_t before = r->v.n;
	unsigned line = 0;

	for (size_t at = 0; at < n;) {
		const char *p = text + at, *nl = memchr(p, '\n', n - at);
		size_t len = nl ? (size_t)(nl - p) : n - at;
		const char *hash = memchr(p, '#', len);
		struct err *err;

		if (r->v.n - before > RULES_MAX)
			return err_usage("%.200s: more than %d rules", path, RULES_MAX);
		err = parse_line(r, path, ++line, p, hash ? hash : p + len);
		if (err)
			return err;
		at += len + 1;
	}
	return NULL;
}

struct err *owner_rules_read(const char *path, struct owner_rules *r)
{
	_cleanup_(closep) int fd = file_open(path);
	_cleanup_(freep) char *text = NULL;
	char name[256];
	size_t n;
	struct err *err;

	snprintf(name, sizeof(name), "--owners %.200s", path);
	if (fd < 0)
		return err_os(errno, "%s", name);
	err = file_text(fd, name, FILE_MAX, &text, &n);
	return err ? err : owner_rules_parse(path, text, n, r);
}
