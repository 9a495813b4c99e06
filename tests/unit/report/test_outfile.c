/*
 * test_outfile.c - a big file is whole or not there.
 */
#include "report/outfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char dir[64], path[100];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/limpet-outfile-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/core", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
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

static void put_old(void)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("old", f);
	fclose(f);
}

static void test_commit(void **state)
{
	struct outfile *f = NULL;
	struct stat st;
	char got[8] = "";
	int fd;

	(void)state;
	put_old();
	assert_null(outfile_open(path, 1 << 20, &f));
	assert_true(outfile_seekable(f));
	assert_null(outfile_put_at(f, 8192, "tail", 4));
	assert_null(outfile_put(f, "he", 2));
	assert_null(outfile_put(f, "ad", 2));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3); /* nothing to be seen yet */
	assert_null(outfile_commit(f, 1 << 20));
	outfile_close(f);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 1 << 20);
	assert_true(st.st_blocks * 512 < 1 << 19); /* with holes */
	fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, got, 4, 0), 4);
	assert_string_equal(got, "head");
	assert_int_equal(pread(fd, got, 4, 8192), 4);
	assert_string_equal(got, "tail");
	close(fd);
	assert_int_equal(entries(), 1);
	unlink(path);
}

static void test_no_commit(void **state)
{
	struct outfile *f = NULL;
	struct stat st;

	(void)state;
	put_old();
	assert_null(outfile_open(path, 0, &f));
	assert_null(outfile_put(f, "new content", 11));
	outfile_close(f);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(entries(), 1);
	unlink(path);
}

static void refused(const char *where, uint64_t need, int code, int no)
{
	struct outfile *f = NULL;
	struct err *err = outfile_open(where, need, &f);

	assert_non_null(err);
	assert_null(f);
	assert_int_equal(err->code, code);
	assert_int_equal(err->os_errno, no);
	err_free(err);
	assert_int_equal(entries(), 0);
}

static void test_refused(void **state)
{
	(void)state;
	refused(path, 1ULL << 60, ERR_OS, ENOSPC); /* free disk is checked before */
	refused(dir, 0, ERR_OS, EISDIR);
	refused("/nowhere/at/all", 0, ERR_OS, ENOENT);
}

/* What is no regular file is written to in order; a full one says so. */
static void test_full_device(void **state)
{
	struct outfile *f = NULL;
	struct err *err;

	(void)state;
	assert_null(outfile_open("/dev/full", 1ULL << 60, &f));
	assert_false(outfile_seekable(f));
	err = outfile_put(f, "x", 1);
	assert_non_null(err);
	assert_int_equal(err->os_errno, ENOSPC);
	assert_int_equal(err_exit_code(err), 3);
	err_free(err);
	outfile_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit),
		cmocka_unit_test(test_no_commit),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full_device),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
