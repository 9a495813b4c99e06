/*
 * fans.c - heavy nodes, fans among them, and their children by type; see fans.h.
 *
 * A container's inner nodes are told by two rules: memory that is part of a map, and nodes above
 * which, within a few steps, one of their own type stands (a list's element, a trie's node: the
 * first of them is the place).
 */
#include "find/fans.h"

#include "base/par.h"

enum { NEAR = 6, GRAIN = 1 << 16, CLIMB_MAX = 1 << 14 };

struct heavy {
	gnode node;
	gnode top;     /* the place that it is folded into */
	uint64_t kids; /* bytes of its heavy children */
	uint64_t heaviest;
	uint64_t chain; /* of a top */
	bool fan;
};

struct pile {
	VEC(gnode) v;
	uint64_t by_size[64]; /* how many by log2 of bytes */
};

struct table {
	struct fan_kind *v; /* open addressing; n == 0: free */
	size_t n, cap;
};

struct work {
	const struct look *l;
	uint64_t least;
	struct pile *piles;
	VEC(struct heavy) heavy; /* ascending by node */
	uint64_t *fan_bits;
	VEC(uint32_t) fan_of; /* fans, ascending by node: index in heavy; node 0 is the first */
	VEC(gnode) fan_node;
	struct table *tables;
};

uint32_t fans_type(const struct look *l, gnode v)
{
	uint64_t id;

	if (!l->s->type_of || v >= l->g->n || !graph_is_object(l->g, v))
		return 0;
	id = graph_object(l->g, v);
	return l->s->types.n > l->s->type_of[id] ? l->s->type_of[id] : 0;
}

bool fans_dominates(const struct look *l, gnode v, gnode w)
{
	for (uint32_t i = 0; i < CLIMB_MAX && w != GRAPH_NONE; i++) {
		if (w == v)
			return true;
		w = l->g->idom[w];
	}
	return false;
}

static struct err *gather(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct work *w = arg;
	const struct graph *g = w->l->g;
	struct pile *p = &w->piles[worker];

	for (size_t v = lo; v < hi; v++) {
		if (g->retained[v] < w->least || (v && g->idom[v] == GRAPH_NONE))
			continue;
		p->by_size[63 - __builtin_clzll(g->retained[v])]++;
		if (!vec_push(&p->v, (gnode)v))
			return &err_nomem;
	}
	return NULL;
}

/* A list of a million elements has a million heavy nodes: its upper ones will do. */
static void raise_least(struct work *w)
{
	uint64_t n = 0;

	for (unsigned b = 63; b > 0; b--) {
		for (unsigned i = 0; i < w->l->nthreads; i++)
			n += w->piles[i].by_size[b];
		if (n > FANS_HEAVY_MAX) {
			w->least = MAX(w->least, b == 63 ? UINT64_MAX : (uint64_t)2 << b);
			return;
		}
	}
}

static int by_node(const void *x, const void *y)
{
	const struct heavy *a = x, *b = y;

	return (a->node > b->node) - (a->node < b->node);
}

static struct heavy *heavy_of(struct work *w, gnode v)
{
	struct heavy want = { .node = v };

	return w->heavy.n ? bsearch(&want, w->heavy.v, w->heavy.n, sizeof(want), by_node) : NULL;
}

static struct err *find_heavy(struct work *w)
{
	const struct graph *g = w->l->g;
	struct err *err = par_for(w->l->nthreads, g->n, GRAIN, gather, w);

	if (err)
		return err;
	raise_least(w);
	for (unsigned i = 0; i < w->l->nthreads; i++)
		for (size_t k = 0; k < w->piles[i].v.n; k++) {
			struct heavy h = { .node = w->piles[i].v.v[k] };

			if (g->retained[h.node] >= w->least && !vec_push(&w->heavy, h))
				return &err_nomem;
		}
	if (w->heavy.n)
		qsort(w->heavy.v, w->heavy.n, sizeof(*w->heavy.v), by_node);
	return NULL;
}

