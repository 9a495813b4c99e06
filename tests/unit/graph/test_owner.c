/*
 * test_owner.c - the owner's graph: drawings of what passes on, then thousands of random graphs
 * against costs found by relaxing until nothing changes, and dominators by removing one node.
 *
 * In drawings "a=>b" is a plain passing edge, "a^>b" a link, "a~>b" one of a chain; "a+>b" is
 * no edge, b is a bead of a; "!a" before a root: the super-root only passes it on.
 */
#include "drawing.h"

#include "graph/owner.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

enum { BEAD = EDGE_CHAIN + 1 };

struct world {
	struct drawing d;
	uint8_t how[DRAW_EDGES]; /* of d's edges */
	uint8_t root_how[DRAW_NODES];
	struct graph_bead beads[DRAW_EDGES];
	uint32_t nbeads;
	struct graph *g, *o;
	struct graph_passing p;
};

static const struct {
	const char *name, *graph, *exact, *owner;
} drawings[] = {
	{ "no passing edges", "root a b; a->c b->c c->d", "a:root b:root c:root d:c",
	  "a:root b:root c:root d:c" },
	{ "a pool beside an owner", "root s p; s->x p=>x x->y", "s:root p:root x:root y:x",
	  "s:root p:root x:s y:x" },
	{ "what only a pool holds is the pool's", "root p; p=>x x->y", "p:root x:p y:x",
	  "p:root x:p y:x" },
	{ "two pools and nobody else share", "root p q; p=>x q=>x", "p:root q:root x:root",
	  "p:root q:root x:root" },
	{ "a pooled object has no claim on what is owned", "root s p; s->x p=>b b->x b->z",
	  "s:root p:root b:p x:root z:b", "s:root p:root b:p x:s z:b" },
	{ "a passing root", "root !t s; t->f f->x s->x f->y", "t:root s:root f:t x:root y:f",
	  "t:root s:root f:t x:s y:f" },
	{ "parallel, one of them owns", "root s p; s->x p=>x p->x", "s:root p:root x:root",
	  "s:root p:root x:root" },
	/* m: map of elements e, f, g; l: their list, to the first and last of which it points */
	{ "list beside a map, an element in use",
	  "root c s; c->m c->l m->e m->f m->g l->e l->g e~>f f~>g g~>f f~>e e~>l f~>l g~>l l+>e "
	  "l+>f l+>g s->f e->x f->y g->z",
	  "c:root s:root m:c l:root e:root f:root g:root x:e y:f z:g",
	  "c:root s:root m:c l:c e:c f:root g:c x:e y:f z:g" },
	{ "the same, in a cache",
	  "root c s; c=>m c=>l m->e m->f m->g l->e l->g e~>f f~>g g~>f f~>e e~>l f~>l g~>l l+>e "
	  "l+>f l+>g s->f e->x f->y g->z",
	  "c:root s:root m:c l:root e:root f:root g:root x:e y:f z:g",
	  "c:root s:root m:c l:c e:c f:s g:c x:e y:f z:g" },
	{ "an element in use, and no map",
	  "root l s; l->e l->h e~>f f~>g g~>h h~>g g~>f f~>e e~>l f~>l g~>l h~>l l+>e l+>f l+>g "
	  "l+>h s->f",
	  "l:root s:root e:root f:root g:root h:root", "l:root s:root e:l f:root g:l h:l" },
	{ "a list alone is as in the exact tree",
	  "root l; l->a l->c a~>b b~>c c~>b b~>a a~>l b~>l l+>a l+>b l+>c", "l:root a:l b:l c:l",
	  "l:root a:l b:l c:l" },
	{ "a list owns its values as an array would", "root s l; s->x l->a l+>a a~>l a->x a->y",
	  "s:root l:root x:root a:l y:a", "s:root l:root x:root a:l y:a" },
	{ "values that know their elements",
	  "root l; l->a l->b a->x x->a a~>b b~>a b->y y->b l+>a l+>b", "l:root a:l b:l x:a y:b",
	  "l:root a:l b:l x:a y:b" },
	{ "an element without its list",
	  "root s; s->a a~>b b~>a b~>c c~>b a~>l b~>l c~>l l->a l->c l+>a l+>b l+>c c->x",
	  "s:root a:s b:a c:a l:a x:c", "s:root a:s b:a c:l l:a x:c" },
	{ "a pool beside a link", "root p g; p=>x g->c c^>b b->x", "p:root g:root c:g b:c x:root",
	  "p:root g:root c:g b:c x:root" },
	{ "a row of links counts once", "root p g; p=>x g->c c^>b b^>a a->x",
	  "p:root g:root c:g b:c a:b x:root", "p:root g:root c:g b:c a:b x:root" },
	{ "pool in a pool", "root p q s; p=>a a=>x q=>x", "p:root q:root s:root a:p x:root",
	  "p:root q:root s:root a:p x:q" },
	/* h holds a child context c; b is the base of all contexts, g a request */
	{ "contexts", "root h b g; h->c c^>b b=>k k->c g->d d^>b k->d b->v",
	  "h:root b:root g:root c:root d:root v:b k:b", "h:root b:root g:root c:h d:g v:b k:b" },
};

