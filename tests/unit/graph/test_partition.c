/*
 * test_partition.c - whose is a node: drawings, then random graphs against a walk from each
 * group's roots alone.
 */
#include "drawing.h"

#include "graph/partition.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

/* groups: one letter a root, in their order; "-": left out.  owners: "c:x", '*' = shared. */
static const struct {
	const char *name, *graph, *groups, *owners;
} drawings[] = {
	{ "one group", "root a; a->b b->c", "x", "a:x b:x c:x" },
	{ "two roots of one group together", "root a b; a->c b->c c->d", "xx", "a:x b:x c:x d:x" },
	{ "two groups share", "root a b; a->c b->c c->d a->e", "xy", "a:x b:y c:* d:* e:x" },
	{ "shared late: what hangs below is shared too", "root a b; a->c c->d d->e b->d", "xy",
	  "a:x b:y c:x d:* e:*" },
	{ "a root between two of one group", "root a b c; a->d c->d b->e e->f", "xyx",
	  "a:x b:y c:x d:x e:y f:y" },
	{ "three groups", "root a b c; a->d b->d c->d d->d", "xyz", "a:x b:y c:z d:*" },
	{ "cycle", "root a b; a->c c->d d->c b->d", "xy", "a:x b:y c:* d:*" },
	{ "left out", "root a b; a->c b->c b->d", "x-", "a:x c:x" },
	{ "nobody", "root a; b->c", "x", "a:x" },
	{ "no root", "root; a->b", "", "" },
};

static uint32_t group_of(char letter)
{
	return letter == '-' ? GRAPH_NONE : letter == '*' ? GRAPH_SHARED : (uint32_t)letter;
}

static void test_drawings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(drawings); i++) {
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(freep) uint32_t *owner = NULL;
		uint32_t group[DRAW_NODES], want[DRAW_NODES];
		struct drawing d;

		draw(&d, drawings[i].graph);
		g = draw_graph(&d);
		assert_non_null(g);
		for (uint32_t r = 0; r < d.nroots; r++)
			group[r] = group_of(drawings[i].groups[r]);
		assert_null(graph_partition(g, group, &owner));
		memset(want, 0xff, sizeof(want));
		for (const char *p = drawings[i].owners; *p; p += strcspn(p, " "), p += *p == ' ')
			want[draw_node(&d, p)] = group_of(p[2]);
		for (gnode v = 0; v < d.n; v++)
			if (owner[v] != want[v])
				fail_msg("%s: %c is of %u, not of %u", drawings[i].name, d.name[v],
					 owner[v], want[v]);
	}
}

/* Reachable from the roots of group k; by fixed point. */
static void naive(const struct drawing *d, const uint32_t *group, uint32_t k, bool *seen)
{
	bool more = true;

	memset(seen, 0, DRAW_NODES);
	for (uint32_t r = 0; r < d->nroots; r++)
		seen[r + 1] = group[r] == k;
	while (more) {
		more = false;
		for (uint32_t e = 0; e < d->m; e++) {
			if (!seen[d->from[e]] || seen[d->to[e]])
				continue;
			seen[d->to[e]] = more = true;
		}
	}
}

static void check_random(enum shape shape, uint64_t seed)
{
	_cleanup_(graph_freep) struct graph *g = NULL;
	_cleanup_(freep) uint32_t *owner = NULL;
	uint32_t group[DRAW_NODES], ngroups = 1 + (uint32_t)(seed % 5), want[DRAW_NODES];
	uint64_t x = seed * 2654435761U + 1;
	struct drawing d;

	draw_random(&d, shape, seed);
	g = draw_graph(&d);
	assert_non_null(g);
	for (uint32_t r = 0; r < d.nroots; r++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		group[r] = x % 11 ? (uint32_t)(x >> 8) % ngroups : GRAPH_NONE;
	}
	memset(want, 0xff, sizeof(want));
	for (uint32_t k = 0; k < ngroups; k++) {
		uint64_t bits[(DRAW_NODES + 63) / 64] = { 0 };
		bool seen[DRAW_NODES];

		naive(&d, group, k, seen);
		assert_null(graph_reach_of(g, group, k, bits));
		for (gnode v = 0; v < d.n; v++) {
			assert_int_equal(bits[v / 64] >> (v % 64) & 1, seen[v]);
			if (seen[v])
				want[v] = want[v] == GRAPH_NONE ? k : GRAPH_SHARED;
		}
	}
	assert_null(graph_partition(g, group, &owner));
	for (gnode v = 0; v < d.n; v++)
		if (owner[v] != want[v])
			fail_msg("shape %d seed %llu: node %u is of %u, not of %u", (int)shape,
				 (unsigned long long)seed, v, owner[v], want[v]);
}

static void test_random(void **state)
{
	(void)state;
	for (int shape = 0; shape < SHAPES; shape++)
		for (uint64_t seed = 1; seed <= 500; seed++)
			check_random((enum shape)shape, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawings),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("graph-partition", tests, NULL, NULL);
}