static bool is_named(const struct look *l, gnode v, const char *name)
{
	const char *has = l->s->types.v[fans_type(l, v)].name;

	return has && !strcmp(has, name);
}

enum fans_map fans_map_of(const struct look *l, gnode v)
{
	const struct snap_type *t = &l->s->types.v[fans_type(l, v)];
	gnode up;

	if (t->kind == SNAP_TYPE_MAP || is_named(l, v, "~maps.Map") ||
	    is_named(l, v, "~runtime.hmap"))
		return FANS_MAP_HEADER;
	if (t->kind == SNAP_TYPE_PART || (t->name && !strncmp(t->name, "buckets of map[", 15)) ||
	    is_named(l, v, "[]*maps.table") || is_named(l, v, "~maps.table"))
		return FANS_MAP_PART;
	up = l->g->idom[v];
	if (up == GRAPH_NONE || !graph_is_object(l->g, up) || t->rank > SNAP_RANK_GUESS)
		return FANS_NO_MAP;
	return is_named(l, up, "~maps.table") || is_named(l, up, "~maps.Map") ||
			       is_named(l, up, "~runtime.hmap")
		       ? FANS_MAP_PART
		       : FANS_NO_MAP;
}

static bool is_part(const struct look *l, gnode v)
{
	return fans_map_of(l, v) == FANS_MAP_PART;
}

/* The next place upwards that this one is a part of; GRAPH_NONE: it is one itself. */
static gnode whole_of(const struct look *l, gnode v)
{
	const struct graph *g = l->g;
	uint32_t t = fans_type(l, v);
	/* of a guess at some distance nothing follows */
	unsigned near = l->s->types.v[t].rank > SNAP_RANK_GUESS ? NEAR : 1;
	gnode up = v;

	if (!graph_is_object(g, v))
		return GRAPH_NONE;
	for (unsigned i = 0; t && i < near; i++) {
		up = g->idom[up];
		if (up == GRAPH_NONE || !graph_is_object(g, up))
			break;
		if (fans_type(l, up) == t)
			return up;
	}
	up = g->idom[v];
	return is_part(l, v) && up != GRAPH_NONE && graph_is_object(g, up) ? up : GRAPH_NONE;
}

