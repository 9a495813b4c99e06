/*
 * core_fds.c - the list of open descriptors in a core of ours: written, and read back.
 *
 * Linux has no note for it, so it is one of our own (corenote.h).  A row of NUL-ended strings: the
 * version, then nine of each descriptor: number, flags, position, what the link says, kind, state,
 * name, and the two addresses ("4:7f000001:8080", "6:32 digits:443", "").  O(bytes).
 */
#include "target/core_priv.h"

#include "base/str.h"
#include "target/corewrite.h"

#include <stdio.h>

#define VERSION	  "1"
#define MAX_BYTES (64U << 20)

enum { F_NUMBER, F_FLAGS, F_POS, F_LINK, F_KIND, F_STATE, F_NAME, F_LOCAL, F_PEER, NFIELDS };

static void put(struct str *o, const char *text)
{
	str_putn(o, text, strlen(text) + 1);
}

static void put_number(struct str *o, uint64_t n, uint64_t unknown)
{
	if (n != unknown)
		str_printf(o, "%" PRIu64, n);
	str_putn(o, "", 1);
}

static void put_address(struct str *o, const struct target_addr *a)
{
	size_t n = a->family == 4 ? 4 : a->family == 6 ? 16 : 0;

	if (n)
		str_printf(o, "%u:", a->family);
	for (size_t i = 0; i < n; i++)
		str_printf(o, "%02x", a->ip[i]);
	if (n)
		str_printf(o, ":%u", a->port);
	str_putn(o, "", 1);
}

void core_fds_put(struct str *o, const struct target_fd *v, size_t n)
{
	put(o, VERSION);
	for (size_t i = 0; i < n && o->n < MAX_BYTES; i++) {
		put_number(o, v[i].fd, UINT64_MAX);
		put_number(o, v[i].flags, UINT32_MAX);
		put_number(o, v[i].pos, UINT64_MAX);
		put(o, v[i].link);
		put(o, v[i].kind);
		put(o, v[i].state);
		put(o, v[i].name);
		put_address(o, &v[i].local);
		put_address(o, &v[i].peer);
	}
}

static uint64_t number(const char *s, uint64_t unknown)
{
	return *s ? strtoull(s, NULL, 10) : unknown;
}

static void read_address(const char *s, struct target_addr *ret)
{
	size_t n = s[0] == '4' ? 4 : s[0] == '6' ? 16 : 0;
	struct target_addr a = { .family = (uint8_t)(s[0] - '0') };

	*ret = (struct target_addr){ .family = 0 };
	if (!n || s[1] != ':' || strspn(s + 2, "0123456789abcdef") != 2 * n || s[2 + 2 * n] != ':')
		return;
	for (size_t i = 0; i < n; i++) {
		const char digits[3] = { s[2 + 2 * i], s[3 + 2 * i], 0 };

		a.ip[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	a.port = (uint16_t)strtoul(s + 3 + 2 * n, NULL, 10);
	*ret = a;
}

/* The next string; NULL where none ends before end. */
static char *next_string(char **at, const char *end)
{
	char *s = *at;
	size_t n = (size_t)(end - s), len = strnlen(s, n);

	if (len == n)
		return NULL;
	*at = s + len + 1;
	return s;
}

static bool next_fd(char **at, const char *end, struct target_fd *ret)
{
	char *f[NFIELDS];

	for (int i = 0; i < NFIELDS; i++) {
		f[i] = next_string(at, end);
		if (!f[i])
			return false;
	}
	*ret = (struct target_fd){
		.fd = (uint32_t)number(f[F_NUMBER], UINT32_MAX),
		.flags = (uint32_t)number(f[F_FLAGS], UINT32_MAX),
		.pos = number(f[F_POS], UINT64_MAX),
		.link = f[F_LINK],
		.kind = f[F_KIND],
		.state = f[F_STATE],
		.name = f[F_NAME],
	};
	read_address(f[F_LOCAL], &ret->local);
	read_address(f[F_PEER], &ret->peer);
	return true;
}

static int by_number(const void *x, const void *y)
{
	const struct target_fd *p = x, *q = y;

	return (p->fd > q->fd) - (p->fd < q->fd);
}

struct err *core_fds_parse(char *text, size_t n, struct target_fd **ret, size_t *ret_n)
{
	VEC(struct target_fd) v = { 0 };
	const char *end = text + n, *version;
	struct target_fd f;
	char *at = text;

	version = next_string(&at, end);
	if (!version || strcmp(version, VERSION))
		return NULL;
	while (next_fd(&at, end, &f)) {
		if (!vec_push(&v, f)) {
			vec_free(&v);
			return &err_nomem;
		}
	}
	if (v.n)
		qsort(v.v, v.n, sizeof(*v.v), by_number);
	*ret = v.v;
	*ret_n = v.n;
	return NULL;
}
