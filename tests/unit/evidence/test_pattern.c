/*
 * test_pattern.c - regular expressions that stay within their bounds.
 */
#include "evidence/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <string.h>

static bool matches(const char *pattern, const char *text)
{
	_cleanup_(pattern_freep) struct pattern *p = NULL;
	bool yes;

	assert_null(pattern_create("--focus", pattern, &p));
	yes = pattern_matches(p, text);
	assert_null(pattern_err(p));
	return yes;
}

static void test_syntax(void **state)
{
	(void)state;
	assert_true(matches("main\\.(a|b)", "main.b"));
	assert_true(matches("(?i)MAIN", "main.b"));
	assert_true(matches("^runtime\\.\\w+$", "runtime.mallocgc"));
	assert_true(matches("\\[\\.\\.\\.\\]", "main.f[...]"));
	assert_true(matches("(?P<x>net/http)", "net/http.(*conn).serve"));
	assert_true(matches("[[:upper:]]\\d{2}", "xA12"));
	assert_true(matches("", "anything"));
	assert_false(matches("a$", "a\n")); /* Go: the very end */
	assert_false(matches("main", "\xff\xfe"));
	assert_true(matches("b", "\xff"
				 "b")); /* what is no UTF-8 does not hide the rest */
}

static void test_a_bad_pattern_is_a_usage_error(void **state)
{
	static const char *const bad[] = { "(", "[a", "*", "(?P<", "\\C" };
	struct pattern *p = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err *err = pattern_create("--hide", bad[i], &p);

		assert_non_null(err);
		assert_int_equal(err->code, ERR_USAGE);
		assert_non_null(strstr(err->msg, "--hide"));
		err_free(err);
	}
}

static void test_a_hostile_one_ends(void **state)
{
	_cleanup_(pattern_freep) struct pattern *p = NULL;
	char text[4000];
	struct err *err;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_null(pattern_create("--focus", "^(a+)+$b|(x+x+)+y|(a|a)*c", &p));
	assert_false(pattern_matches(p, text));
	err = pattern_err(p);
	assert_non_null(err);
	assert_int_equal(err->code, ERR_LIMIT);
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_a_bad_pattern_is_a_usage_error),
		cmocka_unit_test(test_a_hostile_one_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
