/*
 * test_fault.c - the Nth allocation fails, for each N until none is left: every answer is
 * either given or ERR_NOMEM, and nothing is left behind.  The linker puts these wrappers
 * around malloc and bigalloc (meson.build).
 */
#include "drawing.h"
#include "fake_heap.h"
#include "graph/owner.h"
#include "graph/partition.h"
#include "graph/verify.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct {
	long left;  /* allocations until one fails; < 0: none does */
	long alive; /* made and not freed */
} fault = { .left = -1 };

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__real_bigalloc(size_t n, size_t bytes);
void *__real_biggrow(void *p, size_t n, size_t new_n, size_t bytes);
void __real_bigfree(void *p, size_t n, size_t bytes);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);
void *__wrap_bigalloc(size_t n, size_t bytes);
void *__wrap_biggrow(void *p, size_t n, size_t new_n, size_t bytes);
void __wrap_bigfree(void *p, size_t n, size_t bytes);

static bool fails(void)
{
	if (fault.left < 0)
		return false;
	return fault.left-- == 0;
}

static void *made(void *p)
{
	fault.alive += p != NULL;
	return p;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : made(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return fails() ? NULL : made(__real_calloc(n, bytes));
}

void *__wrap_realloc(void *p, size_t n)
{
	if (fails())
		return NULL;
	return p ? __real_realloc(p, n) : made(__real_realloc(p, n));
}

void __wrap_free(void *p)
{
	fault.alive -= p != NULL;
	__real_free(p);
}

void *__wrap_bigalloc(size_t n, size_t bytes)
{
	return fails() ? NULL : made(__real_bigalloc(n, bytes));
}

void *__wrap_biggrow(void *p, size_t n, size_t new_n, size_t bytes)
{
	return fails() ? NULL : __real_biggrow(p, n, new_n, bytes);
}

void __wrap_bigfree(void *p, size_t n, size_t bytes)
{
	fault.alive -= p != NULL;
	__real_bigfree(p, n, bytes);
}

static struct err *queries(struct graph *g)
{
	_cleanup_(graph_paths_deinit) struct graph_paths p = { 0 };
	_cleanup_(freep) uint32_t *first = NULL;
	_cleanup_(freep) gnode *child = NULL;
	_cleanup_(freep) gnode *path = NULL;
	uint64_t bytes, objects;
	size_t len;
	struct err *err;

	err = graph_path(g, g->n - 1, &path, &len);
	if (!err)
		err = graph_independent(g, g->n - 1, 4, &p);
	if (!err)
		err = graph_cut(g, g->n - 2, g->n - 1, &bytes, &objects);
	if (!err)
		err = graph_dom_children(g, &first, &child);
	return err;
}

static struct err *divide(const struct graph *g)
{
	uint32_t group[DRAW_NODES] = { 0, 1 }, of = 1;
	uint64_t bits[(DRAW_NODES + 63) / 64] = { 0 };
	gnode last = g->n - 1;
	struct graph_fixed fixed = { &last, &of, 1 };
	_cleanup_(freep) uint32_t *owner = NULL;
	struct err *err = graph_partition(g, group, &fixed, &owner);

	return err ? err : graph_reach_of(g, group, &fixed, 1, bits);
}

static struct err *own(const struct graph *g)
{
	_cleanup_(graph_passing_deinit) struct graph_passing p = { 0 };
	_cleanup_(graph_freep) struct graph *o = NULL;
	struct err *err = graph_passing_create(g, &p);

	for (uint32_t e = 0; e < g->m && !err; e++)
		p.kind[e] = (uint8_t)(e % (EDGE_CHAIN + 1));
	if (!err && !vec_push(&p.beads, (struct graph_bead){ 1, g->n - 1 }))
		err = &err_nomem;
	if (!err)
		err = graph_owner(g, &p, &o);
	return err ? err : graph_dominators(o, 1);
}

static struct err *from_edges(void *arg)
{
	const struct drawing *d = arg;
	_cleanup_(graph_freep) struct graph *g = NULL;
	struct err *err;

	err = graph_from_edges(d->n, d->nroots, d->from, d->to, d->m, d->bytes, &g);
	if (!err)
		err = divide(g);
	if (!err)
		err = own(g);
	return err ? err : queries(g);
}

static struct err *verify(void *arg)
{
	struct fake *f = arg;
	_cleanup_(verify_deinit) struct verify_result r = { 0 };
	_cleanup_(graph_freep) struct graph *g = NULL;
	struct err *err;

	err = graph_create(&f->s, 1, &g);
	if (!err)
		err = verify_run(&f->s, g, &r);
	if (!err)
		verify_again(&r, &f->s.heap, g);
	return err ? err : queries(g);
}

/* Runs that failed before the first that did not. */
static int try_all(struct err *(*run)(void *), void *arg)
{
	int failed = 0;

	for (long n = 0; n < 1000; n++) {
		struct err *err;

		fault.alive = 0;
		fault.left = n;
		err = run(arg);
		fault.left = -1;
		assert_true(!err || err->code == ERR_NOMEM);
		err_free(err);
		assert_int_equal(fault.alive, 0);
		if (!err)
			return failed;
		failed++;
	}
	fail_msg("never enough");
	return 0;
}

static void test_edges(void **state)
{
	struct drawing d;

	(void)state;
	draw(&d, "root a b; a->c b->d c->e d->e"); /* two ways: the flow runs */
	assert_true(try_all(from_edges, &d) > 20);
	draw(&d, "root a; a->c b->d c->d d->e");
	assert_true(try_all(from_edges, &d) > 15);
}

static void test_snapshot(void **state)
{
	_cleanup_(fake_deinit) struct fake f;
	uint32_t a;

	(void)state;
	fake_init(&f);
	a = fake_span(&f, 64, GO_MARKS_LAST_CYCLE);
	for (uint32_t i = 90; i < 100; i++)
		fake_set(&f, a + i, FAKE_MARKED);
	fake_root(&f, a + 98, 0);
	fake_root(&f, a + 7, 0); /* free */
	fake_edge(&f, a + 98, a + 99);
	f.bad_from = a + 98;
	f.bad_to = a + 3;
	assert_true(try_all(verify, &f) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
