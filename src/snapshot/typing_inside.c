/*
 * typing_inside.c - objects that are pointed at from within only.
 *
 * A slice of an array in a struct, a pointer to a field: they say what lies at one offset, not what
 * the whole is.  Where of all types of the program only one has such a slot, exactly these pointer
 * words, and all that is said at these offsets, two independent proofs speak for it (the
 * collector's bits; the claims), and it is believed, less than anything said of the whole.
 * Runs when nothing else changes any more.
 * Cost: 32 bytes a claim refused while its object had no type, at most MAX_HINTS a worker.
 */
#include "snapshot/typing.h"

#define MAX_HINTS                                                                                  \
	((size_t)1 << 18) /* a worker; beyond: those of objects named since are dropped            \
			   */
#define MAX_DEPTH  32
#define MAX_SHAPES 4096
#define MAX_PASSES 64

/* A type that may lie in a slot of one shape. */
struct candidate {
	taddr rtype;
	bool row;
};

/* A shape: slot and pointer words, and all types that have it. */
struct shape {
	uint64_t bits, slot; /* slot 0: empty */
	VEC(struct candidate) fit;
};

/* Of the program's types what a slot could tell. */
struct kind_of {
	taddr rtype;
	uint64_t bytes, slot, mask;
};

struct inside {
	struct typing *t;
	VEC(struct kind_of) kinds;
	struct shape *tab;
	size_t n;
};

static void inside_deinit(struct inside *x)
{
	for (size_t i = 0; x->tab && i < 2 * MAX_SHAPES; i++)
		vec_free(&x->tab[i].fit);
	free(x->tab);
	vec_free(&x->kinds);
}

static int by_object(const void *a, const void *b)
{
	const struct typing_hint *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	if (x->rtype != y->rtype)
		return x->rtype < y->rtype ? -1 : 1;
	return x->count < y->count ? -1 : x->count > y->count;
}

static bool same(const struct typing_hint *x, const struct typing_hint *y)
{
	return x->id == y->id && x->off == y->off && x->rtype == y->rtype && x->count == y->count;
}

/* Hints of objects still without a type, each once. */
static void compact(struct typing_worker *w)
{
	const uint32_t *type_of = w->t->s->type_of;
	size_t n = 0;

	if (w->hints.n)
		qsort(w->hints.v, w->hints.n, sizeof(*w->hints.v), by_object);
	for (size_t i = 0; i < w->hints.n; i++) {
		const struct typing_hint *h = &w->hints.v[i];

		if (!__atomic_load_n(&type_of[h->id], __ATOMIC_RELAXED) &&
		    (!n || !same(h, &w->hints.v[n - 1])))
			w->hints.v[n++] = *h;
	}
	w->hints.n = n;
}

void typing_hint_add(struct typing_worker *w, struct typing_hint h)
{
	if (w->hints_full)
		return; /* names less, none that is wrong */
	if (w->hints.n >= MAX_HINTS)
		compact(w);
	w->hints_full = w->hints.n > MAX_HINTS / 4 * 3;
	(void)!vec_push(&w->hints, h);
}

/* Does a value of type t have `count` values of type elem at off, in a row? */
static bool has_at(struct snapshot *s, taddr type, uint64_t off, taddr elem, uint64_t count)
{
	for (unsigned i = 0; i < MAX_DEPTH; i++) {
		const struct go_type *t = go_type_at(s->rtypes, type), *e;
		taddr next = 0;

		if (type == elem && !off && count == 1)
			return true;
		e = t && t->kind == GO_ARRAY ? go_type_at(s->rtypes, t->elem) : NULL;
		if (e && e->bytes && off < t->bytes) {
			if (e->addr == elem && !(off % e->bytes) &&
			    count <= t->len - off / e->bytes)
				return true;
			off %= e->bytes;
			next = e->addr;
		}
		for (size_t k = 0; t && t->kind == GO_STRUCT && k < t->nfields; k++) {
			const struct go_type *f = go_type_at(s->rtypes, t->fields[k].type);

			if (!f || off < t->fields[k].offset ||
			    off - t->fields[k].offset >= f->bytes)
				continue;
			next = f->addr;
			off -= t->fields[k].offset;
			break;
		}
		if (!next)
			return false;
		type = next;
	}
	return false;
}

static bool candidate_has(struct snapshot *s, const struct candidate *c,
			  const struct typing_hint *h)
{
	const struct go_type *t = c->row ? go_type_at(s->rtypes, c->rtype) : NULL;

	return has_at(s, c->rtype, t && t->bytes ? h->off % t->bytes : h->off, h->rtype, h->count);
}

static void add_kind(struct inside *x, taddr rtype)
{
	struct snapshot *s = x->t->s;
	const struct go_type *t = go_type_at(s->rtypes, rtype);

	/* an array of T lies as a row of T does */
	if (!t || t->kind == GO_ARRAY || !t->ptr_bytes || t->bytes > 512 || (t->bytes & 7) ||
	    strstr(t->name, "go.shape."))
		return;
	(void)!vec_push(&x->kinds, (struct kind_of){ rtype, t->bytes,
						     snap_slot_bytes(s->go->L, t->bytes, false),
						     typing_mask(s, rtype) });
}

