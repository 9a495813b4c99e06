/*
 * test_verify.c - a graph from a snapshot, and what its differences from the collector's
 * bits are called.  Expected verdicts follow the runtime's rules (mgcsweep.go, mbitmap.go).
 */
#include "fake_heap.h"
#include "graph/verify.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct graph *graph_of(struct fake *f)
{
	struct graph *g = NULL;

	assert_null(graph_create(&f->s, 1, &g));
	return g;
}

static void finalizer_on(struct fake *f, uint32_t id)
{
	struct go_special s = { .kind = GO_SPECIAL_FINALIZER, .object = fake_address(f, id) };

	assert_true(vec_push(&f->s.heap.specials, s));
}

static void test_create(void **state)
{
	_cleanup_(fake_deinit) struct fake f;
	_cleanup_(graph_freep) struct graph *g = NULL;
	const char *why = "";
	uint32_t a, b;
	gnode va, vb;

	(void)state;
	fake_init(&f);
	a = fake_span(&f, 64, GO_MARKS_LAST_CYCLE);
	b = fake_span(&f, 16, GO_MARKS_LAST_CYCLE);
	fake_set(&f, a + 3, FAKE_MARKED);
	fake_set(&f, b + 99, FAKE_MARKED);
	fake_set(&f, a + 5, FAKE_MARKED);
	fake_root(&f, a + 3, 0);
	fake_root(&f, a + 4, GO_SLOT_CONSERVATIVE); /* free: no edge */
	fake_edge(&f, a + 3, b + 99);
	fake_edge(&f, a + 5, a + 3); /* garbage points at it */
	g = graph_of(&f);
	if (!graph_validate(g, &why))
		fail_msg("%s", why);
	va = graph_node_of_object(g, a + 3);
	vb = graph_node_of_object(g, b + 99);
	assert_int_equal(g->n, 1 + 2 + 200);
	assert_int_equal(g->m, 2 + 2 + 1);
	assert_int_equal(g->nreached_objects, 2);
	assert_int_equal(g->reached_bytes, 80);
	assert_true(graph_reached(g, va) && graph_reached(g, vb));
	assert_int_equal(graph_shallow(g, va), 64);
	assert_int_equal(graph_shallow(g, vb), 16);
	assert_int_equal(graph_shallow(g, 1), 0);
	assert_null(graph_dominators(g, 1));
	assert_int_equal(g->idom[vb], va);
	assert_int_equal(g->retained[va], 80);
	assert_int_equal(g->retained[1], 80);
	assert_int_equal(g->retained[2], 0);
	if (!graph_validate(g, &why))
		fail_msg("%s", why);
}

static void test_exact(void **state)
{
	_cleanup_(verify_deinit) struct verify_result r = { 0 };
	_cleanup_(fake_deinit) struct fake f;
	_cleanup_(graph_freep) struct graph *g = NULL;
	uint32_t a, b;

	(void)state;
	fake_init(&f);
	a = fake_span(&f, 64, GO_MARKS_LAST_CYCLE);
	b = fake_span(&f, 128, GO_MARKS_UNSWEPT);
	for (uint32_t i = 60; i < 70; i++) { /* over a word's border */
		fake_set(&f, a + i, FAKE_MARKED);
		fake_set(&f, b + i, FAKE_MARKED);
		fake_root(&f, a + i, 0);
		fake_edge(&f, a + i, b + i);
	}
	fake_set(&f, a + 1, FAKE_BORN);
	fake_root(&f, a + 1, 0);
	finalizer_on(&f, b + 61);
	f.s.heap.counters.heap_marked = 10 * 64 + 10 * 128 + 128; /* a finalizer's object: twice */
	g = graph_of(&f);
	assert_null(verify_run(&f.s, g, &r));
	assert_int_equal(r.gc_objects, 20);
	assert_int_equal(r.gc_bytes, r.counter_bytes);
	assert_true(r.counter_comparable);
	assert_int_equal(r.reachable_objects, 21);
	assert_int_equal(r.born_since, 1);
	assert_int_equal(r.missing + r.extra + r.undecided, 0);
	assert_int_equal(r.diffs.n, 0);
	assert_int_equal(r.spans_valid, 2);
	assert_true(verify_holds(&r));
}

