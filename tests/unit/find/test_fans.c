/*
 * test_fans.c - where weight spreads: heaps that are built here, so that the answer is known; and
 * children in the dominator tree against the tree itself, on random graphs.
 */
#include "../graph/drawing.h"

#include "find/fans.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { NODES = 4096, EDGES = 16384 };
enum { T_NONE, T_ITEM, T_PART, T_MAP, T_ROW, T_OWNER, T_LINK, T_GUESS, T_TABLE, T_HEADER, TYPES };

static struct snap_type types[TYPES] = {
	[T_ITEM] = { .kind = SNAP_TYPE_RTYPE, .rank = SNAP_RANK_FLOW, .name = "main.item" },
	[T_PART] = { .kind = SNAP_TYPE_PART,
		     .rank = SNAP_RANK_FLOW,
		     .name = "groups of map[int]int" },
	[T_MAP] = { .kind = SNAP_TYPE_MAP, .rank = SNAP_RANK_FLOW, .name = "map[int]int" },
	[T_ROW] = { .kind = SNAP_TYPE_RTYPE,
		    .rank = SNAP_RANK_FLOW,
		    .array = true,
		    .name = "[]*main.item" },
	[T_OWNER] = { .kind = SNAP_TYPE_RTYPE, .rank = SNAP_RANK_FLOW, .name = "main.owner" },
	[T_LINK] = { .kind = SNAP_TYPE_RTYPE, .rank = SNAP_RANK_FLOW, .name = "main.link" },
	[T_GUESS] = { .kind = SNAP_TYPE_OTHER, .rank = SNAP_RANK_GUESS, .name = "~512 B scan" },
	[T_TABLE] = { .kind = SNAP_TYPE_OTHER, .rank = SNAP_RANK_GUESS, .name = "~maps.table" },
	[T_HEADER] = { .kind = SNAP_TYPE_OTHER, .rank = SNAP_RANK_GUESS, .name = "~maps.Map" },
};

struct heap {
	uint32_t n, nroots, m;
	gnode from[EDGES], to[EDGES];
	uint32_t bytes[NODES], type_of[NODES];
	struct snapshot s;
	struct graph *g;
	struct look l;
	struct fans fans;
};

static void edge(struct heap *h, gnode from, gnode to)
{
	assert_true(h->m < EDGES);
	h->from[h->m] = from;
	h->to[h->m++] = to;
}

static gnode add(struct heap *h, gnode from, uint32_t type, uint32_t bytes)
{
	gnode v = h->n++;

	assert_true(v < NODES);
	h->bytes[v] = bytes;
	h->type_of[v - 1 - h->nroots] = type;
	edge(h, from, v);
	return v;
}

static struct heap *begin(uint32_t nroots)
{
	struct heap *h = zalloc(1, sizeof(*h));

	assert_non_null(h);
	h->nroots = nroots;
	h->n = 1 + nroots;
	return h;
}

static void look_at(struct heap *h, uint64_t least, unsigned nthreads)
{
	assert_null(graph_from_edges(h->n, h->nroots, h->from, h->to, h->m, h->bytes, &h->g));
	assert_null(graph_dominators(h->g, 1));
	h->s.types.v = types;
	h->s.types.n = TYPES;
	h->s.type_of = h->type_of;
	h->l = (struct look){ .s = &h->s, .g = h->g, .nthreads = nthreads };
	assert_null(fans_make(&h->l, least, &h->fans));
}

static void end(struct heap *h)
{
	fans_deinit(&h->fans);
	graph_free(h->g);
	free(h);
}

static const struct fan_place *place(const struct heap *h, gnode v)
{
	for (size_t i = 0; i < h->fans.places.n; i++)
		if (h->fans.places.v[i].node == v)
			return &h->fans.places.v[i];
	return NULL;
}

/* Children of that type at a place; what is told of them holds. */
static uint64_t count(const struct heap *h, gnode v, uint32_t type)
{
	const struct fan_place *p = place(h, v);

	for (uint32_t i = p ? p->first : 0; p && i < p->first + p->n; i++) {
		const struct fan_kind *k = &h->fans.kinds.v[i];

		if (k->type != type)
			continue;
		assert_true(k->bytes <= p->bytes);
		assert_int_equal(k->nsamples, MIN(k->n, (uint64_t)FANS_SAMPLES));
		for (unsigned j = 0; j < k->nsamples; j++) {
			assert_int_equal(fans_type(&h->l, k->sample[j]), type);
			assert_true(fans_dominates(&h->l, v, k->sample[j]));
		}
		return k->n;
	}
	return 0;
}

static void test_map(void **state)
{
	struct heap *h = begin(2);
	gnode map = add(h, 1, T_MAP, 48);

	(void)state;
	for (int i = 0; i < 8; i++) {
		gnode part = add(h, map, T_PART, 1024);

		for (int k = 0; k < 100; k++)
			add(h, part, T_ITEM, 64);
	}
	add(h, 2, T_ITEM, 64);
	look_at(h, 2000, 2);
	assert_non_null(place(h, map));
	assert_int_equal(count(h, map, T_ITEM), 800);
	assert_int_equal(count(h, map, T_PART), 8);
	assert_int_equal(place(h, map)->bytes, 48 + 8 * 1024 + 800 * 64);
	assert_int_equal(h->fans.places.n, 2); /* and node 0, which always is */
	end(h);
}