static int by_weight(const void *x, const void *y, void *arg)
{
	const struct work *w = arg;
	const struct heavy *a = &w->heavy.v[*(const uint32_t *)x];
	const struct heavy *b = &w->heavy.v[*(const uint32_t *)y];
	uint64_t p = w->l->g->retained[a->node], q = w->l->g->retained[b->node];

	if (p != q)
		return p > q ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

/* Ancestors retain more than what hangs from them: they come first, and know their place. */
static struct err *find_tops(struct work *w)
{
	_cleanup_(freep) uint32_t *order = zalloc(w->heavy.n + 1, sizeof(*order));

	if (!order)
		return &err_nomem;
	for (size_t i = 0; i < w->heavy.n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, w->heavy.n, sizeof(*order), by_weight, w);
	for (size_t i = 0; i < w->heavy.n; i++) {
		struct heavy *h = &w->heavy.v[order[i]];
		gnode up = whole_of(w->l, h->node);
		struct heavy *p = up == GRAPH_NONE ? NULL : heavy_of(w, up);

		h->top = p ? p->top : h->node;
		if (p && h->top != h->node && fans_type(w->l, h->node) == fans_type(w->l, h->top))
			heavy_of(w, h->top)->chain++;
	}
	return NULL;
}

/* Node 0 and heavy nodes whose weight does not go on into one child. */
static struct err *find_fans(struct work *w)
{
	const struct graph *g = w->l->g;

	for (size_t i = 0; i < w->heavy.n; i++) {
		gnode v = w->heavy.v[i].node;
		struct heavy *p = g->idom[v] == GRAPH_NONE ? NULL : heavy_of(w, g->idom[v]);

		if (p) {
			p->kids += g->retained[v];
			p->heaviest = MAX(p->heaviest, g->retained[v]);
		}
	}
	w->fan_bits = zalloc((size_t)g->n / 64 + 1, sizeof(uint64_t));
	if (!w->fan_bits)
		return &err_nomem;
	for (size_t i = 0; i < w->heavy.n; i++) {
		struct heavy *h = &w->heavy.v[i];

		h->fan = !h->node || g->retained[h->node] - h->heaviest >= w->least;
		if (!h->fan)
			continue;
		w->fan_bits[h->node >> 6] |= 1ULL << (h->node & 63);
		if (!vec_push(&w->fan_of, (uint32_t)i) || !vec_push(&w->fan_node, h->node))
			return &err_nomem;
	}
	return NULL;
}

static uint32_t hash_of(gnode v)
{
	uint32_t x = v * 0x9e3779b1U;

	return x ^ x >> 15;
}

static void sample(struct fan_kind *k, gnode v)
{
	unsigned worst = 0;

	if (k->nsamples < FANS_SAMPLES) {
		k->sample[k->nsamples++] = v;
		return;
	}
	for (unsigned i = 1; i < FANS_SAMPLES; i++)
		if (hash_of(k->sample[i]) > hash_of(k->sample[worst]))
			worst = i;
	if (hash_of(v) < hash_of(k->sample[worst]))
		k->sample[worst] = v;
}

static struct fan_kind *slot_of(struct table *t, uint32_t place, uint32_t type)
{
	size_t i = (size_t)((((uint64_t)place << 32 | type) * 0x9e3779b97f4a7c15ULL) >> 24) &
		   (t->cap - 1);

	while (t->v[i].n && (t->v[i].place != place || t->v[i].type != type))
		i = (i + 1) & (t->cap - 1);
	return &t->v[i];
}

static bool grow(struct table *t)
{
	struct table wide = { .cap = t->cap ? t->cap * 2 : 256, .n = t->n };

	wide.v = zalloc(wide.cap, sizeof(*wide.v));
	for (size_t i = 0; wide.v && i < t->cap; i++)
		if (t->v[i].n)
			*slot_of(&wide, t->v[i].place, t->v[i].type) = t->v[i];
	if (!wide.v)
		return false;
	free(t->v);
	*t = wide;
	return true;
}

static struct fan_kind *kind_of(struct table *t, uint32_t place, uint32_t type)
{
	struct fan_kind *k;

	if (2 * t->n >= t->cap && !grow(t))
		return NULL;
	k = slot_of(t, place, type);
	if (!k->n) {
		k->place = place;
		k->type = type;
		t->n++;
	}
	return k;
}

static uint32_t fan_index(const struct work *w, gnode v)
{
	size_t lo = 0, hi = w->fan_node.n;

	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->fan_node.v[mid] <= v)
			lo = mid;
		else
			hi = mid;
	}
	return (uint32_t)lo;
}

static struct err *count(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct work *w = arg;
	const struct graph *g = w->l->g;
	const uint32_t *type_of = w->l->s->type_of;
	struct table *t = &w->tables[worker];
	struct fan_kind *k = NULL;
	uint32_t fan = 0, type;
	gnode last = GRAPH_NONE;

	for (size_t v = MAX(lo, (size_t)g->nroots + 1); v < hi; v++) {
		gnode up = g->idom[v];

		if (up == GRAPH_NONE || !(w->fan_bits[up >> 6] >> (up & 63) & 1))
			continue;
		type = type_of ? type_of[v - 1 - g->nroots] : 0;
		if (up != last)
			fan = fan_index(w, up);
		if (up != last || !k || k->type != type)
			k = kind_of(t, fan, type);
		if (!k)
			return &err_nomem;
		last = up;
		k->n++;
		k->bytes += g->retained[v];
		sample(k, (gnode)v);
	}
	return NULL;
}

static struct err *add_kind(struct table *to, uint32_t place, const struct fan_kind *from)
{
	struct fan_kind *k = kind_of(to, place, from->type);

