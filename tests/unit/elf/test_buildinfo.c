/*
 * test_buildinfo.c - build info from crafted bytes, as cmd/link writes them.
 */
#include "elf/exe.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define FRAME "0123456789abcdef"

/* Header of 32 bytes: magic, pointer size, flags; then varint strings. */
static size_t blob(uint8_t *p, uint8_t flags, const char *version, const char *mod, size_t claim)
{
	size_t n = 32;

	memset(p, 0, 32);
	memcpy(p, "\xff Go buildinf:", 14);
	p[14] = 8;
	p[15] = flags;
	p[n++] = (uint8_t)(claim ? claim : strlen(version));
	memcpy(p + n, version, strlen(version));
	n += strlen(version);
	p[n++] = (uint8_t)((strlen(mod) & 0x7f) | 0x80); /* two-byte varint */
	p[n++] = (uint8_t)(strlen(mod) >> 7);
	memcpy(p + n, mod, strlen(mod));
	return n + strlen(mod);
}

static void test_whole(void **state)
{
	static const char mod[] = FRAME "path\texample.com/a/cmd\n"
					"mod\texample.com/a\tv1.2.3\th1:xyz=\n"
					"dep\texample.com/b\tv0.1.0\th1:q=\n"
					"dep\texample.com/c/v2\tv2.0.0\n"
					"=>\t../c\t(devel)\n"
					"build\t-buildmode=pie\n"
					"build\tCGO_ENABLED=1\n"
					"build\tvcs.revision=0123abc\n"
					"build\tvcs.modified=true\n" FRAME;
	uint8_t p[600];
	struct go_buildinfo b;
	size_t n = blob(p, 2, "go1.26.8-X:nogreenteagc", mod, 0);

	(void)state;
	assert_true(go_buildinfo_parse(p, n, &b));
	assert_string_equal(b.version, "go1.26.8-X:nogreenteagc");
	assert_string_equal(b.path, "example.com/a/cmd");
	assert_string_equal(b.module_path, "example.com/a");
	assert_string_equal(b.module_version, "v1.2.3");
	assert_string_equal(b.buildmode, "pie");
	assert_string_equal(b.cgo_enabled, "1");
	assert_string_equal(b.vcs_revision, "0123abc");
	assert_string_equal(b.ldflags, "");
	assert_string_equal(b.modules, "example.com/b\nexample.com/c/v2\n");
	go_buildinfo_deinit(&b);
}

/* At 16 but not at 8: the linker aligns it to 16. */
static void test_alignment(void **state)
{
	uint8_t p[300] = { 0 };
	struct go_buildinfo b;
	size_t n = blob(p + 16, 2, "go1.22.1", "", 0);

	(void)state;
	assert_true(go_buildinfo_parse(p, 16 + n, &b));
	assert_string_equal(b.version, "go1.22.1");
	assert_string_equal(b.module_path, "");
	go_buildinfo_deinit(&b);
	assert_false(go_buildinfo_parse(p + 8, 8 + n, &b));
}

static void test_damaged(void **state)
{
	uint8_t p[300];
	struct go_buildinfo b;
	size_t n;

	(void)state;
	n = blob(p, 0, "go1.17", "", 0); /* pointer form: not ours */
	assert_false(go_buildinfo_parse(p, n, &b));
	n = blob(p, 2, "go1.22", "", 120); /* longer than what is there */
	assert_false(go_buildinfo_parse(p, n, &b));
	n = blob(p, 2, "go1.24.1", FRAME "mod\tx\t" FRAME, 0);
	for (size_t cut = 0; cut < n; cut++) {
		if (go_buildinfo_parse(p, cut, &b)) {
			assert_true(cut >= 41);
			assert_string_equal(b.version, "go1.24.1");
			go_buildinfo_deinit(&b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
