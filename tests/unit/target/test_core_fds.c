/*
 * test_core_fds.c - the list of descriptors in a core: what was written is read, lies are not.
 */
#include "target/core_priv.h"

#include "base/str.h"
#include "target/corewrite.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct target_fd some[] = {
	{ .fd = 0,
	  .flags = 2,
	  .pos = 77,
	  .link = "/var/log/a b\nc",
	  .kind = "file",
	  .state = "",
	  .name = "" },
	{ .fd = 3,
	  .flags = UINT32_MAX,
	  .pos = UINT64_MAX,
	  .link = "socket:[12]",
	  .kind = "tcp",
	  .state = "established",
	  .name = "",
	  .local = { .family = 4, .ip = { 127, 0, 0, 1 }, .port = 8080 },
	  .peer = { .family = 6, .ip = { 0xfe, 0x80, [15] = 1 }, .port = 65535 } },
	{ .fd = 4294967294U,
	  .flags = 0,
	  .pos = 0,
	  .link = "",
	  .kind = "unix",
	  .state = "",
	  .name = "@x" },
};

static void same(const struct target_fd *a, const struct target_fd *b)
{
	assert_int_equal(a->fd, b->fd);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->pos, b->pos);
	assert_string_equal(a->link, b->link);
	assert_string_equal(a->kind, b->kind);
	assert_string_equal(a->state, b->state);
	assert_string_equal(a->name, b->name);
	assert_memory_equal(&a->local, &b->local, sizeof(a->local));
	assert_memory_equal(&a->peer, &b->peer, sizeof(a->peer));
}

static void test_there_and_back(void **state)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	struct target_fd *v = NULL;
	size_t n = 0;

	(void)state;
	core_fds_put(&o, some, ARRAY_LEN(some));
	assert_null(core_fds_parse(o.s, o.n, &v, &n));
	assert_int_equal(n, ARRAY_LEN(some));
	for (size_t i = 0; i < n; i++)
		same(&v[i], &some[i]);
	free(v);
}

/* Cut anywhere: whole rows only, nothing beyond the end (ASan has the last word). */
static void test_cut(void **state)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t last = 0;

	(void)state;
	core_fds_put(&o, some, ARRAY_LEN(some));
	for (size_t cut = 0; cut < o.n; cut++) {
		char *text = malloc(cut + !cut);
		struct target_fd *v = NULL;
		size_t n = 0;

		assert_non_null(text);
		memcpy(text, o.s, cut);
		assert_null(core_fds_parse(text, cut, &v, &n));
		assert_true(n >= last && n < ARRAY_LEN(some));
		last = n;
		free(v);
		free(text);
	}
}

static void test_lies(void **state)
{
	static const char *const rows[] = {
		"2\0"
		"1\0\0\0\0\0\0\0\0\0", /* another version */
		"1\0"
		"x\0y\0z\0l\0k\0s\0n\0"
		"4:zz:1\0"
		"6:00:2\0", /* no numbers, no addresses */
		"1\0"
		"9\0\0\0\0\0\0\0"
		"5:7f000001:1\0"
		"4:7f000001\0",
	};
	static const size_t bytes[] = { 12, 30, 34 };
	static const size_t want[] = { 0, 1, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64];
		struct target_fd *v = NULL;
		size_t n = 0;

		memcpy(text, rows[i], bytes[i]);
		assert_null(core_fds_parse(text, bytes[i], &v, &n));
		assert_int_equal(n, want[i]);
		if (n) {
			assert_int_equal(v[0].local.family, 0);
			assert_int_equal(v[0].peer.family, 0);
		}
		free(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
