/*
 * test_par.c - one loop over threads covers everything once; arrays and pages refuse what
 * overflows.
 */
#include "check.h"
#include "base/par.h"

#include <stdatomic.h>

enum { N = 100003 };

struct cover {
	atomic_uchar seen[N];
	atomic_uint workers;
	size_t fail_at;
};

static struct err *touch(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct cover *c = arg;

	atomic_fetch_or(&c->workers, 1U << worker);
	for (size_t i = lo; i < hi; i++) {
		if (i == c->fail_at)
			return err_bad_data("at %zu", i);
		atomic_fetch_add(&c->seen[i], 1);
	}
	return NULL;
}

static void covers_once(void **state)
{
	static const struct {
		unsigned threads;
		size_t grain;
	} row[] = { { 0, 1 }, { 1, 7 }, { 2, 1 }, { 4, 1000 }, { 7, N }, { 3, 0 }, { 2, N + 1 } };

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(row); r++) {
		struct cover *c = zalloc(1, sizeof(*c));

		c->fail_at = SIZE_MAX;
		assert_null(par_for(row[r].threads, N, row[r].grain, touch, c));
		for (size_t i = 0; i < N; i++)
			assert_int_equal(c->seen[i], 1);
		assert_true(c->workers < 1U << MAX(row[r].threads, 1U));
		free(c);
	}
}

static void first_error_stops(void **state)
{
	for (unsigned threads = 1; threads <= 4; threads++) {
		struct cover *c = zalloc(1, sizeof(*c));
		struct err *e;
		size_t done = 0;

		(void)state;
		c->fail_at = 500;
		e = par_for(threads, N, 10, touch, c);
		assert_non_null(e);
		assert_string_equal(e->msg, "at 500");
		err_free(e);
		for (size_t i = 0; i < N; i++)
			done += c->seen[i];
		assert_true(done < N);
		free(c);
	}
	assert_null(par_for(4, 0, 1, touch, NULL));
	assert_in_range(par_default_threads(), 1, 64);
}

static void vectors(void **state)
{
	VEC(int) v = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(vec_push(&v, i));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.v[i], i);
	assert_false(vec_reserve(&v, SIZE_MAX / 2));
	assert_int_equal(v.n, 1000);
	assert_int_equal(v.v[999], 999);
	vec_free(&v);
	assert_null(v.v);
}

static void pages(void **state)
{
	uint64_t *p = bigalloc(100000, 8);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(p[i], 0);
	bigfree(p, 100000, 8);
	assert_null(bigalloc(SIZE_MAX / 4, 8));
	assert_null(zalloc(SIZE_MAX / 4, 8));
	free(zalloc(0, 8));
	bigfree(NULL, 10, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers_once),
		cmocka_unit_test(first_error_stops),
		cmocka_unit_test(vectors),
		cmocka_unit_test(pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
