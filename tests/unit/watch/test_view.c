/*
 * test_view.c - rates and slopes of drawn readings; values by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/view.h"

#include <math.h>

#define S 1000000000ULL

static struct pulse reading(uint64_t at_s, uint64_t cycles, uint64_t marked)
{
	return (struct pulse){ .at_ns = at_s * S,
			       .cycles = cycles,
			       .heap_marked = marked,
			       .heap_live = marked + 100,
			       .total_alloc = at_s * 5000,
			       .mallocs = at_s * 50,
			       .cpu_ns = at_s * S / 4,
			       .pause_total_ns = cycles * 10,
			       .gc_cpu_ns = cycles * 1000,
			       .total_cpu_ns = at_s * S };
}

static void rates_are_since_the_reading_before(void **state)
{
	struct view v = { .nread = 0 };
	struct ans_watched w;
	struct pulse p = reading(10, 4, 1000);

	(void)state;
	view_take(&v, &p, &w);
	assert_int_equal(w.interval_ns, 0);
	assert_true(isnan(w.alloc_rate) && isnan(w.cpus) && isnan(w.cycles_rate));
	p = reading(12, 7, 1000);
	view_take(&v, &p, &w);
	assert_int_equal(w.interval_ns, 2 * S);
	assert_int_equal(w.new_cycles, 3);
	assert_true(fabs(w.alloc_rate - 5000) < 1e-6 && fabs(w.malloc_rate - 50) < 1e-6);
	assert_true(fabs(w.cpus - 0.25) < 1e-9 && fabs(w.cycles_rate - 1.5) < 1e-9);
	assert_int_equal(w.nhistory, 2);
	assert_int_equal(w.history[1], 1100);
}

static void unknown_stays_unknown(void **state)
{
	struct view v = { .nread = 0 };
	struct ans_watched w;
	struct pulse p = reading(1, 1, 5);

	(void)state;
	p.total_alloc = p.gc_cpu_ns = UINT64_MAX;
	view_take(&v, &p, &w);
	p.at_ns += S;
	view_take(&v, &p, &w);
	assert_true(isnan(w.alloc_rate) && isnan(w.gc_cpu));
	assert_true(w.total_alloc == ANS_UNKNOWN);
}

static void slope_of_a_leak(void **state)
{
	struct view_cycle c[10];
	struct ans_slope s;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		c[i] = (struct view_cycle){ 5 + i, (100 + 10 * i) * S, 1000000 + 4096 * i };
	s = view_slope(c, 10);
	assert_int_equal(s.cycles, 10);
	assert_true(fabs(s.per_cycle - 4096) < 1e-6);
	assert_true(fabs(s.per_hour - 4096 * 360.0) < 1e-3);
	/* one odd collection does not turn it */
	c[4].marked = 900000000;
	s = view_slope(c, 10);
	assert_true(fabs(s.per_cycle - 4096) < 1e-6);
}

static void slope_wants_three_and_an_hour_wants_half_a_minute(void **state)
{
	struct view_cycle c[3] = { { 1, S, 10 }, { 2, 2 * S, 20 }, { 3, 3 * S, 30 } };

	(void)state;
	assert_true(isnan(view_slope(c, 2).per_cycle));
	assert_true(fabs(view_slope(c, 3).per_cycle - 10) < 1e-9);
	assert_true(isnan(view_slope(c, 3).per_hour));
	c[1] = c[2] = c[0]; /* no time, no collection between */
	assert_true(isnan(view_slope(c, 3).per_cycle));
}

static void old_readings_go(void **state)
{
	struct view v = { .nread = 0 };
	struct ans_watched w;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++) {
		struct pulse p = reading(i, i, 1000 * i);

		view_take(&v, &p, &w);
	}
	assert_int_equal(w.slope.cycles, VIEW_CYCLES);
	assert_int_equal(w.nhistory, WATCHED_HISTORY);
	assert_int_equal(w.history[WATCHED_HISTORY - 1], 1000 * 1000 + 100);
	assert_true(fabs(w.slope.per_cycle - 1000) < 1e-6);
}

/* No line is longer and no screen higher than the terminal. */
static void a_screen_fits(void **state)
{
	static const struct text_size sizes[] = { { 20, 4 }, { 80, 24 }, { 200, 60 } };
	struct view v = { .nread = 0 };
	struct ans_watched w;

	(void)state;
	for (uint64_t i = 1; i < 50; i++) {
		struct pulse p = reading(i, i, 1000 * (i % 7));

		view_take(&v, &p, &w);
	}
	w.exe = "a\x1b[2Jname\nwith\tall";
	w.go = "go1.27";
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		_cleanup_(str_deinit) struct str o = { 0 };
		unsigned lines = 1, column = 0;

		text_watched_screen(&o, TEXT_PLAIN, sizes[k], &w);
		assert_true(str_ok(&o));
		for (const char *p = o.s; *p; p++) {
			assert_true(*p == '\n' || (unsigned char)*p >= 32);
			lines += *p == '\n';
			column = *p == '\n' ? 0 : column + (((unsigned char)*p & 0xc0) != 0x80);
			assert_true(column <= sizes[k].columns);
		}
		assert_true(lines <= sizes[k].rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_since_the_reading_before),
		cmocka_unit_test(unknown_stays_unknown),
		cmocka_unit_test(slope_of_a_leak),
		cmocka_unit_test(slope_wants_three_and_an_hour_wants_half_a_minute),
		cmocka_unit_test(old_readings_go),
		cmocka_unit_test(a_screen_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
