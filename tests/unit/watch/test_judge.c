/*
 * test_judge.c - rounds as one would draw them, and simulated programs: which of them leak?
 */
#include "sim.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { N = 7 };

/* Looks behind 1, 2, 4, 8, 16, 32, 64 loads, and behind a rest; -1 ends. */
static const struct {
	const char *name;
	int64_t objects[N + 3], bytes[N + 3], stayed[N + 3]; /* bytes, stayed: first -1: none */
	enum judge_verdict verdict;
	enum judge_do next;
} drawn[] = {
	{ "nothing, three rounds",
	  { 5, 5, 5, 5, -1 },
	  { -1 },
	  { 5, 0, 0, 0 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "nothing, too few rounds",
	  { 5, 5, 5, -1 },
	  { -1 },
	  { 5, 0, 0 },
	  JUDGE_UNSURE,
	  JUDGE_LOAD },
	{ "less", { 500, 400, 300, 90, -1 }, { -1 }, { 90, 0, 0, 0 }, JUDGE_STEADY, JUDGE_DONE },
	{ "grows so far",
	  { 10, 20, 40, 80, -1 },
	  { -1 },
	  { 10, 10, 20, 40 },
	  JUDGE_UNSURE,
	  JUDGE_LOAD },
	{ "grows to the end, not rested yet",
	  { 10, 20, 40, 80, 160, 320, 640, -1 },
	  { -1 },
	  { 10, 10, 20, 40, 80, 160, 320 },
	  JUDGE_UNSURE,
	  JUDGE_REST },
	{ "grows to the end",
	  { 10, 20, 40, 80, 160, 320, 640, 650 },
	  { -1 },
	  { 10, 10, 20, 40, 80, 160, 320, 10 },
	  JUDGE_GROWS,
	  JUDGE_DONE },
	{ "one a load",
	  { 1, 2, 4, 8, 16, 32, 64, 65 },
	  { -1 },
	  { 1, 1, 2, 4, 8, 16, 32, 1 },
	  JUDGE_GROWS,
	  JUDGE_DONE },
	{ "grows, and goes at rest",
	  { 10, 20, 40, 80, 160, 320, 640, 10 },
	  { -1 },
	  { 0, 0, 0, 0, 0, 0, 0, 10 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "grows, and what is old goes at rest",
	  { 10, 20, 40, 80, 160, 320, 640, 490 },
	  { -1 },
	  { 0, 0, 0, 0, 0, 160, 320, 10 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "full after twenty loads",
	  { 10, 20, 40, 80, 160, 200, 200, -1 },
	  { -1 },
	  { 10, 10, 20, 40, 80, 40, 0 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "full after forty loads",
	  { 10, 20, 40, 80, 160, 320, 400, 400 },
	  { -1 },
	  { 10, 10, 20, 40, 80, 160, 80, 0 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "the same each doubling",
	  { 10, 20, 30, 40, 50, 60, 70, 70 },
	  { -1 },
	  { 10, 10, 10, 10, 10, 10, 10, 0 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "a slice that doubles, and is asked for more",
	  { 1, 1, 1, 1, 1, 1, 1, 1 },
	  { 1024, 2048, 4096, 8192, 16384, 32768, 65536, 65536 },
	  { 0, 0, 0, 0, 0, 0, 1, 0 },
	  JUDGE_UNSURE,
	  JUDGE_LOAD },
	{ "a slice that doubles",
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1 },
	  { 1024, 2048, 4096, 8192, 16384, 32768, 65536, 65536, 131072 },
	  { 0, 0, 0, 0, 0, 0, 0, 0, 1 },
	  JUDGE_GROWS,
	  JUDGE_DONE },
	{ "a table with room for what has expired",
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1 },
	  { 1024, 2048, 4096, 8192, 16384, 32768, 65536, 65536, 65536 },
	  { 0, 0, 0, 0, 0, 0, 1, 0, 0 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "a slice that doubles until it is full",
	  { 1, 1, 1, 1, 1, 1, 1, -1 },
	  { 1024, 2048, 4096, 8192, 16384, 16384, 16384 },
	  { 0, 0, 0, 0, 1, 0, 0 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "one leaks among a thousand that come and go",
	  { 1000, 1010, 1011, 1020, 1035, 1050, 1133, 1120 },
	  { -1 },
	  { 0, 2, 4, 8, 16, 32, 64, 10 },
	  JUDGE_GROWS,
	  JUDGE_DONE },
	{ "made anew by chance, until there are as many as there can be",
	  { 100, 200, 300, 500, 800, 1000, 1020, 1030 },
	  { -1 },
	  { 0, 2, 5, 20, 60, 200, 700, 20 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
	{ "up and down",
	  { 50, 60, 40, 90, 20, 60, 80, 50 },
	  { -1 },
	  { 20, 0, 0, 0, 0, 0, 20, 10 },
	  JUDGE_STEADY,
	  JUDGE_DONE },
};

/* n looks, the last behind a rest if it is the eighth. */
static void rounds(struct judge_rounds *r, size_t n)
{
	*r = (struct judge_rounds){ .n = n - 1, .left_ns = UINT64_MAX };
	for (size_t i = 0; i < n; i++) {
		r->loads[i] = i == 0 || i == N ? 1 : i > N ? 65 : 1u << (i - 1);
		r->rest_ns[i] = i == N ? 10000000000 : 0;
	}
}

static size_t series(struct judge_series *s, size_t c)
{
	size_t n = 0;

	*s = (struct judge_series){ .what = JUDGE_OBJECTS, .name = drawn[c].name };
	for (; n < N + 2 && drawn[c].objects[n] && drawn[c].objects[n] >= 0; n++) {
		s->objects[n] = (uint64_t)drawn[c].objects[n];
		s->bytes[n] =
			drawn[c].bytes[0] < 0 ? 64 * s->objects[n] : (uint64_t)drawn[c].bytes[n];
		s->stayed[n] = (uint64_t)drawn[c].stayed[n];
		s->born[n] = n ? MAX(s->stayed[n], s->objects[n] > s->objects[n - 1]
							   ? s->objects[n] - s->objects[n - 1]
							   : 0)
			       : s->objects[0];
	}
	return n;
}

static void test_drawn(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(drawn); c++) {
		struct judge_series s;
		struct judge_rounds r;
		struct judgement j;

		rounds(&r, series(&s, c));
		assert_null(judge(&s, 1, &r, NULL, &j));
		if (j.verdict != drawn[c].verdict || j.next.what != drawn[c].next)
			fail_msg("%s: %u, next %u: %s", drawn[c].name, j.verdict, j.next.what,
				 j.why);
		assert_int_equal(j.verdict == JUDGE_GROWS, j.rows.n && j.next.what == JUDGE_DONE);
		judgement_deinit(&j);
	}
}

/* Where there is no time for what would tell, that is what is said. */
/* As seen of a cache whose entries go after two seconds, in a map of Go 1.22. */
static void expiring(struct judge_series *s, const char *held)
{
	static const uint64_t entries[] = { 10, 40, 100, 300, 700, 1550, 2040, 40, 3050 };
	static const uint64_t table[] = { 2000,	  2000,	  8000,	  16000, 33248,
					  113184, 228864, 228864, 473216 };

	s[0] = (struct judge_series){ .what = JUDGE_OBJECTS, .name = "table", .holder = "cache" };
	s[1] = (struct judge_series){ .what = JUDGE_OBJECTS, .name = "entries", .holder = held };
	s[2] = (struct judge_series){ .what = JUDGE_TOTAL, .name = "all" };
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		s[0].objects[i] = 1;
		s[0].bytes[i] = table[i];
		s[0].stayed[i] = i == 8;
		s[0].born[i] = !i || table[i] > table[i - 1];
		s[1].objects[i] = entries[i];
		s[1].bytes[i] = 416 * entries[i];
		s[1].stayed[i] = i == 8 ? entries[i] : 0;
		s[1].born[i] = entries[i];
		s[2].bytes[i] = 100000 + s[0].bytes[i] + s[1].bytes[i];
		s[2].stayed[i] = UINT64_MAX;
	}
}

static void test_tables(void **state)
{
	struct judge_series s[3];
	struct judgement j = { 0 };
	struct judge_rounds r;

	(void)state;
	rounds(&r, 9);
	expiring(s, "cache");
	assert_null(judge(s, 3, &r, NULL, &j));
	assert_int_equal(j.verdict, JUDGE_STEADY);
	judgement_deinit(&j);
	expiring(s, "another"); /* nothing that comes and goes hangs there */
	assert_null(judge(s, 3, &r, NULL, &j));
	assert_int_equal(j.verdict, JUDGE_GROWS);
	assert_string_equal(j.rows.v[0].series->name, "table");
	judgement_deinit(&j);
	expiring(s, "cache"); /* it grew when there were fewer entries than before */
	s[1].objects[8] = 1000;
	assert_null(judge(s, 3, &r, NULL, &j));
	assert_int_equal(j.verdict, JUDGE_GROWS);
	judgement_deinit(&j);
}

/* A cache that is full beside something small: the sum is not worse than it looks. */
static void test_sums(void **state)
{
	static const uint64_t all[] = {
		0, 65964, 131928, 395784, 922968, 1217336, 1225992, 1225992
	};
	struct judge_series s[2] = { { .what = JUDGE_OBJECTS, .name = "cache", .holder = "c" },
				     { .what = JUDGE_TOTAL, .name = "all" } };
	struct judgement j = { 0 };
	struct judge_rounds r;

	(void)state;
	rounds(&r, 8);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		s[0].objects[i] = all[i] / 700 + 1;
		s[0].bytes[i] = all[i] - all[i] / 40;
		s[0].stayed[i] = i ? s[0].objects[i] - s[0].objects[i - 1] : 1;
		s[0].born[i] = s[0].stayed[i];
		/* behind the last loads a buffer stays: noise that alone would look like growth */
		s[1].bytes[i] = 100000 + all[i] + (i >= 6 ? 30000 : 0);
		s[1].stayed[i] = UINT64_MAX;
	}
	assert_null(judge(s, 2, &r, NULL, &j));
	assert_int_equal(j.verdict, JUDGE_STEADY);
	judgement_deinit(&j);
	/* As seen: 344 bytes a load of which no kind of object had more; and the same of kilobytes.
	 */
	for (uint64_t unit = 1; unit <= 30; unit += 29) {
		for (size_t i = 0; i < 8; i++)
			s[1].bytes[i] = 150000 + unit * 344 * (i == 7 ? 65 : 1u << i);
		assert_null(judge(s + 1, 1, &r, NULL, &j));
		assert_int_equal(j.verdict, unit == 1 ? JUDGE_STEADY : JUDGE_GROWS);
		judgement_deinit(&j);
	}
}

static void test_no_time(void **state)
{
	struct judge_series s;
	struct judge_rounds r;
	struct judgement j;

	(void)state;
	rounds(&r, series(&s, 3));
	for (size_t i = 0; i <= r.n; i++)
		r.load_ns[i] = r.loads[i] * 10000000000ULL;
	r.left_ns = 60000000000;
	assert_null(judge(&s, 1, &r, NULL, &j));
	assert_int_equal(j.verdict, JUDGE_UNSURE);
	assert_int_equal(j.next.what, JUDGE_DONE);
	assert_int_equal(j.more, 4);
	assert_non_null(strstr(j.why, "4 rounds more"));
	judgement_deinit(&j);
}

/* A proof needs no statistics, only that it comes with each round. */
static void test_proved(void **state)
{
	struct judge_series s;
	struct judge_rounds r;
	struct judgement j;

	(void)state;
	rounds(&r, series(&s, 3));
	s.what = JUDGE_GOROUTINES;
	s.proved = true;
	assert_null(judge(&s, 1, &r, NULL, &j));
	assert_int_equal(j.verdict, JUDGE_GROWS);
	assert_int_equal(j.next.what, JUDGE_DONE);
	assert_int_equal(j.sure, 999);
	judgement_deinit(&j);
}

/* Sums alone are told only where nothing single is; limits forgive, and forbid. */
static void test_limits(void **state)
{
	struct judge_series s[2];
	struct judge_limits l = { 700, -1, UINT64_MAX };
	struct judge_rounds r;
	struct judgement j;
	size_t n = series(&s[0], 5);

	(void)state;
	s[1] = s[0];
	s[1].what = JUDGE_TOTAL;
	rounds(&r, n);
	assert_null(judge(s, 2, &r, NULL, &j));
	assert_int_equal(j.rows.n, 1);
	assert_ptr_equal(j.rows.v[0].series, &s[0]);
	judgement_deinit(&j);
	assert_null(judge(s, 2, &r, &l, &j)); /* 640 bytes a load */
	assert_int_equal(j.verdict, JUDGE_STEADY);
	judgement_deinit(&j);
	(void)series(&s[0], 9); /* a cache that fills: 190 objects of 64 bytes in 63 loads */
	s[1] = s[0];
	s[1].what = JUDGE_TOTAL;
	rounds(&r, 7);
	l.max_growth_bytes = 100;
	assert_null(judge(s, 2, &r, &l, &j));
	assert_int_equal(j.verdict, JUDGE_GROWS);
	assert_non_null(strstr(j.why, "100 are allowed"));
	judgement_deinit(&j);
}

/* Few runs; thousands of them: bench/judge_bench.c. */
static void test_simulated(void **state)
{
	static struct judge_series s;
	static struct judge_rounds r;
	static struct sim x;

	(void)state;
	for (const struct sim_kind *k = sim_kinds; k->name; k++) {
		unsigned wrong = 0;

		for (uint64_t i = 0; i < 40; i++) {
			struct judgement j;

			x = (struct sim){ .load_seconds = 0.2, .size = 64 };
			x.seed = (i + 1) * 0x9e3779b97f4a7c15;
			x.scale = k->least * (1 + (double)(i % 8));
			assert_null(sim_judge(&x, k->rule, 120, &s, &r, &j));
			wrong += j.verdict != (k->leaks ? JUDGE_GROWS : JUDGE_STEADY);
			judgement_deinit(&j);
		}
		if (wrong > (strstr(k->name, "in half") ? 24 : k->leaks ? 2 : 1))
			fail_msg("%s: %u of 40", k->name, wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn),	  cmocka_unit_test(test_tables),
		cmocka_unit_test(test_sums),	  cmocka_unit_test(test_no_time),
		cmocka_unit_test(test_proved),	  cmocka_unit_test(test_limits),
		cmocka_unit_test(test_simulated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
