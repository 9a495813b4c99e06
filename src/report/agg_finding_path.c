/*
 * agg_finding_path.c - the ways of findings from their roots, and the edge whose cut frees each.
 *
 * The way goes through all that alone hold the thing (its dominators), for these say who holds it.
 * What several roots hold begins with the shortest way to the outermost of them; one walk finds
 * these for all findings, and one pass over the edges all cuts.
 * Knows no kind.
 */
#include "report/agg_finding.h"

enum { VISITS_MAX = 1 << 20, CHAIN_MAX = 64 };

struct way {
	gnode *path;
	size_t len;
	gnode top; /* to be found from the roots; GRAPH_NONE: path begins with a root */
};

struct agg_ways {
	struct way *v;
	size_t n;
};

void agg_ways_free(struct agg_ways *w)
{
	for (size_t i = 0; w && w->v && i < w->n; i++)
		free(w->v[i].path);
	if (w)
		free(w->v);
	free(w);
}

static void ways_freep(struct agg_ways **w)
{
	agg_ways_free(*w);
}

static bool has_node(const struct agg *a, const struct finding *x)
{
	return x->node && x->node != GRAPH_NONE && x->node < a->g->n &&
	       graph_reached(a->g, x->node);
}

static struct err *held(const struct agg *a, gnode v, uint64_t max_visits, struct way *w)
{
	struct err *err = graph_held_path(a->g, v, max_visits, &w->path, &w->len);

	w->top = GRAPH_NONE;
	if (!err && (!w->len || graph_is_object(a->g, w->path[0])))
		w->top = w->len ? w->path[0] : v;
	return err;
}

/* from the roots to top, then on from there. */
static struct err *join(const struct graph_ways *from, struct way *w)
{
	gnode *head = NULL, *both;
	size_t n = 0, rest = w->len ? w->len - 1 : 0;
	struct err *err = graph_way(from, w->top, &head, &n);

	if (err)
		return err;
	both = zalloc(n + rest, sizeof(*both));
	if (both && n)
		memcpy(both, head, n * sizeof(*both));
	if (both && n && rest)
		memcpy(both + n, w->path + 1, rest * sizeof(*both));
	free(head);
	if (!both)
		return &err_nomem;
	free(w->path);
	w->path = both;
	w->len = n ? n + rest : 0;
	return NULL;
}

static bool begins(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

/* The runtime's and sync's own tables (all pools, all goroutines): they lead to much, and hold it
 * only if nobody else does. */
static bool is_machinery(const struct agg *a, const struct snap_root *r)
{
	const char *name = r->name ? r->name : "";

	if (r->kind == SNAP_ROOT_GOROUTINE)
		return r->goroutine < a->s->stacks.gs.n && a->s->stacks.gs.v[r->goroutine].system;
	if (r->kind != SNAP_ROOT_GLOBAL)
		return true;
	if (begins(name, "global used by "))
		name += strlen("global used by ");
	return begins(name, "sync.") || begins(name, "runtime.");
}

static struct err *find_tops(const struct agg *a, struct agg_ways *w)
{
	_cleanup_(graph_ways_deinit) struct graph_ways from = { 0 };
	_cleanup_(freep) gnode *want = zalloc(w->n, sizeof(*want));
	_cleanup_(freep) uint8_t *last = zalloc(a->g->nroots, 1);
	struct err *err;
	size_t n = 0;

	if (!want || !last)
		return &err_nomem;
	for (uint32_t r = 0; r < a->g->nroots; r++)
		last[r] = is_machinery(a, &a->s->roots.v[r]);
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].top != GRAPH_NONE)
			want[n++] = w->v[i].top;
	if (!n)
		return NULL;
	err = graph_ways_create(a->g, want, n, last, &from);
	for (size_t i = 0; i < w->n && !err; i++)
		if (w->v[i].top != GRAPH_NONE)
			err = join(&from, &w->v[i]);
	return err;
}

/* Nodes whose single entry would free v: v and what dominates it, nearest first. */
static size_t chain_of(const struct agg *a, gnode v, gnode *chain)
{
	size_t n = 0;

	for (; n < CHAIN_MAX && graph_is_object(a->g, v) && a->g->idom[v] != 0; v = a->g->idom[v])
		chain[n++] = v;
	return n;
}

