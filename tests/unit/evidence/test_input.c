/*
 * test_input.c - packed bytes come out as they went in; cut ones as far as they go.
 */
#include "evidence/input.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

enum { PLAIN = 1 << 20, ROOM = 2 << 20 };

static uint8_t plain[PLAIN], packed[ROOM], twice[ROOM], out[ROOM];

/* repeat: bytes that pack a thousand to one, so that one step's input is many steps' output. */
static void draw(unsigned repeat)
{
	uint32_t x = 1;

	for (size_t i = 0; i < PLAIN; i++) {
		if (i % repeat == 0)
			x = x * 1664525 + 1013904223;
		plain[i] = (uint8_t)(x >> 24);
	}
}

static size_t gzip(const uint8_t *from, size_t n, uint8_t *to)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)from,
		       .avail_in = (uInt)n,
		       .next_out = to,
		       .avail_out = ROOM };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return ROOM - z.avail_out;
}

static size_t read_all(const void *p, size_t n, const char **damage)
{
	_cleanup_(input_closep) struct input *in = NULL;
	size_t all = 0, got = 1;

	assert_null(input_bytes(p, n, "drawn", &in));
	while (got) {
		assert_null(input_read(in, out + all, MIN((size_t)777, ROOM - all), &got));
		all += got;
	}
	assert_int_equal(input_offset(in), all);
	*damage = input_damage(in);
	return all;
}

static void test_layers(void **state)
{
	const char *damage;

	(void)state;
	for (unsigned repeat = 1; repeat <= 100000; repeat *= 10) {
		draw(repeat);
		size_t n = gzip(plain, PLAIN, packed);

		assert_int_equal(read_all(plain, PLAIN, &damage), PLAIN);
		assert_null(damage);
		assert_int_equal(read_all(packed, n, &damage), PLAIN);
		assert_null(damage);
		assert_memory_equal(out, plain, PLAIN);
		size_t m = ZSTD_compress(twice, ROOM, packed, n, 1);

		assert_int_equal(read_all(twice, m, &damage), PLAIN);
		assert_null(damage);
		assert_memory_equal(out, plain, PLAIN);
	}
}

static void test_members_and_padding(void **state)
{
	const char *damage;

	(void)state;
	draw(50);
	size_t n = gzip(plain, 1000, packed);

	n += gzip(plain + 1000, 500, packed + n);
	assert_int_equal(read_all(packed, n, &damage), 1500);
	assert_null(damage);
	assert_memory_equal(out, plain, 1500);
	memset(packed + n, 0, 512);
	assert_int_equal(read_all(packed, n + 512, &damage), 1500);
	assert_null(damage);
}

static void test_cut(void **state)
{
	const char *damage;

	(void)state;
	draw(3);
	size_t n = gzip(plain, PLAIN, packed), m = ZSTD_compress(twice, ROOM, plain, PLAIN, 1), got;

	for (size_t cut = 20; cut < n; cut += n / 7) {
		got = read_all(packed, cut, &damage);
		assert_string_equal(damage, "cut short");
		assert_true(got < PLAIN);
		assert_memory_equal(out, plain, got);
	}
	got = read_all(twice, m / 2, &damage);
	assert_non_null(damage);
	assert_true(got > 0);
	assert_memory_equal(out, plain, got);
	packed[n / 2] ^= 0x55;
	got = read_all(packed, n, &damage);
	assert_non_null(damage);
}

static void test_lines(void **state)
{
	static const char text[] = "one\n\nthree is long\nlast";
	_cleanup_(input_closep) struct input *in = NULL;
	static const char *const want[] = { "one", "", "three", "last" };
	const char *line;
	size_t n;

	(void)state;
	assert_null(input_bytes(text, strlen(text), "drawn", &in));
	for (size_t i = 0; i < 4; i++) {
		assert_null(input_line(in, 5, &line, &n));
		assert_string_equal(line, want[i]);
		assert_int_equal(n, strlen(want[i]));
		assert_int_equal(input_line_ended(in), i < 3);
	}
	assert_null(input_line(in, 5, &line, &n));
	assert_null(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_members_and_padding),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