static void world_deinit(struct world *w)
{
	graph_free(w->o);
	graph_free(w->g);
	graph_passing_deinit(&w->p);
}

/* Rows keep the order of the drawing: edge k of a source is the k-th of its row. */
static uint32_t edge_index(const struct world *w, uint32_t k)
{
	uint32_t e = graph_first(w->g, w->d.from[k]);

	for (uint32_t i = 0; i < k; i++)
		e += w->d.from[i] == w->d.from[k];
	return e;
}

/* Beads are no edges: they are taken out of the drawing. */
static void take_beads(struct world *w)
{
	uint32_t n = 0;

	w->nbeads = 0;
	for (uint32_t k = 0; k < w->d.m; k++) {
		if (w->how[k] == BEAD) {
			w->beads[w->nbeads++] = (struct graph_bead){ w->d.from[k], w->d.to[k] };
			continue;
		}
		w->d.from[n] = w->d.from[k];
		w->d.to[n] = w->d.to[k];
		w->how[n++] = w->how[k];
	}
	w->d.m = n;
}

static void build(struct world *w)
{
	const char *why;

	take_beads(w);
	w->g = draw_graph(&w->d);
	assert_non_null(w->g);
	assert_null(graph_passing_create(w->g, &w->p));
	for (uint32_t k = 0; k < w->d.m; k++) {
		assert_int_equal(w->g->to[edge_index(w, k)], w->d.to[k]);
		w->p.kind[edge_index(w, k)] = w->how[k];
	}
	for (uint32_t r = 0; r < w->d.nroots; r++)
		if (w->root_how[r + 1])
			w->p.kind[graph_edge_of_root(w->g, r)] = EDGE_PLAIN;
	for (uint32_t i = 0; i < w->nbeads; i++) /* of what is reachable, as owner.h has it */
		if (graph_reached(w->g, w->beads[i].string) &&
		    graph_reached(w->g, w->beads[i].bead))
			assert_true(vec_push(&w->p.beads, w->beads[i]));
	assert_null(graph_owner(w->g, &w->p, &w->o));
	assert_null(graph_dominators(w->g, 1));
	assert_null(graph_dominators(w->o, 1));
	if (!graph_validate(w->o, &why))
		fail_msg("%s", why);
}

static uint8_t edge_kind(char c)
{
	static const char chars[] = "-=^~+"; /* as enum graph_edge_kind, and BEAD */

	return (uint8_t)(strchr(chars, c) - chars);
}

static void draw_passing(struct world *w, const char *text)
{
	char plain[512];
	size_t n = 0;
	uint32_t k = 0, roots = 0;

	*w = (struct world){ 0 };
	for (const char *p = text; *p; p++) {
		if (*p == '!') {
			w->root_how[roots + 1] = EDGE_PLAIN;
			continue;
		}
		roots += n > 4 && *p != ' ' && *p != ';';
		if (p[1] == '>')
			w->how[k++] = edge_kind(*p);
		plain[n++] = p[1] == '>' ? '-' : *p;
	}
	plain[n] = 0;
	draw(&w->d, plain);
	build(w);
}

static void check_idoms(const char *name, const struct drawing *d, const struct graph *g,
			const char *idoms)
{
	gnode want[DRAW_NODES];

	memset(want, 0xff, sizeof(want));
	for (const char *p = idoms; *p; p += strcspn(p, " "), p += *p == ' ')
		want[draw_node(d, p)] = draw_node(d, p + 2);
	for (gnode v = 1; v < d->n; v++)
		if (g->idom[v] != want[v])
			fail_msg("%s: idom of %c is %u, not %u", name, d->name[v], g->idom[v],
				 want[v]);
}

static void test_drawings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(drawings); i++) {
		struct world w;

		draw_passing(&w, drawings[i].graph);
		check_idoms(drawings[i].name, &w.d, w.g, drawings[i].exact);
		check_idoms(drawings[i].name, &w.d, w.o, drawings[i].owner);
		world_deinit(&w);
	}
}

enum { FAR = 1000000, STRING = 1000 };

struct oracle {
	unsigned cost[DRAW_NODES][2]; /* entered by a link, otherwise */
};

static unsigned weight(uint8_t kind, unsigned state)
{
	if (kind == EDGE_LINK)
		return state != 0;
	return kind == EDGE_PLAIN ? 1 : kind == EDGE_CHAIN ? STRING : 0;
}

static unsigned least(const unsigned *cost)
{
	return MIN(cost[0], cost[1]);
}

static unsigned cheapest_over(const struct oracle *o, gnode from, uint8_t kind)
{
	return MIN(o->cost[from][0] + weight(kind, 0), o->cost[from][1] + weight(kind, 1));
}

