/*
 * test_pprof_read.c - what was written is read, as far as it is there; what is drawn wrongly is
 * refused.
 */
#include "evidence/pprof.h"

#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static struct err *read_kept(const void *s, size_t n, enum pprof_keep keep, struct pprof **ret)
{
	_cleanup_(input_closep) struct input *in = NULL;

	assert_null(input_bytes(s, n, "drawn", &in));
	return pprof_read_some(in, keep, ret);
}

static struct err *read_bytes(const void *s, size_t n, struct pprof **ret)
{
	return read_kept(s, n, PPROF_KEEP_ALL, ret);
}

/* A profile of every kind of thing. */
static void draw(struct str *o)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	uint32_t at[3];

	assert_null(pprof_create("drawn", &p));
	pprof_add_type(p, "objects", "count");
	pprof_add_type(p, "space", "bytes");
	p->period_type =
		(struct pprof_type){ pprof_add_word(p, "space"), pprof_add_word(p, "bytes") };
	p->period = 512;
	p->time_ns = 1700000000000000000;
	p->duration_ns = -1;
	p->default_type = pprof_add_word(p, "objects");
	(void)pprof_add_mapping(p, &(struct pprof_mapping){ .start = 4096,
							    .limit = UINT64_MAX,
							    .file = pprof_add_word(p, "/bin/x"),
							    .has_functions = true });
	for (unsigned i = 0; i < 3; i++) {
		struct pprof_line l[2] = {
			{ pprof_add_function(p, i ? "main.f" : "main.g", "a.go", 7), i, 0 },
			{ pprof_add_function(p, "main.h", "b.go", -1), 1 << 20, 3 }
		};

		at[i] = pprof_add_location(p, 0, 4096 + i, l, 1 + (i & 1));
	}
	for (unsigned i = 0; i < 100; i++) {
		struct pprof_label l[2] = { { .key = pprof_add_word(p, "bytes"), .num = i % 5 },
					    { .key = pprof_add_word(p, "user"),
					      .text = pprof_add_word(p, i & 4 ? "a" : "b") } };

		pprof_add_sample(p, pprof_add_stack(p, at + i % 3, 3 - i % 3),
				 (int64_t[]){ i, -(int64_t)i << 32 }, l, i % 3);
	}
	assert_null(pprof_made(p));
	assert_null(pprof_write(p, o));
}

static void assert_same(const struct pprof *a, const struct pprof *b)
{
	struct pprof_walk v = { 0 }, w = { 0 };

	assert_int_equal(a->nsamples, b->nsamples);
	assert_int_equal(a->stacks.n, b->stacks.n);
	assert_memory_equal(a->stacks.v, b->stacks.v, a->stacks.n * sizeof(*a->stacks.v));
	while (pprof_next(a, &v)) {
		assert_true(pprof_next(b, &w));
		assert_int_equal(v.stack, w.stack);
		assert_int_equal(v.nlabels, w.nlabels);
		assert_memory_equal(v.values, w.values, a->types.n * sizeof(*v.values));
	}
	assert_false(pprof_next(b, &w));
}

static void test_twice(void **state)
{
	_cleanup_(str_deinit) struct str a = { 0 }, b = { 0 };
	_cleanup_(pprof_freep) struct pprof *p = NULL, *q = NULL;

	(void)state;
	draw(&a);
	assert_null(read_bytes(a.s, a.n, &p));
	assert_int_equal(p->nsamples, 100);
	assert_null(p->damage);
	assert_string_equal(pprof_text(p, p->functions.v[0].name), "main.g");
	assert_int_equal(p->functions.v[1].start_line, -1);
	assert_int_equal(p->locations.v[1].nlines, 2);
	assert_int_equal(p->lines.v[2].line, 1 << 20);
	assert_null(pprof_write(p, &b));
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.s, b.s, a.n);
	assert_null(read_bytes(b.s, b.n, &q));
	assert_same(p, q);
	/* and something added to what was read finds what is there */
	assert_int_equal(pprof_add_function(p, "main.g", "a.go", 7), 0);
	assert_int_equal(pprof_add_stack(p, (uint32_t[]){ 2 }, 1), 0);
}

static size_t unpack(const struct str *s, uint8_t *to, size_t room)
{
	z_stream z = { .next_in = (Bytef *)s->s,
		       .avail_in = (uInt)s->n,
		       .next_out = to,
		       .avail_out = (uInt)room };

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	return room - z.avail_out;
}

/* Cut anywhere: what is read is a beginning of the whole, and said to be cut. */
static void test_cut(void **state)
{
	static uint8_t plain[64 << 10];
	_cleanup_(str_deinit) struct str a = { 0 };
	size_t n, whole = 0;

	(void)state;
	draw(&a);
	n = unpack(&a, plain, sizeof(plain));
	for (size_t cut = 1; cut < n; cut++) {
		_cleanup_(pprof_freep) struct pprof *p = NULL;
		struct err *err = read_bytes(plain, cut, &p);

		if (err) {
			assert_int_equal(err->code, ERR_BAD_DATA);
			assert_true(cut < 16); /* not even the kinds of values */
			err_free(err);
			continue;
		}
		/* between two fields a cut does not show, unless something is spoken of in vain */
		whole += !p->damage;
		assert_true(p->nsamples <= 100);
	}
	assert_true(whole < 20);
	for (size_t cut = 1; cut < a.n; cut++) {
		_cleanup_(pprof_freep) struct pprof *p = NULL;
		struct err *err = read_bytes(a.s, cut, &p);

		assert_true(err || p->damage);
		err_free(err);
	}
}

