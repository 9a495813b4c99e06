/*
 * test_gotest.c - words behind `go test`, and marks in a test binary's output: tables.
 */
#include "watch/gotest_args.h"
#include "watch/pace_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
	const char *text, *name;
	enum pace_mark mark;
} lines[] = {
	{ "=== RUN   TestA\n", "TestA", PACE_RUN },
	{ "=== RUN   TestA/sub\n", NULL, PACE_OTHER },
	{ "=== PAUSE TestA\n", NULL, PACE_OTHER },
	{ "=== CONT  TestA\n", NULL, PACE_OTHER },
	{ "=== NAME  TestA\n", NULL, PACE_OTHER },
	{ "--- PASS: TestA (0.00s)\n", "TestA", PACE_PASSED },
	{ "--- SKIP: TestA (0.00s)\n", "TestA", PACE_PASSED },
	{ "--- FAIL: TestA (1.00s)\n    a_test.go:3: no\n", "TestA", PACE_FAILED },
	{ "    --- PASS: TestA/sub (0.00s)\n", NULL, PACE_OTHER },
	{ "--- PASS: TestA/sub (0.00s)\n", NULL, PACE_OTHER },
	{ "--- PASS: TestA", NULL, PACE_OTHER }, /* cut */
	{ "--- PASS: ", NULL, PACE_OTHER },
	{ "PASS\n", "", PACE_END },
	{ "FAIL\n", "", PACE_END },
	{ "PASSED\n", NULL, PACE_OTHER },
	{ "", NULL, PACE_OTHER },
	{ "x--- PASS: TestA (0.00s)\n", NULL, PACE_OTHER },
};

static void test_marks(void **state)
{
	char name[PACE_NAME];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		enum pace_mark m = pace_line(lines[i].text, strlen(lines[i].text), name);

		if (m != lines[i].mark)
			fail_msg("%s: %d", lines[i].text, m);
		if (lines[i].name)
			assert_string_equal(name, lines[i].name);
	}
}

/* A name as long as one likes, and bytes that are no text. */
static void test_marks_hostile(void **state)
{
	char text[600], name[PACE_NAME];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "=== RUN   ", 10);
	text[sizeof(text) - 1] = '\n';
	assert_int_equal(pace_line(text, sizeof(text), name), PACE_OTHER);
	for (size_t n = 0; n < 12; n++)
		pace_line(text, n, name);
	memset(text, 0, sizeof(text));
	assert_int_equal(pace_line(text, sizeof(text), name), PACE_OTHER);
}

static void join(const word_list *l, char *buf, size_t n)
{
	size_t at = 0;

	*buf = 0;
	for (size_t i = 0; i < l->n && at < n; i++)
		at += (size_t)snprintf(buf + at, n - at, "%s%s", i ? " " : "", l->v[i]);
}

static const struct {
	const char *line[12];
	const char *build, *packages, *test, *more;
} cases[] = {
	{ { "go", "test" }, "", ".", "", "" },
	{ { "go", "test", "./..." }, "", "./...", "", "" },
	{ { "go", "test", "-race", "-run", "TestX", "./a", "./b" },
	  "-race",
	  "./a ./b",
	  "-test.run=TestX",
	  "" },
	{ { "go", "test", "./a", "-tags=x,y", "-v", "-count=3" }, "-tags=x,y", "./a", "", "" },
	{ { "go", "test", "-timeout", "5s", "-short", "." }, "", ".", "-test.short", "" },
	{ { "go", "test", "-test.run=A", "--skip", "B", "." },
	  "",
	  ".",
	  "-test.run=A -test.skip=B",
	  "" },
	{ { "go", "test", ".", "-args", "-run", "x" }, "", ".", "", "-run x" },
	{ { "go", "test", "-mine=3", "." }, "", ".", "", "-mine=3" },
	{ { "/usr/lib/go-1.26/bin/go", "test", "-bench", ".", "./x" }, "", "./x", "", "" },
	{ { "./x.test", "-test.run", "TestX", "-test.v" }, "", "", "-test.run=TestX", "" },
	{ { "./x.test", "-flag=1", "word" }, "", "", "", "-flag=1 word" },
};

static void test_args(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct gotest_args a = { 0 };
		char text[300];
		size_t n = 0;

		while (cases[i].line[n])
			n++;
		assert_true(gotest_wanted(cases[i].line, n));
		assert_null(gotest_parse(cases[i].line, n, &a));
		join(&a.build, text, sizeof(text));
		assert_string_equal(text, cases[i].build);
		join(&a.packages, text, sizeof(text));
		assert_string_equal(text, cases[i].packages);
		join(&a.test, text, sizeof(text));
		assert_string_equal(text, cases[i].test);
		join(&a.more, text, sizeof(text));
		assert_string_equal(text, cases[i].more);
		assert_true(!a.go == !!a.binary);
		gotest_args_deinit(&a);
	}
}

static void test_not_wanted(void **state)
{
	static const char *const no[][3] = {
		{ "./server", "-listen" }, { "go", "run" }, { "test", "x" }, { ".test", "x" }
	};
	static const char *const half[] = { "go", "test", "-run" };
	struct gotest_args a = { 0 };
	struct err *err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(gotest_wanted(no[i], 2));
	assert_false(gotest_wanted(NULL, 0));
	err = gotest_parse(half, 3, &a);
	assert_non_null(err);
	assert_int_equal(err->code, ERR_USAGE);
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_marks_hostile),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_not_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
