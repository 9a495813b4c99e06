/*
 * follow_ident.c - a look's objects, with what is known of the cycles before it.
 */
#include "watch/follow.h"
#include "watch/follow_priv.h"

struct followed {
	struct ident x; /* the first member: it is the handle */
	struct ident *inner;
	const struct stayed *stayed;
	struct ident_span span;
	VEC(uint64_t) bits;
};

static struct err *rewind_it(struct ident *x)
{
	struct ident *inner = ((struct followed *)x)->inner;

	return inner->rewind(inner);
}

/* All cycles between the looks, and the one whose marks the later look has itself. */
static struct err *stayed(struct followed *f, const struct ident_span *s)
{
	size_t words = ((size_t)s->nelems + 63) / 64;
	const uint64_t *bits = NULL;
	enum stayed_says says = stayed_of(f->stayed, s->base, s->elem_bytes, s->nelems, &bits);

	if (says == STAYED_UNKNOWN || !s->old_known)
		return NULL;
	if (!vec_reserve(&f->bits, words))
		return &err_nomem;
	for (size_t i = 0; i < words; i++)
		f->bits.v[i] = says == STAYED_BITS ? bits[i] & s->old[i] : 0;
	f->span.stayed = f->bits.v;
	return NULL;
}

static struct err *next(struct ident *x, const struct ident_span **ret)
{
	struct followed *f = (struct followed *)x;
	const struct ident_span *s = NULL;
	struct err *err = f->inner->next(f->inner, &s);

	*ret = NULL;
	if (err || !s)
		return err;
	f->span = *s;
	f->span.stayed = NULL;
	err = stayed(f, s);
	*ret = &f->span;
	return err;
}

static const char *name(struct ident *x, enum ident_column column, uint32_t group)
{
	struct ident *inner = ((struct followed *)x)->inner;

	return inner->name(inner, column, group);
}

struct err *follow_ident(const struct follow *f, struct ident *inner, uint32_t from_cycles,
			 struct ident **ret)
{
	struct followed *x = zalloc(1, sizeof(*x));

	if (!x)
		return &err_nomem;
	x->inner = inner;
	x->stayed = follow_stayed(f);
	x->x = (struct ident){ inner->head, rewind_it, next, name };
	x->x.head.followed_from = UINT32_MAX;
	if (!x->stayed->holes && x->stayed->cycles)
		x->x.head.followed_from = from_cycles;
	*ret = &x->x;
	return NULL;
}

void follow_ident_free(struct ident *x)
{
	struct followed *f = (struct followed *)x;

	if (f)
		vec_free(&f->bits);
	free(f);
}
