/*
 * test_gclog.c - lines of gctrace in any company: whole, behind prefixes, in JSON, in pieces.
 */
#include "evidence/gclog.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define L1                                                                                         \
	"gc 1 @0.012s 2%: 0.011+0.40+0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4->5->1 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P"
#define L2                                                                                         \
	"gc 2 @0.112s 3%: 0.011+1.4+0.003 ms clock, 0.022+0/0.20/0+0.006 ms cpu, 4->6->2 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P"
#define L3                                                                                         \
	"gc 3 @10.500s 4%: 12+150+0.003 ms clock, 24+0/20/0+0.006 ms cpu, 7->8->3 MB, 8 MB goal, 0 MB stacks, 1 MB globals, 2 P"
/* Of any cycle, behind its number. */
#define PIECES                                                                                     \
	"@0.112s 3%: 0.011+word\n1.4+0.003 ms clock, 0.022+0/0.20/0+0.006 ms cpu, 4->6->2 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P\n"

static void read_text(const char *text, struct gclog *ret)
{
	struct input *in;

	assert_null(input_bytes(text, strlen(text), "log", &in));
	assert_null(gclog_read(in, ret));
	input_close(in);
}

/* Text, and how many cycles, streams and broken ones are in it. */
static const struct {
	const char *name, *text;
	unsigned cycles, streams, broken, pieced;
} table[] = {
	{ "whole", L1 "\n" L2 "\n" L3 "\n", 3, 1, 0, 0 },
	{ "no newline at the end", L1 "\n" L2, 2, 1, 0, 0 },
	{ "carriage returns", L1 "\r\n" L2 "\r\n", 2, 1, 0, 0 },
	{ "nothing", "hello\ngc of sessions: 3 removed, 4 MB, 2 P\n", 0, 0, 0, 0 },
	{ "before 1.18",
	  "gc 7 @0.1s 2%: 0.011+0.40+0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4->5->1 MB, 5 MB goal, 2 P (forced)\n",
	  1, 1, 0, 0 },
	{ "goroutine leaks",
	  "gc 7 @0.1s 2% (checking for goroutine leaks): 0.011+0.40+0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4->5->1 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P\n",
	  1, 1, 0, 0 },
	{ "behind own output", "progress 45%" L1 "\nprogress 46%" L2 "\n", 2, 1, 0, 0 },
	{ "two in a line", L1 L2 "\n", 2, 1, 0, 0 },
	{ "journald",
	  "Nov 21 03:00:00 host server[12]: " L1 "\nNov 21 03:00:01 host server[12]: " L2 "\n", 2,
	  1, 0, 0 },
	{ "two units",
	  "Nov 21 03:00:00 host server[12]: " L1 "\nNov 21 03:00:01 host server[13]: " L1
	  "\nNov 21 03:00:01 host server[13]: " L2 "\nNov 21 03:00:01 host server[12]: " L2 "\n",
	  4, 2, 0, 0 },
	{ "docker",
	  "{\"log\":\"gc 1 @0.012s 2%: 0.011+0.40+0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4-\\u003e5-\\u003e1 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P\\n\",\"stream\":\"stderr\"}\n",
	  1, 1, 0, 0 },
	{ "kubernetes",
	  "2024-01-01T00:00:00.1Z stderr F " L1 "\n2024-01-01T00:00:01.2Z stderr F " L2 "\n", 2, 1,
	  0, 0 },
	{ "a line in between",
	  "gc 1 @0.012s 2%: 0.011+0.40+hello world 12\n0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4->5->1 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P\n",
	  1, 1, 0, 1 },
	{ "a number in between, and a prefix",
	  "x | gc 1 @0.012s 2%: 0.011+17\nx | 0.40+0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4->x | 99\nx | 5->1 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P\n",
	  1, 1, 0, 1 },
	{ "a whole cycle in between",
	  "gc 1 @0.012s 2%: 0.011+" L3
	  "\n0.40+0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4->5->1 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P\n",
	  2, 2, 0, 1 },
	{ "a number that cannot be, in pieces", L1 "\ngc 29 " PIECES L3 "\n", 2, 1, 1, 0 },
	{ "in pieces at the end", L1 "\ngc 2 " PIECES, 2, 1, 0, 1 },
	{ "in pieces at first", "gc 1 " PIECES L3 "\n", 2, 1, 0, 1 },
	{ "nothing but pieces", "gc 7 " PIECES, 1, 1, 0, 1 },
	{ "cut", "gc 1 @0.012s 2%: 0.011+0.40+0.003 ms clo", 0, 0, 1, 0 },
	{ "cut, and another process", "gc 9 @0.012s 2%: 0.011+0.40+\n" L1 "\n" L2 "\n", 2, 1, 1,
	  0 },
	{ "impossible",
	  "gc 1 @0.012s 2%: 0.011+0.40+0.003 ms clock, 0.022+0.10/0.20/0.30+0.006 ms cpu, 4->2->1 MB, 5 MB goal, 0 MB stacks, 1 MB globals, 2 P\n",
	  0, 0, 1, 0 },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct gclog g;
		unsigned pieced = 0;

		read_text(table[i].text, &g);
		for (size_t k = 0; k < g.streams.n; k++)
			pieced += (unsigned)g.streams.v[k]->st.pieced;
		if (g.cycles != table[i].cycles || g.streams.n != table[i].streams ||
		    g.broken != table[i].broken || pieced != table[i].pieced)
			fail_msg("%s: %u cycles, %zu streams, %u broken, %u pieced", table[i].name,
				 (unsigned)g.cycles, g.streams.n, (unsigned)g.broken, pieced);
		gclog_deinit(&g);
	}
}

