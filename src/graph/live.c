/*
 * live.c - reach in two halves: first without those who wait for ever, then with them.
 *
 * Hidden edges and late roots are turned aside in the graph itself (an edge that leads to where
 * it comes from is none) and put back before the second half.  Wakes are told by the walk, so
 * that a chain of a million who wake each other is one walk and not a million.
 * Cost: O(n + m + w log w), n / 4 bytes besides reach's.
 */
#include "graph/live.h"

#include "graph/priv.h"

void graph_waits_deinit(struct graph_waits *w)
{
	vec_free(&w->late);
	vec_free(&w->hidden);
}

static int by_thing(const void *x, const void *y)
{
	const struct graph_late *a = x, *b = y;

	if (a->thing != b->thing)
		return a->thing < b->thing ? -1 : 1;
	return (a->root > b->root) - (a->root < b->root);
}

static int by_edge(const void *x, const void *y)
{
	const struct graph_hidden *a = x, *b = y;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->to > b->to) - (a->to < b->to);
}

/* One turned edge, and where it led. */
struct turned {
	uint32_t edge;
	gnode to;
};

struct job {
	struct graph *g;
	struct graph_waits *w;
	VEC(struct turned) turned;
	uint64_t *watched;
	struct reach reach;
};

static void job_deinit(struct job *j)
{
	vec_free(&j->turned);
	free(j->watched);
	free(j->reach.met);
}

static struct err *turn(struct job *j, uint32_t e, gnode from)
{
	if (!vec_push(&j->turned, ((struct turned){ e, j->g->to[e] })))
		return &err_nomem;
	j->g->to[e] = from;
	return NULL;
}

static void turn_back(struct job *j)
{
	for (size_t i = j->turned.n; i-- > 0;)
		j->g->to[j->turned.v[i].edge] = j->turned.v[i].to;
	j->turned.n = 0;
}

static struct err *turn_hidden(struct job *j)
{
	const struct graph *g = j->g;
	struct err *err = NULL;

	for (size_t i = 0; i < j->w->hidden.n; i++) {
		struct graph_hidden h = j->w->hidden.v[i];

		if (h.from == h.to)
			continue;
		for (uint32_t e = graph_first(g, h.from); e < graph_last(g, h.from) && !err; e++)
			if (g->to[e] == h.to)
				err = turn(j, e, h.from);
	}
	return err;
}

/* The super-root's edges lie in the order of the roots, graph.h.  thing 0: of all late ones. */
static struct err *turn_late(struct job *j, gnode thing)
{
	uint32_t first = graph_first(j->g, 0);
	struct err *err = NULL;

	for (size_t i = 0; i < j->w->late.n && !err; i++) {
		struct graph_late l = j->w->late.v[i];
		uint32_t e = first + l.root - 1;

		if ((!thing || l.thing == thing) && j->g->to[e] == l.root)
			err = turn(j, e, 0);
	}
	return err;
}

