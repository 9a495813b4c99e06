/*
 * test_bytes.c - the cursor over hostile bytes, and ranges at the edges of the address space.
 */
#include "check.h"
#include "base/bytes.h"

static void reads_little_endian(void **state)
{
	static const uint8_t raw[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct bytes b = bytes_of(raw, sizeof(raw));

	(void)state;
	assert_int_equal(bytes_u8(&b), 1);
	assert_int_equal(bytes_u16(&b), 0x0302);
	assert_int_equal(bytes_u32(&b), 0x07060504);
	assert_true(bytes_u64(&b) == 0x0f0e0d0c0b0a0908ULL);
	assert_false(b.bad);
	assert_int_equal(bytes_left(&b), 0);
}

/* Past the end: zeros, and bad for good, even where a later read would fit. */
static void bad_sticks(void **state)
{
	static const uint8_t raw[] = { 0xff, 0xff, 0xff };
	struct bytes b = bytes_of(raw, sizeof(raw));

	(void)state;
	assert_int_equal(bytes_u32(&b), 0);
	assert_true(b.bad);
	assert_int_equal(bytes_u8(&b), 0);
	assert_true(b.bad);
	b = bytes_of(raw, sizeof(raw));
	bytes_skip(&b, 4);
	assert_true(b.bad);
	b = bytes_of(raw, sizeof(raw));
	bytes_skip(&b, SIZE_MAX);
	assert_true(b.bad);
	b = bytes_of(raw, sizeof(raw));
	bytes_skip(&b, 3);
	assert_false(b.bad);
}

/* Values by hand from the definition of unsigned LEB128. */
static void uvarint(void **state)
{
	static const struct {
		const char *raw;
		size_t n;
		uint64_t want;
		int bad;
	} row[] = {
		{ "\x00", 1, 0, 0 },
		{ "\x7f", 1, 127, 0 },
		{ "\x80\x01", 2, 128, 0 },
		{ "\xe5\x8e\x26", 3, 624485, 0 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, UINT64_MAX, 0 },
		{ "\x80", 1, 0, 1 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, 0, 1 },
		{ "", 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct bytes b = bytes_of(row[i].raw, row[i].n);

		assert_true(bytes_uvarint(&b) == row[i].want);
		assert_int_equal(b.bad, row[i].bad);
	}
}

static void ranges(void **state)
{
	struct trange r = { 0x1000, 0x2000 }, top = { UINT64_MAX - 15, UINT64_MAX };

	(void)state;
	assert_true(trange_has(r, 0x1000) && trange_has(r, 0x1fff));
	assert_false(trange_has(r, 0xfff) || trange_has(r, 0x2000));
	assert_true(trange_has_all(r, 0x1000, 0x1000));
	assert_true(trange_has_all(r, 0x2000, 0));
	assert_false(trange_has_all(r, 0x1001, 0x1000));
	/* a + n would wrap to a small number */
	assert_false(trange_has_all(r, 0x1800, UINT64_MAX));
	assert_false(trange_has_all(top, UINT64_MAX - 1, 3));
	assert_int_equal(trange_bytes((struct trange){ 2, 1 }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_little_endian),
		cmocka_unit_test(bad_sticks),
		cmocka_unit_test(uvarint),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
