/*
 * test_str.c - growing text; what came from a target cannot drive a terminal.
 */
#include "check.h"
#include "base/str.h"

#include <stdio.h>

static void grows(void **state)
{
	struct str s = { 0 };
	char want[5001];

	(void)state;
	for (int i = 0; i < 1000; i++)
		str_printf(&s, "%05d", i);
	for (int i = 0; i < 1000; i++)
		snprintf(want + 5 * i, 6, "%05d", i);
	assert_true(str_ok(&s));
	assert_int_equal(s.n, 5000);
	assert_string_equal(s.s, want);
	str_deinit(&s);
	assert_null(s.s);
}

static void cleans(void **state)
{
	static const char raw[] = "a\x1b[31mb\n\x7f\tc";
	struct str s = { 0 };

	(void)state;
	str_put_clean(&s, raw, sizeof(raw)); /* with its NUL */
	assert_string_equal(s.s, "a\\x1b[31mb\\x0a\\x7f\\x09c\\x00");
	str_deinit(&s);
	str_put_clean(&s,
		      "\xc2\x9b"
		      "1m\x9b\xe2\x80\xae\xef\xbb\xbf\xc3",
		      12); /* C1, overrides, a half */
	assert_string_equal(s.s, "\\xc2\\x9b1m\\x9b\\xe2\\x80\\xae\\xef\\xbb\\xbf\\xc3");
	str_deinit(&s);
	str_put_clean(&s, "m\xc3\xa4in.\xe5\x80\xa4", 9);
	assert_string_equal(s.s, "m\xc3\xa4in.\xe5\x80\xa4");
	str_deinit(&s);
	str_put_clean(&s, "", 0);
	assert_true(str_ok(&s));
	assert_string_equal(s.s, "");
	str_deinit(&s);
}

static void is_given_away(void **state)
{
	struct str s = { 0 };
	char *text;

	(void)state;
	text = str_steal(&s); /* of nothing: an empty text, not NULL */
	assert_string_equal(text, "");
	free(text);
	str_put(&s, "mine");
	text = str_steal(&s);
	assert_string_equal(text, "mine");
	assert_null(s.s);
	free(text);
	s.bad = true;
	str_put(&s, "x");
	assert_null(str_steal(&s));
}

static void sizes(void **state)
{
	static const struct {
		uint64_t n;
		const char *want;
	} row[] = {
		{ 0, "0 B" },	     { 1023, "1023 B" },	{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" }, { 3435973836, "3.2 GiB" }, { UINT64_MAX, "16.0 EiB" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		assert_string_equal(str_bytes(buf, row[i].n), row[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(cleans),
		cmocka_unit_test(is_given_away),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
