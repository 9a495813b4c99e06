/*
 * test_paths.c - shortest ways, independent ways, cut edges, each against a naive oracle:
 * relaxation, a maximum flow on a matrix, removal of one edge and a new walk.
 */
#include "drawing.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

/* Longest drawing name is irrelevant; fails with shape and seed. */
#define EXPECT(ok)                                                                                 \
	do {                                                                                       \
		if (!(ok))                                                                         \
			fail_msg("shape %d seed %llu node %u: %s", c->shape,                       \
				 (unsigned long long)c->seed, c->v, #ok);                          \
	} while (0)

struct check {
	struct drawing d;
	struct graph *g;
	int shape;
	uint64_t seed;
	gnode v;
};

static bool naive_edge(const struct drawing *d, gnode a, gnode b)
{
	for (uint32_t e = 0; e < d->m; e++)
		if (d->from[e] == a && d->to[e] == b)
			return true;
	return false;
}

/* Nodes on the shortest way from a root to v, v included; 0: unreachable. */
static uint32_t naive_distance(const struct drawing *d, gnode v)
{
	uint32_t dist[DRAW_NODES];

	memset(dist, 0, sizeof(dist));
	for (gnode r = 1; r <= d->nroots; r++)
		dist[r] = 1;
	for (uint32_t round = 0; round < d->n; round++)
		for (uint32_t e = 0; e < d->m; e++) {
			uint32_t by = dist[d->from[e]] + 1, *to = &dist[d->to[e]];

			if (by > 1 && (!*to || by < *to))
				*to = by;
		}
	return dist[v];
}

/* Split nodes: in = 2 v, out = 2 v + 1.  Depth-first augmentation, one unit each. */
static bool naive_push(uint32_t n, uint8_t cap[2 * DRAW_NODES][2 * DRAW_NODES], uint32_t x,
		       uint32_t sink, bool *seen)
{
	if (x == sink)
		return true;
	seen[x] = true;
	for (uint32_t y = 0; y < 2 * n; y++)
		if (cap[x][y] && !seen[y] && naive_push(n, cap, y, sink, seen)) {
			cap[x][y]--;
			cap[y][x]++;
			return true;
		}
	return false;
}

static uint32_t naive_flow(const struct drawing *d, gnode v)
{
	static uint8_t cap[2 * DRAW_NODES][2 * DRAW_NODES];
	bool seen[2 * DRAW_NODES];
	uint32_t flow = 0;

	for (uint32_t i = 0; i < 2 * d->n; i++)
		memset(cap[i], 0, 2 * d->n);
	for (gnode u = 1; u < d->n; u++)
		cap[2 * u][2 * u + 1] = 1;
	for (gnode r = 1; r <= d->nroots; r++)
		cap[1][2 * r] = 1;
	for (uint32_t e = 0; e < d->m; e++)
		if (d->from[e] != v)
			cap[2 * d->from[e] + 1][2 * d->to[e]] = 1;
	memset(seen, 0, sizeof(seen));
	while (naive_push(d->n, cap, 1, 2 * v, seen)) {
		flow++;
		memset(seen, 0, sizeof(seen));
	}
	return flow;
}

static void check_way(const struct check *c, const gnode *path, size_t len)
{
	EXPECT(len > 0 && path[0] >= 1 && path[0] <= c->d.nroots && path[len - 1] == c->v);
	for (size_t i = 1; i < len; i++)
		EXPECT(naive_edge(&c->d, path[i - 1], path[i]));
}

static void check_shortest(const struct check *c)
{
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 99;

	assert_null(graph_path(c->g, c->v, &path, &len));
	EXPECT(len == naive_distance(&c->d, c->v));
	if (len)
		check_way(c, path, len);
}

/* Ways share no node but v. */
static void check_disjoint(const struct check *c, const struct graph_paths *p)
{
	bool used[DRAW_NODES] = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		check_way(c, p->path[i], p->len[i]);
		EXPECT(!i || p->len[i - 1] <= p->len[i]);
		for (size_t k = 0; k + 1 < p->len[i]; k++) {
			EXPECT(!used[p->path[i][k]] && p->path[i][k] != c->v);
			used[p->path[i][k]] = true;
		}
	}
}

static bool naive_cuts(const struct drawing *d, gnode a, gnode b, gnode v)
{
	bool seen[DRAW_NODES];

	draw_reach(d, DRAW_NO, a, b, seen);
	return !seen[v];
}

