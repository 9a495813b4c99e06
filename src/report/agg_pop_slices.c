/*
 * agg_pop_slices.c - slices: capacity that no view uses, big arrays that small views keep.
 *
 * A view is one slice header; a backing array is one object.  Of each array: what lies beyond
 * the longest view's len and within cap is waste, to be used only by append; what no view
 * reaches at all is pinned.  Arrays that are part of a larger value (arr[:] of a struct's
 * field) are not looked at, and nothing is called pinned while the array has references that
 * are not known views.  O(views log views), 48 bytes a view.
 */
#include "report/pop_priv.h"

enum { PIN_MIN_BYTES = 512 };

static const struct pop_col cols[] = {
	{ "waste_bytes", "waste", POP_BYTES, POP_SUM },
	{ "used_bytes", "used", POP_BYTES, POP_SUM },
	{ "arrays", "arrays", POP_COUNT, POP_SUM },
	{ "len", "len", POP_COUNT, POP_SUM },
	{ "cap", "cap", POP_COUNT, POP_SUM },
	{ "addr", "largest", POP_ADDR, 0 },
	{ "owner", "owner", POP_TEXT, POP_JSON_ONLY | POP_FILLED },
	{ "type", "type", POP_TEXT, 0 },
	{ "place", "place", POP_TEXT, POP_FILLED },
	{ .form = POP_END },
};
enum { C_WASTE, C_USED, C_ARRAYS, C_LEN, C_CAP, C_ADDR, C_OWNER, C_TYPE, C_PLACE };

static const struct pop_col pin_cols[] = {
	{ "pinned_bytes", "pinned", POP_BYTES, POP_SUM },
	{ "visible_bytes", "visible", POP_BYTES, POP_SUM },
	{ "views", "views", POP_COUNT, POP_SUM },
	{ "addr", "array", POP_ADDR, 0 },
	{ "owner", "owner", POP_TEXT, POP_JSON_ONLY | POP_FILLED },
	{ "type", "type", POP_TEXT, 0 },
	{ "place", "place", POP_TEXT, POP_FILLED },
	{ .form = POP_END },
};
enum { P_PINNED, P_VISIBLE, P_VIEWS, P_ADDR, P_OWNER, P_TYPE, P_PLACE };

struct view {
	taddr data;
	uint64_t len, cap; /* elements */
	const struct go_type *type;
	uint64_t object, off; /* of the header: see snap_place */
	uint32_t var;
	uint32_t array; /* object id of the backing array */
	uint64_t elem_bytes;
};
typedef VEC(struct view) view_vec;

/* One backing array, as its views show it. */
struct array {
	taddr base;
	uint64_t slot, lo, used, cap; /* offsets from base; used, cap: ends */
	uint64_t views;
	const struct view *main; /* that with the largest cap */
};

struct gather {
	struct agg *a;
	pthread_mutex_t lock;
	view_vec v;
	uint64_t views, empty, outside;
};

static struct err *see(void *arg, const struct snap_place *p)
{
	struct gather *g = arg;
	struct view v = { .type = p->type, .object = p->object, .off = p->off, .var = p->var };
	const struct go_type *elem;
	uint64_t id;
	bool ok = true;

	v.data = load_u64(p->bytes);
	v.len = load_u64(p->bytes + 8);
	v.cap = load_u64(p->bytes + 16);
	elem = v.cap ? go_type_at(g->a->s->rtypes, p->type->elem) : NULL;
	id = v.cap ? go_heap_object_at(&g->a->s->heap, v.data) : GO_NO_OBJECT;
	pthread_mutex_lock(&g->lock);
	g->views++;
	if (!v.cap) {
		g->empty++;
	} else if (id == GO_NO_OBJECT || !elem || !elem->bytes || v.len > v.cap) {
		g->outside++;
	} else {
		v.array = (uint32_t)id;
		v.elem_bytes = elem->bytes;
		ok = vec_push(&g->v, v);
	}
	pthread_mutex_unlock(&g->lock);
	return ok ? NULL : &err_nomem;
}

static int by_array(const void *x, const void *y)
{
	const struct view *p = x, *q = y;

	if (p->array != q->array)
		return p->array < q->array ? -1 : 1;
	if (p->data != q->data)
		return p->data < q->data ? -1 : 1;
	if (p->cap != q->cap)
		return p->cap > q->cap ? -1 : 1;
	if (p->object != q->object)
		return p->object < q->object ? -1 : 1;
	if (p->var != q->var)
		return p->var < q->var ? -1 : 1;
	return (p->off > q->off) - (p->off < q->off);
}

/* Is the object no more than elements of such a slice? */
static bool is_array(const struct agg *a, const struct view *v)
{
	const struct snapshot *s = a->s;
	uint32_t t = s->type_of ? s->type_of[v->array] : 0;
	const struct snap_type *st = t && t < s->types.n ? &s->types.v[t] : NULL;
	const struct go_type *rt;

	if (!st || st->rank <= SNAP_RANK_GUESS || st->array)
		return true;
	if (st->kind != SNAP_TYPE_RTYPE)
		return st->kind == SNAP_TYPE_OTHER;
	if (st->rtype == v->type->elem)
		return true;
	rt = go_type_at(s->rtypes, st->rtype);
	return rt && (rt->kind == GO_ARRAY ? rt->elem == v->type->elem : rt->kind < GO_ARRAY);
}

