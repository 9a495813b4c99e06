/*
 * test_top.c - the rows of top against a naive count on random graphs.
 *
 * A heap without a process: one span of 16-byte slots, types by hand, edges at random.
 * Naive retained of a group: for each member, what becomes unreachable without it; a
 * byte counts once if any member alone holds it.
 */
#include "report/agg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { NROOTS = 3, NOBJ = 24, NTYPES = 4, N = 1 + NROOTS + NOBJ };

struct world {
	struct snapshot s;
	struct go_span span;
	struct snap_type type[NTYPES];
	struct snap_root root[NROOTS];
	uint32_t type_of[NOBJ];
	uint64_t alloc[1];
	uint32_t bytes[N];
	gnode from[200], to[200];
	uint32_t m;
	struct graph *g;
};

static uint32_t rnd(uint64_t *x, uint32_t n)
{
	*x = *x * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*x >> 33) % n;
}

static void make_world(struct world *w, uint64_t seed)
{
	static const char *const name[] = { "", "main.A", "main.B", "other.C" };
	static const char *const root[] = { "main.x", "main.y", "main.x" };

	*w = (struct world){ 0 };
	w->span = (struct go_span){
		.base = 0x1000, .bytes = 8192, .elem_bytes = 16, .nelems = NOBJ, .spanclass = 4
	};
	w->s.heap.spans.v = &w->span;
	w->s.heap.spans.n = 1;
	w->s.heap.nobjects = NOBJ;
	w->alloc[0] = UINT64_MAX;
	w->s.heap.alloc_bits = w->alloc;
	for (unsigned i = 0; i < NTYPES; i++)
		w->type[i] = (struct snap_type){ .kind = i ? SNAP_TYPE_OTHER : 0, .name = name[i] };
	w->s.types.v = w->type;
	w->s.types.n = NTYPES;
	for (unsigned i = 0; i < NROOTS; i++)
		w->root[i] = (struct snap_root){ .kind = SNAP_ROOT_GLOBAL,
						 .name = root[i],
						 .goroutine = UINT32_MAX };
	w->s.roots.v = w->root;
	w->s.roots.n = NROOTS;
	w->s.type_of = w->type_of;
	for (unsigned o = 0; o < NOBJ; o++) {
		w->type_of[o] = rnd(&seed, NTYPES);
		w->bytes[1 + NROOTS + o] = 16;
	}
	w->m = 20 + rnd(&seed, 40);
	for (uint32_t e = 0; e < w->m; e++) {
		w->from[e] = 1 + rnd(&seed, N - 1);
		w->to[e] = 1 + NROOTS + rnd(&seed, NOBJ);
	}
	assert_null(graph_from_edges(N, NROOTS, w->from, w->to, w->m, w->bytes, &w->g));
}

/* Reachable nodes without node `without` (0: with all), as bits. */
static uint64_t reach(const struct world *w, gnode without)
{
	uint64_t seen = 0;
	bool more = true;

	for (gnode r = 1; r <= NROOTS; r++)
		if (r != without)
			seen |= 1ULL << r;
	while (more) {
		more = false;
		for (uint32_t e = 0; e < w->m; e++) {
			uint64_t bit = 1ULL << w->to[e];

			if ((seen >> w->from[e] & 1) && !(seen & bit) && w->to[e] != without) {
				seen |= bit;
				more = true;
			}
		}
	}
	return seen;
}

static uint64_t object_bits(void)
{
	return ((1ULL << N) - 1) & ~((1ULL << (1 + NROOTS)) - 1);
}

static uint64_t naive_group(const struct world *w, uint32_t type)
{
	uint64_t all = reach(w, 0), held = 0;

	for (unsigned o = 0; o < NOBJ; o++) {
		gnode v = 1 + NROOTS + o;

		if (w->type_of[o] == type && (all >> v & 1))
			held |= all & ~reach(w, v);
	}
	return 16 * (uint64_t)__builtin_popcountll(held & object_bits());
}