/* One object at slot 10 of a span is marked and not reached; then a later observation. */
enum then {
	T_FREE,
	T_UNMARKED,
	T_MARKED,
	T_REACHED,
	T_OTHER_SPAN,
	T_SWEEPING,
	T_MARKING_MARKED,
	T_MARKING_UNMARKED,
	T_MARKING_FREE,
	T_SAME_CYCLE
};

static const struct {
	const char *name;
	enum then then;
	uint32_t elem_bytes;
	bool finalizer, still_has;
	bool second;
	int missing, undecided, garbage;
	bool holds;
	int by_marks;
} later[] = {
	{ "freed", T_FREE, 64, 0, 0, 1, 0, 0, 1, true, 1 },
	{ "slot used again", T_UNMARKED, 64, 0, 0, 1, 0, 0, 1, true, 1 },
	{ "missed", T_MARKED, 64, 0, 0, 1, 1, 0, 0, false, 0 },
	{ "held for a moment", T_REACHED, 64, 0, 0, 1, 0, 0, 1, true, 0 },
	{ "span gone", T_OTHER_SPAN, 64, 0, 0, 1, 0, 0, 1, true, 1 },
	{ "span being swept", T_SWEEPING, 64, 0, 0, 1, 1, 1, 0, true, 0 },
	{ "missed, and the next is marking", T_MARKING_MARKED, 64, 0, 0, 1, 1, 0, 0, false, 0 },
	{ "used again while marking", T_MARKING_UNMARKED, 64, 0, 0, 1, 0, 0, 1, true, 1 },
	{ "free while marking", T_MARKING_FREE, 64, 0, 0, 1, 0, 0, 1, true, 1 },
	{ "no cycle between", T_SAME_CYCLE, 64, 0, 0, 0, 1, 1, 0, true, 0 },
	{ "finalizer has run", T_MARKED, 64, 1, 0, 1, 0, 0, 1, true, 1 },
	{ "finalizer still there", T_MARKED, 64, 1, 1, 1, 1, 0, 0, false, 0 },
	{ "tiny, and missed", T_MARKED, 16, 0, 0, 1, 1, 0, 0, false, 0 },
};

static void make_later(struct fake *f, enum then then, uint32_t elem_bytes)
{
	uint32_t a;

	fake_init(f);
	a = fake_span(f, then == T_OTHER_SPAN ? 48 : elem_bytes,
		      then == T_SWEEPING				   ? GO_MARKS_SWEEPING
		      : then >= T_MARKING_MARKED && then <= T_MARKING_FREE ? GO_MARKS_MARKING
									   : GO_MARKS_LAST_CYCLE);
	f->s.heap.counters.num_gc = then == T_SAME_CYCLE ? 7 : 8;
	fake_set(f, a + 1, FAKE_MARKED);
	fake_root(f, a + 1, 0);
	fake_set(f, a + 10,
		 then == T_FREE || then == T_MARKING_FREE	    ? FAKE_FREE
		 : then == T_UNMARKED || then == T_MARKING_UNMARKED ? FAKE_BORN
								    : FAKE_MARKED);
	if (then == T_REACHED)
		fake_root(f, a + 10, 0);
}