/* Views [lo, hi) of one array.  false: they do not fit in it. */
static bool measure(const struct agg *a, const view_vec *v, size_t lo, size_t hi, struct array *r)
{
	const struct go_span *sp = go_heap_span_of(&a->s->heap, v->v[lo].array);

	*r = (struct array){ .main = &v->v[lo], .views = hi - lo, .lo = UINT64_MAX };
	r->base = go_heap_address(&a->s->heap, v->v[lo].array, &r->slot);
	if (sp) {
		r->base += go_span_header(sp);
		r->slot -= go_span_header(sp);
	}
	for (size_t i = lo; i < hi; i++) {
		const struct view *x = &v->v[i];
		uint64_t at = x->data - r->base, n;

		if (x->data < r->base || at > r->slot ||
		    __builtin_mul_overflow(x->cap, x->elem_bytes, &n) || n > r->slot - at)
			return false;
		r->lo = MIN(r->lo, at);
		r->used = MAX(r->used, at + x->len * x->elem_bytes);
		if (at + n > r->cap)
			r->main = x;
		r->cap = MAX(r->cap, at + n);
	}
	return true;
}

/* All references to it are views that we know. */
static bool all_known(const struct agg *a, const struct array *r, uint64_t id)
{
	gnode v = graph_node_of_object(a->g, id);

	return a->g->rfirst && a->g->rfirst[v + 1] - a->g->rfirst[v] <= r->views;
}

static uint64_t pinned(const struct array *r)
{
	uint64_t tail = r->slot - r->cap;

	/* A size class may be larger than what was asked for. */
	if (tail < r->slot / 2)
		tail = 0;
	return r->slot >= PIN_MIN_BYTES && r->lo + tail >= r->slot / 2 ? r->lo + tail : 0;
}

struct group {
	const struct go_type *type;
	uint64_t key, off; /* type number of the holder and offset in it; or of a variable */
	uint64_t waste, used, arrays, len, cap, largest;
	const struct view *main;
};
typedef VEC(struct group) group_vec;

struct work {
	struct agg *a;
	struct pop_table *t, *pins;
	struct gather g;
	group_vec groups;
	uint64_t arrays, waste, pinned, npinned, undecided;
};

static struct group group_of(const struct work *w, const struct array *r)
{
	const struct view *v = r->main;
	const struct snapshot *s = w->a->s;
	struct group g = { .type = v->type, .off = v->off, .main = v, .arrays = 1 };
	uint32_t t = v->object != GO_NO_OBJECT && s->type_of ? s->type_of[v->object] : 0;

	g.key = v->object == GO_NO_OBJECT ? UINT64_MAX - v->var : t;
	if (t && t < s->types.n && s->types.v[t].array && s->types.v[t].bytes) {
		const struct go_span *sp = go_heap_span_of(&s->heap, v->object);
		uint64_t header = sp ? go_span_header(sp) : 0;

		g.off = header + (v->off - MIN(header, v->off)) % s->types.v[t].bytes;
	}
	g.waste = r->cap - r->used;
	g.used = r->used - r->lo;
	g.largest = g.waste;
	g.len = v->len;
	g.cap = v->cap;
	return g;
}

static int by_group(const void *x, const void *y)
{
	const struct group *p = x, *q = y;

	if (p->type->addr != q->type->addr)
		return p->type->addr < q->type->addr ? -1 : 1;
	if (p->key != q->key)
		return p->key < q->key ? -1 : 1;
	if (p->off != q->off)
		return p->off < q->off ? -1 : 1;
	if (p->largest != q->largest)
		return p->largest > q->largest ? -1 : 1;
	return (p->main->array > q->main->array) - (p->main->array < q->main->array);
}

static struct err *offer_pin(struct work *w, const struct array *r, uint64_t bytes)
{
	struct pop_row row = {
		.node = graph_node_of_object(w->a->g, r->main->array),
		.x = (uint64_t)(uintptr_t)r->main,
	};

	w->npinned++;
	w->pinned += bytes;
	row.c[P_PINNED].n = bytes;
	row.c[P_VISIBLE].n = r->cap - r->lo;
	row.c[P_VIEWS].n = r->views;
	row.c[P_ADDR].n = r->base;
	row.c[P_TYPE].s = r->main->type->name;
	return pop_offer(w->pins, &row);
}

static struct err *see_array(struct work *w, size_t lo, size_t hi)
{
	const struct view *v = &w->g.v.v[lo];
	struct array r;
	struct err *err = NULL;
	uint64_t pin;

