/*
 * test_err.c - errors: one line, prefixed on the way up, and the exit codes of the contract.
 */
#include "check.h"
#include "base/err.h"

#include <errno.h>

static void says_where(void **state)
{
	struct err *e = err_bad_data("span %d", 7);

	(void)state;
	e = err_prefix(e, "reading %s", "spans");
	e = err_prefix(e, "pid %d", 42);
	assert_string_equal(e->msg, "pid 42: reading spans: span 7");
	assert_int_equal(e->code, ERR_BAD_DATA);
	err_free(e);
	e = err_os(ENOENT, "%s", "/no/such");
	assert_int_equal(e->os_errno, ENOENT);
	assert_string_equal(e->msg, "/no/such: No such file or directory");
	err_free(e);
	e = err_fault(0x1234);
	assert_true(e->addr == 0x1234 && e->code == ERR_FAULT);
	err_free(e);
}

/* What a target called itself cannot break the line or drive a terminal, however long. */
static void is_one_line(void **state)
{
	char name[2000];
	struct err *e;

	(void)state;
	memset(name, '\n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	e = err_unsupported("%s\x1b[2J", name);
	for (int i = 0; i < 10; i++)
		e = err_prefix(e, "%s", name);
	for (const char *p = e->msg; *p; p++)
		assert_in_range((unsigned char)*p, 0x20, 0x7e);
	assert_true(strlen(e->msg) < sizeof(e->msg));
	err_free(e);
	e = err_unsupported("\xc2\x9b"
			    "2Jm\xc3\xa4in\xe2\x80\xae\xff");
	assert_string_equal(e->msg, "??2Jm\xc3\xa4in????");
	err_free(e);
}

static void is_caught_by_code(void **state)
{
	struct err *e = err_fault(1);

	(void)state;
	assert_false(err_catch(&e, ERR_GONE));
	assert_non_null(e);
	assert_true(err_catch(&e, ERR_FAULT));
	assert_null(e);
	assert_false(err_catch(&e, ERR_FAULT));
	assert_null(err_prefix(NULL, "nothing"));
	err_free(NULL);
	e = &err_nomem; /* static: prefixing and freeing leave it alone */
	e = err_prefix(e, "where");
	assert_string_equal(e->msg, "out of memory");
	err_free(e);
	assert_string_equal(err_nomem.msg, "out of memory");
}

static void exit_codes(void **state)
{
	static const struct {
		enum err_code code;
		int want;
	} row[] = {
		{ ERR_USAGE, 2 },	{ ERR_OS, 3 },	     { ERR_GONE, 3 },  { ERR_DENIED, 3 },
		{ ERR_UNSUPPORTED, 4 }, { ERR_BAD_DATA, 4 }, { ERR_LIMIT, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		assert_int_equal(err_exit_code(&(struct err){ .code = row[i].code }), row[i].want);
	assert_int_equal(err_exit_code(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where),
		cmocka_unit_test(is_one_line),
		cmocka_unit_test(is_caught_by_code),
		cmocka_unit_test(exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