static void test_later(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		_cleanup_(verify_deinit) struct verify_result r = { 0 };
		_cleanup_(fake_deinit) struct fake f, f2;
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(graph_freep) struct graph *g2 = NULL;
		uint32_t a;

		fake_init(&f);
		a = fake_span(&f, later[i].elem_bytes, GO_MARKS_LAST_CYCLE);
		fake_set(&f, a + 1, FAKE_MARKED);
		fake_root(&f, a + 1, 0);
		fake_set(&f, a + 10, FAKE_MARKED);
		if (later[i].finalizer)
			finalizer_on(&f, a + 10);
		g = graph_of(&f);
		assert_null(verify_run(&f.s, g, &r));
		assert_int_equal(r.missing, 1);
		assert_int_equal(r.undecided, 1);
		assert_int_equal(r.diffs.n, 1);
		assert_int_equal(r.diffs.v[0].addr, FAKE_BASE + 10 * later[i].elem_bytes);
		assert_true(verify_holds(&r));
		make_later(&f2, later[i].then, later[i].elem_bytes);
		if (later[i].still_has)
			finalizer_on(&f2, a + 10);
		g2 = graph_of(&f2);
		/* By marks alone: what they explain is explained, the rest is as it was. */
		verify_again(&r, &f2.s.heap, NULL);
		assert_int_equal(r.second, later[i].second);
		assert_int_equal(r.garbage_since, later[i].by_marks);
		assert_int_equal(r.undecided, 1 - later[i].by_marks);
		verify_again(&r, &f2.s.heap, g2);
		if (r.second != later[i].second || (int)r.missing != later[i].missing ||
		    (int)r.undecided != later[i].undecided ||
		    (int)r.garbage_since != later[i].garbage || verify_holds(&r) != later[i].holds)
			fail_msg("%s: second %d missing %d undecided %d garbage %d: %s",
				 later[i].name, r.second, (int)r.missing, (int)r.undecided,
				 (int)r.garbage_since, r.diffs.v[0].reason);
		assert_non_null(r.diffs.v[0].reason);
	}
}

/* A precise root at slot 10, which is free. */
static const struct {
	const char *name;
	enum go_marks marks;
	uint32_t flags, for_scan, freeindex;
	int ndiffs, extra;
} extras[] = {
	{ "free", GO_MARKS_LAST_CYCLE, 0, 100, 100, 1, 1 },
	{ "conservative", GO_MARKS_LAST_CYCLE, GO_SLOT_CONSERVATIVE, 100, 100, 0, 0 },
	{ "being born", GO_MARKS_LAST_CYCLE, 0, 10, 11, 1, 0 },
	{ "behind the index", GO_MARKS_LAST_CYCLE, 0, 5, 10, 1, 1 },
	{ "being swept", GO_MARKS_SWEEPING, 0, 100, 100, 1, 0 },
	{ "not marked, not swept", GO_MARKS_UNSWEPT, 0, 100, 100, 1, 1 },
	{ "while marking", GO_MARKS_MARKING, 0, 100, 100, 1, 1 },
};

static void test_extra(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(extras); i++) {
		_cleanup_(verify_deinit) struct verify_result r = { 0 };
		_cleanup_(fake_deinit) struct fake f;
		_cleanup_(graph_freep) struct graph *g = NULL;
		uint32_t a;

		fake_init(&f);
		a = fake_span(&f, 64, extras[i].marks);
		f.s.heap.spans.v[0].free_index_for_scan = extras[i].for_scan;
		f.s.heap.spans.v[0].freeindex = extras[i].freeindex;
		fake_root(&f, a + 10, extras[i].flags);
		fake_root(&f, a + 10, extras[i].flags); /* twice: one difference */
		g = graph_of(&f);
		assert_null(verify_run(&f.s, g, &r));
		if ((int)r.diffs.n != extras[i].ndiffs || (int)r.extra != extras[i].extra ||
		    verify_holds(&r) != !extras[i].extra)
			fail_msg("%s: %zu diffs, %d extra", extras[i].name, r.diffs.n,
				 (int)r.extra);
	}
}

