/*
 * test_learn.c - slots that mallocgc gives, and the table of texts and types.
 */
#include "snapshot/names.h"

#include "base/par.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

/*
 * Printed by a Go program (1.22 to 1.27 alike): of n bytes and of k bytes of pointers,
 * cap(append([]byte(nil), make([]byte, n)...)) and cap(append([]*int(nil), …)) * 8.
 */
static const struct {
	uint32_t bytes, bytes_cap, ptrs, ptrs_cap;
} sizes[] = {
	{ 1, 8, 8, 8 },
	{ 8, 8, 8, 8 },
	{ 9, 16, 16, 16 },
	{ 16, 16, 16, 16 },
	{ 17, 24, 24, 24 },
	{ 24, 24, 24, 24 },
	{ 25, 32, 32, 32 },
	{ 48, 48, 48, 48 },
	{ 49, 64, 56, 64 },
	{ 100, 112, 104, 112 },
	{ 512, 512, 512, 512 },
	{ 513, 576, 520, 568 },
	{ 520, 576, 520, 568 },
	{ 568, 576, 568, 568 },
	{ 576, 576, 576, 632 },
	{ 577, 640, 584, 632 },
	{ 1000, 1024, 1000, 1016 },
	{ 1016, 1024, 1016, 1016 },
	{ 1024, 1024, 1024, 1144 },
	{ 1025, 1152, 1032, 1144 },
	{ 2040, 2048, 2040, 2040 },
	{ 2048, 2048, 2048, 2296 },
	{ 4096, 4096, 4096, 4856 },
	{ 10000, 10240, 10000, 10232 },
	{ 28000, 28672, 28000, 28664 },
	{ 32752, 32768, 32752, 32760 },
	{ 32760, 32768, 32760, 32760 },
	{ 32761, 32768, 32768, 32768 },
	{ 32768, 32768, 32768, 32768 },
	{ 32769, 40960, 32776, 40960 },
	{ 40000, 40960, 40000, 40960 },
	{ 65536, 65536, 65536, 65536 },
	{ 1000000, 1007616, 1000000, 1007616 },
};

static void test_slots(void **state)
{
	size_t n;
	const struct go_layout *const *layouts = go_layouts(&n);

	(void)state;
	for (size_t v = 0; v < n; v++) {
		const struct go_layout *L = layouts[v];

		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			/* A malloc header lies in the slot and is not part of cap. */
			bool header = sizes[i].ptrs > 512 && sizes[i].ptrs <= 32760;

			assert_int_equal(snap_slot_bytes(L, sizes[i].bytes, true),
					 sizes[i].bytes_cap);
			assert_int_equal(snap_slot_bytes(L, sizes[i].ptrs, false),
					 sizes[i].ptrs_cap + (header ? 8 : 0));
		}
		assert_int_equal(snap_slot_bytes(L, 0, true), 0);
		assert_int_equal(snap_slot_bytes(L, UINT64_MAX, false), 0);
	}
}

static bool make(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	if (key.at % 3 == 0)
		return false;
	*ret = (struct snap_type){ .kind = SNAP_TYPE_OTHER };
	ret->name = snap_textf(s->names, "type %lu of %u", (unsigned long)key.at, key.what);
	return true;
}

#define NKEYS 20000

static uint32_t number[4][NKEYS];

static struct err *fill(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct snapshot *s = arg;

	(void)worker;
	for (size_t i = lo; i < hi; i++) {
		size_t at = i % NKEYS, row = i / NKEYS;

		number[row][at] = snap_type_number(s, (struct snap_type_key){ at, at & 1 }, make);
	}
	return NULL;
}

/* Four threads ask for the same: all get the same number, each name once. */
static void test_types(void **state)
{
	struct snapshot s = { 0 };
	char want[64];
	size_t known = 0;

	(void)state;
	assert_null(snap_names_create(&s.names));
	assert_null(par_for(4, 4 * NKEYS, NKEYS, fill, &s));
	for (size_t i = 0; i < NKEYS; i++) {
		assert_int_equal(number[0][i], number[1][i]);
		assert_int_equal(number[0][i], number[3][i]);
		if (i % 3 == 0) {
			assert_int_equal(number[0][i], 0);
			continue;
		}
		known++;
		assert_in_range(number[0][i], 1, s.types.n - 1);
		snprintf(want, sizeof(want), "type %zu of %zu", i, i & 1);
		assert_string_equal(s.types.v[number[0][i]].name, want);
	}
	assert_int_equal(s.types.n, known + 1);
	vec_free(&s.types);
	snap_names_free(s.names);
}

/* Whatever order claims come in, the same one stays. */
static void test_claims(void **state)
{
	struct snap_type types[] = {
		{ .name = "" },
		{ .name = "closure", .rank = 0 },
		{ .name = "small", .rank = 1, .bytes = 8 },
		{ .name = "large", .rank = 1, .bytes = 16 },
		{ .name = "large too", .rank = 1, .bytes = 16 },
		{ .name = "chan", .rank = 2 },
	};
	static const char *const orders[] = { "12345", "54321", "35142", "24513" };

	(void)state;
	for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
		uint32_t type_of[1] = { 0 };
		struct snapshot s = { .type_of = type_of };

		s.types.v = types;
		s.types.n = ARRAY_LEN(types);
		for (const char *c = orders[o]; *c; c++)
			if (*c != '5')
				snap_type_set(&s, 0, (uint32_t)(*c - '0'));
		assert_int_equal(type_of[0], 3);
		snap_type_set(&s, 0, 5);
		snap_type_set(&s, 0, 0);
		snap_type_set(&s, 0, 3);
		assert_int_equal(type_of[0], 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
