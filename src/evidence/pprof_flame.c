/*
 * pprof_flame.c - stacks folded into a tree.
 *
 * Children of a node are a list, the heaviest first once all samples are in.  A hash finds a child
 * by its parent and function.  O(frames); 48 bytes a node; deeper than DEPTH_MAX is cut.
 */
#include "evidence/pprof_flame.h"

#include "evidence/pprof_graph_priv.h"
#include "evidence/pprof_unit.h"

enum { DEPTH_MAX = 2000, NODES_MAX = 8 << 20, SLOTS_MIN = 4096 };

struct fold {
	uint32_t parent, name, child, next;
	uint32_t depth;
	int64_t self, weight; /* weight: sum of |value| of it and below */
};

struct folding {
	struct pprof_making *m;
	VEC(struct fold) f; /* 0: the root */
	uint32_t *slot;	    /* node; 0: free */
	size_t nslots;
	bool bad;
};

void pprof_flame_free(struct pprof_flame *f)
{
	if (!f)
		return;
	vec_free(&f->nodes);
	vec_free(&f->names);
	keep_deinit(&f->keep);
	free(f);
}

static size_t place(uint32_t parent, uint32_t name, size_t nslots)
{
	uint64_t h = ((uint64_t)parent << 32 | name) * 0x9e3779b97f4a7c15ULL;

	return (h ^ (h >> 31)) & (nslots - 1);
}

static bool grow(struct folding *x)
{
	size_t n = MAX((size_t)SLOTS_MIN, x->nslots * 2);
	uint32_t *slot;

	if (x->f.n * 2 < x->nslots)
		return true;
	slot = zalloc(n, sizeof(*slot));
	if (!slot)
		return false;
	for (size_t i = 1; i < x->f.n; i++) {
		size_t at = place(x->f.v[i].parent, x->f.v[i].name, n);

		while (slot[at])
			at = (at + 1) & (n - 1);
		slot[at] = (uint32_t)i;
	}
	free(x->slot);
	x->slot = slot;
	x->nslots = n;
	return true;
}

static uint32_t child(struct folding *x, uint32_t parent, uint32_t name)
{
	size_t at;
	uint32_t depth = x->f.v[parent].depth + 1;

	if (!grow(x)) {
		x->bad = true;
		return 0;
	}
	for (at = place(parent, name, x->nslots); x->slot[at]; at = (at + 1) & (x->nslots - 1)) {
		const struct fold *f = &x->f.v[x->slot[at]];

		if (f->parent == parent && f->name == name)
			return x->slot[at];
	}
	if (depth > DEPTH_MAX || x->f.n >= NODES_MAX)
		return parent;
	if (!vec_push(&x->f, (struct fold){ .parent = parent, .name = name, .depth = depth })) {
		x->bad = true;
		return 0;
	}
	x->slot[at] = (uint32_t)x->f.n - 1;
	return (uint32_t)x->f.n - 1;
}

static void add_sample(struct folding *x, const struct pprof_walk *w, int64_t v)
{
	const uint32_t *locations, *nodes;
	size_t nlocations, n;
	uint32_t at = 0;

	if (!v || !pprof_pick_sample(x->m->pick, w, &locations, &nlocations))
		return;
	for (size_t l = 0; l < nlocations && !x->bad; l++) {
		nodes = pprof_making_nodes(x->m, locations[l], &n);
		for (size_t k = n; k-- > 0 && !x->bad;)
			at = child(x, at, nodes[k]);
	}
	x->f.v[at].self = pprof_plus(x->f.v[at].self, v);
	x->f.v[at].weight = pprof_plus(x->f.v[at].weight, pprof_abs(v));
}

struct weighed {
	uint32_t node;
	int64_t weight;
};

static int lighter(const void *pa, const void *pb)
{
	const struct weighed *a = pa, *b = pb;

	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	return a->node > b->node ? -1 : 1;
}

/* Lists of children, the heaviest first: the lightest is put in front first. */
static struct err *link_children(struct folding *x)
{
	_cleanup_(freep) struct weighed *order = zalloc(x->f.n + 1, sizeof(*order));

	if (!order)
		return &err_nomem;
	for (size_t i = x->f.n; i-- > 1;) { /* children are behind their parents */
		struct fold *p = &x->f.v[x->f.v[i].parent];

		p->weight = pprof_plus(p->weight, x->f.v[i].weight);
	}
	for (size_t i = 1; i < x->f.n; i++)
		order[i - 1] = (struct weighed){ (uint32_t)i, x->f.v[i].weight };
	qsort(order, x->f.n - 1, sizeof(*order), lighter);
	for (size_t i = 0; i + 1 < x->f.n; i++) {
		struct fold *f = &x->f.v[order[i].node], *p = &x->f.v[f->parent];

		f->next = p->child;
		p->child = order[i].node;
	}
	return NULL;
}