static void test_fields(void **state)
{
	struct gclog g;
	const struct gclog_cycle *c;

	(void)state;
	read_text(L1 "\n" L2 "\nGC forced\n" L3 " (forced)\n", &g);
	c = g.streams.v[0]->cycles.v;
	assert_int_equal(c[0].at_ns, 12000000);
	assert_int_equal(c[0].stop_ns, 11000);
	assert_int_equal(c[0].mark_ns, 400000);
	assert_int_equal(c[0].stop2_ns, 3000);
	assert_int_equal(c[0].cpu_assist_ns, 100000);
	assert_int_equal(c[0].cpu_mark_ns, 200000);
	assert_int_equal(c[0].cpu_idle_ns, 300000);
	assert_int_equal(c[0].cpu_stop2_ns, 6000);
	assert_int_equal(c[0].heap0, 4);
	assert_int_equal(c[0].heap1, 5);
	assert_int_equal(c[0].heap2, 1);
	assert_int_equal(c[0].goal, 5);
	assert_int_equal(c[0].globals, 1);
	assert_int_equal(c[0].procs, 2);
	assert_int_equal(c[0].util, 2);
	assert_int_equal(c[2].at_ns, 10500000000);
	assert_int_equal(c[2].mark_ns, 150000000);
	assert_int_equal(c[2].line, 4);
	assert_int_equal(c[2].flags, GCLOG_FORCED | GCLOG_PERIODIC);
	gclog_deinit(&g);
}

