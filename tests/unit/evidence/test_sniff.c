/*
 * test_sniff.c - lines of each kind behind what logs put before them, and lines that only look so.
 */
#include "evidence/sniff.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static unsigned of(const char *text)
{
	_cleanup_(input_closep) struct input *in = NULL;
	unsigned kinds;

	assert_null(input_bytes(text, strlen(text), "drawn", &in));
	assert_null(sniff(in, UINT64_MAX, &kinds));
	return kinds;
}

static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(of("2026-11-20T10:00:00Z stderr F gc 5 @0.031s 2%: 0.1+1"), SNIFF_GCLOG);
	assert_int_equal(of("a\nb\ngoroutine 17 [chan receive, 3 minutes]:\n"), SNIFF_GOROUTINES);
	assert_int_equal(of("web | goroutine 1 gp=0xc000002380 m=0 mp=0x1 [running]:"),
			 SNIFF_GOROUTINES);
	assert_int_equal(of("goroutine profile: total 4\n"), SNIFF_GOROUTINES);
	assert_int_equal(of("# x/y\n./a.go:3:2: moved to heap: x\n"), SNIFF_ESCAPE);
	assert_int_equal(of("{\n\t\"p\": {\n\t\t\"lostcancel\": [\n\t\t\t{\n\t\t\t\t\"posn\": "
			    "\"/b/a.go:1:2\""),
			 SNIFF_LINT);
	assert_int_equal(of("{\"code\":\"SA1015\",\"location\":{\"file\":\"/b/t.go\"}}"),
			 SNIFF_LINT);
	/* what a warning quotes is no dump */
	assert_int_equal(of("{\"Issues\":[{\"FromLinter\":\"x\",\"Text\":\"goroutine 7 [running]: "
			    "gc 1 @0.1s a.go:3: x escapes to heap\"}]}"),
			 SNIFF_LINT);
	assert_int_equal(of("./a.go:3:2: moved to heap: x\n{\"code\":\"U1000\",\"location\":{"
			    "\"file\":\"a.go\"}}\ngc 1 @0.1s 0%: x\n"),
			 SNIFF_ESCAPE | SNIFF_GCLOG | SNIFF_LINT);
	assert_int_equal(of("panic: x\ngoroutine 1 [running]:\ngc 1 @0.1s 0%: x\n"),
			 SNIFF_GOROUTINES | SNIFF_GCLOG);
}

static void test_others(void **state)
{
	(void)state;
	assert_int_equal(of(""), 0);
	assert_int_equal(of("gc 5 of 10 goroutines; goroutine x [y]; goroutine 7"), 0);
	assert_int_equal(of("a.go:12: something; gc  @1; .go:"), 0);
	assert_int_equal(of("a.go:12:1: undefined: escapes"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
