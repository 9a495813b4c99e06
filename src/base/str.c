/*
 * str.c - growing text, cleaned of control bytes where it came from a target.
 *
 * Amortised O(1) a byte.
 */
#include "base/str.h"

#include "base/clean.h"

#include <inttypes.h>
#include <stdio.h>

void str_deinit(struct str *s)
{
	free(s->s);
	*s = (struct str){ 0 };
}

static bool room(struct str *s, size_t more)
{
	if (s->bad)
		return false;
	if (s->n + more + 1 > s->cap && !vec_grow_((void **)&s->s, &s->cap, s->n + more + 1, 1)) {
		s->bad = true;
		return false;
	}
	return true;
}

void str_putn(struct str *s, const char *text, size_t n)
{
	if (!room(s, n))
		return;
	memcpy(s->s + s->n, text, n);
	s->n += n;
	s->s[s->n] = 0;
}

void str_put(struct str *s, const char *text)
{
	str_putn(s, text, strlen(text));
}

void str_put_clean(struct str *s, const char *text, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = clean_char(text + i, n - i);
		if (len) {
			str_putn(s, text + i, len);
			continue;
		}
		len = 1;
		str_printf(s, "\\x%02x", (unsigned char)text[i]);
	}
	str_putn(s, "", 0);
}

void str_vprintf(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !room(s, (size_t)n))
		return;
	vsnprintf(s->s + s->n, (size_t)n + 1, fmt, ap);
	s->n += (size_t)n;
}

void str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(s, fmt, ap);
	va_end(ap);
}

char *str_steal(struct str *s)
{
	char *p;

	str_putn(s, "", 0);
	if (s->bad) {
		str_deinit(s);
		return NULL;
	}
	p = s->s;
	*s = (struct str){ 0 };
	return p;
}

char *str_bytes(char buf[static 16], uint64_t nbytes)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double x = (double)nbytes;
	size_t u = 0;

	while (x >= 1024 && u + 1 < ARRAY_LEN(unit)) {
		x /= 1024;
		u++;
	}
	if (u == 0)
		snprintf(buf, 16, "%" PRIu64 " B", nbytes);
	else
		snprintf(buf, 16, "%.1f %s", x, unit[u]);
	return buf;
}
