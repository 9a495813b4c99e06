/*
 * keep.c - the owner of an answer's texts.
 *
 * Knows nothing of what they say.  One allocation a text.
 */
#include "base/keep.h"

#include <stdarg.h>
#include <stdio.h>

static const char *own(struct keep *k, char *text)
{
	if (text && vec_push(&k->texts, text))
		return text;
	free(text);
	k->bad = true;
	return "";
}

const char *keepf(struct keep *k, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return own(k, text);
}

const char *keepn(struct keep *k, const char *text, size_t n)
{
	return own(k, strndup(text, n));
}

const void *keep_bytes(struct keep *k, const void *p, size_t n)
{
	char *copy = malloc(n + 1);

	if (copy)
		memcpy(copy, p, n);
	return own(k, copy) == copy ? copy : NULL;
}

void keep_deinit(struct keep *k)
{
	for (size_t i = 0; i < k->texts.n; i++)
		free(k->texts.v[i]);
	vec_free(&k->texts);
}
