/*
 * clean.c - UTF-8 that only shows itself.
 *
 * Knows nothing of where text comes from and goes to.
 */
#include "base/clean.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the valid UTF-8 sequence at s, 0 if it is none; *cp its code point. */
static size_t utf8_at(const unsigned char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;

	if (!len || len > n || s[0] > 0xf4)
		return 0;
	*cp = len == 1 ? s[0] : s[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp < 0xe000))
		return 0;
	return len;
}

/* Unicode's controls, its bidirectional marks (Bidi_Control), line and paragraph separators. */
static bool is_unseen(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c ||
	       (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x2069) || cp == 0xfeff;
}

size_t clean_char(const char *s, size_t n)
{
	uint32_t cp = 0;
	size_t len = utf8_at((const unsigned char *)s, n, &cp);

	return len && !is_unseen(cp) ? len : 0;
}

void clean_in_place(char *s)
{
	for (size_t n = strlen(s), len; n; s += len, n -= len) {
		len = clean_char(s, n);
		if (!len) {
			*s = '?';
			len = 1;
		}
	}
}
