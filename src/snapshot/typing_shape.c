/*
 * typing_shape.c - what is said of objects that nothing tells the type of.
 *
 * An object's slot and its pointer words are its shape.  Where one struct type of the program
 * alone has it, the name is "~T"; else "~48 B scan 101100".  Both are guesses: nothing follows
 * from them, and they are not counted as typed.
 * Cost: a pass over the objects without a name; the program's types are looked at once.
 */
#include "snapshot/typing.h"

#define MAX_SHAPES 4096
#define MIN_WORDS  4 /* smaller ones are too alike */

/* One shape: what it is called. */
struct shape {
	uint64_t bits;
	uint64_t slot; /* 0: empty */
	taddr rtype;   /* the only type; 0 none; 1 several */
	uint32_t number;
};

struct shapes {
	struct typing *t;
	struct shape *tab;
	size_t n, cap;
};

static void shapes_deinit(struct shapes *x)
{
	free(x->tab);
}

static struct shape *shape_of(struct shapes *x, uint64_t bits, uint64_t slot)
{
	uint64_t h = (bits ^ slot << 50) * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h >> 20) & (x->cap - 1);

	while (x->tab[i].slot && (x->tab[i].bits != bits || x->tab[i].slot != slot))
		i = (i + 1) & (x->cap - 1);
	return &x->tab[i];
}

/* A struct that can lie alone in a slot whose pointer bits are kept. */
static void add_type(struct shapes *x, taddr rtype)
{
	struct snapshot *s = x->t->s;
	const struct go_type *t = go_type_at(s->rtypes, rtype);
	struct shape *e;
	uint64_t slot, bits;

	if (!t || t->kind != GO_STRUCT || !t->ptr_bytes || t->bytes > 512 ||
	    strstr(t->name, "go.shape.") || t->bytes < MIN_WORDS * 8)
		return;
	slot = snap_slot_bytes(s->go->L, t->bytes, false);
	bits = typing_mask(s, rtype);
	if (!slot || x->n * 2 >= x->cap)
		return;
	e = shape_of(x, bits, slot);
	x->n += !e->slot;
	*e = (struct shape){ bits, slot, e->slot ? 1 : rtype, 0 };
}

static struct err *gather(struct shapes *x)
{
	const taddr *all;
	size_t n;
	struct err *err = go_types_all(x->t->s->rtypes, &all, &n);

	if (err)
		return err;
	for (x->cap = 4096; x->cap < 2 * (n + MAX_SHAPES); x->cap *= 2)
		;
	x->tab = zalloc(x->cap, sizeof(*x->tab));
	if (!x->tab)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		add_type(x, all[i]);
	return NULL;
}

static uint32_t number_of(struct shapes *x, uint64_t bits, uint64_t slot)
{
	struct snapshot *s = x->t->s;
	struct shape *e = shape_of(x, bits, slot);

	if (e->number)
		return e->number;
	if (e->rtype > 1) {
		e->number = snap_number(s, FORM_LABEL, e->rtype, SNAP_RANK_GUESS);
		return e->number;
	}
	if (s->shapes.n >= MAX_SHAPES || x->n * 2 >= x->cap || !vec_push(&s->shapes, bits))
		return 0;
	x->n += !e->slot;
	*e = (struct shape){ bits, slot, 1, 0 };
	e->number = snap_number(s, FORM_SHAPE, (s->shapes.n - 1) << 6 | (slot / 8 & 63),
				SNAP_RANK_GUESS);
	return e->number;
}

static bool anonymous(const struct snapshot *s, uint64_t id)
{
	return snapshot_is_object(s, id) && !s->type_of[id];
}

static void name_span(struct shapes *x, size_t span)
{
	struct snapshot *s = x->t->s;
	const struct go_span *v = &s->heap.spans.v[span];
	uint64_t bits;

	for (uint64_t id = v->first; id < v->first + v->nelems; id++)
		if (anonymous(s, id) && snap_bits_get(s, span, id, &bits))
			s->type_of[id] = number_of(x, bits, v->elem_bytes);
}

struct err *typing_shapes(struct typing *t)
{
	_cleanup_(shapes_deinit) struct shapes x = { .t = t };
	struct err *err = gather(&x);

	for (size_t i = 0; i < t->s->heap.spans.n && !err; i++) {
		const struct go_span *v = &t->s->heap.spans.v[i];

		if (!v->noscan)
			name_span(&x, i);
	}
	return err;
}
