/*
 * pprof_sums.c - one pass over the samples: what each node and each call has.
 *
 * Cost: a walk over each sample's stack, a hash look-up a call.
 * Source: newGraph() in internal/graph/graph.go of google/pprof.
 */
#include "evidence/pprof_graph_priv.h"
#include "evidence/pprof_unit.h"

enum { SLOTS_MIN = 1024 };

void pprof_sums_deinit(struct pprof_sums *s)
{
	free(s->node);
	vec_free(&s->edges);
	free(s->slot);
}

static size_t place(uint32_t from, uint32_t to, size_t nslots)
{
	uint64_t h = ((uint64_t)from << 32 | to) * 0x9e3779b97f4a7c15ULL;

	return (h ^ (h >> 31)) & (nslots - 1);
}

static bool grow(struct pprof_sums *s)
{
	size_t n = MAX((size_t)SLOTS_MIN, s->nslots * 2);
	uint32_t *slot;

	if (s->edges.n * 2 < s->nslots)
		return true;
	slot = zalloc(n, sizeof(*slot));
	if (!slot)
		return false;
	for (size_t i = 0; i < s->edges.n; i++) {
		size_t at = place(s->edges.v[i].e.from, s->edges.v[i].e.to, n);

		while (slot[at])
			at = (at + 1) & (n - 1);
		slot[at] = (uint32_t)i + 1;
	}
	free(s->slot);
	s->slot = slot;
	s->nslots = n;
	return true;
}

static struct pprof_sum_edge *edge(struct pprof_sums *s, uint32_t from, uint32_t to)
{
	size_t at;

	if (!grow(s))
		return NULL;
	for (at = place(from, to, s->nslots); s->slot[at]; at = (at + 1) & (s->nslots - 1)) {
		struct pprof_sum_edge *e = &s->edges.v[s->slot[at] - 1];

		if (e->e.from == from && e->e.to == to)
			return e;
	}
	if (!vec_push(&s->edges,
		      (struct pprof_sum_edge){ .e = { .from = from, .to = to, .inlined = true } }))
		return NULL;
	s->slot[at] = (uint32_t)s->edges.n;
	return &s->edges.v[s->edges.n - 1];
}

struct step {
	uint32_t parent; /* PPROF_NONE: there is none yet */
	bool residual;	 /* what lies between was left out */
	uint64_t sample; /* + 1 */
	int64_t value;
};

static void call(struct pprof_sums *s, const struct step *at, uint32_t to, bool inlined)
{
	struct pprof_sum_edge *e;

	if (at->parent == PPROF_NONE || at->parent == to)
		return;
	e = edge(s, at->parent, to);
	if (!e) {
		s->bad = true;
		return;
	}
	if (e->seen == at->sample)
		return;
	e->seen = at->sample;
	e->e.weight = pprof_plus(e->e.weight, at->value);
	e->e.residual = e->e.residual || at->residual;
	e->e.inlined = e->e.inlined && inlined;
}

static void frame(struct pprof_sums *s, struct step *at, uint32_t node, bool inlined)
{
	struct pprof_sum *n = &s->node[node];

	if (n->left_out) {
		at->residual = true;
		return;
	}
	if (n->seen != at->sample) {
		n->seen = at->sample;
		n->cum = pprof_plus(n->cum, at->value);
	}
	call(s, at, node, inlined);
	at->parent = node;
	at->residual = false;
}

static void sample(struct pprof_making *m, struct pprof_sums *s, const struct pprof_walk *w)
{
	struct step at = { PPROF_NONE, false, w->i + 1, w->values[m->q->type] };
	const uint32_t *locations, *nodes;
	size_t nlocations, n;

	if (!at.value || !pprof_pick_sample(m->pick, w, &locations, &nlocations))
		return;
	for (size_t l = 0; l < nlocations; l++) {
		nodes = pprof_making_nodes(m, locations[l], &n);
		for (size_t k = n; k-- > 0;)
			frame(s, &at, nodes[k], k != n - 1);
	}
	if (at.parent != PPROF_NONE && !at.residual)
		s->node[at.parent].flat = pprof_plus(s->node[at.parent].flat, at.value);
}

struct err *pprof_sums_make(struct pprof_making *m, struct pprof_sums *s)
{
	struct pprof_walk w = { 0 };

	s->edges.n = 0;
	if (s->slot)
		memset(s->slot, 0, s->nslots * sizeof(*s->slot));
	if (!s->node)
		s->node = zalloc(m->keys.n + 1, sizeof(*s->node));
	if (!s->node)
		return &err_nomem;
	for (size_t i = 0; i < m->keys.n; i++)
		s->node[i] = (struct pprof_sum){ .left_out = s->node[i].left_out };
	while (!s->bad && pprof_next(m->p, &w))
		sample(m, s, &w);
	return s->bad ? &err_nomem : pprof_pick_err(m->pick);
}