static bool has_memstat(const struct pprof *p, const char *name, int64_t want)
{
	for (size_t i = 0; i < p->memstats.n; i++)
		if (!strcmp(pprof_text(p, p->memstats.v[i].name), name))
			return p->memstats.v[i].value == want;
	return false;
}

/* A sample is one of the two whole ones, a function, a line and a figure too: half of one is none.
 */
static void assert_part(const struct pprof *p)
{
	struct pprof_walk w = { 0 };

	while (pprof_next(p, &w)) {
		uint64_t first = w.i == 0 ? 0xabc123 : 0xdef456;

		assert_true(w.stack != PPROF_NONE);
		assert_int_equal(w.values[0], w.i == 0 ? 11 : 22);
		assert_true(p->locations.v[p->stacks.v[w.stack].location].address >> 4 ==
			    first >> 4);
	}
	for (size_t i = 0; i < p->functions.n; i++)
		assert_non_null(strstr("main.first main.second",
				       pprof_text(p, p->functions.v[i].name)));
	for (size_t i = 0; i < p->lines.n; i++)
		assert_true(p->lines.v[i].line == 123 || p->lines.v[i].line == 456 ||
			    p->lines.v[i].line == 0);
	for (size_t i = 0; i < p->memstats.n; i++)
		assert_true(has_memstat(p, "HeapInuse", 789) || has_memstat(p, "NumGC", 321));
}

static void test_text_cut(void **state)
{
	static const char text[] = "heap profile: 33: 99 [33: 99] @ heap/1\n"
				   "11: 1111 [11: 1111] @ 0xabc123\n"
				   "#\t0xabc122\tmain.first+0x1\t/src/a.go:123\n\n"
				   "22: 2222 [22: 2222] @ 0xdef456\n"
				   "#\t0xdef455\tmain.second+0x1\t/src/a.go:456\n\n"
				   "# runtime.MemStats\n# HeapInuse = 789\n# NumGC = 321\n";
	uint64_t samples = 0, said = 0;

	(void)state;
	for (size_t cut = 40; cut < sizeof(text); cut++) {
		_cleanup_(pprof_freep) struct pprof *p = NULL;

		assert_null(read_bytes(text, cut, &p));
		assert_part(p);
		assert_true(p->nsamples >= samples);
		samples = p->nsamples;
		assert_int_equal(!p->damage, text[cut - 1] == '\n');
		said += !!p->damage;
	}
	assert_int_equal(samples, 2);
	assert_true(said > 150);
}

/* Bytes by hand: fields in another order, lists unpacked, ids from anywhere. */
static void test_any_order(void **state)
{
	static const uint8_t fine[] = {
		0x32, 0,  0x32, 1,    'f',  0x2a, 5,	8,    0x80, 1, 0x10, 1,
		0x12, 7,  8,	0xff, 0xff, 0xff, 0x0f, 0x10, 42, /* location 2^25 - 1 */
		0x22, 10, 8,	0xff, 0xff, 0xff, 0x0f, 0x22, 3,    8, 0x80, 1, /* its line */
		0x0a, 2,  8,	1,						/* type "f" */
		0xa2, 6,  3,	'x',  'y',  'z', /* field 100: nobody knows it */
	};
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	struct pprof_walk w = { 0 };

	(void)state;
	assert_null(read_bytes(fine, sizeof(fine), &p));
	assert_null(p->damage);
	assert_true(pprof_next(p, &w));
	assert_int_equal(w.values[0], 42);
	assert_int_equal(p->locations.v[p->stacks.v[w.stack].location].id, (1 << 25) - 1);
	assert_string_equal(pprof_text(p, p->functions.v[p->lines.v[0].function].name), "f");
}

static void test_refused(void **state)
{
	static const struct {
		const char *why, *bytes;
		size_t n;
	} bad[] = {
		{ "the file is empty", "", 0 },
		{ "field that cannot be",
		  "\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f", 15 },
		{ "first text", "\x0a\x02\x08\x01\x32\x01y", 7 },
		{ "location that is not there",
		  "\x0a\x02\x08\x01\x12\x04\x08\x01\x10\x01\x32\x00\x32\x01y", 15 },
		{ "number of values", "\x0a\x02\x08\x01\x12\x02\x10\x01\x12\x04\x10\x01\x10\x01",
		  14 },
		{ "1 are explained", "\x0a\x00\x12\x04\x10\x01\x10\x01", 8 },
		{ "two profiles", "\x0a\x00\x48\x01\x48\x01", 6 },
		{ "counts nothing", "\x48\x01", 2 },
		{ "no label", "\x0a\x00\x12\x06\x10\x01\x1a\x02\x0a\x00", 10 },
		{ "with one number", "\x0a\x00\x22\x02\x08\x01\x22\x02\x08\x01", 10 },
	};

	(void)state;
	/* the same whether labels are kept or not */
	for (size_t i = 0; i < 2 * ARRAY_LEN(bad); i++) {
		struct pprof *p = NULL;
		struct err *err = read_kept(bad[i / 2].bytes, bad[i / 2].n,
					    i & 1 ? PPROF_KEEP_STACKS : PPROF_KEEP_ALL, &p);

		assert_non_null(err);
		assert_null(p);
		if (!strstr(err->msg, bad[i / 2].why))
			fail_msg("%s: %s", bad[i / 2].why, err->msg);
		assert_int_equal(err->code, ERR_BAD_DATA);
		err_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_text_cut),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
