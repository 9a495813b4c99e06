/*
 * drawing.h - graphs for tests: from a drawing ("root a b; a->c b->c"), or by chance.
 *
 * Names are single letters; roots are nodes 1.. in the order given, the others follow in
 * order of appearance.  Node 0 is written "root".  Chance is xorshift with a seed: a test
 * that fails says which seed.
 */
#ifndef LIMPET_TESTS_GRAPH_DRAWING_H
#define LIMPET_TESTS_GRAPH_DRAWING_H

#include "graph/graph.h"

#define DRAW_NODES 96U
#define DRAW_EDGES 1024U

struct drawing {
	uint32_t n, nroots, m;
	gnode from[DRAW_EDGES], to[DRAW_EDGES];
	uint32_t bytes[DRAW_NODES];
	char name[DRAW_NODES];
};

/* Aborts on a drawing that is none. */
void draw(struct drawing *d, const char *text);
gnode draw_node(const struct drawing *d, const char *name);

enum shape {
	SHAPE_SPARSE,
	SHAPE_DENSE,
	SHAPE_CHAIN,	   /* one long list with a few jumps */
	SHAPE_TREE,	   /* tree with cross edges */
	SHAPE_LOOPS,	   /* irreducible: many edges back into the middle of loops */
	SHAPE_PARALLEL,	   /* few pairs, each several times, and self-loops */
	SHAPE_LAYERS,	   /* wide layers: many disjoint ways */
	SHAPE_UNREACHABLE, /* half of it hangs off nothing */
	SHAPES
};

void draw_random(struct drawing *d, enum shape shape, uint64_t seed);
struct graph *draw_graph(const struct drawing *d);

/* Naive oracle: reachable from 0, without node `no` and without edges a -> b. */
void draw_reach(const struct drawing *d, gnode no, gnode a, gnode b, bool *seen);

#define DRAW_NO GRAPH_NONE

#endif
