/*
 * drawing.c - graphs for tests, and the naive oracle that they are checked against.
 */
#include "drawing.h"

#include <stdio.h>

static gnode add_node(struct drawing *d, char name)
{
	for (gnode v = 1; v < d->n; v++)
		if (d->name[v] == name)
			return v;
	d->name[d->n] = name;
	d->bytes[d->n] = 1;
	return d->n++;
}

void draw(struct drawing *d, const char *text)
{
	const char *p = text + strlen("root");

	*d = (struct drawing){ .n = 1 };
	if (strncmp(text, "root", 4))
		abort();
	for (; *p && *p != ';'; p++)
		if (*p != ' ')
			add_node(d, *p);
	d->nroots = d->n - 1;
	if (*p)
		p++;
	for (; *p; p++) {
		if (*p == ' ')
			continue;
		if (p[1] != '-' || p[2] != '>' || !p[3])
			abort();
		d->from[d->m] = add_node(d, p[0]);
		d->to[d->m++] = add_node(d, p[3]);
		p += 3;
	}
}

gnode draw_node(const struct drawing *d, const char *name)
{
	for (gnode v = 1; v < d->n; v++)
		if (d->name[v] == *name)
			return v;
	return !strncmp(name, "root", 4) ? 0 : GRAPH_NONE;
}

static uint32_t chance(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)((*seed >> 33) % below);
}

static void edge(struct drawing *d, uint32_t from, uint32_t to)
{
	if (d->m < DRAW_EDGES && from && to && from < d->n && to < d->n) {
		d->from[d->m] = from;
		d->to[d->m++] = to;
	}
}

static void some_edges(struct drawing *d, uint32_t k, uint64_t *s)
{
	while (k--)
		edge(d, chance(s, d->n), chance(s, d->n));
}

void draw_random(struct drawing *d, enum shape shape, uint64_t seed)
{
	uint64_t s = seed * 0x9e3779b97f4a7c15ULL + (uint64_t)shape * 77 + 1;
	uint32_t n, r;

	*d = (struct drawing){ .n = 2 + chance(&s, 28) };
	d->nroots = r = 1 + chance(&s, d->n - 1) % 5;
	if (d->nroots >= d->n)
		d->nroots = r = 1;
	n = d->n;
	for (gnode v = 1; v < n; v++)
		d->bytes[v] = v > r ? 1 + chance(&s, 1000) : 0;
	switch (shape) {
	case SHAPE_DENSE:
		some_edges(d, n * n / 2, &s);
		break;
	case SHAPE_CHAIN:
		for (uint32_t v = 1; v + 1 < n; v++)
			edge(d, v, v + 1);
		some_edges(d, chance(&s, 6), &s);
		break;
	case SHAPE_TREE:
		for (uint32_t v = r + 1; v < n; v++)
			edge(d, 1 + chance(&s, v - 1), v);
		some_edges(d, chance(&s, n), &s);
		break;
	case SHAPE_LOOPS:
		for (uint32_t v = 1; v + 1 < n; v++) {
			edge(d, v, v + 1);
			edge(d, v + 1, 1 + chance(&s, v));
		}
		some_edges(d, n / 2, &s);
		break;
	case SHAPE_PARALLEL:
		for (uint32_t i = 0; i < n; i++) {
			uint32_t a = chance(&s, n), b = chance(&s, n);

			for (uint32_t k = chance(&s, 4) + 1; k--;)
				edge(d, a, b);
			edge(d, b, b);
		}
		break;
	case SHAPE_LAYERS:
		for (uint32_t i = 0; i < 3 * n; i++) {
			uint32_t a = 1 + chance(&s, n - 1);

			edge(d, a, a + 1 + chance(&s, 6));
		}
		break;
	case SHAPE_UNREACHABLE:
		for (uint32_t i = 0; i < 2 * n; i++)
			edge(d, n / 2 + chance(&s, n - n / 2), chance(&s, n));
		some_edges(d, n / 2, &s);
		break;
	default:
		some_edges(d, n + chance(&s, n), &s);
		break;
	}
}

struct graph *draw_graph(const struct drawing *d)
{
	struct graph *g = NULL;
	struct err *err = graph_from_edges(d->n, d->nroots, d->from, d->to, d->m, d->bytes, &g);

	if (err) {
		fprintf(stderr, "draw_graph: %s\n", err->msg);
		err_free(err);
		return NULL;
	}
	return g;
}

void draw_reach(const struct drawing *d, gnode no, gnode a, gnode b, bool *seen)
{
	bool more = true;

	memset(seen, 0, d->n * sizeof(*seen));
	seen[0] = true;
	for (gnode r = 1; r <= d->nroots; r++)
		seen[r] = r != no;
	while (more) {
		more = false;
		for (uint32_t e = 0; e < d->m; e++) {
			gnode u = d->from[e], w = d->to[e];

			if (!seen[u] || seen[w] || w == no || (u == a && w == b))
				continue;
			seen[w] = more = true;
		}
	}
}
