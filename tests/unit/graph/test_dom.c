/*
 * test_dom.c - reach, dominators, retained: drawings, then thousands of random graphs
 * against removal of one node and a new walk.
 */
#include "drawing.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

/* idoms: "b:a" = a is the immediate dominator of b; nodes not named are unreachable. */
static const struct {
	const char *name, *graph, *idoms;
} drawings[] = {
	{ "one root", "root a;", "a:root" },
	{ "no root", "root; a->b", "" },
	{ "chain", "root a; a->b b->c", "a:root b:a c:b" },
	{ "diamond", "root a; a->b a->c b->d c->d", "a:root b:a c:a d:a" },
	{ "two roots share", "root a b; a->c b->c c->d", "a:root b:root c:root d:c" },
	{ "unreachable holder", "root a; a->b x->b x->y", "a:root b:a" },
	{ "self-loop", "root a; a->a a->b b->b", "a:root b:a" },
	{ "parallel edges", "root a; a->b a->b b->c b->c", "a:root b:a c:b" },
	{ "irreducible", "root a; a->b a->c b->c c->b", "a:root b:a c:a" },
	{ "back edge", "root a; a->b b->c c->a c->d", "a:root b:a c:b d:c" },
	{ "ring of two entries", "root a b; a->c b->e c->d d->e e->c",
	  "a:root b:root c:root d:c e:root" },
	{ "doubly linked list", "root a; a->b b->c c->b c->d d->c", "a:root b:a c:b d:c" },
	/* Lengauer, Tarjan, "A Fast Algorithm for Finding Dominators", 1979, figure 1. */
	{ "Lengauer-Tarjan",
	  "root R; R->A R->B R->C A->D B->A B->D B->E C->F C->G D->L E->H F->I G->I G->J H->E "
	  "H->K I->K J->I K->I K->R L->H",
	  "R:root A:R B:R C:R D:R E:R F:C G:C H:R I:R J:G K:R L:D" },
};

static void test_drawings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(drawings); i++) {
		_cleanup_(graph_freep) struct graph *g = NULL;
		struct drawing d;
		gnode want[DRAW_NODES];
		const char *why = "";

		draw(&d, drawings[i].graph);
		g = draw_graph(&d);
		assert_non_null(g);
		assert_null(graph_dominators(g, 1));
		if (!graph_validate(g, &why))
			fail_msg("%s: %s", drawings[i].name, why);
		memset(want, 0xff, sizeof(want));
		for (const char *p = drawings[i].idoms; *p; p += strcspn(p, " "), p += *p == ' ')
			want[draw_node(&d, p)] = draw_node(&d, p + 2);
		for (gnode v = 0; v < d.n; v++)
			if (g->idom[v] != want[v])
				fail_msg("%s: idom of %c is %u, not %u", drawings[i].name,
					 d.name[v], g->idom[v], want[v]);
	}
}

/* dominated[a][v]: v is reachable, and not without a. */
static void naive(const struct drawing *d, bool dom[DRAW_NODES][DRAW_NODES], bool *reach)
{
	bool seen[DRAW_NODES];

	draw_reach(d, DRAW_NO, DRAW_NO, DRAW_NO, reach);
	for (gnode a = 0; a < d->n; a++) {
		draw_reach(d, a, DRAW_NO, DRAW_NO, seen);
		for (gnode v = 0; v < d->n; v++)
			dom[a][v] = reach[v] && (a == 0 || a == v || !seen[v]);
	}
}

static uint32_t count_dominators(const struct drawing *d, bool dom[DRAW_NODES][DRAW_NODES], gnode v)
{
	uint32_t n = 0;

	for (gnode a = 0; a < d->n; a++)
		n += dom[a][v];
	return n;
}

static void check_node(const struct drawing *d, const struct graph *g,
		       bool dom[DRAW_NODES][DRAW_NODES], gnode v)
{
	uint64_t retained = 0;

	for (gnode w = 0; w < d->n; w++)
		retained += dom[v][w] ? d->bytes[w] : 0;
	assert_int_equal(g->retained[v], retained);
	assert_int_equal(graph_shallow(g, v), d->bytes[v]);
	if (!v)
		return;
	/* The immediate one is the strict dominator that all other strict ones dominate. */
	assert_in_range(g->idom[v], 0, d->n - 1);
	assert_true(dom[g->idom[v]][v] && g->idom[v] != v);
	assert_int_equal(count_dominators(d, dom, g->idom[v]) + 1, count_dominators(d, dom, v));
}