static struct err *set_cut(struct agg *a, gnode to, struct ans_cut *cut)
{
	gnode from = a->g->idom[to];
	struct err *err = agg_holder(a, from, to, &cut->from);

	if (!err)
		err = agg_holder(a, to, GRAPH_NONE, &cut->to);
	cut->bytes = a->g->retained[to];
	cut->objects = ANS_UNKNOWN;
	cut->found = !err;
	return err;
}

static struct err *find_cuts(struct agg *a, const struct finding *const *x, struct ans_finding *y,
			     size_t n)
{
	_cleanup_(freep) gnode *chain = zalloc(n * CHAIN_MAX, sizeof(*chain));
	_cleanup_(freep) uint8_t *single = zalloc(n * CHAIN_MAX, 1);
	_cleanup_(freep) size_t *first = zalloc(n + 1, sizeof(*first));
	struct err *err;

	if (!chain || !single || !first)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		first[i + 1] = first[i] +
			       (has_node(a, x[i]) ? chain_of(a, x[i]->node, chain + first[i]) : 0);
	if (!first[n])
		return NULL;
	err = graph_single_entries(a->g, chain, first[n], a->nthreads, single);
	for (size_t i = 0; i < n && !err; i++) {
		size_t k = first[i];

		while (k < first[i + 1] && !single[k])
			k++;
		/* of a group one example: its edge does not free the others */
		if (k < first[i + 1] && a->g->retained[chain[k]] >= x[i]->bytes / 2)
			err = set_cut(a, chain[k], &y[i].cut);
	}
	return err;
}

struct err *agg_ways_find(const struct agg *a, const gnode *v, size_t n, uint64_t max_visits,
			  struct agg_ways **ret)
{
	_cleanup_(ways_freep) struct agg_ways *w = zalloc(1, sizeof(*w));
	struct err *err = NULL;

	if (w)
		*w = (struct agg_ways){ zalloc(n, sizeof(struct way)), n };
	if (!w || !w->v)
		return &err_nomem;
	for (size_t i = 0; i < n && !err; i++) {
		w->v[i].top = GRAPH_NONE;
		if (v[i] != GRAPH_NONE)
			err = held(a, v[i], max_visits, &w->v[i]);
	}
	if (!err)
		err = find_tops(a, w);
	if (err)
		return err;
	*ret = STEAL(w);
	return NULL;
}

struct err *agg_ways_paths(struct agg *a, const struct agg_ways *w, struct ans_path *ret)
{
	struct err *err = NULL;

	for (size_t i = 0; i < w->n && !err; i++)
		if (w->v[i].len)
			err = agg_holders(a, w->v[i].path, w->v[i].len, &ret[i]);
	return err;
}

static struct err *held_paths(struct agg *a, const gnode *v, size_t n, uint64_t max_visits,
			      struct ans_path *ret)
{
	_cleanup_(ways_freep) struct agg_ways *w = NULL;
	struct err *err = agg_ways_find(a, v, n, max_visits, &w);

	return err ? err : agg_ways_paths(a, w, ret);
}

static struct err *find_paths(struct agg *a, const struct finding *const *x, struct ans_finding *y,
			      size_t n)
{
	_cleanup_(freep) gnode *v = zalloc(n, sizeof(*v));
	_cleanup_(freep) struct ans_path *paths = zalloc(n, sizeof(*paths));
	struct err *err;

	if (!v || !paths)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		v[i] = has_node(a, x[i]) ? x[i]->node : GRAPH_NONE;
	err = held_paths(a, v, n, VISITS_MAX, paths);
	for (size_t i = 0; i < n; i++) /* theirs to free, also after an error */
		if (v[i] != GRAPH_NONE)
			y[i].holder = paths[i];
	return err;
}

struct err *finding_paths(struct agg *a, const struct finding *const *x, struct ans_finding *y,
			  size_t n)
{
	struct err *err = find_paths(a, x, y, n);

	return err ? err : find_cuts(a, x, y, n);
}