	if (!k)
		return &err_nomem;
	k->n += from->n;
	k->bytes += from->bytes;
	for (unsigned i = 0; i < from->nsamples; i++)
		sample(k, from->sample[i]);
	return NULL;
}

static struct err *add_places(struct work *w, struct fans *ret, uint32_t **ret_place)
{
	uint32_t *place = zalloc(w->heavy.n + 1, sizeof(*place)); /* by index in heavy: 1 + place */

	*ret_place = place;
	if (!place)
		return &err_nomem;
	for (size_t i = 0; i < w->heavy.n; i++) {
		struct heavy *h = &w->heavy.v[i], *top = heavy_of(w, h->top);
		size_t at = (size_t)(top - w->heavy.v);
		struct fan_place p = { .node = top->node,
				       .bytes = w->l->g->retained[top->node],
				       .chain = top->chain };

		if ((!h->fan && !top->chain) || place[at])
			continue;
		if (!vec_push(&ret->places, p))
			return &err_nomem;
		place[at] = (uint32_t)ret->places.n;
	}
	return NULL;
}

static int by_place(const void *x, const void *y)
{
	const struct fan_kind *a = x, *b = y;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return (a->type > b->type) - (a->type < b->type);
}

static struct err *settle(struct work *w, struct table *all, const uint32_t *place,
			  struct fans *ret)
{
	struct err *err = NULL;

	for (unsigned i = 0; i < w->l->nthreads && !err; i++)
		for (size_t k = 0; k < w->tables[i].cap && !err; k++) {
			const struct fan_kind *x = &w->tables[i].v[k];
			gnode top;

			if (!x->n)
				continue;
			top = w->heavy.v[w->fan_of.v[x->place]].top;
			err = add_kind(all, place[heavy_of(w, top) - w->heavy.v] - 1, x);
		}
	for (size_t k = 0; k < all->cap && !err; k++)
		if (all->v[k].n && !vec_push(&ret->kinds, all->v[k]))
			err = &err_nomem;
	if (err)
		return err;
	if (ret->kinds.n)
		qsort(ret->kinds.v, ret->kinds.n, sizeof(*ret->kinds.v), by_place);
	for (size_t k = 0; k < ret->kinds.n; k++) {
		struct fan_place *p = &ret->places.v[ret->kinds.v[k].place];

		if (!p->n++)
			p->first = (uint32_t)k;
	}
	return NULL;
}

static struct err *make(struct work *w, struct fans *ret)
{
	_cleanup_(freep) uint32_t *place = NULL;
	struct table all = { 0 };
	struct err *err = find_heavy(w);

	if (!err)
		err = find_tops(w);
	if (!err)
		err = find_fans(w);
	if (!err && w->fan_node.n)
		err = par_for(w->l->nthreads, w->l->g->n, GRAIN, count, w);
	if (!err)
		err = add_places(w, ret, &place);
	if (!err)
		err = settle(w, &all, place, ret);
	free(all.v);
	return err;
}

struct err *fans_make(const struct look *l, uint64_t least, struct fans *ret)
{
	struct work w = { .l = l, .least = MAX(least, 1) };
	struct err *err = NULL;

	w.piles = zalloc(l->nthreads, sizeof(*w.piles));
	w.tables = zalloc(l->nthreads, sizeof(*w.tables));
	if (!w.piles || !w.tables)
		err = &err_nomem;
	else if (l->g->idom && l->g->retained)
		err = make(&w, ret);
	ret->least = w.least;
	for (unsigned i = 0; w.piles && w.tables && i < l->nthreads; i++) {
		vec_free(&w.piles[i].v);
		free(w.tables[i].v);
	}
	free(w.piles);
	free(w.tables);
	free(w.fan_bits);
	vec_free(&w.heavy);
	vec_free(&w.fan_of);
	vec_free(&w.fan_node);
	if (err)
		fans_deinit(ret);
	return err;
}

void fans_deinit(struct fans *f)
{
	vec_free(&f->places);
	vec_free(&f->kinds);
}
