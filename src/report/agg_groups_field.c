/*
 * agg_groups_field.c - objects by the field that leads to them: "main.Session.buf".
 *
 * Of an object's dominator the first word that points to it, by the dominator's type and the
 * word's place in it; elements of a row are one place, and all entries of a map.  Where the
 * dominator points to it only through others, several of them do, and it is the dominator's as a
 * whole.  Cost: one read of the heap; a hash of distinct places; 4 bytes a slot.
 */
#include "report/agg_groups.h"
#include "report/pop_priv.h"

#include "base/str.h"

struct place {
	uint64_t key;	  /* type and offset in it, or KEY_OTHER */
	uint64_t id, off; /* an example */
	const char *name; /* of what is no place in an object */
};

enum { KEY_ROOT = 1, KEY_BELOW_ROOT, KEY_SHARED, KEY_BELOW };
#define KEY_OTHER(kind, n) (1ULL << 63 | (uint64_t)(kind) << 56 | (n))

struct fields {
	struct agg *a;
	struct agg_dom d;
	uint64_t *stride;      /* by type: of its elements, if it is a row or an array */
	struct agg_groups *gs; /* group[]: 1 + place until names are numbered */
	VEC(struct place) places;
	uint32_t *tab; /* open addressing by key: 1 + place */
	size_t cap;
	struct err *err;
};

static size_t slot_of(const struct fields *f, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 24) & (f->cap - 1);

	while (f->tab[i] && f->places.v[f->tab[i] - 1].key != key)
		i = (i + 1) & (f->cap - 1);
	return i;
}

static bool grow(struct fields *f)
{
	size_t cap = f->cap ? f->cap * 2 : 4096;
	uint32_t *tab = zalloc(cap, sizeof(*tab));

	if (!tab)
		return false;
	free(f->tab);
	f->tab = tab;
	f->cap = cap;
	for (size_t i = 0; i < f->places.n; i++)
		tab[slot_of(f, f->places.v[i].key)] = (uint32_t)i + 1;
	return true;
}

static void lead(struct fields *f, uint64_t to, const struct place *p)
{
	size_t i;

	if (2 * f->places.n >= f->cap && !grow(f)) {
		f->err = &err_nomem;
		return;
	}
	i = slot_of(f, p->key);
	if (!f->tab[i]) {
		if (!vec_push(&f->places, *p)) {
			f->err = &err_nomem;
			return;
		}
		f->tab[i] = (uint32_t)f->places.n;
	}
	f->gs->group[to] = f->tab[i];
}

/* The place of a word in its type: in one element of a row, in no slot in particular. */
static struct place place_of(const struct fields *f, uint64_t id, uint64_t at)
{
	const struct snapshot *s = f->a->s;
	uint32_t t = s->type_of && s->type_of[id] < s->types.n ? s->type_of[id] : 0;
	const struct snap_type *st = t ? &s->types.v[t] : NULL;
	const struct go_span *sp = go_heap_span_of(&s->heap, id);
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
	struct fields *f = arg;
	uint64_t to = go_heap_object_at(&f->a->s->heap, value);
	const struct graph *g = f->d.g;
	struct place p;

	(void)before;
	if (to == GO_NO_OBJECT || f->gs->group[to] ||
	    g->idom[graph_node_of_object(g, to)] != graph_node_of_object(g, id))
		return NULL;
	p = place_of(f, id, at);
	lead(f, to, &p);
	return f->err;
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

	for (uint32_t r = 0; r < s->roots.n && !f->err; r++) {
		const struct snap_root *root = &s->roots.v[r];
		struct place p = { .key = KEY_OTHER(KEY_ROOT, r) };

		for (uint64_t i = root->first_slot; i < root->first_slot + root->nslots; i++) {
			uint64_t to = s->slots.v[i].object;

			if (!snapshot_is_object(s, to) || f->gs->group[to] ||
			    f->d.g->idom[graph_node_of_object(f->d.g, to)] != r + 1)
				continue;
			p.name = p.name ? p.name : root_name(f, root);
			lead(f, to, &p);
		}
	}
	return f->err;
}

/* Where only others together lead, below its dominator. */
static struct place place_below(const struct fields *f, gnode up)
{
	struct place p = { .key = KEY_OTHER(KEY_SHARED, 0), .name = "(held by several roots)" };

	if (up && graph_is_object(f->d.g, up)) {
		p = place_of(f, graph_object(f->d.g, up), 0);
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

	for (uint64_t id = 0; id < f->gs->nobjects && !f->err; id++) {
		gnode v = graph_node_of_object(g, id);
		struct place p;

		if (f->gs->group[id] || !graph_reached(g, v))
			continue;
		p = place_below(f, g->idom[v]);
		lead(f, id, &p);
	}
	return f->err;
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

/* Places of one name are one group; place 0, of what is not reached, is "". */
static struct err *name_places(struct fields *f)
{
	size_t n = f->places.n + 1;
	_cleanup_(freep) struct agg_group_name *e = zalloc(n, sizeof(*e));
	_cleanup_(freep) uint32_t *to = zalloc(n, sizeof(*to));
	struct err *err;

	if (!e || !to)
		return &err_nomem;
	e[0].name = "";
	for (size_t i = 0; i < f->places.n; i++)
		e[i + 1] = (struct agg_group_name){ name_of(f, &f->places.v[i]), (uint32_t)i + 1 };
	err = keep_err(&f->a->keep);
	if (!err)
		err = agg_groups_number(e, n, to, f->gs);
	for (uint64_t id = 0; id < f->gs->nobjects && !err; id++)
		f->gs->group[id] = to[f->gs->group[id]];
	return err;
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

static struct err *make(struct fields *f)
{
	static const struct go_scan_ops ops = {
		.object = ignore_object,
		.pointer = see_pointer,
		.lost = ignore_lost,
	};
	const struct snapshot *s = f->a->s;
	struct err *err;

	f->gs->group = bigalloc(f->gs->nobjects, sizeof(*f->gs->group));
	if (!f->gs->group)
		return &err_nomem;
	err = find_strides(f);
	if (!err)
		err = see_roots(f);
	if (!err)
		err = go_heap_scan(s->go, &s->heap, 0, s->heap.spans.n, &ops, f);
	if (!err)
		err = see_rest(f);
	return err ? err : name_places(f);
}

struct err *agg_groups_field(struct agg *a, const struct top_ask *q, struct agg_groups *ret)
{
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { .nobjects = a->s->heap.nobjects };
	struct fields f = { .a = a,
			    .d = q->tree == AGG_TREE_OWNER ? q->owner : q->exact,
			    .gs = &gs };
	struct err *err = make(&f);

	free(f.tab);
	free(f.stride);
	vec_free(&f.places);
	if (err)
		return err;
	*ret = gs;
	gs = (struct agg_groups){ 0 };
	return NULL;
}
