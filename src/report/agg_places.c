/*
 * agg_places.c - objects by type, holder and field together: the groups in which growth is told.
 *
 * Knows nothing of growth, one look is enough.  Cost: a pass over the objects and a walk of the
 * dominator tree, 4 bytes a slot; then for each place that is kept a way from its root.
 */
#include "report/analysed.h"
#include "report/agg_sites.h"

enum { BY_BYTES = 2000, MANY = 50, PLACES_MAX = 5000, VISITS_MAX = 4096 };

struct place {
	uint32_t g[IDENT_COLUMNS];
	uint64_t objects, bytes, retained;
	gnode biggest;
	uint32_t open; /* of its objects, among the ancestors */
};

struct agg_places {
	const struct agg *a;
	struct ident *x;
	VEC(struct place) v;
	uint32_t *tab; /* open addressing: 1 + index */
	size_t cap;
	uint32_t *of; /* by object id: 1 + index; 0: not reachable; bigalloc'd */
	uint64_t nobjects;
	size_t total;
	uint32_t *to; /* from the number of a place to 1 + its row; 0: it has none */
	size_t nrows;
	struct agg_ways *ways; /* to the example of each row */
};

void agg_places_free(struct agg_places *p)
{
	if (!p)
		return;
	agg_ways_free(p->ways);
	free(p->to);
	vec_free(&p->v);
	free(p->tab);
	if (p->of)
		bigfree(p->of, p->nobjects, sizeof(*p->of));
	free(p);
}

static size_t slot_of(const struct agg_places *p, const uint32_t *g)
{
	uint64_t h = (g[0] * 0x9e3779b97f4a7c15ULL) ^ (g[1] * 0xc2b2ae3d27d4eb4fULL) ^
		     (g[2] * 0x165667b19e3779f9ULL);
	size_t i = (size_t)(h >> 28) & (p->cap - 1);

	while (p->tab[i] && memcmp(p->v.v[p->tab[i] - 1].g, g, sizeof(p->v.v[0].g)) != 0)
		i = (i + 1) & (p->cap - 1);
	return i;
}

static bool grow(struct agg_places *p)
{
	size_t cap = p->cap ? 2 * p->cap : 4096;
	uint32_t *tab = zalloc(cap, sizeof(*tab));

	if (!tab)
		return false;
	free(p->tab);
	p->tab = tab;
	p->cap = cap;
	for (size_t i = 0; i < p->v.n; i++)
		tab[slot_of(p, p->v.v[i].g)] = (uint32_t)i + 1;
	return true;
}

/* 1 + index; 0: memory is short. */
static uint32_t number_of(struct agg_places *p, const uint32_t *g)
{
	struct place y = { .biggest = GRAPH_NONE };
	size_t i;

	if (2 * p->v.n >= p->cap && !grow(p))
		return 0;
	i = slot_of(p, g);
	if (!p->tab[i]) {
		memcpy(y.g, g, sizeof(y.g));
		if (!vec_push(&p->v, y))
			return 0;
		p->tab[i] = (uint32_t)p->v.n;
	}
	return p->tab[i];
}

/* id: of its first slot. */
static struct err *add_span(struct agg_places *p, const struct ident_span *sp, uint64_t id)
{
	uint32_t last[IDENT_COLUMNS] = { UINT32_MAX, UINT32_MAX, UINT32_MAX }, number = 0;

	for (uint32_t w = 0; w < (sp->nelems + 63) / 64; w++)
		for (uint64_t bits = sp->alive[w]; bits; bits &= bits - 1) {
			uint32_t i = 64 * w + (uint32_t)__builtin_ctzll(bits);
			uint32_t g[IDENT_COLUMNS] = { sp->group[0][i], sp->group[1][i],
						      sp->group[2][i] };

			if (memcmp(g, last, sizeof(g)) != 0) {
				number = number_of(p, g);
				memcpy(last, g, sizeof(g));
			}
			if (!number)
				return &err_nomem;
			p->of[id + i] = number;
			p->v.v[number - 1].objects++;
			p->v.v[number - 1].bytes += sp->elem_bytes;
		}
	return NULL;
}

/* The spans of an ident of a snapshot are those of its heap. */
static struct err *add_all(struct agg_places *p)
{
	const struct go_heap *h = &p->a->s->heap;
	struct err *err = p->x->rewind(p->x);

	p->nobjects = h->nobjects;
	p->of = bigalloc(p->nobjects, sizeof(*p->of));
	if (!p->of)
		return &err_nomem;
	for (size_t i = 0; i < h->spans.n && !err; i++) {
		const struct ident_span *sp = NULL;

		err = p->x->next(p->x, &sp);
		if (!err && sp)
			err = add_span(p, sp, h->spans.v[i].first);
	}
	return err;
}

