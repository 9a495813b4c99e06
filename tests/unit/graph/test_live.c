/*
 * test_live.c - who can still be woken: drawings, then random graphs against the definition.
 */
#include "drawing.h"

#include "graph/live.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

/* late: "b:x" root b waits for x ("b:-" for nothing), a root may wait for several; hidden: "s>x".
 */
static const struct {
	const char *name, *graph, *late, *hidden, *live;
} drawings[] = {
	{ "nobody waits", "root a; a->b", "", "", "ab" },
	{ "for what a global has", "root a b; a->x b->x b->y", "b:x", "", "abxy" },
	{ "for what only itself has", "root a b; a->c b->x b->y", "b:x", "", "ac" },
	{ "for nothing", "root a b; a->x b->x b->y", "b:-", "", "ax" },
	{ "two for each other", "root a b c; a->d b->x b->y c->x c->y", "b:x c:y", "", "ad" },
	{ "a chain: each is woken by who was woken before",
	  "root a b c d; a->x b->x b->y c->y c->z d->z d->e", "b:x c:y d:z", "", "abcdexyz" },
	{ "a chain whose first is not woken", "root a b c; a->d b->x b->y c->y c->z", "b:x c:y", "",
	  "ad" },
	{ "one of several is enough", "root a b; a->y b->x b->y b->z", "b:x b:y", "", "abxyz" },
	{ "the list of all who wait is no reason", "root a b; a->s s->x b->x b->y", "b:x", "s>x",
	  "as" },
	{ "but what else leads there is", "root a b; a->s s->x a->x b->x b->y", "b:x", "s>x",
	  "abxys" },
	{ "hidden edges of who does not wait", "root a; a->s s->x x->y", "", "s>x", "as" },
	{ "a woken one reaches what is hidden elsewhere",
	  "root a b c; a->x b->x b->y c->y c->z a->s s->y", "b:x c:y", "s>y", "abcsxyz" },
	{ "waits for what nobody reaches, held by another who does not go on",
	  "root a b c; a->d b->x c->x c->y", "b:x c:y", "", "ad" },
	{ "a hidden edge that is none leads nowhere", "root a; a->s s->t x->y", "", "s>x", "ast" },
	{ "parallel edges are hidden together", "root a b; a->s s->x s->x b->x", "b:x", "s>x",
	  "as" },
};

static void read_waits(const struct drawing *d, const char *late, const char *hidden,
		       struct graph_waits *w)
{
	for (const char *p = late; *p; p += strcspn(p, " "), p += *p == ' ')
		assert_true(vec_push(
			&w->late,
			((struct graph_late){ draw_node(d, p),
					      p[2] == '-' ? GRAPH_NONE : draw_node(d, p + 2) })));
	for (const char *p = hidden; *p; p += strcspn(p, " "), p += *p == ' ')
		assert_true(vec_push(&w->hidden, ((struct graph_hidden){ draw_node(d, p),
									 draw_node(d, p + 2) })));
}

static void test_drawings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(drawings); i++) {
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(graph_waits_deinit) struct graph_waits w = { 0 };
		struct drawing d;
		bool seen[DRAW_NODES];
		const char *why;

		draw(&d, drawings[i].graph);
		g = draw_graph(&d);
		read_waits(&d, drawings[i].late, drawings[i].hidden, &w);
		bigfree(STEAL(g->reached), (g->n + 63) / 64, 8);
		assert_null(graph_reach_late(g, &w));
		assert_true(graph_validate(g, &why));
		draw_reach(&d, DRAW_NO, DRAW_NO, DRAW_NO, seen);
		for (gnode v = 1; v < d.n; v++) {
			bool want = strchr(drawings[i].live, d.name[v]) != NULL;

			if (graph_live(g, v) != want)
				fail_msg("%s: %c is %slive", drawings[i].name, d.name[v],
					 want ? "not " : "");
			if (graph_reached(g, v) != seen[v])
				fail_msg("%s: reach of %c", drawings[i].name, d.name[v]);
		}
	}
}

static uint32_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 33);
}

static bool is_hidden(const struct graph_waits *w, gnode from, gnode to)
{
	for (size_t i = 0; i < w->hidden.n; i++)
		if (w->hidden.v[i].from == from && w->hidden.v[i].to == to)
			return true;
	return false;
}

static bool may_go(const struct graph_waits *w, gnode root, const bool *live)
{
	bool late = false;

	for (size_t i = 0; i < w->late.n; i++) {
		if (w->late.v[i].root != root)
			continue;
		late = true;
		if (w->late.v[i].thing != GRAPH_NONE && live[w->late.v[i].thing])
			return true;
	}
	return !late;
}

