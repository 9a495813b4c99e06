/*
 * test_rows.c - structs to tables and back: every kind, every width, older files, files that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/rows.h"

#include <math.h>
#include <stdio.h>

struct thing {
	int64_t i64;
	uint64_t u64;
	int32_t i32;
	uint8_t u8;
	bool yes;
	taddr at;
	const char *text, *word;
	double real;
	uint64_t zero;
	struct {
		uint16_t in;
	} nested;
};

#define C(m, k) STORE_MEMBER(struct thing, m, #m, k, "of " #m)
static const struct store_column columns[] = {
	C(i64, STORE_INT),
	C(u64, STORE_UINT),
	C(i32, STORE_INT),
	C(u8, STORE_UINT),
	C(yes, STORE_BOOL),
	C(at, STORE_ADDR),
	C(text, STORE_TEXT),
	C(word, STORE_WORD),
	C(real, STORE_REAL),
	C(zero, STORE_UINT | STORE_ZERO),
	STORE_MEMBER(struct thing, nested.in, "nested_in", STORE_UINT, "in it"),
	{ 0 },
};

static const struct store_table things = {
	.name = "things",
	.about = "all of them",
	.since = 1,
	.row_bytes = sizeof(struct thing),
	.columns = columns,
};

static const struct store_table parts = {
	.name = "parts",
	.parent = "things",
	.about = "what they are made of",
	.since = 1,
	.row_bytes = sizeof(struct thing),
	.columns = columns,
};

static void good(struct err *err)
{
	if (err)
		fail_msg("%s", err->msg);
}

static const struct thing some[] = {
	{ .i64 = -5,
	  .u64 = UINT64_MAX,
	  .i32 = INT32_MIN,
	  .u8 = 254,
	  .yes = true,
	  .at = 0xc000012345,
	  .text = "x'\"; DROP TABLE things",
	  .word = NULL,
	  .real = 0.5,
	  .zero = 0,
	  .nested = { 65535 } },
	{ .i64 = INT64_MIN,
	  .u64 = 7,
	  .i32 = -1,
	  .u8 = 255,
	  .at = 0,
	  .text = "",
	  .word = "w",
	  .real = (double)NAN,
	  .zero = 12,
	  .nested = { 9 } },
};

static void assert_thing(const struct thing *a, const struct thing *b)
{
	assert_int_equal(a->i64, b->i64);
	assert_int_equal(a->u64, b->u64);
	assert_int_equal(a->i32, b->i32);
	assert_int_equal(a->u8, b->u8);
	assert_int_equal(a->yes, b->yes);
	assert_int_equal(a->at, b->at);
	assert_string_equal(a->text, b->text);
	assert_int_equal(!a->word, !b->word);
	if (a->word)
		assert_string_equal(a->word, b->word);
	assert_true(a->real == b->real || (isnan(a->real) && isnan(b->real)));
	assert_int_equal(a->zero, b->zero);
	assert_int_equal(a->nested.in, b->nested.in);
}

static void test_there_and_back(void **state)
{
	_cleanup_(store_closep) struct store *x = NULL;
	_cleanup_(keep_deinit) struct keep keep = { 0 };
	_cleanup_(freep) struct thing *v = NULL;
	_cleanup_(freep) int64_t *ids = NULL;
	int64_t first = 0;
	size_t n = 0;
	bool has = false;

	(void)state;
	good(store_create(&x));
	good(store_put(x, &things, 0, some, 2, &first));
	assert_int_equal(first, 1);
	good(store_put(x, &things, 0, some, 1, &first));
	assert_int_equal(first, 3);
	good(store_reopen(x));
	good(store_get(x, &things, 0, &keep, (void **)&v, &n, &ids, &has));
	assert_true(has);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ids[i], i + 1);
		assert_thing(&v[i], &some[i % 2]);
	}
}

static void test_children(void **state)
{
	_cleanup_(store_closep) struct store *x = NULL;
	_cleanup_(keep_deinit) struct keep keep = { 0 };
	struct thing one;
	int64_t first = 0;
	bool there;

	(void)state;
	good(store_create(&x));
	for (int64_t p = 1; p < 5; p++)
		good(store_put(x, &parts, p, some, p % 2 ? 2 : 0, &first));
	good(store_reopen(x));
	for (int64_t p = 0; p < 6; p++) {
		_cleanup_(freep) struct thing *v = NULL;
		size_t n = 99;

		good(store_get(x, &parts, p, &keep, (void **)&v, &n, NULL, NULL));
		assert_int_equal(n, p == 1 || p == 3 ? 2 : 0);
		if (n)
			assert_thing(&v[1], &some[1]);
	}
	good(store_get_one(x, &parts, 4, &keep, &one, &there));
	assert_true(there);
	assert_thing(&one, &some[1]);
	good(store_get_one(x, &parts, 5, &keep, &one, &there));
	assert_false(there);
}

static void test_empty_table_is_there(void **state)
{
	_cleanup_(store_closep) struct store *x = NULL;
	_cleanup_(keep_deinit) struct keep keep = { 0 };
	bool has = false;

	(void)state;
	good(store_create(&x));
	good(store_put(x, &things, 0, NULL, 0, NULL));
	good(store_has(x, &things, &has));
	assert_true(has);
	good(store_has(x, &parts, &has));
	assert_false(has);
}

/* Whatever stands in a file, made by that SQL; yields the rows that are read of things. */
static struct err *read_of(const char *sql, struct keep *keep, struct thing **v, size_t *n,
			   bool *has)
{
	_cleanup_(store_closep) struct store *x = NULL;
	struct err *err = store_create(&x);
	char *why = NULL;

	if (err)
		return err;
	if (sqlite3_exec(store_db(x), sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	err = store_reopen(x);
	return err ? err : store_get(x, &things, 0, keep, (void **)v, n, NULL, has);
}

static const struct thing nothing = { .i64 = INT64_MIN,
				      .u64 = UINT64_MAX,
				      .i32 = INT32_MIN,
				      .u8 = 255,
				      .text = "",
				      .real = (double)NAN,
				      .nested = { 65535 } };

#define ALL "id INTEGER PRIMARY KEY, i64, u64, i32, u8, yes, at, text, word, real, zero, nested_in"

static void test_lies(void **state)
{
	static const struct {
		const char *why, *sql;
	} lies[] = {
		{ "nothing in any column",
		  "CREATE TABLE things(" ALL "); INSERT INTO things(id) VALUES(1)" },
		{ "columns of an older file",
		  "CREATE TABLE things(id INTEGER PRIMARY KEY); INSERT INTO things VALUES(1)" },
		{ "text where numbers are wanted, numbers where text is",
		  "CREATE TABLE things(" ALL "); INSERT INTO things VALUES(1, 'a', 'b', 'c', "
		  "'d', 'e', 5, 6, 7, 'f', 'g', 'h')" },
		{ "blobs",
		  "CREATE TABLE things(" ALL "); INSERT INTO things VALUES(1, x'00', x'00', "
		  "x'00', x'00', x'00', x'00', x'00', x'00', x'00', x'00', x'00')" },
		{ "numbers that no member holds",
		  "CREATE TABLE things(" ALL "); INSERT INTO things VALUES(1, 1e300, -1, "
		  "4294967296, 256, 2, 'c000', NULL, NULL, NULL, -9, 65536)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		_cleanup_(keep_deinit) struct keep keep = { 0 };
		_cleanup_(freep) struct thing *v = NULL;
		size_t n = 0;
		bool has = false;

		good(read_of(lies[i].sql, &keep, &v, &n, &has));
		if (!has || n != 1)
			fail_msg("%s: %zu rows", lies[i].why, n);
		assert_thing(v, &nothing);
	}
}

static void test_no_tables(void **state)
{
	static const char *const views[] = {
		"CREATE TABLE other(id INTEGER PRIMARY KEY)",
		"CREATE VIEW things AS WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 "
		"FROM r) SELECT id FROM r",
		"CREATE TABLE things(i64, u64)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		_cleanup_(keep_deinit) struct keep keep = { 0 };
		_cleanup_(freep) struct thing *v = NULL;
		size_t n = 9;
		bool has = true;

		good(read_of(views[i], &keep, &v, &n, &has));
		assert_false(has);
		assert_int_equal(n, 0);
	}
}

/* A computed column is not run: it is as if it were not there. */
static void test_computed_columns(void **state)
{
	_cleanup_(keep_deinit) struct keep keep = { 0 };
	_cleanup_(freep) struct thing *v = NULL;
	size_t n = 0;
	bool has = false;

	(void)state;
	good(read_of("CREATE TABLE things(id INTEGER PRIMARY KEY, u64 INTEGER, "
		     "text AS (hex(zeroblob(300000000)))); INSERT INTO things VALUES(1, 5)",
		     &keep, &v, &n, &has));
	assert_int_equal(n, 1);
	assert_int_equal(v->u64, 5);
	assert_string_equal(v->text, "");
}

/* Rows of a byte each, which in memory are a hundred each, end where the file's size says. */
static void test_more_than_the_file_holds(void **state)
{
	_cleanup_(store_closep) struct store *x = NULL;
	_cleanup_(keep_deinit) struct keep keep = { 0 };
	struct err *err = NULL;
	unsigned i;

	(void)state;
	good(store_create(&x));
	assert_int_equal(sqlite3_exec(store_db(x),
				      "CREATE TABLE parts(parent, " ALL
				      "); WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
				      "FROM r WHERE n < 20000) INSERT INTO parts(parent) SELECT 1 "
				      "FROM r",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	good(store_reopen(x));
	for (i = 0; i < 1000 && !err; i++) {
		_cleanup_(freep) struct thing *v = NULL;
		size_t n;

		err = store_get(x, &parts, 1, &keep, (void **)&v, &n, NULL, NULL);
	}
	assert_non_null(err);
	assert_int_equal(err->code, ERR_BAD_DATA);
	assert_true(i > 1);
	err_free(err);
}

static int count(void *arg, int n, char **v, char **names)
{
	(void)names;
	*(int *)arg = n == 1 && v[0] ? atoi(v[0]) : -1;
	return 0;
}

static void test_described(void **state)
{
	_cleanup_(store_closep) struct store *x = NULL;
	int n = 0;

	(void)state;
	good(store_create(&x));
	good(store_put(x, &things, 0, some, 1, NULL));
	good(store_put(x, &parts, 1, some, 1, NULL));
	assert_int_equal(sqlite3_exec(store_db(x),
				      "SELECT count(*) FROM tables JOIN columns ON "
				      "tables.name = \"table\" WHERE columns.about LIKE 'of %'",
				      count, &n, NULL),
			 SQLITE_OK);
	assert_int_equal(n, 2 * 10);
	sqlite3_exec(
		store_db(x),
		"SELECT count(*) FROM columns WHERE \"table\" = 'parts' AND name = 'parent' AND "
		"about LIKE '%things'",
		count, &n, NULL);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_empty_table_is_there),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_no_tables),
		cmocka_unit_test(test_computed_columns),
		cmocka_unit_test(test_more_than_the_file_holds),
		cmocka_unit_test(test_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
