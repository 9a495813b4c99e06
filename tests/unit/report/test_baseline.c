/*
 * test_baseline.c - a baseline written, read, applied, merged; places below a folder.
 */
#include "report/baseline.h"
#include "report/check_out.h"
#include "report/known.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define DAY_NS 86400000000000U

static char folder[] = "/tmp/test-baseline.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/b.json", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char name[100];
	static const char *const files[] = { "b.json", "go.mod", "main.go", "pkg/x.go", "pkg" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, files[i]);
		remove(name);
	}
	return remove(folder);
}

static void add(struct ans_checks *a, const char *suite, const char *name, uint8_t result)
{
	struct ans_check c = {
		.name = name, .suite = suite, .why = "w", .output = "", .result = result
	};

	assert_true(vec_push(&a->v, c));
}

static void add_row(struct ans_checks *a, const char *signature, const char *title)
{
	struct ans_check_row r = { .kind = "global-growth",
				   .verdict = "leak",
				   .proof = "measured",
				   .title = title,
				   .why = "",
				   .fix = "",
				   .signature = signature,
				   .type = "",
				   .holder = "",
				   .at = { .function = "", .file = "" } };

	assert_true(vec_push(&a->v.v[a->v.n - 1].rows, r));
}

static void add_limit(struct ans_checks *a, double value)
{
	struct ans_check_limit l = { "alloc", "bytes/load", value, NAN, NAN, false };

	assert_true(vec_push(&a->v.v[a->v.n - 1].limits, l));
}

static void put(const struct baseline *b, struct ans_checks *a, unsigned day)
{
	a->started_unix_ns = day * DAY_NS;
	assert_null(baseline_write(path, b, a));
}

static void get(struct baseline *b)
{
	baseline_deinit(b);
	*b = (struct baseline){ 0 };
	assert_null(baseline_read(path, BASELINE_MUST, b));
}

/* Accepted findings do not fail; others do; days and titles stay; what is gone is said. */
static void test_life(void **state)
{
	struct ans_checks a = { 0 }, later = { 0 }, last = { 0 };
	struct baseline b = { 0 };

	(void)state;
	add(&a, "", "./server", CHECK_FAILED);
	add_row(&a, "aaaaaaaaaaaaaaaa", "first \"title\"\n100 %");
	add_row(&a, "0000000000000001", "other");
	add_limit(&a, 1234.5);
	add(&a, "example/pkg", "TestX", CHECK_PASSED);
	put(&b, &a, 1);
	get(&b);
	assert_int_equal(b.findings.n, 2);
	assert_string_equal(b.findings.v[0].signature, "0000000000000001"); /* sorted */
	assert_string_equal(b.findings.v[1].title, "first \"title\"\n100 %");
	assert_string_equal(b.findings.v[1].since, "1970-01-02");
	assert_int_equal(b.runs.n, 2);
	assert_true(baseline_figure_of(baseline_run_of(&b, "", "./server"), "alloc") == 1234.5);
	assert_true(
		isnan(baseline_figure_of(baseline_run_of(&b, "example/pkg", "TestX"), "alloc")));
	assert_null(baseline_run_of(&b, "", "TestX"));

	add(&later, "", "./server", CHECK_FAILED);
	add_row(&later, "aaaaaaaaaaaaaaaa", "another title");
	add(&later, "", "./new", CHECK_FAILED);
	add_row(&later, "aaaaaaaaaaaaaaaa", "of another program");
	assert_null(baseline_apply(&b, &later));
	assert_int_equal(later.v.v[0].result, CHECK_PASSED);
	assert_true(later.v.v[0].rows.v[0].known);
	assert_int_equal(later.v.v[1].result, CHECK_FAILED);
	assert_false(later.v.v[1].rows.v[0].known);
	assert_int_equal(later.gone.n, 1);
	assert_string_equal(later.gone.v[0].signature, "0000000000000001");
	assert_int_equal(ans_checks_result(&later), CHECK_FAILED);

	put(&b, &later, 9);
	get(&b);
	assert_int_equal(b.findings.n, 2);
	assert_string_equal(b.findings.v[0].program, "./new");
	assert_string_equal(b.findings.v[0].since, "1970-01-10");
	assert_string_equal(b.findings.v[1].since, "1970-01-02");
	assert_string_equal(b.findings.v[1].title, "first \"title\"\n100 %");
	assert_int_equal(b.runs.n, 3); /* TestX did not run: it stays */

	/* broken: nothing is known of it, nothing is taken away */
	add(&last, "", "./server", CHECK_BROKEN);
	assert_null(baseline_apply(&b, &last));
	assert_int_equal(last.gone.n, 0);
	put(&b, &last, 10);
	get(&b);
	assert_int_equal(b.findings.n, 2);
	ans_checks_deinit(&a);
	ans_checks_deinit(&later);
	ans_checks_deinit(&last);
	baseline_deinit(&b);
}

