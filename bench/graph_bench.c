/*
 * graph_bench.c - time and memory of the graph room on 10 million objects, no process needed.
 *
 *   realistic  tables of groups of sessions with names, buffers, shared configurations and
 *              lists; 13 edges for 10 objects, as measured on servers
 *   random     3 edges an object to anywhere: the worst for caches
 *   list       one list of all objects with back edges: the deepest
 *
 * Stands in for the snapshot room with a table of spans and snapshot_edges().
 * Usage: graph_bench realistic|random|list [millions of objects] [threads]
 */
#include "base/clock.h"
#include "graph/graph.h"

#include <stdio.h>

enum kind { REALISTIC, RANDOM, LIST };

static enum kind kind;
static uint64_t nobjects;

struct out {
	uint32_t *to; /* NULL: count only */
	uint64_t m;
};

static void edge(struct out *o, uint64_t to)
{
	if (o->to)
		o->to[o->m] = (uint32_t)to;
	o->m++;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15ULL;
	return x ^ (x >> 29);
}

/* Neighbours in the program lie near, not beside, each other: shuffle within 64 Ki. */
static uint64_t near(uint64_t i, uint64_t n)
{
	uint64_t j = (i & ~0xffffULL) | ((i * 40503) & 0xffff);

	return j < n ? j : i;
}

static void realistic(uint64_t id, struct out *o)
{
	uint64_t tables = nobjects / 10000, groups = nobjects / 10, sessions = 3 * groups;
	uint64_t leaf = tables + groups + sessions, nleaf = nobjects - leaf;

	if (id < tables) {
		for (uint64_t i = id * 1000; i < (id + 1) * 1000 && i < groups; i++)
			edge(o, tables + near(i, groups));
	} else if (id < tables + groups) {
		uint64_t i = (id - tables) * 3;

		for (uint64_t k = i; k < i + 3; k++)
			edge(o, tables + groups + near(k, sessions));
	} else if (id < leaf) {
		uint64_t i = id - tables - groups;

		edge(o, leaf + near(2 * i, nleaf) % nleaf);
		edge(o, leaf + near(2 * i + 1, nleaf) % nleaf);
		if (i % 10 < 3)
			edge(o, tables + groups + near(i + 1 < sessions ? i + 1 : 0, sessions));
		if (i % 2)
			edge(o, leaf + mix(i) % 1000); /* shared configuration */
		if (i % 10 == 4)
			edge(o, tables + mix(i) % groups); /* owner */
	}
}

static void edges_of(uint64_t id, struct out *o)
{
	if (kind == REALISTIC)
		realistic(id, o);
	if (kind == RANDOM)
		for (uint64_t k = 0; k < 3; k++)
			edge(o, mix(id * 3 + k + 1) % nobjects);
	if (kind == LIST && id + 1 < nobjects)
		edge(o, id + 1);
	if (kind == LIST && id)
		edge(o, id - 1);
}

struct err *snapshot_edges(struct snapshot *s, unsigned nthreads, struct snap_edges *ret)
{
	struct out o = { 0 };

	(void)nthreads;
	*ret = (struct snap_edges){ .n = nobjects };
	for (uint64_t id = 0; id < nobjects; id++)
		edges_of(id, &o);
	ret->m = ret->to_cap = o.m;
	ret->first = bigalloc(nobjects + 1, sizeof(*ret->first));
	ret->to = bigalloc(o.m, sizeof(*ret->to));
	if (!ret->first || !ret->to)
		return &err_nomem;
	o = (struct out){ .to = ret->to };
	for (uint64_t id = 0; id < nobjects; id++) {
		edges_of(id, &o);
		ret->first[id + 1] = (uint32_t)o.m;
	}
	(void)s;
	return NULL;
}

void snapshot_edges_deinit(struct snap_edges *e)
{
	bigfree(e->first, e->n + 1, sizeof(*e->first));
	bigfree(e->to, e->to_cap, sizeof(*e->to));
}

