/*
 * known.c - lines of known findings: read, checked, looked up.
 *
 * Each needs an end and a reason: what is silenced for ever is forgotten.
 */
#include "report/known.h"

#include "base/files.h"
#include "base/files_text.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { LINES_MAX = 10000, SIGNATURE = 16, DAY_S = 86400 };

bool known_is_signature(const char *text)
{
	return strlen(text) == SIGNATURE && strspn(text, "0123456789abcdef") == SIGNATURE;
}

void known_deinit(struct known *k)
{
	vec_free(&k->v);
	keep_deinit(&k->keep);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of *p, which is moved behind it; 0: none, or too long for buf. */
static size_t take_word(const char **p, const char *end, char *buf, size_t nbuf)
{
	const char *s;
	size_t n;

	while (*p < end && is_blank(**p))
		(*p)++;
	for (s = *p; s < end && !is_blank(*s); s++)
		;
	n = (size_t)(s - *p);
	if (n >= nbuf)
		n = 0;
	memcpy(buf, *p, n);
	buf[n] = 0;
	*p = s;
	return n;
}

/* "2026-12-31", a day that there is. */
static bool parse_day(const char *text, int64_t *ret_end)
{
	struct tm tm = { 0 };
	int year, month, day;
	char more;
	time_t t;

	if (strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%c", &year, &month, &day, &more) != 3)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	t = timegm(&tm); /* which puts right what is no day: 2027-02-30 becomes 2027-03-02 */
	if (tm.tm_mday != day || tm.tm_mon != month - 1)
		return false;
	*ret_end = (int64_t)t + DAY_S;
	return true;
}

static struct err *parse_known(struct known *k, const char *path, unsigned line, const char *p,
			       const char *end)
{
	struct known_line x = { 0 };
	char word[32];

	if (!take_word(&p, end, x.signature, sizeof(x.signature)) ||
	    !known_is_signature(x.signature))
		return err_usage("%.200s:%u: want a signature behind known, 16 hex digits as a "
				 "report shows them",
				 path, line);
	if (!take_word(&p, end, word, sizeof(word)) || strcmp(word, "until") != 0 ||
	    !take_word(&p, end, x.until, sizeof(x.until)) || !parse_day(x.until, &x.end_unix_s))
		return err_usage("%.200s:%u: want an end, as in `known %s until 2027-01-31 ticket "
				 "123: is being fixed`",
				 path, line, x.signature);
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	if (p == end)
		return err_usage("%.200s:%u: known %s: want a reason behind the day", path, line,
				 x.signature);
	x.reason = keepn(&k->keep, p, (size_t)(end - p));
	x.source = keepf(&k->keep, "%.250s:%u", path, line);
	return vec_push(&k->v, x) ? NULL : &err_nomem;
}

/* Lines that others read. */
static bool is_ours(const char *word)
{
	return !strcmp(word, "known");
}

size_t known_text_length(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] == '#' &&
		    (!i || (is_blank(p[i - 1]) && (i + 1 == len || is_blank(p[i + 1])))))
			return i;
	return len;
}

struct err *known_parse(const char *path, const char *text, size_t n, struct known *k)
{
	unsigned line = 0;

	for (size_t at = 0; at < n;) {
		const char *p = text + at, *nl = memchr(p, '\n', n - at);
		size_t len = nl ? (size_t)(nl - p) : n - at;
		const char *end = p + known_text_length(p, len);
		char word[16];
		struct err *err = NULL;

		line++;
		if (take_word(&p, end, word, sizeof(word)) && is_ours(word))
			err = parse_known(k, path, line, p, end);
		if (!err && k->v.n > LINES_MAX)
			err = err_usage("%.200s: more than %d known findings", path, LINES_MAX);
		if (err)
			return err;
		at += len + 1;
	}
	return keep_err(&k->keep);
}

const struct known_line *known_of(const struct known *k, const char *signature)
{
	for (size_t i = 0; k && i < k->v.n; i++)
		if (!strcmp(k->v.v[i].signature, signature))
			return &k->v.v[i];
	return NULL;
}
