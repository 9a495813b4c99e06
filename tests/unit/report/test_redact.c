/*
 * test_redact.c - which bytes pass the filter of a core, by tables.
 */
#include "report/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Two mappings: pointers into them are structure, whatever letters they are made of. */
static const struct target_region regions[] = {
	{ .range = { 0x400000, 0x500000 }, .prot = REGION_READ, .path = "" },
	{ .range = { 0x424344454600, 0x424344460000 }, .prot = REGION_READ, .path = "" },
};

static struct redact policy(void)
{
	return (struct redact){ .regions = regions, .nregions = ARRAY_LEN(regions) };
}

static void test_scrub(void **state)
{
	/* 16 bytes each; '.' stands for a zero byte on both sides */
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "abc.............", "abc............." }, /* what strings -n 4 does not show */
		{ "abcd............", "................" },
		{ "abc.....abcd....", "abc............." },
		{ "......secret....", "................" }, /* over two words */
		{ "\x01\x02\x03 12\t4.......", "\x01\x02\x03............." },
		{ "\x01"
		  "a\x02"
		  "b\x03"
		  "c\x04"
		  "d\x05"
		  "e\x06"
		  "f\x07"
		  "g\x08",
		  NULL },
		{ "\xd0\xba\xd0\xbb............",
		  "................" }, /* two letters, four bytes */
		{ "\xe5\x80\xa4"
		  ".............",
		  NULL },				    /* one, three bytes */
		{ "\xff\xfe\xfd\xfc............", NULL },   /* no text */
		{ "UFEDCB..secretsa", "UFEDCB.........." }, /* 0x424344454655 is mapped */
		{ "UFEDCC..secretsa", "................" }, /* 0x434344454655 is not */
		{ "@@@.....abcdefgh", "@@@............." }, /* 0x404040, a function */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		const char *want = row[i].out ? row[i].out : row[i].in;
		struct redact r = policy();
		uint8_t buf[16], out[16];

		for (size_t k = 0; k < 16; k++) {
			buf[k] = row[i].in[k] == '.' ? 0 : (uint8_t)row[i].in[k];
			out[k] = want[k] == '.' ? 0 : (uint8_t)want[k];
		}
		redact_scrub(&r, buf, sizeof(buf));
		assert_memory_equal(buf, out, sizeof(buf));
	}
}

static void test_ranges(void **state)
{
	struct ranges r = { 0 };

	(void)state;
	ranges_add(&r, 300, 10);
	ranges_add(&r, 100, 50);
	ranges_add(&r, 150, 50); /* joins */
	ranges_add(&r, 180, 10);
	ranges_add(&r, UINT64_MAX - 1, 10); /* wraps: none */
	ranges_add(&r, 5, 0);
	assert_null(ranges_settle(&r));
	assert_int_equal(r.at.n, 2);
	assert_int_equal(ranges_after(&r, 99), 0);
	assert_int_equal(ranges_after(&r, 199), 0);
	assert_int_equal(ranges_after(&r, 200), 1);
	assert_int_equal(ranges_after(&r, 310), 2);
	assert_true(ranges_cover(&r, 100, 100));
	assert_false(ranges_cover(&r, 100, 101));
	assert_false(ranges_cover(&r, 99, 2));
	assert_true(ranges_touch(&r, 99, 2));
	assert_false(ranges_touch(&r, 200, 100));
	assert_true(ranges_touch(&r, 200, 101));
	vec_free(&r.at);
}

/* Later sets win: scrub, drop, keep. */
static void test_filter(void **state)
{
	static const char in[] =
		"text-text-text-text-text-text-text-text-text-text-text-text-text-";
	struct redact r = policy();
	char buf[64];

	(void)state;
	ranges_add(&r.scrub, 1000, 32);
	ranges_add(&r.drop, 1016, 32);
	ranges_add(&r.keep, 1020, 4);
	assert_null(ranges_settle(&r.scrub));
	memcpy(buf, in, sizeof(buf));
	redact_filter(&r, 1000, (uint8_t *)buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], (i >= 20 && i < 24) || i >= 48 ? in[i] : 0);
	assert_true(redact_drops(&r, 1030, 10));
	assert_false(redact_drops(&r, 1016, 10)); /* some of it is kept */
	assert_false(redact_drops(&r, 1040, 10));
	redact_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scrub),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
