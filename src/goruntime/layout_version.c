/*
 * layout_version.c - Go version strings, as runtime.Version() and build info spell them.
 */
#include "goruntime/layout_version.h"

#include <stdlib.h>
#include <string.h>

/* Parse "1.26…" at s; -1 when it is none. */
static int parse_minor(const char *s)
{
	char *end;
	long minor;

	if (strncmp(s, "1.", 2) || s[2] < '0' || s[2] > '9')
		return -1;
	minor = strtol(s + 2, &end, 10);
	return minor < 1000 ? (int)minor : -1;
}

bool go_version_parse(const char *version, int *ret_minor, char *exps, size_t nexps)
{
	const char *go = strstr(version, "go1."), *x;
	size_t n = 0;

	*ret_minor = go ? parse_minor(go + 2) : -1;
	if (nexps)
		exps[0] = 0;
	if (*ret_minor < 0)
		return false;
	/* cmd/link: "-X:a,b" (1.26), " X:a,b" before it. */
	x = strstr(go, "X:");
	if (!x || x == go || (x[-1] != '-' && x[-1] != ' '))
		return true;
	for (x += 2; *x && *x != ' ' && n + 1 < nexps; x++)
		exps[n++] = *x;
	if (nexps)
		exps[n] = 0;
	return true;
}

bool go_version_is_release(const char *version)
{
	const char *s = version;
	size_t n;

	if (strncmp(s, "go1.", 4))
		return false;
	s += 4;
	n = strspn(s, "0123456789.");
	s += n;
	return n && (!*s || *s == ' ' || !strncmp(s, "-X:", 3));
}
