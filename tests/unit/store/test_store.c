/*
 * test_store.c - a database of ours, and files that are none.
 */
#include "store/store.h"

#include "file.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char *copy_of(struct store *w, size_t *ret_n)
{
	const void *bytes;
	uint64_t n;
	char *b;

	assert_null(store_bytes(w, &bytes, &n));
	b = malloc(n);
	assert_non_null(b);
	memcpy(b, bytes, n);
	*ret_n = n;
	store_close(w);
	return b;
}

static struct store *small(void)
{
	struct store *w = NULL;

	assert_null(store_create(&w));
	assert_int_equal(sqlite3_exec(store_db(w),
				      "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);"
				      "INSERT INTO t (x) VALUES ('one'), ('two')",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_null(store_document(w, "t", 1, "for this test"));
	assert_null(store_document_column(w, "t", "x", "text", 1, "a word"));
	return w;
}

static int count(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;
	int n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void what_is_written_is_read(void **state)
{
	struct store *x = NULL;

	(void)state;
	assert_null(file_again(small(), &x));
	assert_int_equal(store_version(x), STORE_VERSION);
	assert_int_equal(count(store_db(x), "SELECT count(*) FROM t"), 2);
	assert_int_equal(count(store_db(x), "SELECT count(*) FROM tables WHERE name = 't'"), 1);
	assert_int_equal(count(store_db(x), "SELECT count(*) FROM columns WHERE name = 'x'"), 1);
	assert_int_equal(sqlite3_exec(store_db(x), "DELETE FROM t", NULL, NULL, NULL),
			 SQLITE_READONLY);
	store_close(x);
}

static void what_is_written_is_read_where_it_is(void **state)
{
	struct store *x = small();

	(void)state;
	assert_null(store_reopen(x));
	assert_null(store_reopen(x));
	assert_int_equal(count(store_db(x), "SELECT count(*) FROM t"), 2);
	assert_int_equal(sqlite3_exec(store_db(x), "DELETE FROM t", NULL, NULL, NULL),
			 SQLITE_READONLY);
	store_close(x);
}

static void refused(int fd, enum err_code code, const char *with)
{
	struct store *x = NULL;
	struct err *err = store_open(fd, "some.file", &x);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	assert_non_null(strstr(err->msg, "some.file: "));
	assert_non_null(strstr(err->msg, with));
	assert_null(strchr(err->msg, '\n'));
	assert_null(x);
	err_free(err);
}

static void other_files_are_refused(void **state)
{
	sqlite3 *db = NULL;
	sqlite3_int64 n = 0;
	unsigned char *b;

	(void)state;
	refused(file_of("", 0), ERR_UNSUPPORTED, "no store of limpet's");
	refused(file_of("SQLite format 3\0 and then nothing of the kind, for ", 50), ERR_BAD_DATA,
		"take the snapshot again");
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
	b = sqlite3_serialize(db, "main", &n, 0);
	assert_non_null(b);
	refused(file_of(b, (size_t)n), ERR_UNSUPPORTED, "no store of limpet's");
	sqlite3_free(b);
	sqlite3_close(db);
}

/* A view or trigger of the file is not run. */
static void nothing_of_a_file_is_run(void **state)
{
	struct store *x = NULL, *w = small();

	(void)state;
	assert_int_equal(
		sqlite3_exec(store_db(w), "CREATE VIEW v AS SELECT x FROM t", NULL, NULL, NULL),
		SQLITE_OK);
	assert_null(file_again(w, &x));
	assert_int_equal(count(store_db(x), "SELECT count(*) FROM v"), -1);
	assert_int_equal(count(store_db(x), "SELECT count(*) FROM t"), 2);
	store_close(x);
}

/* What would go on for ever ends with an error. */
static void work_is_bounded_by_the_size_of_the_file(void **state)
{
	struct store *x = NULL;
	struct err *err;

	(void)state;
	assert_null(file_again(small(), &x));
	assert_int_equal(count(store_db(x),
			       "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
			       "FROM c) SELECT count(*) FROM c"),
			 -1);
	assert_int_equal(sqlite3_errcode(store_db(x)) & 0xff, SQLITE_INTERRUPT);
	err = store_err(x, "counting");
	assert_int_equal(err->code, ERR_BAD_DATA);
	err_free(err);
	store_close(x);
}

/* Whatever byte is another: an error, or something is read. */
static void flipped_bytes_do_no_harm(void **state)
{
	size_t n;
	char *b = copy_of(small(), &n);

	(void)state;
	for (size_t i = 0; i < n; i += i < 200 ? 1 : 61) {
		struct store *x = NULL;
		struct err *err;

		b[i] = (char)(b[i] ^ 0xff);
		err = store_open(file_of(b, n), "flipped", &x);
		if (!err) {
			(void)count(store_db(x), "SELECT count(*) FROM t WHERE x > 'a'");
			(void)count(store_db(x), "SELECT count(*) FROM columns WHERE about > 'a'");
		}
		err_free(err);
		store_close(x);
		b[i] = (char)(b[i] ^ 0xff);
	}
	for (size_t cut = 0; cut < n; cut += 509) {
		struct store *x = NULL;
		struct err *err = store_open(file_of(b, cut), "cut", &x);

		if (!err)
			(void)count(store_db(x), "SELECT count(*) FROM t WHERE x > 'a'");
		err_free(err);
		store_close(x);
	}
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_written_is_read_where_it_is),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(nothing_of_a_file_is_run),
		cmocka_unit_test(work_is_bounded_by_the_size_of_the_file),
		cmocka_unit_test(flipped_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