/* A Swiss map that nothing names: header, directory, tables, groups are told by where they hang. */
static void test_unnamed_map(void **state)
{
	struct heap *h = begin(1);
	gnode map = add(h, 1, T_HEADER, 48), dir = add(h, map, T_GUESS, 512);

	(void)state;
	for (int i = 0; i < 4; i++) {
		gnode groups = add(h, add(h, dir, T_TABLE, 32), T_GUESS, 2048);

		for (int k = 0; k < 100; k++)
			add(h, groups, T_ITEM, 64);
	}
	look_at(h, 2000, 1);
	assert_non_null(place(h, map));
	assert_int_equal(count(h, map, T_ITEM), 400);
	assert_int_equal(h->fans.places.n, 2);
	end(h);
}

static void test_list(void **state)
{
	struct heap *h = begin(1);
	gnode first = add(h, 1, T_LINK, 100), v = first;

	(void)state;
	for (int i = 1; i < 1000; i++)
		v = add(h, v, T_LINK, 100);
	look_at(h, 10000, 2);
	assert_non_null(place(h, first));
	assert_int_equal(place(h, first)->bytes, 100000);
	assert_int_equal(place(h, first)->chain, 900);
	assert_int_equal(h->fans.places.n, 2);
	end(h);
}

/* Each item is in both of an owner's containers: it hangs from the owner. */
static void test_two_ways(void **state)
{
	struct heap *h = begin(1);
	gnode owner = add(h, 1, T_OWNER, 64), map = add(h, owner, T_MAP, 48),
	      row = add(h, owner, T_ROW, 2048);

	(void)state;
	for (int i = 0; i < 200; i++)
		edge(h, row, add(h, map, T_ITEM, 64));
	look_at(h, 4000, 2);
	assert_int_equal(count(h, owner, T_ITEM), 200);
	assert_null(place(h, map));
	end(h);
}

static void test_shared_by_roots(void **state)
{
	struct heap *h = begin(2);

	(void)state;
	for (int i = 0; i < 200; i++)
		edge(h, 2, add(h, 1, T_ITEM, 64));
	look_at(h, 4000, 2);
	assert_int_equal(count(h, 0, T_ITEM), 200);
	assert_int_equal(h->fans.places.n, 1);
	end(h);
}

/* One heavy child: the weight goes on, and that is the place. */
static void test_goes_on(void **state)
{
	struct heap *h = begin(1);
	gnode outer = add(h, 1, T_MAP, 64), owner = add(h, outer, T_OWNER, 64),
	      row = add(h, owner, T_ROW, 2048);

	(void)state;
	for (int i = 0; i < 10; i++)
		add(h, outer, T_OWNER, 64);
	for (int i = 0; i < 500; i++)
		add(h, row, T_ITEM, 64);
	look_at(h, 4000, 2);
	assert_null(place(h, outer));
	assert_null(place(h, owner));
	assert_int_equal(count(h, row, T_ITEM), 500);
	end(h);
}

/* However many threads: the same places, kinds and samples. */
static void test_threads(void **state)
{
	struct heap *h[2];

	(void)state;
	for (int t = 0; t < 2; t++) {
		gnode row;

		h[t] = begin(1);
		row = add(h[t], 1, T_ROW, 2048);
		for (uint32_t i = 0; i < 3000; i++)
			add(h[t], row, i % 3 ? T_ITEM : T_OWNER, 64);
		look_at(h[t], 4000, t ? 4 : 1);
	}
	assert_int_equal(h[0]->fans.kinds.n, h[1]->fans.kinds.n);
	for (size_t i = 0; i < h[0]->fans.kinds.n; i++) {
		const struct fan_kind *a = &h[0]->fans.kinds.v[i], *b = &h[1]->fans.kinds.v[i];

		assert_int_equal(a->n, b->n);
		assert_int_equal(a->bytes, b->bytes);
		for (unsigned k = 0; k < a->nsamples; k++) {
			bool found = false;

			for (unsigned j = 0; j < b->nsamples; j++)
				found |= a->sample[k] == b->sample[j];
			assert_true(found);
		}
	}
	end(h[0]);
	end(h[1]);
}

static void test_children(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++)
		for (int shape = 0; shape < SHAPES; shape++) {
			_cleanup_(graph_freep) struct graph *g = NULL;
			struct drawing d;
			struct look l = { .nthreads = 1 };

			draw_random(&d, (enum shape)shape, seed);
			g = draw_graph(&d);
			assert_null(graph_dominators(g, 1));
			l.g = g;
			for (gnode v = 1; v < g->n; v++) {
				gnode child[DRAW_NODES];
				size_t n = 0, want = 0;

				if (g->idom[v] == GRAPH_NONE)
					continue;
				for (gnode w = 1; w < g->n; w++)
					want += g->idom[w] == v;
				assert_null(fans_children(&l, v, child, DRAW_NODES, &n));
				if (n != want)
					fail_msg("seed %u shape %d node %u: %zu children, not %zu",
						 (unsigned)seed, shape, v, n, want);
				for (size_t i = 0; i < n; i++)
					assert_int_equal(g->idom[child[i]], v);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_unnamed_map),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_two_ways),
		cmocka_unit_test(test_shared_by_roots),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
