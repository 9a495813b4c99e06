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
	const char *fixed; /* "c:x" too; NULL: none */
} drawings[] = {
	{ "one group", "root a; a->b b->c", "x", "a:x b:x c:x", NULL },
	{ "two roots of one group together", "root a b; a->c b->c c->d", "xx", "a:x b:x c:x d:x",
	  NULL },
	{ "two groups share", "root a b; a->c b->c c->d a->e", "xy", "a:x b:y c:* d:* e:x", NULL },
	{ "shared late: what hangs below is shared too", "root a b; a->c c->d d->e b->d", "xy",
	  "a:x b:y c:x d:* e:*", NULL },
	{ "a root between two of one group", "root a b c; a->d c->d b->e e->f", "xyx",
	  "a:x b:y c:x d:x e:y f:y", NULL },
	{ "three groups", "root a b c; a->d b->d c->d d->d", "xyz", "a:x b:y c:z d:*", NULL },
	{ "cycle", "root a b; a->c c->d d->c b->d", "xy", "a:x b:y c:* d:*", NULL },
	{ "left out", "root a b; a->c b->c b->d", "x-", "a:x c:x", NULL },
	{ "nobody", "root a; b->c", "x", "a:x", NULL },
	{ "a list that knows all does not share in them",
	  "root a b c; a->l l->d l->e b->d c->e d->f e->g", "xyz",
	  "a:x b:y c:z l:x d:y e:z f:y g:z", "d:y e:z" },
	{ "what hangs from a fixed one may be shared", "root a b; a->d d->e b->e", "xy",
	  "a:x b:y d:y e:y", "d:y" },
	{ "who reaches only a fixed one reaches nothing", "root a; a->b b->c", "x", "a:x b:z c:z",
	  "b:z" },
	{ "fixed for nobody", "root a; a->b b->c a->d d->c", "x", "a:x c:x d:x", "b:-" },
	{ "fixed for nobody, and nothing behind", "root a; a->b b->c", "x", "a:x", "b:-" },
	{ "fixed and unreachable", "root a; b->c", "x", "a:x", "b:y" },
	{ "no root", "root; a->b", "", "", NULL },
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
		uint32_t group[DRAW_NODES], want[DRAW_NODES], of[DRAW_NODES];
		gnode node[DRAW_NODES];
		struct graph_fixed fixed = { node, of, 0 };
		struct drawing d;

		draw(&d, drawings[i].graph);
		g = draw_graph(&d);
		assert_non_null(g);
		for (uint32_t r = 0; r < d.nroots; r++)
			group[r] = group_of(drawings[i].groups[r]);
		for (const char *p = drawings[i].fixed; p && *p;
		     p += strcspn(p, " "), p += *p == ' ') {
			node[fixed.n] = draw_node(&d, p);
			of[fixed.n++] = group_of(p[2]);
		}
		assert_null(graph_partition(g, group, drawings[i].fixed ? &fixed : NULL, &owner));
		memset(want, 0xff, sizeof(want));
		for (const char *p = drawings[i].owners; *p; p += strcspn(p, " "), p += *p == ' ')
			want[draw_node(&d, p)] = group_of(p[2]);
		for (gnode v = 0; v < d.n; v++)
			if (owner[v] != want[v])
				fail_msg("%s: %c is of %u, not of %u", drawings[i].name, d.name[v],
					 owner[v], want[v]);
	}
}

/* What group k reaches; by fixed point. */
static void naive(const struct drawing *d, const uint32_t *group, const struct graph_fixed *f,
		  const bool *reached, uint32_t k, bool *seen)
{
	bool fixed[DRAW_NODES] = { false }, more = true;

	memset(seen, 0, DRAW_NODES);
	for (uint32_t r = 0; r < d->nroots; r++)
		seen[r + 1] = group[r] == k;
	for (size_t i = 0; i < f->n; i++) {
		if (!reached[f->node[i]] || fixed[f->node[i]])
			continue;
		fixed[f->node[i]] = true;
		seen[f->node[i]] = f->group[i] == k;
	}
	while (more) {
		more = false;
		for (uint32_t e = 0; e < d->m; e++) {
			if (!seen[d->from[e]] || seen[d->to[e]] || fixed[d->to[e]])
				continue;
			seen[d->to[e]] = more = true;
		}
	}
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13, *x ^= *x >> 7, *x ^= *x << 17;
	return *x;
}

static void check_random(enum shape shape, uint64_t seed)
{
	_cleanup_(graph_freep) struct graph *g = NULL;
	_cleanup_(freep) uint32_t *owner = NULL;
	uint32_t group[DRAW_NODES], ngroups = 1 + (uint32_t)(seed % 5), want[DRAW_NODES], of[8];
	uint64_t x = seed * 2654435761U + 1;
	gnode node[8];
	struct graph_fixed fixed = { node, of, seed % 3 ? seed % 8 : 0 };
	bool reached[DRAW_NODES];
	struct drawing d;

	draw_random(&d, shape, seed);
	g = draw_graph(&d);
	assert_non_null(g);
	draw_reach(&d, DRAW_NO, DRAW_NO, DRAW_NO, reached);
	for (uint32_t r = 0; r < d.nroots; r++)
		group[r] = next(&x) % 11 ? (uint32_t)(x >> 8) % ngroups : GRAPH_NONE;
	/* Objects: nobody fixes a root. */
	for (size_t i = 0; i < fixed.n && d.n > d.nroots + 1; i++) {
		node[i] = d.nroots + 1 + (gnode)(next(&x) % (d.n - d.nroots - 1));
		of[i] = next(&x) % 7 ? (uint32_t)(x >> 8) % ngroups : GRAPH_NONE;
	}
	if (d.n <= d.nroots + 1)
		fixed.n = 0;
	memset(want, 0xff, sizeof(want));
	for (uint32_t k = 0; k < ngroups; k++) {
		uint64_t bits[(DRAW_NODES + 63) / 64] = { 0 };
		bool seen[DRAW_NODES];

		naive(&d, group, &fixed, reached, k, seen);
		assert_null(graph_reach_of(g, group, &fixed, k, bits));
		for (gnode v = 0; v < d.n; v++) {
			assert_int_equal(bits[v / 64] >> (v % 64) & 1, seen[v]);
			if (seen[v])
				want[v] = want[v] == GRAPH_NONE ? k : GRAPH_SHARED;
		}
	}
	assert_null(graph_partition(g, group, &fixed, &owner));
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