/* Weight below which nodes are not drawn, so that at most max are. */
static struct err *least_weight(const struct folding *x, size_t max, int64_t *ret)
{
	_cleanup_(freep) struct weighed *order = NULL;

	*ret = 0;
	if (x->f.n <= max)
		return NULL;
	order = zalloc(x->f.n, sizeof(*order));
	if (!order)
		return &err_nomem;
	for (size_t i = 0; i < x->f.n; i++)
		order[i] = (struct weighed){ (uint32_t)i, x->f.v[i].weight };
	qsort(order, x->f.n, sizeof(*order), lighter);
	*ret = pprof_plus(order[x->f.n - max].weight, 1);
	return NULL;
}

static int64_t sum_below(const struct folding *x, const int64_t *net, uint32_t node, int64_t least)
{
	int64_t sum = 0;

	for (uint32_t c = x->f.v[node].child; c; c = x->f.v[c].next)
		if (x->f.v[c].weight < least)
			sum = pprof_plus(sum, net[c]);
	return sum;
}

static uint32_t after(const struct folding *x, uint32_t at, int64_t least)
{
	uint32_t c = x->f.v[at].child;

	if (c && x->f.v[c].weight >= least)
		return c;
	for (; at; at = x->f.v[at].parent) {
		c = x->f.v[at].next;
		if (c && x->f.v[c].weight >= least)
			return c;
	}
	return 0;
}

static struct err *put(struct folding *x, int64_t least, struct pprof_flame *f)
{
	_cleanup_(freep) int64_t *net = zalloc(x->f.n + 1, sizeof(*net));
	uint32_t at = 0;

	if (!net)
		return &err_nomem;
	for (size_t i = x->f.n; i-- > 0;) {
		net[i] = pprof_plus(net[i], x->f.v[i].self);
		if (i)
			net[x->f.v[i].parent] = pprof_plus(net[x->f.v[i].parent], net[i]);
	}
	do {
		const struct fold *n = &x->f.v[at];

		if (!vec_push(&f->nodes,
			      (struct pprof_flame_node){ at ? n->name + 1 : 0, n->depth, n->self,
							 sum_below(x, net, at, least) }))
			return &err_nomem;
		at = after(x, at, least);
	} while (at);
	f->total = net[0];
	return NULL;
}

static struct err *name_all(const struct pprof_making *m, struct pprof_flame *f)
{
	if (!vec_push(&f->names, "all"))
		return &err_nomem;
	for (size_t i = 0; i < m->keys.n; i++) {
		const struct pprof_key *k = &m->keys.v[i];
		const char *s = m->texts.text.v[k->name];

		if (k->line)
			s = keepf(&f->keep, "%s:%lld", s, (long long)k->line);
		if (!*s)
			s = m->texts.text.v[k->file];
		if (!*s)
			s = m->texts.text.v[k->object];
		if (!vec_push(&f->names, *s ? keepf(&f->keep, "%s", s) : "<unknown>"))
			return &err_nomem;
	}
	return keep_err(&f->keep);
}

static struct err *fold(struct pprof_making *m, const struct pprof_ask *q, size_t max,
			struct pprof_flame *f)
{
	struct folding x = { .m = m };
	struct pprof_walk w = { 0 };
	struct err *err = NULL;
	int64_t least = 0;

	x.bad = !vec_push(&x.f, (struct fold){ 0 });
	while (!x.bad && pprof_next(m->p, &w))
		add_sample(&x, &w, w.values[q->type]);
	err = x.bad ? &err_nomem : pprof_pick_err(m->pick);
	if (!err)
		err = link_children(&x);
	if (!err)
		err = least_weight(&x, max, &least);
	if (!err)
		err = put(&x, least, f);
	vec_free(&x.f);
	free(x.slot);
	return err;
}

struct err *pprof_flame_create(const struct pprof *p, const struct pprof_ask *q, size_t nodes_max,
			       struct pprof_flame **ret)
{
	_cleanup_(pprof_flame_freep) struct pprof_flame *f = zalloc(1, sizeof(*f));
	_cleanup_(pprof_pick_freep) struct pprof_pick *pick = NULL;
	_cleanup_(pprof_making_deinit) struct pprof_making m = { 0 };
	struct err *err;

	if (!f)
		return &err_nomem;
	err = pprof_pick_create(p, &q->filters, &pick);
	if (!err)
		err = pprof_making_init(p, q, pick, &f->keep, &m);
	if (!err)
		err = name_all(&m, f);
	if (!err)
		err = fold(&m, q, nodes_max, f);
	if (err)
		return err;
	*ret = STEAL(f);
	return NULL;
}
