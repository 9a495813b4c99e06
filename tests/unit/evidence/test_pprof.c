/*
 * test_pprof.c - a profile made piece by piece: equal pieces are one, samples come out as they went
 * in.
 */
#include "evidence/pprof.h"

#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint32_t place(struct pprof *p, const char *function, int64_t line)
{
	struct pprof_line l = { .function = pprof_add_function(p, function, "a.go", 1),
				.line = line };

	return pprof_add_location(p, PPROF_NONE, 0, &l, 1);
}

static void test_equal_is_one(void **state)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	uint32_t stack[3], a, b;

	(void)state;
	assert_null(pprof_create("made", &p));
	pprof_add_type(p, "space", "bytes");
	assert_int_equal(pprof_add_word(p, ""), 0);
	assert_int_equal(pprof_add_word(p, "main.f"), pprof_add_text(p, "main.fgh", 6));
	assert_int_not_equal(pprof_add_word(p, "main.f"), pprof_add_word(p, "main.g"));
	stack[0] = place(p, "main.f", 3);
	stack[1] = place(p, "main.g", 5);
	stack[2] = place(p, "main.main", 9);
	assert_int_equal(place(p, "main.g", 5), stack[1]);
	assert_int_not_equal(place(p, "main.g", 6), stack[1]);
	a = pprof_add_stack(p, stack, 3);
	b = pprof_add_stack(p, stack + 1, 2);
	assert_int_equal(p->stacks.n, 3); /* b is inside a */
	assert_int_equal(p->stacks.v[a].parent, b);
	assert_int_equal(pprof_add_stack(p, NULL, 0), PPROF_NONE);
	assert_null(pprof_made(p));
}

static void test_samples(void **state)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	static const int64_t v[][2] = { { 1, 512 }, { INT64_MIN, INT64_MAX }, { 0, -1 }, { 7, 0 } };
	struct pprof_label label = { .num = 16 };
	struct pprof_walk w = { 0 };
	uint32_t at[4] = { 0, 0, PPROF_NONE, 0 };

	(void)state;
	assert_null(pprof_create("made", &p));
	pprof_add_type(p, "objects", "count");
	pprof_add_type(p, "space", "bytes");
	label.key = pprof_add_word(p, "bytes");
	for (unsigned i = 0; i < 4; i++) {
		uint32_t l = place(p, "main.f", i);

		if (i != 2)
			at[i] = pprof_add_stack(p, &l, 1);
		pprof_add_sample(p, at[i], v[i], &label, i & 1);
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_true(pprof_next(p, &w));
		assert_int_equal(w.i, i);
		assert_int_equal(w.stack, at[i]);
		assert_memory_equal(w.values, v[i], sizeof(v[i]));
		assert_int_equal(w.nlabels, i & 1);
		assert_int_equal(w.label_set, i & 1);
	}
	assert_false(pprof_next(p, &w));
	assert_int_equal(p->nsamples, 4);
}

static void test_value_index(void **state)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	struct err *err;
	unsigned i;

	(void)state;
	assert_null(pprof_create("made", &p));
	pprof_add_type(p, "objects", "count");
	pprof_add_type(p, "space", "bytes");
	assert_null(pprof_value_index(p, NULL, &i));
	assert_int_equal(i, 1);
	assert_null(pprof_value_index(p, "inuse_objects", &i));
	assert_int_equal(i, 0);
	assert_null(pprof_value_index(p, "1", &i));
	assert_int_equal(i, 1);
	p->default_type = pprof_add_word(p, "objects");
	assert_null(pprof_value_index(p, NULL, &i));
	assert_int_equal(i, 0);
	p->default_type = pprof_add_word(p, "none of them");
	assert_null(pprof_value_index(p, NULL, &i));
	assert_int_equal(i, 1);
	err = pprof_value_index(p, "cpu", &i);
	assert_non_null(err);
	assert_int_equal(err->code, ERR_USAGE);
	assert_non_null(strstr(err->msg, "objects, space"));
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_is_one),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_value_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
