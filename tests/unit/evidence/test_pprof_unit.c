/*
 * test_pprof_unit.c - figures as `go tool pprof` prints them.
 *
 * Expected texts are of pprof's own tests and of runs of it.
 */
#include "evidence/pprof_unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <string.h>

static void test_values(void **state)
{
	static const struct {
		int64_t v;
		const char *from, *to, *want;
	} row[] = {
		{ 0, "bytes", "MB", "0" },
		{ 1, "bytes", "auto", "1B" },
		{ 1024, "bytes", "auto", "1kB" },
		{ 1536, "Bytes", "kb", "1.50kB" },
		{ 1 << 20, "bytes", "kB", "1024kB" },
		{ -(5 << 20), "bytes", "MB", "-5MB" },
		{ 3, "bytes", "MB", "0" }, /* not 0.00MB */
		{ -3, "bytes", "MB", "0" },
		{ 10000000, "nanoseconds", "ms", "10ms" },
		{ 1500000000, "ns", "auto", "1.50s" },
		{ 7200, "seconds", "minimum", "2hrs" },
		{ 5, "count", "count", "5" },
		{ 5, "count", "minimum", "5" },
		{ 5, "widgets", "widgets", "5widgets" },
		{ 90, "nanoseconds", "bytes", "0" }, /* not of that kind: its own usual unit */
		{ INT64_MIN, "count", "count", "-9223372036854775808" },
		{ 2048, "b", "minimum", "2kB" },
	};
	char buf[PPROF_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(pprof_value(buf, row[i].v, row[i].from, row[i].to),
				    row[i].want);
}

static void test_percentages(void **state)
{
	static const struct {
		int64_t v, total;
		const char *want;
	} row[] = {
		{ 0, 10, "    0%" },
		{ 10, 10, "  100%" },
		{ 1, 10, "10.00%" },
		{ -1, 10, "10.00%" },
		{ 1, 1000, "  0.1%" },
		{ 2345, 1000000, " 0.23%" },
		{ 1, 1000000, "0.0001%" },
		{ 1, 10000000, "1e-05%" },
		{ 5, 0, "    0%" },
		{ 300, 100, "300.00%" },
		{ INT64_MAX, 1, "1000000000.00%" },
		{ 9994, 10000, "99.94%" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(pprof_percent(buf, row[i].v, row[i].total), row[i].want);
}

static void test_unit_of_a_table(void **state)
{
	static const struct {
		int64_t least, most;
		const char *unit, *want;
	} row[] = {
		{ 512, 1023, "bytes", "B" },
		{ 512, 2048, "bytes", "B" },	 /* not a hundred times */
		{ 512, 1 << 20, "bytes", "kB" }, /* 51200 B = 50 kB */
		{ 12 << 10, 1 << 30, "bytes", "MB" },
		{ 0, 3 << 20, "bytes", "MB" },
		{ 10000000, 1000000000, "nanoseconds", "ms" },
		{ 10000000, 1010000000, "nanoseconds", "s" },
		{ 1, 100, "count", "count" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(pprof_unit_for(row[i].least, row[i].most, row[i].unit),
				    row[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_percentages),
		cmocka_unit_test(test_unit_of_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
