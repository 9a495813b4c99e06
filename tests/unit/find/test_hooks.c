/*
 * test_hooks.c - which finalizers keep their own objects: drawings, then random graphs against a
 * collector that is played cycle by cycle.
 */
#include "../graph/drawing.h"
#include "find/hooks.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

enum { HOOKS = 32 };

struct hooked {
	struct drawing d;
	struct hook v[HOOKS], sorted[HOOKS];
	size_t n;
};

/* hooks: "a:o" = root a is the hook of object o; want: "a:own" … or "a:loose". */
static const struct {
	const char *name, *graph, *hooks, *weak, *want;
} drawings[] = {
	{ "fine", "root r f; o->p f->p r->x", "f:o", "", "f:pending" },
	{ "held by a global", "root r f; r->o o->p f->p", "f:o", "", "f:alive" },
	{ "cycle", "root f; f->p o->p p->o", "f:o", "", "f:own" },
	{ "cycle that a global has, too", "root r f; f->p o->p p->o r->p", "f:o", "", "f:alive" },
	{ "function has the object", "root f; f->c c->o", "f:o", "", "f:own" },
	{ "each by the other's", "root f g; f->p p->q g->q q->o o->p", "f:o g:q", "",
	  "f:own g:own" },
	{ "two in a ring of hooks", "root f g; f->q g->o", "f:o g:q", "", "f:own g:own" },
	{ "held by a cycle", "root f g; f->p p->o p->v v->x g->x", "f:o g:v", "", "f:own g:held" },
	{ "chain of three", "root f g h; a->b f->b b->c g->c c->x h->x", "f:a g:b h:c", "",
	  "f:pending g:pending h:pending" },
	{ "a pending one reaches the cycle", "root f g; f->p p->o v->p g->p", "f:o g:v", "",
	  "f:loose g:pending" },
	{ "a weak pointer reaches it", "root f; f->p p->o", "f:o", "p", "f:loose" },
	{ "a weak pointer beside it", "root f; f->p p->o p->x", "f:o", "x", "f:own" },
	{ "alive through a hook of what is alive", "root r f g; r->a f->p g->o o->p p->o",
	  "f:a g:o", "", "f:alive g:alive" },
	{ "alive through an alive hook's word alone", "root r f g; r->a f->o g->p p->o o->p",
	  "f:a g:o", "", "f:alive g:alive" },
	{ "two hooks on one object", "root f g; f->p p->o g->x", "f:o g:o", "", "f:own g:held" },
	{ "plain cycle with a cleanup", "root f; f->x o->p p->o", "f:o", "", "f:pending" },
};

static int by_root(const void *x, const void *y)
{
	const struct hook *a = x, *b = y;

	return (a->root > b->root) - (a->root < b->root);
}

static void solve(struct hooked *t, const struct graph *g, const gnode *weak, size_t nweak,
		  struct hooks *ret)
{
	memcpy(t->sorted, t->v, sizeof(t->v));
	assert_null(hooks_solve(g, 2, t->sorted, t->n, weak, nweak, ret));
	memcpy(t->v, t->sorted, sizeof(t->v));
	qsort(t->v, t->n, sizeof(t->v[0]), by_root);
}

static const char *word_of(const struct hook *h)
{
	static const char *const words[] = { "alive", "own", "held", "pending" };

	return h->loose ? "loose" : words[h->state];
}

static void test_drawings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(drawings); i++) {
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(hooks_deinit) struct hooks h = { 0 };
		struct hooked t = { 0 };
		gnode weak = GRAPH_NONE;
		char got[128] = "";

		draw(&t.d, drawings[i].graph);
		for (const char *p = drawings[i].hooks; *p; p += strcspn(p, " "), p += *p == ' ')
			t.v[t.n++] = (struct hook){ .object = draw_node(&t.d, p + 2),
						    .root = draw_node(&t.d, p) };
		if (*drawings[i].weak)
			weak = draw_node(&t.d, drawings[i].weak);
		g = draw_graph(&t.d);
		assert_null(graph_dominators(g, 1));
		solve(&t, g, &weak, weak != GRAPH_NONE, &h);
		for (size_t k = 0; k < t.n; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%c:%s",
				 k ? " " : "", t.d.name[t.v[k].root], word_of(&t.v[k]));
		if (strcmp(got, drawings[i].want) != 0)
			fail_msg("%s: %s, not %s", drawings[i].name, got, drawings[i].want);
	}
}

/* What a collection marks while the hooks that are left are roots. */
static uint64_t mark(const struct hooked *t, const bool *gone, bool *seen)
{
	const struct drawing *d = &t->d;
	uint64_t bytes = 0;
	bool more = true;

	memset(seen, 0, DRAW_NODES);
	for (gnode r = 1; r <= d->nroots; r++)
		seen[r] = true;
	for (size_t k = 0; k < t->n; k++)
		seen[t->v[k].root] = !gone[k];
	while (more) {
		more = false;
		for (uint32_t e = 0; e < d->m; e++) {
			if (!d->from[e] || !seen[d->from[e]] || seen[d->to[e]])
				continue;
			seen[d->to[e]] = more = true;
		}
	}
	for (gnode v = d->nroots + 1; v < d->n; v++)
		bytes += seen[v] ? d->bytes[v] : 0;
	return bytes;
}

