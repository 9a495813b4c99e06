/*
 * test_content.c - what pins and the like are reckoned from: what views show of a buffer, who else
 * refers to it, samples, packages, figures in words.  References against a plain count over random
 * graphs.
 */
#include "../graph/drawing.h"

#include "find/pins.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

struct shown {
	const char *what;
	taddr base;
	uint64_t size;
	struct {
		taddr data;
		uint64_t len;
	} v[4];
	size_t n;
	uint64_t want;
};

static void visible(void **state)
{
	static const struct shown rows[] = {
		{ "one in the middle", 1000, 100, { { 1040, 10 } }, 1, 10 },
		{ "apart, not in order", 1000, 100, { { 1050, 10 }, { 1000, 5 } }, 2, 15 },
		{ "overlapping", 1000, 100, { { 1010, 20 }, { 1020, 20 } }, 2, 30 },
		{ "one inside of the other", 1000, 100, { { 1010, 50 }, { 1020, 5 } }, 2, 50 },
		{ "the same twice", 1000, 100, { { 1010, 7 }, { 1010, 7 } }, 2, 7 },
		{ "beyond the end", 1000, 100, { { 1090, 50 } }, 1, 10 },
		{ "a length that is a lie", 1000, 100, { { 1000, UINT64_MAX } }, 1, 100 },
		{ "before and behind it", 1000, 100, { { 900, 10 }, { 1100, 10 } }, 2, 0 },
		{ "of no bytes", 1000, 100, { { 1010, 0 }, { 1020, 1 } }, 2, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look_view v[4] = { 0 };

		for (size_t k = 0; k < rows[i].n; k++) {
			v[k].data = rows[i].v[k].data;
			v[k].len = rows[i].v[k].len;
		}
		if (pins_visible(v, rows[i].n, rows[i].base, rows[i].size) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
}

/* Objects are the nodes behind the roots; every third of them is asked for. */
static void in_degrees(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 40; seed++) {
		struct drawing d;
		struct snapshot s = { 0 };
		uint64_t ids[DRAW_NODES];
		uint32_t degree[DRAW_NODES];
		bool seen[DRAW_NODES];
		struct graph *g;
		struct look l = { .s = &s, .nthreads = (unsigned)(1 + seed % 3) };
		size_t n = 0;

		draw_random(&d, (enum shape)(seed % SHAPES), seed);
		l.g = g = draw_graph(&d);
		s.heap.nobjects = d.n - 1 - d.nroots;
		for (uint64_t id = seed % 3; id < s.heap.nobjects; id += 3)
			ids[n++] = id;
		assert_null(content_in_degrees(&l, ids, n, degree));
		draw_reach(&d, DRAW_NO, DRAW_NO, DRAW_NO, seen);
		for (size_t i = 0; i < n; i++) {
			uint32_t want = 0;

			for (uint32_t e = 0; e < d.m; e++)
				want += seen[d.from[e]] && d.from[e] &&
					d.to[e] == graph_node_of_object(g, ids[i]);
			if (degree[i] != want)
				fail_msg("seed %d: object %d has %u, not %u", (int)seed,
					 (int)ids[i], degree[i], want);
		}
		graph_free(g);
	}
}

static void samples(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 6; shift++) {
		uint64_t n = 0, all = 1 << 18;

		for (uint64_t id = 0; id < all; id++)
			n += content_sampled(id, shift);
		/* of neighbours, too: half of them off would be no sample */
		assert_in_range(n << shift, all * 9 / 10, all * 11 / 10);
	}
	for (uint64_t id = 0; id < 4096; id++)
		if (content_sampled(id, 5))
			assert_true(content_sampled(id, 4));
}

static void packages(void **state)
{
	(void)state;
	assert_true(look_std_package("net/http"));
	assert_true(look_std_package("bufio"));
	assert_true(look_std_package("internal/runtime/maps"));
	assert_false(look_std_package("main"));
	assert_false(look_std_package(""));
	assert_false(look_std_package(NULL));
	assert_false(look_std_package("network/http"));
	assert_false(look_std_package("example.com/net/http"));
}

static void words(void **state)
{
	struct find f = { 0 };

	(void)state;
	assert_string_equal(content_count(&f, 1, "map", "maps"), "1 map");
	assert_string_equal(content_count(&f, 0, "map", "maps"), "0 maps");
	assert_string_equal(content_count(&f, 999, "map", "maps"), "999 maps");
	assert_string_equal(content_count(&f, 1000, "map", "maps"), "1,000 maps");
	assert_string_equal(content_count(&f, UINT64_MAX, "map", "maps"),
			    "18,446,744,073,709,551,615 maps");
	assert_string_equal(content_under(&f, "main.cache", "main.T.id"), " under main.cache");
	assert_string_equal(content_under(&f, "", "main.T.id"), "");
	assert_string_equal(content_under(&f, "main.cache", "main.cache"), "");
	keep_deinit(&f.keep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(visible),  cmocka_unit_test(in_degrees), cmocka_unit_test(samples),
		cmocka_unit_test(packages), cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
