/*
 * agg_groups_field.c - objects by the field that leads to them: "main.Session.buf".
 *
 * Of an object's dominator the first word that points to it, by the dominator's type and the
 * word's place in it; elements of a row are one place, and all entries of a map.  Where the
 * dominator points to it only through others, several of them do, and it is the dominator's as a
 * whole.  Cost: one pass over the edges by all threads, and where their words are not kept one
 * read of the heap; a hash of distinct places for each; 4 bytes a slot.
 */
#include "report/agg_groups.h"
#include "report/pop_priv.h"

#include "base/par.h"
#include "base/str.h"
#include "goruntime/heap_scan.h"

/* Until names are numbered group[] is 0 or whose place it is: 1 + worker, and its number there. */
enum { PLACE_BITS = 24, WORKERS_MAX = 64, SPANS_AT_ONCE = 256, SOON = 24 };

struct place {
	uint64_t key;	  /* type and offset in it, or KEY_OTHER */
	uint64_t id, off; /* an example */
	const char *name; /* of what is no place in an object */
};

enum { KEY_ROOT = 1, KEY_BELOW_ROOT, KEY_SHARED, KEY_BELOW };
#define KEY_OTHER(kind, n) (1ULL << 63 | (uint64_t)(kind) << 56 | (n))

struct fields;

/* What one thread has met. */
struct worker {
	struct fields *f;
	uint32_t tag;
	VEC(struct place) places;
	uint32_t *tab; /* open addressing by key: 1 + place */
	size_t cap;
	const struct go_span *span; /* of the object that was asked for last; NULL: none yet */
	struct go_scanner sc;
	struct err *err;
};

struct fields {
	struct agg *a;
	struct agg_dom d;
	uint64_t *stride; /* by type: of its elements, if it is a row or an array */
	struct agg_groups *gs;
	struct worker w[WORKERS_MAX];
};

static size_t slot_of(const struct worker *w, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 24) & (w->cap - 1);

	while (w->tab[i] && w->places.v[w->tab[i] - 1].key != key)
		i = (i + 1) & (w->cap - 1);
	return i;
}

static bool grow(struct worker *w)
{
	size_t cap = w->cap ? w->cap * 2 : 4096;
	uint32_t *tab = zalloc(cap, sizeof(*tab));

	if (!tab)
		return false;
	free(w->tab);
	w->tab = tab;
	w->cap = cap;
	for (size_t i = 0; i < w->places.n; i++)
		tab[slot_of(w, w->places.v[i].key)] = (uint32_t)i + 1;
	return true;
}

static void lead(struct worker *w, uint64_t to, const struct place *p)
{
	size_t i;

	if (2 * w->places.n >= w->cap && !grow(w)) {
		w->err = &err_nomem;
		return;
	}
	i = slot_of(w, p->key);
	if (!w->tab[i]) {
		if (w->places.n >> PLACE_BITS || !vec_push(&w->places, *p)) {
			w->err = &err_nomem;
			return;
		}
		w->tab[i] = (uint32_t)w->places.n;
	}
	w->f->gs->group[to] = w->tag << PLACE_BITS | (w->tab[i] - 1);
}

static const struct go_span *span_of(struct worker *w, uint64_t id)
{
	const struct go_span *sp = w->span;

	if (!sp || id < sp->first || id - sp->first >= sp->nelems)
		w->span = sp = go_heap_span_of(&w->f->a->s->heap, id);
	return sp;
}

/* The place of a word in its type: in one element of a row, in no slot in particular. */
static struct place place_of(struct worker *w, uint64_t id, uint64_t at)
{
	const struct fields *f = w->f;
	const struct snapshot *s = f->a->s;
	uint32_t t = s->type_of && s->type_of[id] < s->types.n ? s->type_of[id] : 0;
	const struct snap_type *st = t ? &s->types.v[t] : NULL;
	const struct go_span *sp = span_of(w, id);
	uint64_t header = sp ? go_span_header(sp) : 0;
	struct place p = { .id = id, .off = MAX(at, header) };

	if (!st) {
		p.key = sp ? sp->spanclass : 0;
		return p;
	}
	if (st->kind == SNAP_TYPE_PART || st->kind == SNAP_TYPE_CHAN || st->kind == SNAP_TYPE_MAP)
		p.off = header;
	else if (f->stride[t])
		p.off = header + (p.off - header) % f->stride[t];
	p.key = ((uint64_t)t + 1) << 24 | (p.off & 0xffffff);
	return p;
}

static struct err *ignore_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg, (void)id, (void)type, (void)word0;
	return NULL;
}

static struct err *see_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct worker *w = arg;
	struct fields *f = w->f;
	uint64_t to = go_heap_object_at(&f->a->s->heap, value);
	const struct graph *g = f->d.g;
	struct place p;

	(void)before;
	/* only one object dominates another, and one thread reads it: first is first */
	if (to == GO_NO_OBJECT ||
	    g->idom[graph_node_of_object(g, to)] != graph_node_of_object(g, id) || f->gs->group[to])
		return NULL;
	p = place_of(w, id, at);
	lead(w, to, &p);
	return w->err;
}