/* The definition, until nothing changes. */
static void naive(const struct drawing *d, const struct graph_waits *w, bool *live)
{
	bool more = true;

	memset(live, 0, DRAW_NODES);
	live[0] = true;
	while (more) {
		more = false;
		for (gnode r = 1; r <= d->nroots; r++)
			if (!live[r] && may_go(w, r, live))
				live[r] = more = true;
		for (uint32_t e = 0; e < d->m; e++)
			if (d->from[e] && live[d->from[e]] && !live[d->to[e]] &&
			    !is_hidden(w, d->from[e], d->to[e]))
				live[d->to[e]] = more = true;
	}
}

static void chance(const struct drawing *d, uint64_t *x, struct graph_waits *w)
{
	uint32_t n = next(x) % (d->nroots + 1);

	for (uint32_t i = 0; i < n; i++) {
		gnode root = 1 + next(x) % d->nroots;
		gnode thing = d->nroots + 1 + next(x) % (d->n - d->nroots);

		if (thing >= d->n)
			thing = GRAPH_NONE;
		assert_true(vec_push(&w->late, ((struct graph_late){ root, thing })));
	}
	for (uint32_t i = 0; i < d->m / 8; i++) {
		uint32_t e = next(x) % d->m;

		if (d->from[e] > d->nroots)
			assert_true(vec_push(&w->hidden,
					     ((struct graph_hidden){ d->from[e], d->to[e] })));
	}
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 4000; seed++) {
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(graph_waits_deinit) struct graph_waits w = { 0 };
		uint64_t x = seed * 0x9e3779b97f4a7c15ULL;
		bool live[DRAW_NODES], seen[DRAW_NODES];
		struct drawing d;

		draw_random(&d, (enum shape)(seed % SHAPES), seed);
		if (!d.nroots || !d.m || d.n <= d.nroots + 1)
			continue;
		g = draw_graph(&d);
		chance(&d, &x, &w);
		bigfree(STEAL(g->reached), (g->n + 63) / 64, 8);
		assert_null(graph_reach_late(g, &w));
		naive(&d, &w, live);
		draw_reach(&d, DRAW_NO, DRAW_NO, DRAW_NO, seen);
		for (gnode v = 1; v < d.n; v++) {
			if (graph_live(g, v) != (live[v] && seen[v]))
				fail_msg("seed %lu: node %u live", (unsigned long)seed, v);
			if (graph_reached(g, v) != seen[v])
				fail_msg("seed %lu: node %u reached", (unsigned long)seed, v);
		}
	}
}

/* Each byte once, and together all that is not live. */
static void test_freed(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 1000; seed++) {
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(graph_waits_deinit) struct graph_waits w = { 0 };
		uint64_t x = seed * 0x9e3779b97f4a7c15ULL, bytes[2], objects[2], want = 0;
		uint32_t group[DRAW_NODES];
		struct drawing d;

		draw_random(&d, (enum shape)(seed % SHAPES), seed);
		if (!d.nroots || !d.m || d.n <= d.nroots + 1)
			continue;
		g = draw_graph(&d);
		chance(&d, &x, &w);
		bigfree(STEAL(g->reached), (g->n + 63) / 64, 8);
		assert_null(graph_reach_late(g, &w));
		for (uint32_t r = 0; r < d.nroots; r++)
			group[r] = r & 1;
		/* what is behind a hidden edge alone is reached by no root's walk */
		if (w.hidden.n)
			continue;
		assert_null(graph_freed(g, group, 2, bytes, objects));
		for (gnode v = 1; v < d.n; v++)
			if (graph_reached(g, v) && !graph_live(g, v))
				want += graph_shallow(g, v);
		assert_int_equal(bytes[0] + bytes[1], want);
	}
}

static void test_waker_path(void **state)
{
	_cleanup_(graph_freep) struct graph *g = NULL;
	_cleanup_(graph_waits_deinit) struct graph_waits w = { 0 };
	_cleanup_(freep) gnode *path = NULL;
	struct drawing d;
	size_t len = 0;

	(void)state;
	draw(&d, "root a b; b->x a->s s->x a->c c->e e->x");
	g = draw_graph(&d);
	read_waits(&d, "b:x", "s>x", &w);
	assert_null(graph_waker_path(g, &w, draw_node(&d, "x"), &path, &len));
	assert_int_equal(len, 4);
	assert_int_equal(path[0], draw_node(&d, "a"));
	assert_int_equal(path[2], draw_node(&d, "e"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawings),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_freed),
		cmocka_unit_test(test_waker_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
