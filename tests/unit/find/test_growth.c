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

/* Figures of two looks, a minute apart, of a young program. */
static const struct {
	const char *name;
	uint64_t then, now, then_count, count;
	double survived;
	uint32_t cycles;
	bool decided;
	uint8_t verdict;
} judged[] = {
	{ "it grew, and all of it stayed", 8 * MIB, 10 * MIB, 0, 0, 1, 3, true, FIND_LEAK },
	{ "it grew, and who knows", 8 * MIB, 10 * MIB, 0, 0, -1, 3, true, FIND_LEAK },
	{ "it grew, and turned over", 8 * MIB, 10 * MIB, 0, 0, 0.2, 3, false, 0 },
	{ "it grew without a collection", 8 * MIB, 10 * MIB, 0, 0, 1, 0, false, 0 },
	{ "more of them, of few bytes", MIB, MIB, 100, 200, 1, 3, true, FIND_LEAK },
	{ "it is as it was", 8 * MIB, 8 * MIB, 0, 0, -1, 3, true, FIND_INFO },
	{ "it shrank", 8 * MIB, 2 * MIB, 0, 0, -1, 1, true, FIND_INFO },
	{ "as it was, without a collection", 8 * MIB, 8 * MIB, 0, 0, -1, 0, false, 0 },
	{ "a little", 8 * MIB, 8 * MIB + 200 * 1024, 0, 0, -1, 3, false, 0 },
};

static void test_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
		struct find_since s = { .process = { .started_ns = 1, .at_unix_ns = 2 * MINUTE },
					.ns = MINUTE,
					.cycles = judged[i].cycles };
		struct since_case x = { .bytes = judged[i].now,
					.count = judged[i].count,
					.then_bytes = judged[i].then,
					.then_count = judged[i].then_count,
					.survived = judged[i].survived };
		struct keep k = { 0 };

		find_since_judge(&s, &x, &k);
		if (x.decided != judged[i].decided || (x.decided && x.verdict != judged[i].verdict))
			fail_msg("%s: %s", judged[i].name, x.line ? x.line : "nothing");
		keep_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fits),
					    cmocka_unit_test(test_rule) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