static struct place *place_at(const struct agg_places *p, gnode v)
{
	uint32_t number = 0;

	if (graph_is_object(p->a->g, v))
		number = p->of[graph_object(p->a->g, v)];
	return number ? &p->v.v[number - 1] : NULL;
}

static struct err *enter(void *arg, gnode v)
{
	struct agg_places *p = arg;
	const uint64_t *retained = p->a->g->retained;
	struct place *y = place_at(p, v);

	if (!y || y->open++)
		return NULL;
	y->retained += retained[v];
	if (y->biggest == GRAPH_NONE || retained[v] > retained[y->biggest])
		y->biggest = v;
	return NULL;
}

static void leave(void *arg, gnode v)
{
	struct place *y = place_at(arg, v);

	if (y)
		y->open--;
}

static int by_bytes(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (a->objects != b->objects)
		return a->objects < b->objects ? 1 : -1;
	return memcmp(a->g, b->g, sizeof(a->g));
}

/* v[0 .. n) are kept; where they were is told by to[], 1 + index; 0: it was cut. */
static size_t cut(struct agg_places *p)
{
	size_t n = 0;

	qsort(p->v.v, p->v.n, sizeof(*p->v.v), by_bytes);
	for (size_t i = 0; i < p->v.n && n < PLACES_MAX; i++)
		if (i < BY_BYTES || p->v.v[i].objects >= MANY)
			p->v.v[n++] = p->v.v[i];
	return n;
}

static struct ans_place answer_of(struct agg *a, const struct agg_places *p, const struct place *y)
{
	struct keep *k = &a->keep;
	struct ident *x = p->x;
	const char *holder = x->name(x, IDENT_HOLDER, y->g[IDENT_HOLDER]);

	return (struct ans_place){
		.type = keepf(k, "%s", x->name(x, IDENT_TYPE, y->g[IDENT_TYPE])),
		.holder = keepf(k, "%s", holder),
		.field = keepf(k, "%s", x->name(x, IDENT_FIELD, y->g[IDENT_FIELD])),
		.objects = y->objects,
		.bytes = y->bytes,
		.retained = y->retained,
		.example = y->biggest == GRAPH_NONE
				   ? 0
				   : go_heap_address(&a->s->heap, graph_object(a->g, y->biggest),
						     NULL),
	};
}

/* Ways to the examples, all at once. */
static struct err *find_ways(struct agg_places *p)
{
	_cleanup_(freep) gnode *v = zalloc(p->nrows, sizeof(*v));

	if (!v)
		return &err_nomem;
	for (size_t i = 0; i < p->nrows; i++)
		v[i] = p->v.v[i].biggest;
	return agg_ways_find(p->a, v, p->nrows, VISITS_MAX, &p->ways);
}

static struct err *add_paths(struct agg *a, const struct agg_places *p, struct ans_places *ret)
{
	_cleanup_(freep) struct ans_path *paths = zalloc(ret->v.n, sizeof(*paths));
	struct err *err;

	if (!paths)
		return &err_nomem;
	err = agg_ways_paths(a, p->ways, paths);
	for (size_t i = 0; i < ret->v.n; i++)
		ret->v.v[i].path = paths[i];
	return err;
}

/* A sampled object: of which place, from which site. */
struct seen {
	uint32_t place, site;
};

static int by_place(const void *x, const void *y)
{
	const struct seen *a = x, *b = y;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return (a->site > b->site) - (a->site < b->site);
}

static struct err *add_stack(const struct snap_sites *x, uint32_t at, struct ans_place *y)
{
	const struct snap_site *site = &x->sites.v[at];

	for (uint32_t i = site->hidden; i < site->n; i++) {
		const struct snap_frame *f = snap_site_frame(x, site, i);
		struct ans_frame to = { f->function, f->file, f->line, f->inlined };

		if (!vec_push(&y->stack, to))
			return &err_nomem;
	}
	return NULL;
}

/* n of one place: the site that most of them have. */
static struct err *add_site(const struct snap_sites *x, const struct seen *v, size_t n,
			    struct ans_place *y)
{
	size_t run = 0, best = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		run = i && v[i].site == v[i - 1].site ? run + 1 : 1;
		if (run > best) {
			best = run;
			at = i;
		}
	}
	y->sampled = n;
	y->there = best;
	return add_stack(x, v[at].site, y);
}

struct samples {
	VEC(struct seen) v;
};

static struct err *list_samples(const struct agg_places *p, const struct snap_sites *x,
				struct samples *ret)
{
	for (size_t i = 0; i < x->samples.n; i++) {
		const struct snap_sample *s = &x->samples.v[i];
		uint32_t number = s->object < p->nobjects ? p->of[s->object] : 0;
		struct seen y = { number ? p->to[number] : 0, s->site };

		if (y.place && y.site < x->sites.n && !vec_push(&ret->v, y))
			return &err_nomem;
	}
	return NULL;
}

