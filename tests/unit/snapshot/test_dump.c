/*
 * test_dump.c - the frozen model of a heap dump: what is reached, and by what.
 */
#include "fake/dumpfile.h"
#include "graph/graph.h"
#include "snapshot/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct opened {
	struct target *t;
	struct go *go;
	struct snapshot *s;
	struct graph *g;
};

static void open_dump(const struct dumpfile *f, struct opened *o)
{
	struct snap_opts so = { .nthreads = 1 };

	assert_null(target_open_dump_bytes(f->bytes, f->n, &o->t));
	assert_null(snap_dump_go(o->t, &o->go));
	assert_null(snapshot_create(o->t, o->go, &so, &o->s));
	assert_null(graph_create(o->s, 1, &o->g));
}

static void close_dump(struct opened *o)
{
	graph_free(o->g);
	snapshot_free(o->s);
	go_close(o->go);
	target_close(o->t);
}

static bool reached(const struct opened *o, taddr addr)
{
	uint64_t id = go_heap_object_at(&o->s->heap, addr);

	assert_true(id != GO_NO_OBJECT);
	return snapshot_is_object(o->s, id) && graph_reached(o->g, graph_node_of_object(o->g, id));
}

static void what_is_reached(void **state)
{
	static struct dumpfile f;
	struct opened o = { 0 };
	const taddr h = SAMPLE_HEAP;

	(void)state;
	dumpfile_sample(&f);
	open_dump(&f, &o);
	assert_int_equal(o.g->nreached_objects, SAMPLE_REACHED);
	assert_true(reached(&o, h + 16 * 3));	   /* the end of the list */
	assert_true(reached(&o, h + 16 * 5));	   /* a local */
	assert_true(reached(&o, h + 16 * 6));	   /* an array, by a pointer into its frame */
	assert_true(reached(&o, h + 16 * 7));	   /* what a finalizer's object points to */
	assert_true(reached(&o, h + 0x2000));	   /* behind an interface */
	assert_true(reached(&o, h + 0x2000 + 24)); /* a deferred call's closure */
	assert_false(reached(&o, h + 0x2000 + 48));
	assert_int_equal(go_heap_object_at(&o.s->heap, h + 0x3000), GO_NO_OBJECT);
	assert_int_equal(o.s->stacks.conservative_frames, 1);
	assert_int_equal(o.s->losses.n, 0);
	close_dump(&o);
}

static void free_slots_are_none(void **state)
{
	static struct dumpfile f;
	struct opened o = { 0 };
	uint64_t id;

	(void)state;
	dumpfile_sample(&f);
	open_dump(&f, &o);
	id = go_heap_object_at(&o.s->heap, SAMPLE_HEAP + 16 * 2);
	assert_true(id != GO_NO_OBJECT);
	assert_false(snapshot_is_object(o.s, id));
	close_dump(&o);
}

static void types_by_itab(void **state)
{
	static struct dumpfile f;
	struct opened o = { 0 };
	char buf[64];

	(void)state;
	dumpfile_sample(&f);
	open_dump(&f, &o);
	assert_string_equal(snapshot_type_name(o.s,
					       go_heap_object_at(&o.s->heap, SAMPLE_HEAP + 0x2000),
					       buf, sizeof(buf)),
			    "main.value");
	close_dump(&o);
}

/*
 * dumpobjs() also writes what lies behind the last slot: mheap.go, initSpan gives a page of
 * 512-byte objects with pointers 15 slots, and 8192 / 512 = 16 are written.
 */
static void no_objects_behind_the_span(void **state)
{
	static const int64_t at0[] = { 0, -1 };
	static struct dumpfile f;
	struct opened o = { 0 };
	uint64_t w[64] = { SAMPLE_HEAP };

	(void)state;
	for (unsigned old = 0; old < 2; old++) {
		dumpfile_begin(&f, old ? "go1.21.13" : "go1.27.4");
		dumpfile_object(&f, SAMPLE_HEAP, w, 512, at0);
		dumpfile_object(&f, SAMPLE_HEAP + 14 * 512, w, 512, at0);
		dumpfile_object(&f, SAMPLE_HEAP + 15 * 512, w, 512, NULL);
		dumpfile_end(&f);
		open_dump(&f, &o);
		assert_true(snapshot_is_object(
			o.s, go_heap_object_at(&o.s->heap, SAMPLE_HEAP + 14 * 512)));
		if (old) /* no heap bits in spans then: it is an object */
			assert_true(snapshot_is_object(
				o.s, go_heap_object_at(&o.s->heap, SAMPLE_HEAP + 15 * 512)));
		else
			assert_int_equal(go_heap_object_at(&o.s->heap, SAMPLE_HEAP + 15 * 512),
					 GO_NO_OBJECT);
		close_dump(&o);
	}
}

/* Some bits once: a graph or an error, in bounds.  All of them: fuzz_dump. */
static void flipped_anywhere(void **state)
{
	static struct dumpfile f;
	struct snap_opts so = { .nthreads = 1, .max_memory = 1U << 30 };

	(void)state;
	dumpfile_sample(&f);
	for (size_t i = 0; i < f.n * 8; i += 331) {
		struct opened o = { 0 };
		struct err *err;

		f.bytes[i / 8] ^= (uint8_t)(1U << i % 8);
		err = target_open_dump_bytes(f.bytes, f.n, &o.t);
		if (!err)
			err = snap_dump_go(o.t, &o.go);
		if (!err)
			err = snapshot_create(o.t, o.go, &so, &o.s);
		if (!err)
			err = graph_create(o.s, 1, &o.g);
		err_free(err);
		close_dump(&o);
		f.bytes[i / 8] ^= (uint8_t)(1U << i % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_reached),  cmocka_unit_test(free_slots_are_none),
		cmocka_unit_test(types_by_itab),    cmocka_unit_test(no_objects_behind_the_span),
		cmocka_unit_test(flipped_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