/* Collections until no hook is left whose object is not marked; a hook that ran is gone. */
static uint64_t collect(const struct hooked *t, bool *gone, bool *seen)
{
	bool more = true;
	uint64_t bytes = 0;

	while (more) {
		more = false;
		bytes = mark(t, gone, seen);
		for (size_t k = 0; k < t->n; k++) {
			if (gone[k] || seen[t->v[k].object])
				continue;
			gone[k] = more = true;
		}
	}
	return bytes;
}

/* From plain roots, and hooks of what they reach. */
static void mark_alive(const struct hooked *t, bool *seen)
{
	bool gone[HOOKS], more = true;

	memset(gone, 1, sizeof(gone));
	while (more) {
		more = false;
		mark(t, gone, seen);
		for (size_t k = 0; k < t->n; k++) {
			if (!gone[k] || !seen[t->v[k].object])
				continue;
			gone[k] = false;
			more = true;
		}
	}
}

/* Does the hook reach its object, over hooks of what it reaches, too? */
static bool reaches_own(const struct hooked *t, size_t hook)
{
	bool seen[DRAW_NODES] = { 0 }, more = true;
	const struct drawing *d = &t->d;

	seen[t->v[hook].root] = true;
	while (more) {
		more = false;
		for (uint32_t e = 0; e < d->m; e++)
			if (seen[d->from[e]] && !seen[d->to[e]])
				seen[d->to[e]] = more = true;
		for (size_t k = 0; k < t->n; k++)
			if (seen[t->v[k].object] && !seen[t->v[k].root])
				seen[t->v[k].root] = more = true;
	}
	return seen[t->v[hook].object];
}

static void check_random(struct hooked *t, const struct hooks *h, const char *what)
{
	bool gone[HOOKS] = { 0 }, seen[DRAW_NODES], alive[DRAW_NODES];
	uint32_t group[HOOKS];
	struct hooks_sum sum[2];
	uint64_t all, left;

	all = collect(t, gone, seen);
	mark_alive(t, alive);
	for (size_t k = 0; k < t->n; k++) {
		uint8_t want = alive[t->v[k].object] ? HOOK_ALIVE
			       : gone[k]	     ? HOOK_PENDING
			       : reaches_own(t, k)   ? HOOK_OWN
						     : HOOK_HELD;

		if (!h->nown && (want == HOOK_ALIVE || want == HOOK_PENDING))
			continue;
		if (t->v[k].state != want)
			fail_msg("%s: hook %zu is %u, not %u", what, k, t->v[k].state, want);
	}
	for (size_t k = 0; k < t->n; k++)
		gone[k] |= t->v[k].state == HOOK_OWN;
	left = collect(t, gone, seen);
	for (size_t k = 0; k < t->n; k++)
		group[k] = 0;
	assert_null(hooks_measure(h, group, 1, sum));
	if (sum[0].bytes != all - left)
		fail_msg("%s: %llu bytes, not %llu", what, (unsigned long long)sum[0].bytes,
			 (unsigned long long)(all - left));
}

static uint64_t random_of(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Some of the nodes become roots of hooks: nothing points at those. */
static bool hook_some(struct hooked *t, uint64_t seed)
{
	struct drawing *d = &t->d;
	uint32_t kept = 0;

	if (d->n <= d->nroots + 1)
		return false;
	for (gnode r = 1; r <= d->nroots && t->n < HOOKS; r++)
		if (random_of(&seed) % 3)
			t->v[t->n++] = (struct hook){ .root = r,
						      .object = d->nroots + 1 +
								(gnode)(random_of(&seed) %
									(d->n - d->nroots - 1)) };
	for (uint32_t e = 0; e < d->m; e++) {
		if (d->to[e] <= d->nroots)
			continue;
		d->from[kept] = d->from[e];
		d->to[kept++] = d->to[e];
	}
	d->m = kept;
	return t->n > 0;
}

static void test_random(void **state)
{
	unsigned own = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 4000; seed++) {
		_cleanup_(graph_freep) struct graph *g = NULL;
		_cleanup_(hooks_deinit) struct hooks h = { 0 };
		struct hooked t = { 0 };
		char what[64];

		draw_random(&t.d, (enum shape)(seed % SHAPES), seed);
		if (!hook_some(&t, seed * 2654435761U))
			continue;
		g = draw_graph(&t.d);
		assert_null(graph_dominators(g, 1));
		solve(&t, g, NULL, 0, &h);
		snprintf(what, sizeof(what), "seed %llu", (unsigned long long)seed);
		check_random(&t, &h, what);
		own += h.nown > 0;
	}
	assert_true(own > 200); /* else nothing was tested */
}

static void test_circle(void **state)
{
	_cleanup_(graph_freep) struct graph *g = NULL;
	_cleanup_(hooks_deinit) struct hooks h = { 0 };
	_cleanup_(freep) gnode *path = NULL;
	struct hooked t = { .n = 1 };
	size_t n = 0;

	(void)state;
	draw(&t.d, "root f; f->a a->b b->c c->o a->c o->a a->x");
	t.v[0] = (struct hook){ .object = draw_node(&t.d, "o"), .root = draw_node(&t.d, "f") };
	g = draw_graph(&t.d);
	assert_null(graph_dominators(g, 1));
	solve(&t, g, NULL, 0, &h);
	assert_null(hooks_circle(&h, 0, &path, &n));
	assert_int_equal(n, 3);
	assert_int_equal(path[0], draw_node(&t.d, "a"));
	assert_int_equal(path[1], draw_node(&t.d, "c"));
	assert_int_equal(path[2], draw_node(&t.d, "o"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawings),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