static const struct ans_row *row_named(const struct ans_top *t, const char *name)
{
	for (size_t i = 0; i < t->rows.n; i++)
		if (!strcmp(t->rows.v[i].name, name))
			return &t->rows.v[i];
	return NULL;
}

static struct err *top(struct agg *a, const char *by, enum top_sort sort, size_t limit,
		       struct ans_top *ret)
{
	return agg_top(a, &(struct top_ask){ .by = by, .sort = sort, .limit = limit }, ret);
}

static void check_types(struct world *w, struct agg *a)
{
	static const char *const name[] = { "~16 B scan", "main.A", "main.B", "other.C" };
	struct ans_top t;
	uint64_t all = reach(w, 0) & object_bits(), shallow = 0;

	assert_null(top(a, "type", TOP_SORT_RETAINED, 100, &t));
	for (uint32_t k = 0; k < NTYPES; k++) {
		const struct ans_row *r = row_named(&t, name[k]);
		uint64_t want = naive_group(w, k);

		assert_int_equal(r ? r->retained : 0, want);
	}
	for (size_t i = 0; i < t.rows.n; i++) {
		shallow += t.rows.v[i].shallow;
		assert_true(!i || t.rows.v[i - 1].retained >= t.rows.v[i].retained);
	}
	assert_int_equal(shallow, 16 * (uint64_t)__builtin_popcountll(all));
	ans_top_deinit(&t);
}

static void check_roots(struct world *w, struct agg *a)
{
	uint64_t all = reach(w, 0), sum = 0, objects = 0;
	uint64_t x = 0, y;
	struct ans_top t;

	for (gnode r = 1; r <= NROOTS; r += 2) /* both are main.x; each alone */
		x += 16 * (uint64_t)__builtin_popcountll(all & ~reach(w, r) & object_bits());
	y = 16 * (uint64_t)__builtin_popcountll(all & ~reach(w, 2) & object_bits());
	assert_null(top(a, "root", TOP_SORT_RETAINED, 100, &t));
	assert_int_equal(row_named(&t, "main.x")->retained, x);
	assert_int_equal(row_named(&t, "main.y")->retained, y);
	for (size_t i = 0; i < t.rows.n; i++) {
		sum += t.rows.v[i].retained;
		objects += t.rows.v[i].objects;
	}
	assert_int_equal(sum, 16 * (uint64_t)__builtin_popcountll(all & object_bits()));
	assert_int_equal(objects, __builtin_popcountll(all & object_bits()));
	ans_top_deinit(&t);
	/* what falls under the limit is a row too: the sum stays */
	assert_null(top(a, "root", TOP_SORT_RETAINED, 1, &t));
	for (size_t i = 0; i < t.rows.n; i++)
		sum -= t.rows.v[i].retained;
	assert_int_equal(sum, 0);
	ans_top_deinit(&t);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		struct world w;
		struct agg a;

		make_world(&w, seed * 7919);
		a = (struct agg){ .s = &w.s, .g = w.g, .nthreads = 1 };
		check_types(&w, &a);
		check_roots(&w, &a);
		agg_deinit(&a);
		graph_free(w.g);
	}
}

static void test_packages(void **state)
{
	struct world w;
	struct ans_top t;
	struct agg a;
	uint64_t n = 0;

	(void)state;
	make_world(&w, 42);
	a = (struct agg){ .s = &w.s, .g = w.g, .nthreads = 1 };
	assert_null(top(&a, "package", TOP_SORT_COUNT, 100, &t));
	for (size_t i = 0; i < t.rows.n; i++) {
		const char *name = t.rows.v[i].name;

		assert_true(!strcmp(name, "main") || !strcmp(name, "other") ||
			    !strcmp(name, "(unknown)"));
		n += t.rows.v[i].objects;
	}
	assert_int_equal(n, w.g->nreached_objects);
	ans_top_deinit(&t);
	agg_deinit(&a);
	graph_free(w.g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
