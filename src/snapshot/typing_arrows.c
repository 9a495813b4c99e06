/*
 * typing_arrows.c - what follows from an object of plain pointers, without reading it again.
 *
 * The pass over the edges has seen every pointer once.  Of objects in spans with pointer bits it
 * notes which words hold a pointer to an object's first byte: the edges are those words, in
 * order.  Where a type tells of such words only, and the object has no other pointers, what they
 * lead to is said of the edges' targets: the same claims as from its bytes.
 * Cost: 1/64 of the heap, one bit and 1/16 byte an object, until the types are known.
 */
#include "snapshot/typing.h"

#include "goruntime/heap_scan.h"

#define NEAR 64 /* ids */

void typing_arrows_free(struct typing *t)
{
	bigfree(t->span_near, (size_t)(t->s->heap.nobjects / NEAR + 1), sizeof(*t->span_near));
	if (t->s->bits)
		snap_bits_free_arrows(t->s->bits);
}

struct err *typing_arrows_create(struct typing *t)
{
	const struct go_heap *h = &t->s->heap;
	uint64_t next = 0, n = h->nobjects / NEAR + 1;

	if (!t->arrows || !t->s->bits || !t->s->bits->arrows) {
		t->arrows = NULL;
		return NULL;
	}
	t->span_near = bigalloc((size_t)n, sizeof(*t->span_near));
	if (!t->span_near)
		return &err_nomem;
	for (size_t i = 0; i < h->spans.n; i++)
		for (; next < n && next * NEAR < h->spans.v[i].first + h->spans.v[i].nelems; next++)
			t->span_near[next] = (uint32_t)i;
	return NULL;
}

size_t typing_span_of(const struct typing *t, uint64_t id)
{
	const struct go_span_hot *hot = t->s->heap.index.hot;
	size_t n = t->s->heap.spans.n, i = t->span_near[id / NEAR];

	while (i + 1 < n && hot[i + 1].first <= id)
		i++;
	return i;
}

/* Ahead of an object's turn, or of a chunk's: it is all read by order of the pointers. */
static void fetch(const void *from, const void *to)
{
	for (const char *p = from; p < (const char *)to; p += 64)
		__builtin_prefetch(p);
}

void typing_arrows_warm(const struct typing *t, const struct typing_chunk *c)
{
	const struct snap_arrows *a = t->arrows;
	const struct snap_bits *b = t->s->bits;
	uint64_t lo = SNAP_NO_ARROWS, hi = 0;

	if (!a)
		return;
	for (size_t i = c->lo; i < c->hi; i++) {
		uint64_t at = snap_bits_at(b, i) / 64;

		lo = at < lo && b->row[i] ? at : lo;
		hi = b->row[i] ? at + SNAP_BITS_WORDS : hi;
	}
	fetch(a->first + c->first, a->first + c->end);
	fetch(t->s->type_of + c->first, t->s->type_of + c->end);
	fetch(a->to + a->first[c->first], a->to + a->first[c->end]);
	if (lo < hi) {
		fetch(b->arrows + lo, b->arrows + hi);
		fetch(b->words + lo, b->words + hi);
	}
}

void typing_arrows_plan(struct typing_plan *p)
{
	for (size_t k = 0; k < p->n; k++) {
		const struct typing_leaf *l = &p->leaf[k];
		uint64_t word = l->off / 8;

		if (l->op != OP_POINTER || l->off % 8 || !l->number[0] || !l->number[1] ||
		    word >= ARRAY_LEN(p->leaf_at) || p->leaf_at[word] || k >= UINT8_MAX)
			return;
		p->leaf_at[word] = (uint8_t)(k + 1);
		p->words |= 1ULL << word;
	}
	p->plain = p->bytes && p->bytes % 8 == 0 && p->bytes <= sizeof(p->leaf_at) * 8;
}

/* An object's words that are edges, and its edges. */
struct arrows {
	uint64_t words; /* bits */
	const uint32_t *to;
	uint32_t by;
};

/* false: some of its pointers are no edges. */
static bool look(const struct typing *t, size_t span, uint64_t id, const struct typing_info *i,
		 struct arrows *ret)
{
	const struct go_span *s = &t->s->heap.spans.v[span];
	const struct snap_bits *b = t->s->bits;
	const struct snap_arrows *a = t->arrows;
	uint64_t at, may, n = 1;

	if (!a || go_bit(b->odd, id) || !snap_bits_get(t->s, span, id, &may))
		return false;
	if (i->form != FORM_ONE)
		n = (snap_bits_extent(t->s, span, id, s->elem_bytes) + i->bytes - 1) / i->bytes;
	if (!n || may != typing_row_mask(i->mask, i->bytes / 8, n))
		return false;
	at = snap_bits_at(b, span) + (id - s->first) * (s->elem_bytes / 8);
	ret->words = go_bits64(b->arrows, at) & may;
	ret->to = a->to + a->first[id];
	ret->by = a->by;
	return (uint64_t)__builtin_popcountll(ret->words) == a->first[id + 1] - a->first[id];
}

/* As of_values() of typing_expand.c. */
bool typing_arrows_expand(struct typing_worker *w, size_t span, uint64_t id,
			  const struct typing_info *i)
{
	uint64_t room = w->t->s->heap.spans.v[span].elem_bytes;
	uint64_t words = i->bytes / 8;
	uint64_t end = i->form == FORM_ONE ? words : room / i->bytes * words;
	struct arrows a;

	if (!look(w->t, span, id, i, &a))
		return false;
	w->rank = MAX(MIN(i->rank, (unsigned)SNAP_RANK_FLOW), (unsigned)SNAP_RANK_WEAK);
	for (uint64_t first = 0; a.words; a.to++) {
		uint64_t word = (unsigned)__builtin_ctzll(a.words);

		a.words &= a.words - 1;
		if (word >= end)
			break;
		while (word >= first + words)
			first += words;
		if (i->plan->leaf_at[word - first])
			typing_claim_object(w, &i->plan->leaf[i->plan->leaf_at[word - first] - 1],
					    *a.to - a.by);
	}
	return true;
}