	if (!pop_object_reached(w->a, v->array) || !is_array(w->a, v))
		return NULL;
	if (!measure(w->a, &w->g.v, lo, hi, &r))
		return NULL;
	w->arrays++;
	w->waste += r.cap - r.used;
	pin = pinned(&r);
	if (pin && all_known(w->a, &r, v->array))
		err = offer_pin(w, &r, pin);
	else if (pin)
		w->undecided++;
	if (!err && !vec_push(&w->groups, group_of(w, &r)))
		err = &err_nomem;
	return err;
}

static bool same_group(const struct group *p, const struct group *q)
{
	return p->type->addr == q->type->addr && p->key == q->key && p->off == q->off;
}

static struct err *offer_group(struct work *w, const struct group *g)
{
	struct pop_row r = {
		.node = graph_node_of_object(w->a->g, g->main->array),
		.x = (uint64_t)(uintptr_t)g->main,
	};

	r.c[C_WASTE].n = g->waste;
	r.c[C_USED].n = g->used;
	r.c[C_ARRAYS].n = g->arrays;
	r.c[C_LEN].n = g->len;
	r.c[C_CAP].n = g->cap;
	r.c[C_ADDR].n = g->main->data;
	r.c[C_TYPE].s = g->type->name;
	return pop_offer(w->t, &r);
}

static struct err *offer_groups(struct work *w)
{
	struct err *err = NULL;

	if (w->groups.n)
		qsort(w->groups.v, w->groups.n, sizeof(w->groups.v[0]), by_group);
	for (size_t i = 0, next; i < w->groups.n && !err; i = next) {
		struct group g = w->groups.v[i];

		for (next = i + 1; next < w->groups.n && same_group(&g, &w->groups.v[next]);
		     next++) {
			const struct group *x = &w->groups.v[next];

			g.waste += x->waste;
			g.used += x->used;
			g.len += x->len;
			g.cap += x->cap;
			g.arrays++;
		}
		err = offer_group(w, &g);
	}
	return err;
}

static const struct view *view_of(const struct pop_row *r)
{
	return (const struct view *)(uintptr_t)r->x;
}

static struct err *finish(struct agg *a, void *arg, struct pop_row *r)
{
	const struct view *v = view_of(r);

	(void)arg;
	r->c[C_OWNER].s = pop_owner(a, r->node);
	r->c[C_PLACE].s = pop_place_name(a, v->object, v->off, v->var);
	return NULL;
}

static struct err *finish_pin(struct agg *a, void *arg, struct pop_row *r)
{
	const struct view *v = view_of(r);

	(void)arg;
	r->c[P_OWNER].s = pop_owner(a, r->node);
	r->c[P_PLACE].s = pop_place_name(a, v->object, v->off, v->var);
	return NULL;
}

static struct err *totals(struct ans_pop *p, const struct work *w)
{
	const struct pop_total v[] = {
		{ "slices", "slices", POP_COUNT, w->g.views },
		{ "empty", "without memory", POP_COUNT, w->g.empty },
		{ "arrays", "arrays in the heap", POP_COUNT, w->arrays },
		{ "waste_bytes", "wasted", POP_BYTES, w->waste },
		{ "pinned", "arrays pinned by small views", POP_COUNT, w->npinned },
		{ "pinned_bytes", "bytes pinned", POP_BYTES, w->pinned },
		{ "undecided", "perhaps pinned", POP_COUNT, w->undecided },
	};
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(v) && !err; i++)
		err = pop_total(p, v[i].key, v[i].title, v[i].form, v[i].n);
	return err;
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	_cleanup_(pop_reached_deinit) struct pop_reached reached = { 0 };
	view_vec *v = &w->g.v;
	struct err *err = pop_reached_make(w->a, &reached);

	if (!err)
		err = snapshot_each_place(w->a->s, reached.bits, w->a->nthreads, 1u << GO_SLICE,
					  see, &w->g);
	if (!err && v->n)
		qsort(v->v, v->n, sizeof(v->v[0]), by_array);
	for (size_t i = 0, next; i < v->n && !err; i = next) {
		for (next = i + 1; next < v->n && v->v[next].array == v->v[i].array; next++)
			;
		err = see_array(w, i, next);
	}
	if (!err)
		err = offer_groups(w);
	if (!err)
		err = totals(p, w);
	if (!err)
		err = pop_settle(w->a, w->t, finish, NULL);
	return err ? err : pop_settle(w->a, w->pins, finish_pin, NULL);
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct work w = { .a = a, .g = { .a = a, .lock = PTHREAD_MUTEX_INITIALIZER } };
	struct err *err;

	w.t = pop_table_add(p, "rows", "capacity without content, by type and place", cols,
			    ask->sort ? ask->sort : "waste_bytes", ask->limit);
	w.pins = pop_table_add(p, "pins", "arrays of which only a small part can be seen", pin_cols,
			       "pinned_bytes", ask->limit);
	err = fill(&w, p);
	vec_free(&w.g.v);
	vec_free(&w.groups);
	return err;
}

const struct pop_family pop_slices = {
	.name = "slices",
	.cols = cols,
	.sort = "waste_bytes",
	.needs = POP_NEEDS_RUNTIME | POP_NEEDS_REVERSE,
	.make = make,
};
