/*
 * test_text.c - no text of a target reaches a terminal as anything but text.
 */
#include "report/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_clean(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "main.T", "main.T" },
		{ "\x1b]0;x\x07", "\\x1b]0;x\\x07" },
		{ "a\nb", "a\\x0ab" },
		{ "\xc3\xa4", "\xc3\xa4" },
		{ "\xc2\x9b"
		  "31m",
		  "\\xc2\\x9b31m" }, /* C1 CSI */
		{ "\xe2\x80\xae"
		  "x",
		  "\\xe2\\x80\\xaex" }, /* right-to-left override */
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc3", "\\xc3" },
		{ "\x7f", "\\x7f" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct str o = { 0 };

		text_clean(&o, row[i].in);
		assert_string_equal(o.s, row[i].out);
		str_deinit(&o);
	}
}

static void test_figures(void **state)
{
	char b[32];

	(void)state;
	assert_string_equal(text_count(b, 0), "0");
	assert_string_equal(text_count(b, 999), "999");
	assert_string_equal(text_count(b, 1234567), "1,234,567");
	assert_string_equal(text_count(b, UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(text_ns(b, 1900000), "1.9 ms");
	assert_string_equal(text_ns(b, 180000000000U), "3 minutes");
}

/* The indented lines add up to RSS, and the text says so with the same figure twice. */
static void test_memory_sum(void **state)
{
	struct ans_mem_line line[] = {
		{ "rss", "RSS", "", 4096, 0, false },
		{ "heap_live", "live", "", 5000, 1, true },
		{ "heap_absent", "absent", "", -904, 1, true },
		{ "unexplained", "unexplained", "", 0, 1, true },
	};
	struct ans_memory m = { .rss = 4096, .lines = { line, 4, 4 } };
	struct str o = { 0 };

	(void)state;
	text_memory(&o, TEXT_PLAIN, &m);
	assert_non_null(strstr(o.s, "RSS: 4.0 KiB, RSS: 4.0 KiB"));
	assert_non_null(strstr(o.s, "unexplained"));
	assert_non_null(strstr(o.s, "-     904 B"));
	str_deinit(&o);
}

static void test_plain_has_no_escape(void **state)
{
	struct ans_row r = { .name = "\x1b[2Jevil", .objects = 1, .retained = 10 };
	struct ans_top t = { .by = "type", .total_bytes = 20, .rows = { &r, 1, 1 } };
	struct str o = { 0 };

	(void)state;
	text_top(&o, TEXT_PLAIN, &t);
	assert_null(strchr(o.s, '\x1b'));
	assert_non_null(strstr(o.s, " 50.0%"));
	str_deinit(&o);
}

/* A name of a megabyte is cut, never inside a character. */
static void test_cut(void **state)
{
	enum { BYTES = 1 << 20 };
	char *name = malloc(BYTES + 1);

	(void)state;
	for (size_t first = 0; first < 3; first++) {
		struct str o = { 0 };
		size_t i = first;

		memset(name, 'a', first);
		for (; i + 2 <= BYTES; i += 2)
			memcpy(name + i, "\xc3\xa4", 2);
		name[i] = 0;
		text_clean(&o, name);
		assert_true(str_ok(&o));
		assert_true(o.n < TEXT_NAME_MAX + 40);
		assert_null(strchr(o.s, '\\'));
		assert_non_null(strstr(o.s, " bytes)"));
		str_deinit(&o);
	}
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_memory_sum),
		cmocka_unit_test(test_plain_has_no_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