/* The words of the edges are kept: the heap need not be read for them. */
static struct err *see_edges(struct worker *w, const struct go_span *sp)
{
	const struct fields *f = w->f;
	const struct graph *g = f->d.g;
	const uint16_t *word = f->a->s->words.v;

	for (uint64_t id = sp->first; id < sp->first + sp->nelems && !w->err; id++) {
		gnode v = graph_node_of_object(g, id);

		for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++) {
			uint64_t to = graph_object(g, g->to[e]);
			struct place p;

			if (e + SOON < g->m)
				__builtin_prefetch(&g->idom[g->to[e + SOON]]);
			if (g->idom[g->to[e]] != v || f->gs->group[to])
				continue;
			p = place_of(w, id, 8ULL * word[e]);
			lead(w, to, &p);
		}
	}
	return w->err;
}

static void ignore_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg, (void)addr, (void)nbytes;
}

static const char *root_name(const struct fields *f, const struct snap_root *r)
{
	if (r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < f->a->s->stacks.gs.n)
		return keepf(&f->a->keep, "goroutines of %s",
			     agg_goroutine_function(f->a, r->goroutine));
	return r->name ? r->name : "(a root)";
}

static struct err *see_roots(struct fields *f)
{
	const struct snapshot *s = f->a->s;
	struct worker *w = &f->w[0];

	for (uint32_t r = 0; r < s->roots.n && !w->err; r++) {
		const struct snap_root *root = &s->roots.v[r];
		struct place p = { .key = KEY_OTHER(KEY_ROOT, r) };

		for (uint64_t i = root->first_slot; i < root->first_slot + root->nslots; i++) {
			uint64_t to = s->slots.v[i].object;

			if (!snapshot_is_object(s, to) || f->gs->group[to] ||
			    f->d.g->idom[graph_node_of_object(f->d.g, to)] != r + 1)
				continue;
			p.name = p.name ? p.name : root_name(f, root);
			lead(w, to, &p);
		}
	}
	return w->err;
}

/* Where only others together lead, below its dominator. */
static struct place place_below(struct worker *w, gnode up)
{
	const struct fields *f = w->f;
	struct place p = { .key = KEY_OTHER(KEY_SHARED, 0), .name = "(held by several roots)" };

	if (up && graph_is_object(f->d.g, up)) {
		p = place_of(w, graph_object(f->d.g, up), 0);
		p.key = KEY_OTHER(KEY_BELOW, p.key >> 24);
	} else if (up) {
		p.key = KEY_OTHER(KEY_BELOW_ROOT, up);
		p.name = keepf(&f->a->keep, "%s, in several ways",
			       root_name(f, &f->a->s->roots.v[up - 1]));
	}
	return p;
}

static struct err *see_rest(struct fields *f)
{
	const struct graph *g = f->d.g;
	struct worker *w = &f->w[0];

	for (uint64_t id = 0; id < f->gs->nobjects && !w->err; id++) {
		gnode v = graph_node_of_object(g, id);
		struct place p;

		if (f->gs->group[id] || !graph_reached(g, v))
			continue;
		p = place_below(w, g->idom[v]);
		lead(w, id, &p);
	}
	return w->err;
}

static const char *name_of(const struct fields *f, const struct place *p)
{
	struct agg *a = f->a;
	const struct snap_type *st;
	const char *of, *name;
	char type[256];
	uint32_t t = a->s->type_of ? a->s->type_of[p->id] : 0;

	if (p->name)
		return p->name;
	name = keepf(&a->keep, "%s", snapshot_type_name(a->s, p->id, type, sizeof(type)));
	if (p->key >> 63)
		return keepf(&a->keep, "%s, in several ways", name);
	if (!t)
		return name;
	st = &a->s->types.v[t];
	of = st->kind == SNAP_TYPE_PART && st->name ? strstr(st->name, " of ") : NULL;
	if (of)
		return keepf(&a->keep, "entries of %s", of + 4);
	if (st->kind == SNAP_TYPE_CHAN || st->kind == SNAP_TYPE_MAP)
		return name;
	return pop_place_name(a, p->id, p->off, UINT32_MAX);
}

/* Numbers of all workers' places, one after another; 0: of what is not reached. */
struct numbers {
	struct fields *f;
	uint32_t *to;
	size_t first[WORKERS_MAX + 1];
};

static struct err *number_some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct numbers *n = arg;
	uint32_t *group = n->f->gs->group;

	(void)worker;
	for (size_t id = lo; id < hi; id++) {
		uint32_t tag = group[id] >> PLACE_BITS;

		group[id] =
			n->to[tag ? n->first[tag - 1] + (group[id] & ((1U << PLACE_BITS) - 1)) : 0];
	}
	return NULL;
}

/* Places of one name are one group; of what is not reached the name is "". */
static struct err *name_places(struct fields *f)
{
	struct numbers num = { .f = f, .first = { 1 } };
	_cleanup_(freep) struct agg_group_name *e = NULL;
	_cleanup_(freep) uint32_t *to = NULL;
	struct err *err;
	size_t n;