static struct err *gather(struct inside *x)
{
	const taddr *all;
	size_t n;
	struct err *err = go_types_all(x->t->s->rtypes, &all, &n);

	if (err)
		return err;
	x->tab = zalloc(2 * MAX_SHAPES, sizeof(*x->tab));
	if (!x->tab)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		add_kind(x, all[i]);
	return NULL;
}

/* Which types a slot of that shape can hold, alone or as a row. */
static void fill(struct inside *x, struct shape *e, const struct go_span *span)
{
	uint64_t lower = x->t->lower[span->spanclass >> 1 & 255];

	for (size_t i = 0; i < x->kinds.n; i++) {
		const struct kind_of *k = &x->kinds.v[i];
		uint64_t words = k->bytes / 8, n = e->slot / k->bytes;

		if (!n || ((e->bits ^ k->mask) & (words < 64 ? (1ULL << words) - 1 : UINT64_MAX)))
			continue;
		if (k->slot == e->slot && k->mask == e->bits)
			(void)!vec_push(&e->fit, (struct candidate){ k->rtype, false });
		for (; n >= 2 && n * k->bytes > lower; n--)
			if (typing_row_mask(k->mask, words, n) == e->bits) {
				(void)!vec_push(&e->fit, (struct candidate){ k->rtype, true });
				break;
			}
	}
}

static struct shape *shape_of(struct inside *x, const struct go_span *span, uint64_t bits)
{
	uint64_t slot = span->elem_bytes;
	size_t i = (size_t)((bits ^ slot << 50) * 0x9e3779b97f4a7c15ULL >> 20) % (2 * MAX_SHAPES);

	while (x->tab[i].slot && (x->tab[i].bits != bits || x->tab[i].slot != slot))
		i = (i + 1) % (2 * MAX_SHAPES);
	if (x->tab[i].slot)
		return &x->tab[i];
	if (x->n >= MAX_SHAPES)
		return NULL;
	x->n++;
	x->tab[i].bits = bits;
	x->tab[i].slot = slot;
	fill(x, &x->tab[i], span);
	return &x->tab[i];
}

/* The only type that all n hints about one object allow. */
static void name(struct inside *x, struct typing_worker *w, const struct typing_hint *h, size_t n)
{
	struct snapshot *s = x->t->s;
	const struct go_span *span = go_heap_span_of(&s->heap, h->id);
	size_t index = (size_t)(span - s->heap.spans.v);
	const struct candidate *only = NULL;
	const struct shape *e;
	uint64_t bits;
	uint32_t number;

	if (s->type_of[h->id] || !snap_bits_get(s, index, h->id, &bits) || !bits)
		return;
	e = shape_of(x, span, bits);
	for (size_t i = 0; e && i < e->fit.n; i++) {
		size_t k = 0;

		while (k < n && candidate_has(s, &e->fit.v[i], &h[k]))
			k++;
		if (k < n)
			continue;
		if (only)
			return; /* two are possible */
		only = &e->fit.v[i];
	}
	number = only ? snap_number(s, only->row ? FORM_ROW : FORM_ONE, only->rtype,
				    SNAP_RANK_INSIDE)
		      : 0;
	if (number)
		typing_believe(w, index, h->id, number);
}

/* All workers' hints into the first's. */
static bool collect(struct typing *t)
{
	struct typing_worker *w = t->workers[0];

	compact(w);
	for (unsigned i = 1; i < t->nworkers; i++) {
		struct typing_worker *o = t->workers[i];

		compact(o);
		for (size_t k = 0; k < o->hints.n; k++)
			if (!vec_push(&w->hints, o->hints.v[k]))
				return false;
		o->hints.n = 0;
	}
	compact(w);
	return w->hints.n;
}

static bool any_dirty(const struct typing *t)
{
	for (size_t i = 0; i < t->nchunks; i++)
		if (t->chunks[i].ndirty)
			return true;
	return false;
}

struct err *typing_inside(struct typing *t, struct err *(*settle)(struct typing *t))
{
	_cleanup_(inside_deinit) struct inside x = { .t = t };
	struct typing_worker *w = t->workers[0];
	struct err *err = collect(t) ? gather(&x) : NULL;

	for (unsigned pass = 0; pass < MAX_PASSES && !err && collect(t); pass++) {
		w->stack_max = 0;
		for (size_t i = 0, k; i < w->hints.n; i = k) {
			for (k = i; k < w->hints.n && w->hints.v[k].id == w->hints.v[i].id;)
				k++;
			name(&x, w, &w->hints.v[i], k - i);
		}
		if (!any_dirty(t))
			break;
		err = settle(t);
	}
	return err;
}
