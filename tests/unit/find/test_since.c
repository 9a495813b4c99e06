/*
 * test_since.c - which objects of a later look were there at the earlier one: by address, and by
 * the mark of the cycles between; facts come in any order, and hostile ones are refused.
 */
#include "find/find.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define BASE 0xc000000000ULL

/* Slots of 64 bytes; then: bits that were reachable; marks: of the last finished cycle, later. */
static const struct {
	const char *name;
	uint64_t then, marks, want;
	uint32_t cycles, elem_then;
	uint8_t kind, same;
} cases[] = {
	{ "no cycle: the address alone tells", 0x7, 0x0, 0x7, 0, 64, GO_MARKS_LAST_CYCLE,
	  FIND_SAME_PROCESS },
	{ "one cycle: what it did not mark was born since", 0x7, 0x5, 0x5, 1, 64,
	  GO_MARKS_LAST_CYCLE, FIND_SAME_PROCESS },
	{ "what was not there then did not stay", 0x1, 0xf, 0x1, 1, 64, GO_MARKS_LAST_CYCLE,
	  FIND_SAME_PROCESS },
	{ "marks of an unswept span are of the last cycle", 0x3, 0x2, 0x2, 1, 64, GO_MARKS_UNSWEPT,
	  FIND_SAME_PROCESS },
	{ "while a cycle marks, those of the one before", 0x3, 0x1, 0x1, 3, 64, GO_MARKS_MARKING,
	  FIND_SAME_PROCESS },
	{ "being swept: nothing is known of marks", 0x3, 0x0, 0x3, 1, 64, GO_MARKS_SWEEPING,
	  FIND_SAME_PROCESS },
	{ "a heap dump has no marks", 0x3, 0x0, 0x3, 1, 64, GO_MARKS_NONE, FIND_SAME_PROCESS },
	{ "the span is of another size now", 0x7, 0x7, 0x0, 1, 128, GO_MARKS_LAST_CYCLE,
	  FIND_SAME_PROCESS },
	{ "another process", 0x7, 0x7, 0x0, 1, 64, GO_MARKS_LAST_CYCLE, FIND_SAME_PROGRAM },
};

static uint64_t stayed(size_t i)
{
	struct go_span sp = { .base = BASE, .bytes = 8192, .elem_bytes = 64, .nelems = 4 };
	uint64_t marks = cases[i].marks, bits = 0;
	struct snapshot s = {
		.heap = { .spans = { &sp, 1, 1 }, .nobjects = 4, .mark_bits = &marks }
	};
	struct look l = { .s = &s };
	struct find_since *x;

	sp.marks = cases[i].kind;
	assert_null(find_since_begin(&(struct find_process){ .pid = 1 }, &x));
	assert_null(find_since_add_span(x, BASE, cases[i].elem_then, 4, &cases[i].then));
	find_since_seal(x);
	x->same = cases[i].same;
	x->cycles = cases[i].cycles;
	for (uint64_t id = 0; id < 4; id++)
		bits |= (uint64_t)find_since_stayed(x, &l, id) << id;
	find_since_free(x);
	return bits;
}

static void test_stayed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (stayed(i) != cases[i].want)
			fail_msg("%s: %#llx", cases[i].name, (unsigned long long)stayed(i));
}

static void test_any_order(void **state)
{
	const uint64_t one = 1;
	uint64_t n = 0, count = 0;
	struct find_since *x;

	(void)state;
	assert_null(find_since_begin(&(struct find_process){ .pid = 1 }, &x));
	for (uint64_t i = 9; i > 0; i--) {
		struct since_place p = { BASE + i * 0x100000, 64, i };
		struct since_found f = { .signature = i & 1 ? "1" : "0", .bytes = i, .count = i };

		assert_null(find_since_add_span(x, BASE + i * 8192, 8192, 1, &one));
		assert_null(find_since_add_place(x, &p));
		assert_null(find_since_add_root(x, i & 1 ? "main.a" : "main.b", i));
		if (i < 3)
			assert_null(find_since_add_found(x, &f));
	}
	find_since_seal(x);
	x->same = FIND_SAME_PROCESS;
	assert_true(find_since_alive(x, BASE + 5 * 8192, 8192));
	assert_false(find_since_alive(x, BASE + 10 * 8192, 8192));
	assert_false(find_since_alive(x, BASE + 5 * 8192 + 64, 8192));
	assert_true(find_since_place(x, BASE + 3 * 0x100000, 64, &n) && n == 3);
	assert_false(find_since_place(x, BASE + 3 * 0x100000, 80, &n));
	assert_true(find_since_root(x, "main.a", &n) && n == 25);
	assert_true(find_since_root(x, "main.b", &n) && n == 20);
	assert_false(find_since_root(x, "main.c", &n));
	assert_true(find_since_found(x, "0", &n, &count) && n == 2 && count == 2);
	find_since_free(x);
}

static void test_hostile(void **state)
{
	static const struct {
		uint64_t elem;
		uint32_t nelems;
	} spans[] = { { 0, 4 }, { 64, 0 }, { UINT64_MAX, 1 } };
	const uint64_t one = 1;
	struct find_since *x;

	(void)state;
	assert_null(find_since_begin(&(struct find_process){ .pid = 1 }, &x));
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		struct err *err =
			find_since_add_span(x, BASE, spans[i].elem, spans[i].nelems, &one);

		assert_non_null(err);
		assert_int_equal(err->code, ERR_BAD_DATA);
		err_free(err);
	}
	find_since_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stayed),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