/* What each piece of print() writes, with every other output between any two of them. */
static void test_every_cut(void **state)
{
	static const char *const noise[] = { "x\n", "12\n", "a: 3->4 MB, 1 P\n", "5 ms cpu, \n",
					     "gc \n" };
	char text[1024];

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(noise); k++)
		for (size_t cut = 3; cut < strlen(L1); cut++) {
			struct gclog g;

			/* only where one number or word ends */
			if ((L1[cut] >= '0' && L1[cut] <= '9') ==
				    (L1[cut - 1] >= '0' && L1[cut - 1] <= '9') ||
			    L1[cut] == '.' || L1[cut - 1] == '.')
				continue;
			/* two numbers that became one are not told apart */
			if (noise[k][0] <= '9' && L1[cut - 1] >= '0' && L1[cut - 1] <= '9')
				continue;
			snprintf(text, sizeof(text), "%.*s%s%s\n%s\n", (int)cut, L1, noise[k],
				 &L1[cut], L2);
			read_text(text, &g);
			if (g.cycles != 2 || g.streams.n != 1 ||
			    g.streams.v[0]->cycles.v[0].heap1 != 5 ||
			    g.streams.v[0]->cycles.v[0].mark_ns != 400000)
				fail_msg("%s: %u cycles, %zu streams", text, (unsigned)g.cycles,
					 g.streams.n);
			gclog_deinit(&g);
		}
}

static int by_value(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;

	return (p > q) - (p < q);
}

static void test_slope(void **state)
{
	enum { N = 60 };
	double x[N], y[N], s[N * N];
	struct gclog_slope got;
	uint32_t r = 7;
	size_t k = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		r = r * 1664525 + 1013904223;
		x[i] = i * 2;
		y[i] = 5.0 * i + (r >> 24) / 16.0 + (i % 13 == 5 ? 1000 : 0);
	}
	for (unsigned i = 0; i < N; i++)
		for (unsigned j = i + 1; j < N; j++)
			s[k++] = (y[j] - y[i]) / (x[j] - x[i]);
	qsort(s, k, sizeof(*s), by_value);
	assert_null(gclog_theil_sen(x, y, N, &got));
	assert_true(fabs(got.slope - (s[k / 2] + s[k / 2 - 1]) / 2) < 1e-9);
	assert_true(got.low < 2.5 && got.high > 2.5 && got.low > 2.2 && got.high < 2.8);
	assert_null(gclog_theil_sen(x, y, 2, &got));
	assert_true(isnan(got.slope));
}

/* MiB that live after cycle i, and what it must be called. */
static double leaks(unsigned i)
{
	return 10 + i;
}
static double fills(unsigned i)
{
	return 10 + 60 * (1 - exp(-(double)i / 15));
}
static double stays(unsigned i)
{
	return 50 + (i * 7 % 5) / 2.0;
}

static void test_verdicts(void **state)
{
	static const struct {
		double (*live)(unsigned i);
		uint8_t verdict;
	} shapes[] = { { leaks, GCLOG_LEAK }, { fills, GCLOG_WARMING }, { stays, GCLOG_STEADY } };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(shapes); k++) {
		static char text[40000];
		size_t n = 0;
		struct gclog g;

		for (unsigned i = 1; i <= 100; i++) {
			unsigned live = (unsigned)shapes[k].live(i), peak = live + 60;

			n += (size_t)snprintf(
				text + n, sizeof(text) - n,
				"gc %u @%u.000s 1%%: 0.01+1.0+0.01 ms clock, 0.02+0/1.0/0+0.02 ms cpu, "
				"%u->%u->%u MB, %u MB goal, 0 MB stacks, 0 MB globals, 2 P\n",
				i, i, peak, peak, live, peak);
		}
		read_text(text, &g);
		if (g.streams.n != 1 || g.streams.v[0]->says.verdict != shapes[k].verdict)
			fail_msg("%zu: %zu streams, %s: %s", k, g.streams.n,
				 gclog_verdict_word(g.streams.v[0]->says.verdict),
				 g.streams.v[0]->says.why);
		if (shapes[k].verdict == GCLOG_LEAK) {
			assert_int_equal((int)round(g.streams.v[0]->st.per_cycle.slope / 1048576),
					 1);
			assert_int_equal((int)round(g.streams.v[0]->st.per_hour.slope / 1048576),
					 3600);
		}
		gclog_deinit(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	  cmocka_unit_test(test_fields),
		cmocka_unit_test(test_every_cut), cmocka_unit_test(test_slope),
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
