/*
 * look_index.c - reachable objects by their type, counted once for all detectors.
 *
 * Objects of types of which there are few are listed, those of the others are looked for in
 * the part of the heap where they lie.  Knows no type by name.  Cost: two passes over type_of,
 * 40 bytes a type and thread, 4 bytes an object that is listed.
 */
#include "base/par.h"
#include "find/look.h"

enum { FEW = 1 << 16, GRAIN = 512 };

struct look_index {
	struct look_type *types; /* NULL: not counted yet */
	uint32_t *start;	 /* listed ids of type t: id[start[t]] .. id[start[t + 1] - 1] */
	uint32_t *id;
};

struct look_index *look_index_create(void)
{
	return zalloc(1, sizeof(struct look_index));
}

void look_index_free(struct look_index *x)
{
	if (!x)
		return;
	free(x->types);
	free(x->start);
	free(x->id);
	free(x);
}

struct count {
	const struct look *l;
	struct look_type *part; /* of each worker one row of types */
	size_t ntypes;
};

static void add(struct look_type *t, uint64_t id, uint64_t bytes)
{
	if (!t->objects)
		t->first = id;
	t->last = id;
	t->objects++;
	t->bytes += bytes;
}

static struct err *count_spans(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct count *c = arg;
	const struct look *l = c->l;
	const uint32_t *type_of = l->s->type_of;

	for (size_t i = lo; i < hi; i++) {
		const struct go_span *sp = &l->s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++)
			if (look_reached(l, id) && type_of[id] < c->ntypes)
				add(&c->part[worker * c->ntypes + type_of[id]], id, sp->elem_bytes);
	}
	return NULL;
}

static void merge(struct look_type *to, const struct look_type *from)
{
	if (!from->objects)
		return;
	to->first = to->objects ? MIN(to->first, from->first) : from->first;
	to->last = to->objects ? MAX(to->last, from->last) : from->last;
	to->objects += from->objects;
	to->bytes += from->bytes;
}

static struct err *count_types(const struct look *l, struct look_index *x)
{
	const struct snapshot *s = l->s;
	unsigned n = MAX(l->nthreads, 1U);
	struct count c = { .l = l, .ntypes = s->types.n };
	_cleanup_(freep) struct look_type *part = zalloc(n * c.ntypes, sizeof(*part));
	struct look_type *all = zalloc(c.ntypes + 1, sizeof(*all));
	struct err *err = NULL;

	c.part = part;
	if (!part || !all)
		err = &err_nomem;
	else if (s->type_of)
		err = par_for(n, s->heap.spans.n, GRAIN, count_spans, &c);
	if (err) {
		free(all);
		return err;
	}
	for (size_t i = 0; i < n * c.ntypes; i++)
		merge(&all[i % c.ntypes], &part[i]);
	x->types = all;
	return NULL;
}

static struct err *list_few(const struct look *l, struct look_index *x)
{
	const struct snapshot *s = l->s;
	size_t n = s->types.n, total = 0;
	_cleanup_(freep) uint32_t *at = zalloc(n + 1, sizeof(*at));

	x->start = zalloc(n + 1, sizeof(*x->start));
	if (!at || !x->start)
		return &err_nomem;
	for (size_t t = 0; t < n; t++) {
		x->start[t] = at[t] = (uint32_t)total;
		total += x->types[t].objects <= FEW ? x->types[t].objects : 0;
	}
	x->start[n] = (uint32_t)total;
	x->id = zalloc(total, sizeof(*x->id));
	if (!x->id)
		return &err_nomem;
	for (uint64_t id = 0; total && id < s->heap.nobjects; id++) {
		uint32_t t = s->type_of[id];

		if (t < n && at[t] < x->start[t + 1] && look_reached(l, id))
			x->id[at[t]++] = (uint32_t)id;
	}
	return NULL;
}

/* Both, once; a failure leaves nothing behind. */
static struct err *make(const struct look *l)
{
	struct look_index *x = l->index;
	struct err *err = x->types ? NULL : count_types(l, x);

	if (!err && !x->id)
		err = list_few(l, x);
	if (err) {
		free(x->types);
		free(x->start);
		free(x->id);
		*x = (struct look_index){ 0 };
	}
	return err;
}

struct err *look_types(const struct look *l, const struct look_type **ret)
{
	struct err *err = make(l);

	if (!err)
		*ret = l->index->types;
	return err;
}

/* Where the wanted ones lie that are not listed: [first, last]; false: all are listed. */
static bool range_of(const struct look *l, const uint8_t *want, struct look_type *ret)
{
	*ret = (struct look_type){ 0 };
	for (size_t t = 0; t < l->s->types.n; t++)
		if (want[t] && l->index->types[t].objects > FEW)
			merge(ret, &l->index->types[t]);
	if (!ret->objects)
		return false;
	for (size_t t = 0; t < l->s->types.n; t++)
		if (want[t])
			merge(ret, &l->index->types[t]);
	return true;
}

static struct err *each_between(const struct look *l, const uint8_t *want, uint64_t first,
				uint64_t last, look_id_fn *fn, void *arg)
{
	const struct snapshot *s = l->s;
	struct err *err = NULL;

	for (uint64_t id = first; id <= last && id < s->heap.nobjects && !err; id++)
		if (s->type_of[id] < s->types.n && want[s->type_of[id]] && look_reached(l, id))
			err = fn(l, arg, id);
	return err;
}

static int by_id(const void *x, const void *y)
{
	const uint32_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static struct err *each_listed(const struct look *l, const uint8_t *want, look_id_fn *fn, void *arg)
{
	const struct look_index *x = l->index;
	VEC(uint32_t) ids = { 0 };
	struct err *err = NULL;
	unsigned ntypes = 0;

	for (size_t t = 0; t < l->s->types.n && !err; t++) {
		ntypes += want[t] && x->start[t] < x->start[t + 1];
		for (uint32_t i = x->start[t]; want[t] && i < x->start[t + 1] && !err; i++)
			if (!vec_push(&ids, x->id[i]))
				err = &err_nomem;
	}
	if (ntypes > 1 && !err)
		qsort(ids.v, ids.n, sizeof(ids.v[0]), by_id);
	for (size_t i = 0; i < ids.n && !err; i++)
		err = fn(l, arg, ids.v[i]);
	vec_free(&ids);
	return err;
}

struct err *look_each_of(const struct look *l, const uint8_t *want, look_id_fn *fn, void *arg)
{
	struct look_type range;
	struct err *err;

	if (!l->s->type_of)
		return NULL;
	if (!l->index)
		return each_between(l, want, 0, UINT64_MAX, fn, arg);
	err = make(l);
	if (err)
		return err;
	if (range_of(l, want, &range))
		return each_between(l, want, range.first, range.last, fn, arg);
	return each_listed(l, want, fn, arg);
}
