/*
 * test_out.c - files are whole or not there, and for the owner's eyes only.
 */
#include "report/out.h"

#include <stdio.h>
#include <sys/stat.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <signal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/limpet-out-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static unsigned entries(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static int drop_dir(void **state)
{
	char cmd[100];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	return system(cmd);
}

static void test_replaces_whole(void **state)
{
	struct str s = { 0 };
	char path[100], got[16] = "";
	struct stat st;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/a", dir);
	f = fopen(path, "w");
	fputs("a long old content", f);
	fclose(f);
	str_put(&s, "new");
	assert_null(out_write(path, &s));
	f = fopen(path, "r");
	assert_int_equal(fread(got, 1, sizeof(got), f), 3);
	fclose(f);
	assert_string_equal(got, "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(entries(), 1);
	str_deinit(&s);
}

/* A file size limit stands for the full disk: the old file stays, no half one is left. */
static void test_full_disk_leaves_nothing(void **state)
{
	struct rlimit old, small = { 4096, 0 };
	struct str s = { 0 };
	struct err *err;
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/b", dir);
	for (int i = 0; i < 10000; i++)
		str_put(&s, "0123456789");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	err = out_write(path, &s);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(err);
	assert_int_equal(err_exit_code(err), 3);
	assert_non_null(strstr(err->msg, path));
	err_free(err);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(entries(), 1); /* "a" of the test before */
	str_deinit(&s);
}

static void test_no_such_place(void **state)
{
	struct str s = { 0 };
	struct err *err;

	(void)state;
	str_put(&s, "x");
	err = out_write("/nonexistent/dir/x", &s);
	assert_non_null(err);
	err_free(err);
	err = out_write(dir, &s);
	assert_non_null(err);
	err_free(err);
	assert_null(out_write("/dev/null", &s));
	str_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaces_whole),
		cmocka_unit_test(test_full_disk_leaves_nothing),
		cmocka_unit_test(test_no_such_place),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