static void test_extra_of_objects(void **state)
{
	for (int reached = 0; reached < 2; reached++) {
		_cleanup_(verify_deinit) struct verify_result r = { 0 };
		_cleanup_(fake_deinit) struct fake f;
		_cleanup_(graph_freep) struct graph *g = NULL;
		uint32_t a;

		fake_init(&f);
		a = fake_span(&f, 64, GO_MARKS_LAST_CYCLE);
		fake_set(&f, a + 2, FAKE_BORN);
		if (reached)
			fake_root(&f, a + 2, 0);
		f.bad_from = a + 2;
		f.bad_to = a + 9;
		g = graph_of(&f);
		assert_null(verify_run(&f.s, g, &r));
		/* What garbage points at is nobody's loss. */
		assert_int_equal(r.extra, reached);
		if (reached)
			assert_int_equal(r.diffs.v[0].addr, fake_address(&f, a + 9));
	}
	(void)state;
}

/* Nearly nothing of what is marked is reached: a wrong layout, not garbage. */
static void test_mostly_missing(void **state)
{
	_cleanup_(verify_deinit) struct verify_result r = { 0 };
	_cleanup_(fake_deinit) struct fake f;
	_cleanup_(graph_freep) struct graph *g = NULL;
	uint32_t a;

	(void)state;
	fake_init(&f);
	a = fake_span(&f, 64, GO_MARKS_LAST_CYCLE);
	for (uint32_t i = 0; i < 100; i++)
		fake_set(&f, a + i, FAKE_MARKED);
	fake_root(&f, a, 0);
	g = graph_of(&f);
	assert_null(verify_run(&f.s, g, &r));
	assert_int_equal(r.undecided, 99);
	assert_false(verify_holds(&r));
}

/* Only that of the tiny class asks for more looks. */
static void test_tiny_left(void **state)
{
	(void)state;
	for (uint32_t elem = 16; elem <= 32; elem += 16) {
		_cleanup_(verify_deinit) struct verify_result r = { 0 };
		_cleanup_(fake_deinit) struct fake f;
		_cleanup_(graph_freep) struct graph *g = NULL;
		uint32_t a;

		fake_init(&f);
		a = fake_span(&f, elem, GO_MARKS_LAST_CYCLE);
		for (uint32_t i = 0; i < 100; i++)
			fake_set(&f, a + i, FAKE_MARKED);
		g = graph_of(&f);
		assert_null(verify_run(&f.s, g, &r));
		assert_int_equal(verify_tiny_left(&r), elem == 16);
		f.s.heap.counters.num_gc++;
		verify_again(&r, &f.s.heap, g);
		assert_int_equal(r.missing, 100);
		for (uint32_t i = 0; i < 100; i++)
			fake_set(&f, a + i, FAKE_FREE);
		verify_again(&r, &f.s.heap, NULL);
		assert_int_equal(r.missing, 0);
		assert_false(verify_tiny_left(&r));
	}
}

static void test_phases(void **state)
{
	_cleanup_(verify_deinit) struct verify_result r = { 0 };
	_cleanup_(fake_deinit) struct fake f;
	_cleanup_(graph_freep) struct graph *g = NULL;
	uint32_t a, b;

	(void)state;
	fake_init(&f);
	f.s.heap.counters.gcphase = 1;
	a = fake_span(&f, 64, GO_MARKS_MARKING);
	b = fake_span(&f, 64, GO_MARKS_SWEEPING);
	fake_set(&f, a + 1, FAKE_MARKED); /* by the cycle before the running one, and unreached */
	fake_set(&f, b + 1, FAKE_MARKED);
	g = graph_of(&f);
	assert_null(verify_run(&f.s, g, &r));
	assert_int_equal(r.gc_objects, 1);
	assert_int_equal(r.undecided, 1);
	assert_int_equal(r.extra, 0);
	assert_int_equal(r.spans_valid, 1);
	assert_int_equal(r.spans_undecidable, 1);
	assert_false(r.counter_comparable);
	assert_non_null(strstr(r.phase, "marking"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_extra),
		cmocka_unit_test(test_extra_of_objects),
		cmocka_unit_test(test_mostly_missing),
		cmocka_unit_test(test_tiny_left),
		cmocka_unit_test(test_phases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
