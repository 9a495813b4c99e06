/*
 * test_growth.c - what grew between two looks, and what only fills up to be cut again.
 */
#include "find/priv.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define MIB    (1ULL << 20)
#define MINUTE 60000000000ULL
#define DAY    (24 * 60 * MINUTE)

static const struct {
	const char *name;
	uint64_t now, grown, between, up;
	bool fits;
} cases[] = {
	{ "a leak since the start", 240 * MIB, 10 * MIB, 60 * MINUTE, DAY, true },
	{ "the same, seen for a minute", 1440 * MIB, 1 * MIB, MINUTE, DAY, true },
	{ "traffic is five times the mean", 240 * MIB, 50 * MIB, 60 * MINUTE, DAY, true },
	{ "a log that is cut each quarter of an hour", 15 * MIB, 5 * MIB, 5 * MINUTE, DAY, false },
	{ "the same in a program that began just now", 15 * MIB, 5 * MIB, 5 * MINUTE, 15 * MINUTE,
	  true },
	{ "idle, then load for the first time, young", 6 * MIB, 5 * MIB, MINUTE / 12, 2 * MINUTE,
	  true },
	{ "the time between is not known", 6 * MIB, 5 * MIB, 0, DAY, true },
	{ "figures that overflow", UINT64_MAX, UINT64_MAX, 1, UINT64_MAX, false },
};

static void test_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (find_growth_fits(cases[i].now, cases[i].grown, cases[i].between, cases[i].up) !=
		    cases[i].fits)
			fail_msg("%s", cases[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fits) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
