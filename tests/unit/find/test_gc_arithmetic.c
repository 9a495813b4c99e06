/*
 * test_gc_arithmetic.c - goals of the collector, and which settings fight with which limit.
 *
 * Goals are those that runtime/mgcpacer_test.go's formulas give, written out by hand.
 */
#include "find/gc_tuning.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define MIB    (1ULL << 20)
#define SECOND 1000000000ULL

static struct gc_facts facts(void)
{
	return (struct gc_facts){ .live = 100 * MIB,
				  .stacks = 0,
				  .globals = 0,
				  .minimum = 4 * MIB,
				  .other = 10 * MIB,
				  .gogc = 100,
				  .limit = GC_NONE,
				  .container = GC_NONE,
				  .cycles = 10,
				  .uptime_ns = 100 * SECOND };
}

static void test_goal(void **state)
{
	struct gc_facts f = facts();

	(void)state;
	assert_true(gc_goal(&f) == 200 * MIB);
	f.gogc = 50;
	assert_true(gc_goal(&f) == 150 * MIB);
	f.stacks = 10 * MIB;
	f.globals = 10 * MIB;
	assert_true(gc_goal(&f) == 160 * MIB);
	f.gogc = -1;
	assert_true(gc_goal(&f) == GC_NONE);
	f = facts();
	f.live = MIB;
	assert_true(gc_goal(&f) == 4 * MIB);
	f.live = UINT64_MAX / 2; /* a lie */
	f.gogc = INT32_MAX;
	assert_true(gc_goal(&f) >= f.live);
}

static void test_limit_goal(void **state)
{
	struct gc_facts f = facts();

	(void)state;
	assert_true(gc_limit_goal(&f) == GC_NONE);
	f.limit = 1010 * MIB;
	assert_true(gc_limit_goal(&f) == 1000 * MIB - 1000 * MIB / 100 * 3);
	f.limit = 50 * MIB;
	assert_true(gc_limit_goal(&f) == 100 * MIB); /* never below what is live */
	f.limit = 5 * MIB;
	assert_true(gc_limit_goal(&f) == 100 * MIB);
}

static void test_judge(void **state)
{
	struct gc_facts f = facts();

	(void)state;
	assert_int_equal(gc_judge(&f), GC_FINE);
	f.container = 256 * MIB;
	assert_int_equal(gc_judge(&f), GC_FINE); /* 200 + 10 fit */
	f.outside = 60 * MIB;
	assert_int_equal(gc_judge(&f), GC_GOAL_TOO_HIGH); /* 200 + 10 + 60 do not */
	f.limit = 180 * MIB;
	assert_int_equal(gc_judge(&f), GC_FINE); /* that is what the limit is for */
	f.limit = 300 * MIB;
	assert_int_equal(gc_judge(&f), GC_LIMIT_TOO_HIGH);
	f.outside = 0;
	assert_int_equal(gc_judge(&f), GC_FINE); /* it never comes so far */
	f.gogc = -1;
	assert_int_equal(gc_judge(&f), GC_LIMIT_TOO_HIGH);
	f.limit = 200 * MIB;
	assert_int_equal(gc_judge(&f), GC_FINE);
	f.limit = 112 * MIB;
	assert_int_equal(gc_judge(&f), GC_LIMIT_TOO_LOW);
	f.limit = GC_NONE;
	assert_int_equal(gc_judge(&f), GC_OFF);
}

static void test_waste(void **state)
{
	struct gc_facts f = facts();

	(void)state;
	f.gogc = 800;
	assert_int_equal(gc_judge(&f), GC_FINE); /* no garbage yet */
	f.garbage = 300 * MIB;
	assert_int_equal(gc_judge(&f), GC_WIDE);
	f.gogc = 200;
	assert_int_equal(gc_judge(&f), GC_FINE);
	f.gogc = 10;
	assert_int_equal(gc_judge(&f), GC_FINE); /* ten collections in 100 s */
	f.cycles = 1000;
	assert_int_equal(gc_judge(&f), GC_NARROW);
	f.live = 2 * MIB;
	assert_int_equal(gc_judge(&f), GC_FINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goal),
		cmocka_unit_test(test_limit_goal),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_waste),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
