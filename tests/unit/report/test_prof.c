/*
 * test_prof.c - folded and speedscope of a profile made by hand.
 *
 * The profile, two values each ("n", "bytes"):
 *   main > work > (leaf inlined in) helper    3, 300
 *   the same by another address               1, 100
 *   main > work                               2, 0
 *   main > F[struct { A int; B int }]         5, -50
 *   an address without a function             1, 7
 *   no stack                                  4, 0
 */
#include "report/prof.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>

static struct pprof_line line(struct pprof *p, const char *name, int64_t at)
{
	return (struct pprof_line){ .function = pprof_add_function(p, name, "a.go", 1),
				    .line = at };
}

static struct pprof *drawing(void)
{
	struct pprof *p;
	uint32_t main_, work, helper, other, generic, bare;

	assert_null(pprof_create("a \"drawing\"", &p));
	pprof_add_type(p, "n", "count");
	pprof_add_type(p, "bytes", "bytes");
	main_ = pprof_add_location(p, PPROF_NONE, 0x10, (struct pprof_line[]){ line(p, "main", 3) },
				   1);
	work = pprof_add_location(p, PPROF_NONE, 0x20, (struct pprof_line[]){ line(p, "work", 9) },
				  1);
	struct pprof_line both[] = { line(p, "leaf", 4), line(p, "helper", 5) };
	helper = pprof_add_location(p, PPROF_NONE, 0x30, both, 2);
	other = pprof_add_location(p, PPROF_NONE, 0x31, both, 2);
	generic = pprof_add_location(
		p, PPROF_NONE, 0x40,
		(struct pprof_line[]){ line(p, "F[struct { A int; B int }]", 1) }, 1);
	bare = pprof_add_location(p, PPROF_NONE, 0xbeef, NULL, 0);
	pprof_add_sample(p, pprof_add_stack(p, (uint32_t[]){ helper, work, main_ }, 3),
			 (int64_t[]){ 3, 300 }, NULL, 0);
	pprof_add_sample(p, pprof_add_stack(p, (uint32_t[]){ other, work, main_ }, 3),
			 (int64_t[]){ 1, 100 }, NULL, 0);
	pprof_add_sample(p, pprof_add_stack(p, (uint32_t[]){ work, main_ }, 2), (int64_t[]){ 2, 0 },
			 NULL, 0);
	pprof_add_sample(p, pprof_add_stack(p, (uint32_t[]){ generic, main_ }, 2),
			 (int64_t[]){ 5, -50 }, NULL, 0);
	pprof_add_sample(p, pprof_add_stack(p, &bare, 1), (int64_t[]){ 1, 7 }, NULL, 0);
	pprof_add_sample(p, PPROF_NONE, (int64_t[]){ 4, 0 }, NULL, 0);
	assert_null(pprof_made(p));
	return p;
}

static void folds(void **state)
{
	struct pprof *p = drawing();
	struct str o = { 0 };
	int64_t sums[2];

	(void)state;
	assert_null(prof_folded(p, 0, &o));
	assert_string_equal(o.s, "(no stack) 4\n"
				 "0xbeef 1\n"
				 "main;F[struct { A int: B int }] 5\n"
				 "main;work 2\n"
				 "main;work;helper;leaf 4\n");
	o.n = 0;
	assert_null(prof_folded(p, 1, &o));
	assert_string_equal(o.s, "0xbeef 7\n"
				 "main;F[struct { A int: B int }] -50\n"
				 "main;work;helper;leaf 400\n");
	prof_sums(p, sums);
	assert_int_equal(sums[0], 16);
	assert_int_equal(sums[1], 357);
	str_deinit(&o);
	pprof_free(p);
}

/* The names of sample i, outermost first. */
static void names_of(const json_t *doc, const json_t *profile, size_t i, char *buf, size_t n)
{
	const json_t *frames = json_object_get(json_object_get(doc, "shared"), "frames");
	const json_t *sample = json_array_get(json_object_get(profile, "samples"), i), *f;
	size_t k, at = 0;

	json_array_foreach(sample, k, f) at += (size_t)snprintf(
		buf + at, n - at, "%s%s", k ? ">" : "",
		json_string_value(json_object_get(
			json_array_get(frames, (size_t)json_integer_value(f)), "name")));
}

static void speaks_speedscope(void **state)
{
	static const char *const want[] = { "main>work>helper>leaf", "main>work>helper>leaf",
					    "0xbeef" };
	static const int weight[] = { 300, 100, 7 };
	struct pprof *p = drawing();
	struct str o = { 0 };
	json_t *doc, *bytes;
	char buf[200];

	(void)state;
	assert_null(prof_speedscope(p, 1, &o));
	doc = json_loadb(o.s, o.n, 0, NULL);
	assert_non_null(doc);
	assert_int_equal(json_integer_value(json_object_get(doc, "activeProfileIndex")), 1);
	assert_string_equal(json_string_value(json_object_get(doc, "name")), "a \"drawing\"");
	bytes = json_array_get(json_object_get(doc, "profiles"), 1);
	assert_string_equal(json_string_value(json_object_get(bytes, "unit")), "bytes");
	assert_int_equal(json_array_size(json_object_get(bytes, "weights")), 3);
	assert_int_equal(json_integer_value(json_object_get(bytes, "endValue")), 407);
	for (size_t i = 0; i < 3; i++) {
		names_of(doc, bytes, i, buf, sizeof(buf));
		assert_string_equal(buf, want[i]);
		assert_int_equal(
			json_integer_value(json_array_get(json_object_get(bytes, "weights"), i)),
			weight[i]);
	}
	json_decref(doc);
	str_deinit(&o);
	pprof_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds),
		cmocka_unit_test(speaks_speedscope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