static struct err *add_sites(struct agg *a, const struct agg_places *p, struct ans_places *ret)
{
	struct samples s = { 0 };
	const struct snap_sites *x = NULL;
	struct err *err = snapshot_sites(a->s, &x);

	if (!err)
		err = list_samples(p, x, &s);
	if (s.v.n)
		qsort(s.v.v, s.v.n, sizeof(*s.v.v), by_place);
	for (size_t i = 0, n; i < s.v.n && !err; i += n) {
		for (n = 1; i + n < s.v.n && s.v.v[i + n].place == s.v.v[i].place; n++)
			;
		err = add_site(x, s.v.v + i, n, &ret->v.v[s.v.v[i].place - 1]);
	}
	vec_free(&s.v);
	return err;
}

/* Of places of one type only the first asks; row[t]: 1 + that one. */
static struct err *by_code(struct agg *a, const struct agg_places *p, uint32_t *row, size_t i,
			   struct ans_places *ret)
{
	_cleanup_(ans_origin_deinit) struct ans_origin o = { .basis = "", .like = "", .why = "" };
	const struct snapshot *s = a->s;
	uint64_t id = graph_object(a->g, p->v.v[i].biggest);
	uint32_t t = s->type_of ? s->type_of[id] : 0;
	struct ans_place *y = &ret->v.v[i];
	const struct ans_place *like;
	struct err *err;

	if (!t || t >= s->types.n)
		return NULL;
	if (!row[t]) {
		row[t] = (uint32_t)i + 1;
		err = agg_origin_code(a, id, &o);
		y->calls = o.of;
		for (size_t k = 0; k < o.stack.n && !err; k++)
			if (!vec_push(&y->stack, o.stack.v[k]))
				err = &err_nomem;
		return err;
	}
	like = &ret->v.v[row[t] - 1];
	y->calls = like->calls;
	for (size_t k = 0; k < like->stack.n; k++)
		if (!vec_push(&y->stack, like->stack.v[k]))
			return &err_nomem;
	return NULL;
}

/* What no sample speaks for. */
static struct err *add_calls(struct agg *a, const struct agg_places *p, struct ans_places *ret)
{
	_cleanup_(freep) uint32_t *row = zalloc(a->s->types.n + 1, sizeof(*row));
	struct err *err = row ? NULL : &err_nomem;

	for (size_t i = 0; i < ret->v.n && !err; i++)
		if (!ret->v.v[i].stack.n && p->v.v[i].biggest != GRAPH_NONE)
			err = by_code(a, p, row, i, ret);
	return err;
}

/* Sorting moves places: who was number i before? */
static struct err *number_rows(struct agg_places *p)
{
	p->to = zalloc(p->v.n + 1, sizeof(*p->to));
	if (!p->to)
		return &err_nomem;
	p->total = p->v.n;
	for (size_t i = 0; i < p->v.n; i++)
		p->v.v[i].open = (uint32_t)i + 1; /* the walk is over: all are 0 */
	p->nrows = cut(p);
	for (size_t i = 0; i < p->nrows; i++)
		p->to[p->v.v[i].open] = (uint32_t)i + 1;
	return NULL;
}

struct err *agg_places_count(const struct agg *a, struct ident *x, struct agg_places **ret)
{
	_cleanup_(agg_places_freep) struct agg_places *p = zalloc(1, sizeof(*p));
	struct agg_dom d = agg_dom_of(a, AGG_TREE_EXACT);
	struct err *err;

	if (!p)
		return &err_nomem;
	p->a = a;
	p->x = x;
	err = add_all(p);
	if (!err)
		err = agg_dom_walk(&d, enter, leave, p);
	if (!err)
		err = number_rows(p);
	if (!err)
		err = find_ways(p);
	if (err)
		return err;
	*ret = STEAL(p);
	return NULL;
}

static struct err *answer(struct agg *a, const struct agg_places *p, struct ans_places *ret)
{
	struct err *err = NULL;

	ret->total = p->total;
	for (size_t i = 0; i < p->nrows && !err; i++)
		if (!vec_push(&ret->v, answer_of(a, p, &p->v.v[i])))
			err = &err_nomem;
	if (!err && p->nrows)
		err = add_paths(a, p, ret);
	if (!err)
		err = add_sites(a, p, ret);
	if (!err)
		err = add_calls(a, p, ret);
	return err ? err : keep_err(&a->keep);
}

struct err *agg_places(struct agg *a, const struct agg_places *p, struct ans_places *ret)
{
	_cleanup_(ans_places_deinit) struct ans_places r = { 0 };
	struct err *err = answer(a, p, &r);

	if (err)
		return err;
	*ret = r;
	r = (struct ans_places){ 0 };
	return NULL;
}
