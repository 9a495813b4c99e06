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

bool typing_arrows_plan(const struct typing_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct typing_leaf *l = &p->leaf[i];

		if (l->op != OP_POINTER || l->off % 8 || !l->number[0] || !l->number[1])
			return false;
	}
	return true;
}

/* An object's words that are edges, and its edges. */
struct arrows {
	uint64_t words; /* bits */
	uint64_t may;	/* words that the collector holds for pointers */
	const uint32_t *to;
	uint32_t by;
};

/* false: some of its pointers are no edges. */
static bool look(const struct typing *t, size_t span, uint64_t id, struct arrows *ret)
{
	const struct go_span *s = &t->s->heap.spans.v[span];
	const struct snap_bits *b = t->s->bits;
	const struct snap_arrows *a = t->arrows;
	uint64_t at;

	if (!a || go_bit(b->odd, id) || !snap_bits_get(t->s, span, id, &ret->may))
		return false;
	at = snap_bits_at(b, span) + (id - s->first) * (s->elem_bytes / 8);
	ret->words = go_bits64(b->arrows, at) & ret->may;
	ret->to = a->to + a->first[id];
	ret->by = a->by;
	return (uint64_t)__builtin_popcountll(ret->words) == a->first[id + 1] - a->first[id];
}

static void of_word(struct typing_worker *w, const struct arrows *a, const struct typing_leaf *l,
		    uint64_t word)
{
	unsigned r = w->rank <= SNAP_RANK_WEAK;
	unsigned k = (unsigned)__builtin_popcountll(a->words & ((1ULL << word) - 1));

	if (!(a->words >> word & 1))
		return;
	typing_claim_object(w, (struct typing_claim){ .value = TYPING_BY_ID | (a->to[k] - a->by),
						      .number = l->number[r],
						      .alt = l->alt[r],
						      .alt_back = l->alt_back });
}

/* All words of a value; false: one is none of the collector's pointers. */
static bool of_value(struct typing_worker *w, const struct arrows *a, const struct typing_plan *p,
		     uint64_t at)
{
	for (size_t i = 0; i < p->n; i++) {
		uint64_t word = (at + p->leaf[i].off) / 8;

		if (word >= 64 || !(a->may >> word & 1))
			return false;
		of_word(w, a, &p->leaf[i], word);
	}
	return true;
}

/* As of_values() of typing_expand.c. */
bool typing_arrows_expand(struct typing_worker *w, size_t span, uint64_t id,
			  const struct typing_info *i)
{
	uint64_t room = w->t->s->heap.spans.v[span].elem_bytes, n;
	struct arrows a;

	if (!i->bytes || i->bytes % 8 || !look(w->t, span, id, &a))
		return false;
	w->rank = MAX(MIN(i->rank, (unsigned)SNAP_RANK_FLOW), (unsigned)SNAP_RANK_WEAK);
	n = i->form == FORM_ONE ? MIN(room, i->bytes) : snap_bits_extent(w->t->s, span, id, room);
	for (uint64_t at = 0; at < n && at + i->bytes <= room; at += i->bytes)
		if (!of_value(w, &a, i->plan, at))
			return false;
	return true;
}