static size_t first_late(const struct job *j, gnode thing)
{
	size_t lo = 0, hi = j->w->late.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (j->w->late.v[mid].thing < thing)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void wake(struct job *j, gnode thing)
{
	const struct graph_waits *w = j->w;

	for (size_t i = first_late(j, thing); i < w->late.n && w->late.v[i].thing == thing; i++)
		reach_push(&j->reach, w->late.v[i].root);
}

static struct err *watch(struct job *j)
{
	j->watched = zalloc(bit_words(j->g), sizeof(*j->watched));
	j->reach.met = zalloc(j->w->late.n + 1, sizeof(*j->reach.met));
	if (!j->watched || !j->reach.met)
		return &err_nomem;
	for (size_t i = 0; i < j->w->late.n; i++)
		if (j->w->late.v[i].thing != GRAPH_NONE)
			bit_set(j->watched, j->w->late.v[i].thing);
	return NULL;
}

/* Those who waited for what the first walk has seen; then whom the woken ones wake. */
static struct err *wake_all(struct job *j)
{
	struct err *err = watch(j);

	if (err)
		return err;
	for (size_t i = 0; i < j->w->late.n; i++) {
		struct graph_late l = j->w->late.v[i];

		if (l.thing != GRAPH_NONE && bit_has(j->reach.bits, l.thing))
			reach_push(&j->reach, l.root);
	}
	j->reach.watched = j->watched;
	for (;;) {
		reach_drain(&j->reach, REACH_ALL);
		if (!j->reach.nmet)
			break;
		wake(j, j->reach.met[--j->reach.nmet]);
	}
	j->reach.watched = NULL;
	return NULL;
}

/* Whoever names an edge that is none reaches nothing through it. */
static void push_hidden(struct job *j, struct graph_hidden h)
{
	for (uint32_t e = graph_first(j->g, h.from); e < graph_last(j->g, h.from); e++)
		if (j->g->to[e] == h.to)
			reach_push(&j->reach, h.to);
}

/* All others, and what was hidden behind nodes that have been seen. */
static void walk_rest(struct job *j)
{
	for (size_t i = 0; i < j->w->hidden.n; i++)
		if (bit_has(j->reach.bits, j->w->hidden.v[i].from))
			push_hidden(j, j->w->hidden.v[i]);
	for (size_t i = 0; i < j->w->late.n; i++)
		reach_push(&j->reach, j->w->late.v[i].root);
	reach_drain(&j->reach, REACH_ALL);
}

static struct err *walk_live(struct job *j)
{
	struct err *err = turn_hidden(j);

	if (!err)
		err = turn_late(j, 0);
	if (!err) {
		reach_push(&j->reach, 0);
		reach_drain(&j->reach, REACH_ALL);
		err = wake_all(j);
	}
	turn_back(j);
	return err;
}

struct err *graph_reach_late(struct graph *g, struct graph_waits *w)
{
	_cleanup_(big_deinit) struct big bits = { 0 }, live = { 0 }, stack = { 0 };
	_cleanup_(job_deinit) struct job j = { .g = g, .w = w };
	struct err *err;

	if (!big_init(&bits, bit_words(g), sizeof(uint64_t), BIG_DENSE) ||
	    !big_init(&live, bit_words(g), sizeof(uint64_t), BIG_DENSE) ||
	    !big_init(&stack, g->n, sizeof(gnode), BIG_SPARSE))
		return &err_nomem;
	if (w->late.n)
		qsort(w->late.v, w->late.n, sizeof(w->late.v[0]), by_thing);
	if (w->hidden.n)
		qsort(w->hidden.v, w->hidden.n, sizeof(w->hidden.v[0]), by_edge);
	j.reach.g = g;
	j.reach.bits = bits.p;
	j.reach.stack = stack.p;
	err = walk_live(&j);
	if (err)
		return err;
	memcpy(live.p, bits.p, bit_words(g) * sizeof(uint64_t));
	walk_rest(&j);
	g->live = big_steal(&live);
	g->reached = big_steal(&bits);
	bits_measure(g, g->reached, &g->nreached_objects, &g->reached_bytes);
	return NULL;
}

struct err *graph_waker_path(struct graph *g, struct graph_waits *w, gnode v, gnode **ret_path,
			     size_t *ret_len)
{
	_cleanup_(job_deinit) struct job j = { .g = g, .w = w };
	struct err *err = turn_hidden(&j);

	if (!err)
		err = turn_late(&j, v);
	if (!err)
		err = graph_path(g, v, ret_path, ret_len);
	turn_back(&j);
	return err;
}

struct freed {
	const struct graph *g;
	gnode *stack;
	uint64_t *seen;
	size_t top;
};

static void free_node(struct freed *f, gnode v)
{
	if (graph_live(f->g, v) || bit_has(f->seen, v))
		return;
	bit_set(f->seen, v);
	f->stack[f->top++] = v;
}

static void free_root(struct freed *f, gnode root, uint64_t *bytes, uint64_t *objects)
{
	const struct graph *g = f->g;

	free_node(f, root);
	while (f->top) {
		gnode v = f->stack[--f->top];

		*bytes += graph_shallow(g, v);
		*objects += graph_is_object(g, v);
		for (uint32_t e = graph_first(g, v), end = graph_last(g, v); e < end; e++)
			free_node(f, g->to[e]);
	}
}

struct err *graph_freed(const struct graph *g, const uint32_t *group, uint32_t ngroups,
			uint64_t *ret_bytes, uint64_t *ret_objects)
{
	_cleanup_(big_deinit) struct big stack = { 0 }, seen = { 0 };
	struct freed f = { .g = g };

	if (!big_init(&stack, g->n, sizeof(gnode), BIG_SPARSE) ||
	    !big_init(&seen, bit_words(g), sizeof(uint64_t), BIG_SPARSE))
		return &err_nomem;
	f.stack = stack.p;
	f.seen = seen.p;
	memset(ret_bytes, 0, ngroups * sizeof(*ret_bytes));
	memset(ret_objects, 0, ngroups * sizeof(*ret_objects));
	for (uint32_t r = 0; r < g->nroots && g->live; r++)
		if (group[r] < ngroups)
			free_root(&f, r + 1, &ret_bytes[group[r]], &ret_objects[group[r]]);
	return NULL;
}
