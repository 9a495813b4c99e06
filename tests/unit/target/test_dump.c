/*
 * test_dump.c - heap dumps: records, runs, bytes by address; cut and damaged ones.
 */
#include "fake/dumpfile.h"
#include "target/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct target *open_sample(struct dumpfile *f)
{
	struct target *t = NULL;

	dumpfile_sample(f);
	assert_null(target_open_dump_bytes(f->bytes, f->n, &t));
	return t;
}

static size_t losses(const struct target *t)
{
	size_t n;

	target_losses(t, &n);
	return n;
}

static void records_are_taken(void **state)
{
	static struct dumpfile f;
	struct target *t = open_sample(&f);
	const struct dump *d = target_dump(t);

	(void)state;
	assert_int_equal(losses(t), 0);
	assert_true(d->ended);
	assert_int_equal(d->nobjects, SAMPLE_OBJECTS);
	assert_string_equal(d->version, "go1.22.12");
	assert_int_equal(d->gs.n, 1);
	assert_int_equal(d->gs.v[0].nframes, 2);
	assert_int_equal(d->gs.v[0].ndefers, 1);
	assert_int_equal(d->gs.v[0].npanics, 1);
	assert_string_equal(d->frames.v[1].name, "main.outer");
	assert_string_equal(dump_func_at(d, 0x401010)->name, "main.inner");
	assert_null(dump_func_at(d, 0x401021));
	assert_string_equal(dump_type_at(d, dump_itab_at(d, 0x500100)->type)->name,
			    "example.com/x/main.value");
	assert_int_equal(d->finalizers.n, 1);
	assert_int_equal(d->queued.n, 1);
	assert_int_equal(d->threads.v[0].procid, 4711);
	assert_int_equal(d->memstats.heap_alloc, d->object_bytes);
	assert_int_equal(d->memstats.pause_total_ns, 1023);
	assert_int_equal(d->num_gc, 3);
	assert_int_equal(d->lines.v[dump_bucket_of(d, SAMPLE_HEAP)->first_line].line, 42);
	assert_null(dump_bucket_of(d, SAMPLE_HEAP + 16));
	target_close(t);
}

static void bytes_lie_at_their_addresses(void **state)
{
	static struct dumpfile f;
	struct target *t = open_sample(&f);
	uint64_t w = 0;
	size_t n;

	(void)state;
	assert_null(target_read(t, SAMPLE_HEAP + 16 * 3 + 8, &w, 8));
	assert_int_equal(w, 3);
	assert_null(target_read(t, 0x7030 + 16, &w, 8)); /* a frame */
	assert_int_equal(w, SAMPLE_HEAP + 16 * 6 + 8);
	assert_null(target_read(t, 0x600000, &w, 8));
	assert_int_equal(w, SAMPLE_HEAP);
	/* a free slot, and nothing at all */
	assert_null(target_read_some(t, SAMPLE_HEAP + 16 * 2, &w, 8, &n));
	assert_int_equal(n, 0);
	assert_null(target_read_some(t, 0x1234, &w, 8, &n));
	assert_int_equal(n, 0);
	target_close(t);
}

/* What follows from a dump that may be anything: it is opened or refused, and walked in bounds. */
static void walk(const struct dump *d)
{
	for (size_t i = 0; i < d->runs.n; i++) {
		struct dump_walk w = { .d = d, .run = &d->runs.v[i] };
		struct dump_object o;
		uint64_t at, n = 0;

		while (dump_next(&w, &o)) {
			assert_true(n++ < d->runs.v[i].nslots);
			assert_true(o.data >= w.win.buf && o.data + o.bytes <= w.win.buf + w.win.n);
			for (taddr end = 0; dump_field(&o.fields, &at); end = at + 8)
				assert_true(at >= end && at <= o.bytes - 8);
		}
		assert_false(w.lost);
		dump_walk_end(&w);
	}
}

