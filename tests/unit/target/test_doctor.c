/*
 * test_doctor.c - the list of checks: what fails first decides, what does not fit is cut.
 */
#include "target/doctor.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_exit_code(void **state)
{
	struct doctor d = { 0 };

	(void)state;
	assert_int_equal(doctor_exit_code(&d), 0);
	doctor_say(&d, "a", DOCTOR_NOTE, "works, but");
	assert_int_equal(doctor_exit_code(&d), 0);
	doctor_fail(&d, "b", err_new(ERR_LIMIT, "too long: wait"));
	doctor_fail(&d, "c", err_new(ERR_UNSUPPORTED, "not Go"));
	assert_int_equal(doctor_exit_code(&d), 5);
	assert_int_equal(d.checks.n, 3);
	assert_string_equal(d.checks.v[1].detail, "too long: wait");
	doctor_deinit(&d);

	doctor_say(&d, "a", DOCTOR_FAIL, "denied unless said otherwise");
	assert_int_equal(doctor_exit_code(&d), 3);
	doctor_deinit(&d);
}

static void test_todo(void **state)
{
	struct doctor d = { 0 };
	struct doctor_check *c = doctor_say(&d, "a", DOCTOR_FAIL, "%0500d", 1);

	(void)state;
	assert_int_equal(strlen(c->detail), sizeof(c->detail) - 1);
	doctor_todo(c, "one");
	doctor_todo(c, "two %d", 2);
	assert_string_equal(c->todo, "one\ntwo 2");
	for (int i = 0; i < 1000; i++)
		doctor_todo(c, "and so on");
	assert_true(strlen(c->todo) < sizeof(c->todo));
	doctor_deinit(&d);
}

/* Whatever is missing, each place is told how to get it. */
static void test_remedy(void **state)
{
	(void)state;
	for (unsigned needs = 1; needs < 16; needs++) {
		struct doctor d = { 0 };
		struct doctor_check *c = doctor_say(&d, "a", DOCTOR_FAIL, "x");

		doctor_remedy(c, needs, 0);
		assert_non_null(strstr(c->todo, "docker run"));
		assert_non_null(strstr(c->todo, "kubectl debug"));
		assert_int_equal(strstr(c->todo, "SYS_ADMIN") != NULL, (needs & NEED_ADMIN) != 0);
		assert_true(strlen(c->todo) + 1 < sizeof(c->todo));
		doctor_deinit(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_code),
		cmocka_unit_test(test_todo),
		cmocka_unit_test(test_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