static void check_children(const struct drawing *d, const struct graph *g)
{
	_cleanup_(freep) uint32_t *first = NULL;
	_cleanup_(freep) gnode *child = NULL;
	gnode best[DRAW_NODES];

	assert_null(graph_dom_children(g, &first, &child));
	for (gnode v = 0; v < d->n; v++) {
		uint32_t n = first[v + 1] - first[v];

		for (size_t max = 0; max <= n; max += 1 + max / 2) {
			assert_int_equal(graph_dominated(g, v, best, max), n);
			for (size_t i = 0; i < max; i++)
				assert_int_equal(g->idom[best[i]], v);
			for (size_t i = 1; i < max; i++)
				assert_true(g->retained[best[i - 1]] >= g->retained[best[i]] &&
					    best[i - 1] != best[i]);
			for (uint32_t i = first[v]; max && i < first[v + 1]; i++) {
				bool kept = false;

				assert_int_equal(g->idom[child[i]], v);
				for (size_t k = 0; k < max; k++)
					kept |= best[k] == child[i];
				assert_true(kept ||
					    g->retained[child[i]] <= g->retained[best[max - 1]]);
			}
		}
	}
}

static void check_reverse(const struct drawing *d, struct graph *g, const bool *reach)
{
	uint32_t want = d->nroots, have = 0;

	for (uint32_t e = 0; e < d->m; e++)
		want += reach[d->from[e]];
	assert_null(graph_reverse(g, 2));
	for (gnode v = 0; v < d->n; v++) {
		for (uint32_t i = g->rfirst[v]; i < g->rfirst[v + 1]; i++, have++) {
			bool is = !g->rto[i] && v && v <= d->nroots;

			for (uint32_t e = 0; e < d->m; e++)
				is |= d->from[e] == g->rto[i] && d->to[e] == v;
			assert_true(is && reach[g->rto[i]]);
		}
	}
	assert_int_equal(have, want);
}

static void check_random(enum shape shape, uint64_t seed)
{
	static bool dom[DRAW_NODES][DRAW_NODES];
	_cleanup_(graph_freep) struct graph *g = NULL;
	bool reach[DRAW_NODES];
	struct drawing d;
	const char *why = "";

	draw_random(&d, shape, seed);
	g = draw_graph(&d);
	assert_non_null(g);
	naive(&d, dom, reach);
	assert_null(graph_dominators(g, 1));
	for (gnode v = 0; v < d.n; v++) {
		assert_int_equal(graph_reached(g, v), reach[v]);
		if (reach[v])
			check_node(&d, g, dom, v);
		else
			assert_int_equal(g->idom[v], GRAPH_NONE);
	}
	check_reverse(&d, g, reach);
	check_children(&d, g);
	if (!graph_validate(g, &why))
		fail_msg("shape %d seed %llu: %s", (int)shape, (unsigned long long)seed, why);
}

static void test_random(void **state)
{
	(void)state;
	for (int shape = 0; shape < SHAPES; shape++)
		for (uint64_t seed = 1; seed <= 500; seed++)
			check_random((enum shape)shape, seed);
}

/* Deeper than any C stack: nothing may recurse. */
static void test_deep(void **state)
{
	enum { N = 300000 };
	_cleanup_(freep) gnode *from = calloc(2 * N, sizeof(*from));
	_cleanup_(freep) gnode *to = calloc(2 * N, sizeof(*to));
	_cleanup_(graph_freep) struct graph *g = NULL;
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 0;
	uint32_t m = 0;

	(void)state;
	for (gnode v = 1; v + 1 < N; v++, m++) {
		from[m] = v;
		to[m] = v + 1;
	}
	for (gnode v = 2; v + 1 < N; v += 3, m++) { /* back from the end: one long compression */
		from[m] = N - 1;
		to[m] = v;
	}
	assert_null(graph_from_edges(N, 1, from, to, m, NULL, &g));
	assert_null(graph_dominators(g, 1));
	for (gnode v = 1; v < N; v++)
		assert_int_equal(g->idom[v], v - 1);
	assert_null(graph_path(g, N - 1, &path, &len));
	assert_int_equal(len, N - 1);
}

static void test_validate(void **state)
{
	_cleanup_(graph_freep) struct graph *g = NULL;
	struct drawing d;
	const char *why;
	gnode was;

	(void)state;
	draw(&d, "root a b; a->c b->c c->d");
	g = draw_graph(&d);
	assert_true(graph_validate(g, &why));
	was = g->to[0];
	g->to[0] = g->n;
	assert_false(graph_validate(g, &why));
	assert_string_equal(why, "edge out of range");
	g->to[0] = was;
	g->first[1] = 4000000000U;
	assert_false(graph_validate(g, &why));
}

static void test_refused(void **state)
{
	const gnode from[] = { 1 }, zero[] = { 0 }, out[] = { 2 };
	struct graph *g = NULL;
	struct err *err;

	(void)state;
	err = graph_from_edges(2, 1, from, zero, 1, NULL, &g);
	assert_true(err_catch(&err, ERR_BAD_DATA));
	err = graph_from_edges(2, 1, from, out, 1, NULL, &g);
	assert_true(err_catch(&err, ERR_BAD_DATA));
	err = graph_from_edges(2, 2, from, from, 1, NULL, &g);
	assert_true(err_catch(&err, ERR_LIMIT));
	assert_null(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawings), cmocka_unit_test(test_random),
		cmocka_unit_test(test_deep),	 cmocka_unit_test(test_validate),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
