/*
 * follow_stayed.c - the marks of one cycle after the other, by AND.
 *
 * Knows no process.  A span that a cycle does not tell of was not in use then: what was in it is
 * gone.  O(spans + bits) a cycle.
 */
#include "watch/follow.h"
#include "watch/follow_priv.h"

static bool is_same(const struct go_now_span *x, taddr base, uint64_t elem_bytes, uint32_t nelems)
{
	return x->base == base && x->elem_bytes == elem_bytes && x->nelems == nelems;
}

static struct err *first(struct stayed *x, const struct go_now_marks *m)
{
	if (!vec_reserve(&x->spans, m->spans.n) || !vec_reserve(&x->bits, m->bits.n))
		return &err_nomem;
	if (m->spans.n)
		memcpy(x->spans.v, m->spans.v, m->spans.n * sizeof(*m->spans.v));
	if (m->bits.n)
		memcpy(x->bits.v, m->bits.v, m->bits.n * sizeof(*m->bits.v));
	x->spans.n = m->spans.n;
	x->bits.n = m->bits.n;
	return NULL;
}

/* False: nothing of it is left. */
static bool and_span(struct stayed *x, struct go_now_span *s, const struct go_now_marks *m,
		     const struct go_now_span *now)
{
	uint64_t any = 0;

	if (s->state != GO_NOW_READ || now->state != GO_NOW_READ) {
		s->state = GO_NOW_LOST;
		return true;
	}
	for (uint32_t i = 0; i < (s->nelems + 63) / 64; i++)
		any |= x->bits.v[s->first + i] &= m->bits.v[now->first + i];
	return any != 0;
}

struct err *stayed_fold(struct stayed *x, const struct go_now_marks *m)
{
	size_t n = 0, k = 0;

	x->holes |= m->holes;
	if (!x->cycles++)
		return first(x, m);
	for (size_t i = 0; i < x->spans.n; i++) {
		struct go_now_span *s = &x->spans.v[i];

		while (k < m->spans.n && m->spans.v[k].base < s->base)
			k++;
		/* of one base there may be two that differ */
		for (size_t j = k; j < m->spans.n && m->spans.v[j].base == s->base; j++)
			if (is_same(&m->spans.v[j], s->base, s->elem_bytes, s->nelems)) {
				if (and_span(x, s, m, &m->spans.v[j]))
					x->spans.v[n++] = *s;
				break;
			}
	}
	x->spans.n = n;
	return NULL;
}

void stayed_deinit(struct stayed *x)
{
	vec_free(&x->spans);
	vec_free(&x->bits);
}

enum stayed_says stayed_of(const struct stayed *x, taddr base, uint64_t elem_bytes, uint32_t nelems,
			   const uint64_t **ret_bits)
{
	size_t lo = 0, hi = x->spans.n;

	if (x->holes || !x->cycles)
		return STAYED_UNKNOWN;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x->spans.v[mid].base < base)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < x->spans.n && x->spans.v[lo].base == base; lo++) {
		const struct go_now_span *s = &x->spans.v[lo];

		if (!is_same(s, base, elem_bytes, nelems))
			continue;
		if (s->state != GO_NOW_READ)
			return STAYED_UNKNOWN;
		*ret_bits = x->bits.v + s->first;
		return STAYED_BITS;
	}
	return STAYED_NONE;
}