static bool relax(struct oracle *o, gnode from, gnode to, uint8_t kind)
{
	unsigned *cost = &o->cost[to][kind != EDGE_LINK];
	unsigned c = cheapest_over(o, from, kind);

	if (c >= *cost)
		return false;
	*cost = c;
	return true;
}

static void costs(const struct world *w, struct oracle *o)
{
	bool changed = true;

	for (gnode v = 0; v < w->d.n; v++)
		o->cost[v][0] = o->cost[v][1] = FAR;
	for (gnode r = 1; r <= w->d.nroots; r++)
		o->cost[r][1] = w->root_how[r] != EDGE_STRONG;
	while (changed) {
		changed = false;
		for (uint32_t e = 0; e < w->d.m; e++)
			changed |= relax(o, w->d.from[e], w->d.to[e], w->how[e]);
		for (size_t i = 0; i < w->p.beads.n; i++)
			changed |=
				relax(o, w->p.beads.v[i].string, w->p.beads.v[i].bead, EDGE_STRONG);
	}
}

static void keep(const struct oracle *o, gnode from, gnode to, uint8_t kind, struct drawing *d)
{
	unsigned cost = cheapest_over(o, from, kind);

	if (cost >= FAR || cost != least(o->cost[to]))
		return;
	d->from[d->m] = from;
	d->to[d->m++] = to;
}

/* Only the kept edges, as a drawing of their own. */
static void owners(const struct world *w, const struct oracle *o, struct drawing *d)
{
	*d = w->d;
	d->m = 0;
	for (uint32_t e = 0; e < w->d.m; e++)
		keep(o, w->d.from[e], w->d.to[e], w->how[e], d);
	for (size_t i = 0; i < w->p.beads.n; i++)
		keep(o, w->p.beads.v[i].string, w->p.beads.v[i].bead, EDGE_STRONG, d);
}

static void check_against(const struct world *w, const struct drawing *d, uint64_t seed)
{
	bool all[DRAW_NODES], seen[DRAW_NODES], exact[DRAW_NODES];

	draw_reach(&w->d, DRAW_NO, DRAW_NO, DRAW_NO, exact);
	draw_reach(d, DRAW_NO, DRAW_NO, DRAW_NO, all);
	assert_int_equal(w->o->m, d->m + d->nroots);
	for (gnode a = 0; a < d->n; a++) {
		uint64_t retained = 0;

		assert_int_equal(all[a], exact[a]);
		assert_int_equal(graph_reached(w->o, a), exact[a]);
		if (!all[a])
			continue;
		draw_reach(d, a, DRAW_NO, DRAW_NO, seen);
		for (gnode v = 0; v < d->n; v++)
			retained += all[v] && (!seen[v] || !a) ? d->bytes[v] : 0;
		if (w->o->retained[a] != retained)
			fail_msg("seed %llu: %u retains %llu, not %llu", (unsigned long long)seed,
				 a, (unsigned long long)w->o->retained[a],
				 (unsigned long long)retained);
	}
}

static void test_random(void **state)
{
	(void)state;
	for (int shape = 0; shape < SHAPES; shape++)
		for (uint64_t seed = 1; seed <= 400; seed++) {
			uint64_t x = seed * 0x9e3779b97f4a7c15ULL + (unsigned)shape;
			struct world w = { 0 };
			struct oracle o;
			struct drawing d;

			draw_random(&w.d, (enum shape)shape, seed);
			for (uint32_t k = 0; k < w.d.m; k++, x = x * 6364136223846793005ULL + 1)
				w.how[k] = x >> 61 < 4 ? EDGE_STRONG : (uint8_t)((x >> 61) - 3);
			for (gnode r = 1; r <= w.d.nroots; r++)
				w.root_how[r] = x >> (8 + r % 32) & 1;
			build(&w);
			costs(&w, &o);
			owners(&w, &o, &d);
			check_against(&w, &d, seed);
			world_deinit(&w);
		}
}

/* More structures in each other than costs are told apart; longer than any C stack. */
static void test_deep(void **state)
{
	enum { N = 200000 };
	_cleanup_(freep) gnode *from = calloc(N, sizeof(*from));
	_cleanup_(freep) gnode *to = calloc(N, sizeof(*to));
	struct graph_passing p;
	struct graph *g = NULL, *o = NULL;

	(void)state;
	for (gnode v = 1; v + 1 < N; v++) {
		from[v - 1] = v;
		to[v - 1] = v + 1;
	}
	assert_null(graph_from_edges(N, 1, from, to, N - 2, NULL, &g));
	assert_null(graph_passing_create(g, &p));
	for (uint32_t e = 0; e < g->m; e++)
		p.kind[e] = e & 1 ? EDGE_CHAIN : e & 2 ? EDGE_LINK : EDGE_PLAIN;
	assert_null(graph_owner(g, &p, &o));
	assert_null(graph_dominators(o, 1));
	for (gnode v = 1; v < N; v++)
		assert_int_equal(o->idom[v], v - 1);
	graph_free(o);
	graph_free(g);
	graph_passing_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawings),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