/* A limit that is broken fails, whatever is known. */
static void test_limits_fail(void **state)
{
	struct ans_checks a = { 0 };

	(void)state;
	add(&a, "", "./server", CHECK_FAILED);
	add_row(&a, "aaaaaaaaaaaaaaaa", "t");
	add_limit(&a, 5);
	a.v.v[0].rows.v[0].known = true;
	a.v.v[0].limits.v[0].broken = true;
	ans_check_conclude(&a, &a.v.v[0]);
	assert_int_equal(a.v.v[0].result, CHECK_FAILED);
	a.v.v[0].limits.v[0].broken = false;
	ans_check_conclude(&a, &a.v.v[0]);
	assert_int_equal(a.v.v[0].result, CHECK_PASSED);
	ans_checks_deinit(&a);
}

/* Known until a day: before it and behind it. */
static void test_known(void **state)
{
	static const char line[] = "known aaaaaaaaaaaaaaaa until 1970-01-05 ticket 7\n";
	struct known k = { 0 };

	(void)state;
	assert_null(known_parse("f", line, strlen(line), &k));
	for (unsigned day = 3; day < 7; day++) {
		struct ans_checks a = { 0 };

		add(&a, "", "./server", CHECK_FAILED);
		add_row(&a, "aaaaaaaaaaaaaaaa", "t");
		assert_null(known_check(&k, (int64_t)day * 86400, &a));
		assert_int_equal(a.v.v[0].result, day < 5 ? CHECK_PASSED : CHECK_FAILED);
		ans_checks_deinit(&a);
	}
	known_deinit(&k);
}

static void test_told(void **state)
{
	struct ans_checks a = { 0 };

	(void)state;
	add(&a, "", "example/pkg", CHECK_FAILED);
	add_row(&a, "aaaaaaaaaaaaaaaa", "t");
	add_row(&a, "bbbbbbbbbbbbbbbb", "u");
	add(&a, "example/pkg", "TestX", CHECK_FAILED);
	add_row(&a, "aaaaaaaaaaaaaaaa", "t");
	assert_true(ans_check_told(&a, &a.v.v[0], &a.v.v[0].rows.v[0]));
	assert_false(ans_check_told(&a, &a.v.v[0], &a.v.v[0].rows.v[1]));
	assert_false(ans_check_told(&a, &a.v.v[1], &a.v.v[1].rows.v[0]));
	ans_checks_deinit(&a);
}

static void touch(const char *name, const char *text)
{
	char full[100];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", folder, name);
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_places(void **state)
{
	char here[100];
	const struct {
		const char *file, *uri;
	} cases[] = {
		{ here, "pkg/x.go" },
		{ "/elsewhere/build/pkg/x.go", "pkg/x.go" },
		{ "example.com/m/pkg/x.go", "pkg/x.go" },
		{ "example.com/m/main.go", "main.go" },
		{ "example.com/m/none.go", "go.mod" },
		{ "runtime/main.go", "go.mod" },
		{ "/usr/lib/go-1.26/src/runtime/main.go", "go.mod" },
		{ "/x/pkg/mod/other.com/y@v1.0.0/main.go", "go.mod" },
		{ "other.com/y@v1.0.0/main.go", "go.mod" },
		{ "../../etc/passwd", "go.mod" },
		{ "", "go.mod" },
	};
	char sub[100];

	(void)state;
	snprintf(sub, sizeof(sub), "%s/pkg", folder);
	mkdir(sub, 0700);
	touch("go.mod", "// c\nmodule example.com/m\n\ngo 1.22\n");
	touch("main.go", "");
	touch("pkg/x.go", "");
	snprintf(here, sizeof(here), "%s/pkg/x.go", folder);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ans_checks a = { 0 };

		add(&a, "", "p", CHECK_FAILED);
		add_row(&a, "aaaaaaaaaaaaaaaa", "t");
		a.v.v[0].rows.v[0].at = (struct ans_frame){ "f", cases[i].file, 7, false };
		assert_null(check_places(&a, folder));
		assert_string_equal(a.v.v[0].rows.v[0].uri, cases[i].uri);
		assert_int_equal(a.v.v[0].rows.v[0].uri_line,
				 strcmp(cases[i].uri, "go.mod") ? 7 : 0);
		ans_checks_deinit(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),   cmocka_unit_test(test_limits_fail),
		cmocka_unit_test(test_known),  cmocka_unit_test(test_told),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
