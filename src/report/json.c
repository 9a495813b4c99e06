/*
 * json.c - the streaming JSON writer.
 *
 * Integers are printed as integers.  Text that is no valid UTF-8 gets U+FFFD for each
 * bad byte; control bytes, C1 included, are escaped.
 */
#include "report/json.h"

#include "base/clean.h"
#include "report/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

void jw_init(struct jw *j, struct str *o)
{
	*j = (struct jw){ .o = o, .first = { true } };
}

static void before_value(struct jw *j)
{
	if (!j->after_key && !j->first[j->depth])
		str_put(j->o, ",");
	j->first[j->depth] = false;
	j->after_key = false;
}

static void open_with(struct jw *j, const char *brace)
{
	before_value(j);
	str_put(j->o, brace);
	assert(j->depth < JW_DEPTH);
	j->first[++j->depth] = true;
}

void jw_object(struct jw *j)
{
	open_with(j, "{");
}

void jw_array(struct jw *j)
{
	open_with(j, "[");
}

void jw_end(struct jw *j, char close)
{
	assert(j->depth > 0);
	j->depth--;
	str_putn(j->o, &close, 1);
	if (!j->depth)
		str_put(j->o, "\n");
}

static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;

	if (!len || len > n || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void put_char(struct str *o, const unsigned char *s, size_t len)
{
	if (!len)
		str_put(o, "\\ufffd");
	else if (*s == '"' || *s == '\\')
		str_printf(o, "\\%c", *s);
	else if (*s == '\n')
		str_put(o, "\\n");
	else if (*s == '\t')
		str_put(o, "\\t");
	else if (*s < 0x20 || *s == 0x7f)
		str_printf(o, "\\u%04x", *s);
	else if (!clean_char((const char *)s, len)) /* unseen: two or three bytes */
		str_printf(o, "\\u%04x",
			   len == 2 ? (s[0] & 0x1fU) << 6 | (s[1] & 0x3fU)
				    : (s[0] & 0x0fU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU));
	else
		str_putn(o, (const char *)s, len);
}

static void put_quoted(struct str *o, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = strlen(text);

	str_put(o, "\"");
	for (size_t i = 0; i < n && i < TEXT_NAME_MAX;) {
		size_t len = utf8_len(s + i, n - i);

		put_char(o, s + i, len);
		i += len ? len : 1;
	}
	if (n > TEXT_NAME_MAX)
		str_printf(o, "\xe2\x80\xa6 (%zu bytes)", n);
	str_put(o, "\"");
}

void jw_key(struct jw *j, const char *key)
{
	before_value(j);
	put_quoted(j->o, key);
	str_put(j->o, ":");
	j->after_key = true;
}

void jw_text(struct jw *j, const char *s)
{
	before_value(j);
	if (s)
		put_quoted(j->o, s);
	else
		str_put(j->o, "null");
}

void jw_u64(struct jw *j, uint64_t n)
{
	before_value(j);
	/* Readers have signed integers; what is larger is a sum of a target's lies. */
	str_printf(j->o, "%" PRIu64, MIN(n, (uint64_t)INT64_MAX));
}

void jw_i64(struct jw *j, int64_t n)
{
	before_value(j);
	str_printf(j->o, "%" PRId64, n);
}

void jw_number(struct jw *j, const char *digits)
{
	before_value(j);
	str_put(j->o, digits);
}

void jw_bool(struct jw *j, bool yes)
{
	before_value(j);
	str_put(j->o, yes ? "true" : "false");
}

void jw_null(struct jw *j)
{
	jw_text(j, NULL);
}

void jw_addr(struct jw *j, taddr a)
{
	before_value(j);
	str_printf(j->o, "\"" TADDR_FMT "\"", a);
}

void jw_time(struct jw *j, uint64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000U);
	struct tm tm;
	char buf[40];

	if (!unix_ns || !gmtime_r(&s, &tm) ||
	    !strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		jw_null(j);
		return;
	}
	jw_text(j, buf);
}

void jw_kv_real(struct jw *j, const char *k, double x)
{
	char text[40];

	jw_key(j, k);
	if (!isfinite(x)) {
		jw_null(j);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", x);
	jw_number(j, text);
}