static bool opens(const uint8_t *bytes, size_t n)
{
	struct target *t = NULL;
	struct err *err = target_open_dump_bytes(bytes, n, &t);

	if (err) {
		err_free(err);
		return false;
	}
	walk(target_dump(t));
	/* the last byte is the end mark: without it something is said to be lost */
	assert_true(target_dump(t)->ended || losses(t));
	target_close(t);
	return true;
}

static void cut_anywhere(void **state)
{
	static struct dumpfile f;
	size_t opened = 0;

	(void)state;
	dumpfile_sample(&f);
	for (size_t n = 0; n < f.n; n++)
		opened += opens(f.bytes, n);
	assert_true(opened > f.n / 2); /* all but the header and the parameters */
}

static void flipped_anywhere(void **state)
{
	static struct dumpfile f;

	(void)state;
	dumpfile_sample(&f);
	for (size_t i = 0; i < f.n * 8; i++) {
		f.bytes[i / 8] ^= (uint8_t)(1U << i % 8);
		opens(f.bytes, f.n);
		f.bytes[i / 8] ^= (uint8_t)(1U << i % 8);
	}
}

/* A record that makes no sense costs what it takes to the next that does. */
static void goes_on_behind_damage(void **state)
{
	static struct dumpfile f;
	uint64_t w[2] = { 0 };
	struct target *t = NULL;
	size_t at = 0, n;

	(void)state;
	dumpfile_begin(&f, "go1.27.4");
	for (unsigned i = 0; i < 100; i++) {
		if (i == 50)
			at = f.n;
		dumpfile_object(&f, SAMPLE_HEAP + 16 * i, w, 16, NULL);
	}
	dumpfile_end(&f);
	memset(f.bytes + at, 0xff, 8); /* a tag without end */
	assert_null(target_open_dump_bytes(f.bytes, f.n, &t));
	assert_int_equal(target_dump(t)->nobjects, 99);
	assert_true(target_dump(t)->ended);
	assert_int_equal(target_losses(t, &n)->bytes, 25);
	target_close(t);
}

/* Of two that claim one page the first by address stays. */
static void objects_in_each_other(void **state)
{
	static struct dumpfile f;
	uint64_t w[8] = { 0 };
	struct target *t = NULL;
	size_t n;

	(void)state;
	dumpfile_begin(&f, "go1.27.4");
	dumpfile_object(&f, SAMPLE_HEAP, w, 64, NULL);
	dumpfile_object(&f, SAMPLE_HEAP + 32, w, 16, NULL);
	dumpfile_end(&f);
	assert_null(target_open_dump_bytes(f.bytes, f.n, &t));
	assert_int_equal(target_dump(t)->runs.n, 1);
	assert_int_equal(target_losses(t, &n)->bytes, 16);
	target_close(t);
}

static void others_are_refused(void **state)
{
	static struct dumpfile f;
	static const uint64_t params32[] = { 0, 4, 0, 0, UINT64_MAX };
	struct target *t = NULL;
	struct err *err;

	(void)state;
	err = target_open_dump_bytes("go1.3 heap dump\n", 16, &t);
	assert_int_equal(err->code, ERR_UNSUPPORTED);
	err_free(err);
	err = target_open_dump_bytes("go1.7 heap dump\n", 16, &t);
	assert_int_equal(err->code, ERR_BAD_DATA);
	err_free(err);
	dumpfile_begin(&f, "go1.27.4");
	f.n = 16;
	dumpfile_record(&f, 6, params32);
	dumpfile_text(&f, "386");
	dumpfile_text(&f, "go1.27.4");
	dumpfile_int(&f, 1);
	err = target_open_dump_bytes(f.bytes, f.n, &t);
	assert_int_equal(err->code, ERR_UNSUPPORTED);
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_taken),
		cmocka_unit_test(bytes_lie_at_their_addresses),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(flipped_anywhere),
		cmocka_unit_test(goes_on_behind_damage),
		cmocka_unit_test(objects_in_each_other),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
