/*
 * test_seekzstd.c - frames that libzstd unpacks alone and in a row, and a table that fits them.
 */
#include "report/seekzstd.h"

#include "base/bytes.h"

#include <zstd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { PIECE = 100000, PIECES = 7 };

static void fill(uint8_t *p, size_t n)
{
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 28);
	}
}

static void test_round(void **state)
{
	static uint8_t raw[PIECE * PIECES], back[PIECE * PIECES];
	size_t cap = seekzstd_bound(PIECE), at = 0, n = 0;
	uint8_t *file = malloc(cap * PIECES + 1000);
	seekzstd_table table = { 0 };
	void *end = NULL;

	(void)state;
	fill(raw, sizeof(raw));
	for (unsigned i = 0; i < PIECES; i++) {
		assert_null(seekzstd_pack(raw + i * PIECE, PIECE, file + at, cap, &n));
		assert_true(vec_push(&table, (struct seekzstd_entry){ (uint32_t)n, PIECE }));
		assert_int_equal(ZSTD_decompress(back, PIECE, file + at, n), PIECE);
		assert_memory_equal(back, raw + i * PIECE, PIECE);
		at += n;
	}
	assert_null(seekzstd_table_bytes(&table, &end, &n));
	assert_int_equal(n, 8 + 8 * PIECES + 9);
	assert_int_equal(load_u32(end), 0x184D2A5E);
	assert_int_equal(load_u32((uint8_t *)end + 4), n - 8);
	assert_int_equal(load_u32((uint8_t *)end + n - 9), PIECES);
	assert_int_equal(load_u32((uint8_t *)end + n - 4), 0x8F92EAB1);
	memcpy(file + at, end, n);
	/* all frames and the skippable one, as `zstd -d` goes through them */
	assert_int_equal(ZSTD_decompress(back, sizeof(back), file, at + n), sizeof(raw));
	assert_memory_equal(back, raw, sizeof(raw));
	vec_free(&table);
	free(end);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_round) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