static int make_snapshot(struct snapshot *s)
{
	uint64_t tables = nobjects / 10000;

	s->heap.nobjects = nobjects;
	s->heap.alloc_bits = bigalloc(nobjects / 64 + 1, 8);
	if (!s->heap.alloc_bits)
		return 0;
	memset(s->heap.alloc_bits, 0xff, (nobjects / 64 + 1) * 8);
	for (uint64_t id = 0; id < nobjects; id += 128) {
		struct go_span sp = { .base = id * 96, .elem_bytes = 96, .first = id };

		sp.nelems = (uint32_t)MIN(nobjects - id, 128U);
		if (!vec_push(&s->heap.spans, sp))
			return 0;
	}
	for (uint64_t r = 0; r < 10000; r++) {
		struct snap_root root = { .first_slot = s->slots.n, .nslots = 3 };
		uint64_t id = kind == LIST ? r % 2 : kind == RANDOM ? mix(r) : r % tables;

		for (uint64_t k = 0; k < 3; k++) {
			uint64_t to = k ? mix(r * 3 + k) : id;

			if (kind == LIST)
				to = 0;
			if (!vec_push(&s->slots, (struct snap_slot){ .object = to % nobjects }))
				return 0;
		}
		if (!vec_push(&s->roots, root))
			return 0;
	}
	return 1;
}

static uint64_t status_kib(const char *key)
{
	_cleanup_(freep) char *line = NULL;
	uint64_t kib = 0;
	size_t cap = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && getline(&line, &cap, f) > 0)
		if (!strncmp(line, key, strlen(key)))
			kib = strtoull(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

/* Peak since the last call, and a new beginning (proc(5), clear_refs 5). */
static void line(const char *what, uint64_t since, const struct graph *g)
{
	uint64_t peak = status_kib("VmHWM:") * 1024, now = status_kib("VmRSS:") * 1024;
	FILE *f;

	printf("%-14s %8.0f ms   peak %6.1f  now %6.1f bytes an object\n", what,
	       (double)(clock_ns() - since) / 1e6,
	       (double)peak / (double)(g ? g->nreached_objects : nobjects),
	       (double)now / (double)(g ? g->nreached_objects : nobjects));
	f = fopen("/proc/self/clear_refs", "w");
	if (f) {
		fputs("5", f);
		fclose(f);
	}
}

static struct err *queries(struct graph *g, unsigned nthreads)
{
	gnode v = graph_node_of_object(g, nobjects - 7), best[20];
	_cleanup_(freep) gnode *path = NULL;
	struct graph_paths p = { 0 };
	uint64_t bytes = 0, objects = 0, t;
	struct err *err;
	size_t len = 0;

	while (!graph_reached(g, v))
		v--;
	t = clock_ns();
	err = graph_path(g, v, &path, &len);
	line("path", t, g);
	t = clock_ns();
	if (!err)
		err = graph_reverse(g, nthreads);
	line("reverse", t, g);
	t = clock_ns();
	if (!err)
		err = graph_independent(g, v, 3, &p);
	line("independent", t, g);
	if (err)
		return err;
	t = clock_ns();
	if (p.cut_from != GRAPH_NONE)
		err = graph_cut(g, p.cut_from, p.cut_to, &bytes, &objects);
	line("cut", t, g);
	t = clock_ns();
	(void)graph_dominated(g, 0, best, 20);
	line("dominated", t, g);
	printf("node %u: path %zu, independent %u%s, cut frees %llu bytes in %llu objects\n", v,
	       len, p.independent, p.capped ? "+" : "", (unsigned long long)bytes,
	       (unsigned long long)objects);
	graph_paths_deinit(&p);
	return err;
}

static struct err *run(unsigned nthreads)
{
	_cleanup_(graph_freep) struct graph *g = NULL;
	struct snapshot s = { 0 };
	struct err *err;
	uint64_t t;

	if (!make_snapshot(&s))
		return &err_nomem;
	line("snapshot", clock_ns(), NULL);
	t = clock_ns();
	err = graph_create(&s, nthreads, &g);
	if (err)
		return err;
	line("create", t, g);
	printf("%u nodes, %u edges, %llu objects reached\n", g->n, g->m,
	       (unsigned long long)g->nreached_objects);
	t = clock_ns();
	err = graph_dominators(g, nthreads);
	line("dominators", t, g);
	return err ? err : queries(g, nthreads);
}

int main(int argc, char **argv)
{
	struct err *err;

	if (argc > 1)
		kind = !strcmp(argv[1], "random") ? RANDOM
		       : !strcmp(argv[1], "list") ? LIST
						  : REALISTIC;
	nobjects = (argc > 2 ? strtoull(argv[2], NULL, 10) : 10) * 1000000;
	err = run(argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 2);
	if (err)
		fprintf(stderr, "graph_bench: %s\n", err->msg);
	return err != NULL;
}