static void check_cut_edge(const struct check *c, const struct graph_paths *p)
{
	bool seen[DRAW_NODES], any = false;

	for (uint32_t e = 0; e < c->d.m; e++) {
		gnode a = c->d.from[e], b = c->d.to[e];

		if (!naive_cuts(&c->d, a, b, c->v))
			continue;
		any = true;
		/* Any other such edge lies before: without its end the one found is not reached. */
		draw_reach(&c->d, b, DRAW_NO, DRAW_NO, seen);
		EXPECT(p->cut_to < c->d.n && !seen[p->cut_to]);
	}
	EXPECT(any == (p->cut_from != GRAPH_NONE) && any == (p->cut_to != GRAPH_NONE));
	EXPECT(!any || (naive_edge(&c->d, p->cut_from, p->cut_to) &&
			naive_cuts(&c->d, p->cut_from, p->cut_to, c->v)));
}

static void check_independent(const struct check *c)
{
	_cleanup_(graph_paths_deinit) struct graph_paths p = { 0 };
	bool root = c->v && c->v <= c->d.nroots, is = graph_reached(c->g, c->v) && c->v;
	uint32_t want = !is ? 0 : root ? 1 : naive_flow(&c->d, c->v);
	size_t max = c->seed % 3 ? 16 : 2;

	assert_null(graph_independent(c->g, c->v, max, &p));
	EXPECT(p.independent == MIN(want, 16U));
	EXPECT(p.capped == (want >= 16));
	EXPECT(p.n == MIN(max, p.independent));
	check_disjoint(c, &p);
	if (is)
		check_cut_edge(c, &p);
	else
		EXPECT(p.cut_from == GRAPH_NONE && p.cut_to == GRAPH_NONE);
}

static void check_cut(const struct check *c, gnode a, gnode b)
{
	bool all[DRAW_NODES], seen[DRAW_NODES];
	uint64_t bytes = 0, objects = 0, have_bytes = 1, have_objects = 1;

	draw_reach(&c->d, DRAW_NO, DRAW_NO, DRAW_NO, all);
	draw_reach(&c->d, DRAW_NO, a, b, seen);
	for (gnode v = c->d.nroots + 1; v < c->d.n; v++)
		if (all[v] && !seen[v]) {
			objects++;
			bytes += c->d.bytes[v];
		}
	assert_null(graph_cut(c->g, a, b, &have_bytes, &have_objects));
	EXPECT(have_bytes == bytes && have_objects == objects);
}

/* One walk for several: each is as long as if it had been asked for alone. */
static void check_ways(const struct check *c)
{
	_cleanup_(graph_ways_deinit) struct graph_ways w = { 0 };
	gnode want[DRAW_NODES] = { 0 };
	size_t n = 0;

	for (gnode v = 0; v < c->d.n; v += 1 + (gnode)(c->seed % 5))
		want[n++] = v;
	assert_null(graph_ways_create(c->g, want, n, NULL, &w));
	for (size_t i = 0; i < n; i++) {
		struct check one = *c;
		_cleanup_(freep) gnode *path = NULL;
		size_t len = 99;

		one.v = want[i];
		assert_null(graph_way(&w, want[i], &path, &len));
		if (len != naive_distance(&c->d, want[i]))
			fail_msg("shape %d seed %llu: way to %u has %zu nodes", c->shape,
				 (unsigned long long)c->seed, want[i], len);
		if (len)
			check_way(&one, path, len);
	}
}