	for (size_t w = 0; w < WORKERS_MAX; w++)
		num.first[w + 1] = num.first[w] + f->w[w].places.n;
	n = num.first[WORKERS_MAX];
	e = zalloc(n, sizeof(*e));
	num.to = to = zalloc(n, sizeof(*to));
	if (!e || !to)
		return &err_nomem;
	e[0].name = "";
	for (size_t w = 0; w < WORKERS_MAX; w++)
		for (size_t i = 0; i < f->w[w].places.n; i++) {
			uint32_t at = (uint32_t)(num.first[w] + i);

			e[at] = (struct agg_group_name){ name_of(f, &f->w[w].places.v[i]), at };
		}
	err = keep_err(&f->a->keep);
	if (!err)
		err = agg_groups_number(e, n, to, f->gs);
	return err ? err : par_for(f->a->nthreads, f->gs->nobjects, 1 << 18, number_some, &num);
}

static struct err *find_strides(struct fields *f)
{
	const struct snapshot *s = f->a->s;

	f->stride = zalloc(s->types.n + 1, sizeof(*f->stride));
	if (!f->stride)
		return &err_nomem;
	for (size_t i = 1; i < s->types.n; i++) {
		const struct snap_type *st = &s->types.v[i];
		const struct go_type *t = NULL;

		if (st->kind == SNAP_TYPE_RTYPE && !s->dump)
			t = go_type_at(s->rtypes, st->rtype);
		f->stride[i] = st->array ? st->bytes : 0;
		for (int depth = 0; t && t->kind == GO_ARRAY && depth < 8; depth++) {
			t = go_type_at(s->rtypes, t->elem);
			f->stride[i] = t ? t->bytes : 0;
		}
	}
	return NULL;
}

/* The owner's graph has edges of its own. */
static bool has_words(const struct fields *f, const struct go_span *sp)
{
	return f->a->s->words.v && f->d.g == f->a->g && sp->elem_bytes / 8 < SNAP_WORDS_MAX;
}

static struct err *see_spans(void *arg, unsigned worker, size_t lo, size_t hi)
{
	static const struct go_scan_ops ops = {
		.object = ignore_object,
		.pointer = see_pointer,
		.lost = ignore_lost,
	};
	struct fields *f = arg;
	struct worker *w = &f->w[worker];
	const struct go_span *v = f->a->s->heap.spans.v;
	struct err *err = NULL;

	for (size_t next; lo < hi && !err; lo = next) {
		next = lo + 1;
		if (has_words(f, &v[lo])) {
			err = see_edges(w, &v[lo]);
			continue;
		}
		while (next < hi && !has_words(f, &v[next]))
			next++;
		if (!w->sc.g)
			err = go_scanner_init(&w->sc, f->a->s->go, &f->a->s->heap);
		if (!err)
			err = go_scan_spans(&w->sc, lo, next, ops, w);
	}
	return err;
}

static struct err *make(struct fields *f)
{
	const struct snapshot *s = f->a->s;
	struct err *err;

	f->gs->group = bigalloc(f->gs->nobjects, sizeof(*f->gs->group));
	if (!f->gs->group)
		return &err_nomem;
	for (uint32_t w = 0; w < WORKERS_MAX; w++)
		f->w[w] = (struct worker){ .f = f, .tag = 1 + w };
	err = find_strides(f);
	if (!err)
		err = see_roots(f);
	if (!err)
		err = par_for(MIN(f->a->nthreads, (unsigned)WORKERS_MAX), s->heap.spans.n,
			      SPANS_AT_ONCE, see_spans, f);
	if (!err)
		err = see_rest(f);
	return err ? err : name_places(f);
}

struct err *agg_groups_field(struct agg *a, const struct top_ask *q, struct agg_groups *ret)
{
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { .nobjects = a->s->heap.nobjects };
	bool exact = q->tree != AGG_TREE_OWNER || q->owner.g == a->g;
	struct fields *f;
	struct err *err;

	if (exact && a->fields) {
		*ret = *a->fields;
		ret->borrowed = true;
		return NULL;
	}
	f = zalloc(1, sizeof(*f));
	if (!f)
		return &err_nomem;
	f->a = a;
	f->d = q->tree == AGG_TREE_OWNER ? q->owner : q->exact;
	f->gs = &gs;
	err = make(f);
	free(f->stride);
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		go_scanner_deinit(&f->w[i].sc);
		free(f->w[i].tab);
		vec_free(&f->w[i].places);
	}
	free(f);
	if (err)
		return err;
	*ret = gs;
	gs = (struct agg_groups){ 0 };
	return NULL;
}

struct err *agg_groups_field_kept(struct agg *a, struct agg_groups *ret)
{
	struct top_ask q = { .tree = AGG_TREE_EXACT, .exact = agg_dom_of(a, AGG_TREE_EXACT) };
	_cleanup_(freep) struct agg_groups *gs = zalloc(1, sizeof(*gs));
	struct err *err = gs ? NULL : &err_nomem;

	if (!err && !a->fields) {
		err = agg_groups_field(a, &q, gs);
		if (!err)
			a->fields = STEAL(gs);
		snap_words_free(a->s);
	}
	return err ? err : agg_groups_field(a, &q, ret);
}