/* Through a root that is to be tried last only if there is no other way. */
static void test_last_roots(void **state)
{
	static const struct {
		const char *graph, *way;
	} t[] = {
		{ "root a b; a->x b->c c->x", "bcx" },
		{ "root a b; a->x x->b b->c", "ax" },
		{ "root a b; a->d d->x b->c c->d", "bcdx" },
		{ "root a; a->x", "ax" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		_cleanup_(graph_ways_deinit) struct graph_ways w = { 0 };
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(freep) gnode *path = NULL;
		uint8_t last[2] = { 1, 0 };
		char have[8] = "";
		struct drawing d;
		size_t len = 0;
		gnode x;

		draw(&d, t[i].graph);
		g = draw_graph(&d);
		x = draw_node(&d, "x");
		assert_null(graph_ways_create(g, &x, 1, last, &w));
		assert_null(graph_way(&w, x, &path, &len));
		for (size_t k = 0; k < len && k < 7; k++)
			have[k] = d.name[path[k]];
		assert_string_equal(have, t[i].way);
	}
}

static bool is_on(const gnode *path, size_t len, gnode v)
{
	for (size_t i = 0; i < len; i++)
		if (path[i] == v)
			return true;
	return false;
}

/* A way with all dominators on it, by edges that are there. */
static void check_held(const struct check *c)
{
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 99;
	gnode top = c->v;

	assert_null(graph_held_path(c->g, c->v, UINT64_MAX, &path, &len));
	EXPECT((len != 0) == (c->v && graph_reached(c->g, c->v)));
	if (!len)
		return;
	EXPECT(path[len - 1] == c->v);
	for (size_t i = 1; i < len; i++)
		EXPECT(naive_edge(&c->d, path[i - 1], path[i]));
	for (gnode w = c->v; w; w = c->g->idom[w]) {
		EXPECT(is_on(path, len, w));
		top = w;
	}
	EXPECT(path[0] == top);
}

static void check_entries(const struct check *c)
{
	gnode nodes[DRAW_NODES];
	uint8_t single[DRAW_NODES];

	for (gnode v = 0; v < c->d.n; v++)
		nodes[v] = v;
	assert_null(graph_single_entries(c->g, nodes, c->d.n, 2, single));
	for (gnode v = 0; v < c->d.n; v++) {
		bool reached = v && graph_reached(c->g, v);

		/* the super-root's edges are nobody's to cut */
		if (reached && !c->g->idom[v])
			continue;
		if ((reached && naive_cuts(&c->d, c->g->idom[v], v, v)) != single[v])
			fail_msg("shape %d seed %llu node %u: single entry %d", c->shape,
				 (unsigned long long)c->seed, v, single[v]);
	}
}

static void check_graph(struct check *c)
{
	_cleanup_(graph_freep) struct graph *g = draw_graph(&c->d);

	assert_non_null(g);
	assert_null(graph_dominators(g, 1));
	c->g = g;
	check_ways(c);
	check_entries(c);
	for (c->v = 0; c->v < c->d.n; c->v++)
		check_held(c);
	for (c->v = 0; c->v < c->d.n; c->v++) {
		check_shortest(c);
		check_independent(c);
	}
	for (uint32_t e = 0; e < c->d.m; e++)
		if (e % 4 == c->seed % 4)
			check_cut(c, c->d.from[e], c->d.to[e]);
	check_cut(c, 1, c->d.n - 1); /* often no edge: frees nothing */
}

static void test_random(void **state)
{
	static struct check c;

	(void)state;
	for (c.shape = 0; c.shape < SHAPES; c.shape++)
		for (c.seed = 1; c.seed <= 60; c.seed++) {
			draw_random(&c.d, (enum shape)c.shape, c.seed);
			check_graph(&c);
		}
}

static const struct {
	const char *name, *graph, *of;
	uint32_t independent;
	const char *cut; /* "" none */
} drawings[] = {
	{ "chain", "root a; a->b b->c", "c", 1, "b->c" },
	{ "a root", "root a; a->b", "a", 1, "" },
	{ "diamond under one edge", "root a; a->b b->c b->d c->e d->e", "e", 1, "a->b" },
	{ "two roots", "root a b; a->c b->c", "c", 2, "" },
	{ "two roots by one", "root a b; a->c b->c c->d", "d", 1, "c->d" },
	{ "parallel edges count as one", "root a; a->b a->b", "b", 1, "a->b" },
	{ "own garbage does not hold", "root a; a->b b->c c->b", "b", 1, "a->b" },
	{ "ways cross over", "root a b; a->c a->d b->c c->e d->f e->f", "f", 2, "" },
	/* The first search takes a->c->v; only taking it back makes room for two. */
	{ "taken back", "root a b; a->c b->c a->d d->e e->v c->v", "v", 2, "" },
	{ "unreachable", "root a; b->c", "c", 0, "" },
};

static void test_drawings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(drawings); i++) {
		_cleanup_(graph_paths_deinit) struct graph_paths p = { 0 };
		_cleanup_(graph_freep) struct graph *g = NULL;
		struct drawing d;
		char cut[8] = "";

		draw(&d, drawings[i].graph);
		g = draw_graph(&d);
		assert_null(graph_independent(g, draw_node(&d, drawings[i].of), 16, &p));
		if (p.cut_from != GRAPH_NONE) {
			memcpy(cut, "x->y", 5);
			cut[0] = d.name[p.cut_from];
			cut[3] = d.name[p.cut_to];
		}
		if (p.independent != drawings[i].independent || strcmp(cut, drawings[i].cut))
			fail_msg("%s: %u ways, cut '%s'", drawings[i].name, p.independent, cut);
	}
}

/* Twenty roots hold one object: more than are counted. */
static void test_capped(void **state)
{
	_cleanup_(graph_paths_deinit) struct graph_paths p = { 0 };
	_cleanup_(graph_freep) struct graph *g = NULL;
	gnode from[20], to[20];

	(void)state;
	for (gnode r = 0; r < 20; r++) {
		from[r] = r + 1;
		to[r] = 21;
	}
	assert_null(graph_from_edges(22, 20, from, to, 20, NULL, &g));
	assert_null(graph_independent(g, 21, 3, &p));
	assert_int_equal(p.independent, 16);
	assert_true(p.capped);
	assert_int_equal(p.n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawings),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_last_roots),
		cmocka_unit_test(test_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
