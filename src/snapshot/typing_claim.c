/*
 * typing_claim.c - is it true what is said of an object?
 *
 * A claim is believed for the whole object only if it speaks of its beginning (or of whole
 * elements up to the end), mallocgc gives such a slot for it, and the collector's pointer bits
 * of the whole slot are those of the type.  Of two that are both possible the better evidence,
 * then the larger type is believed: T at the beginning of U is how a pointer to U's first field
 * looks.  Malloc headers are what mallocgc was told: they are never overruled.
 * Cost: a claim is two or three cache misses, overlapped in batches.
 */
#include "snapshot/typing.h"

#include "goruntime/heap_scan.h"

#define MAX_DEPTH 16
#define ROW_BYTES 32 /* smaller values in a row could be anything */

struct err *snap_bits_create(struct snapshot *s)
{
	struct snap_bits *b;

	if (s->bits)
		return NULL;
	b = zalloc(1, sizeof(*b));
	if (!b)
		return &err_nomem;
	s->bits = b;
	b->nspans = s->heap.spans.n;
	b->row = bigalloc(b->nspans + 1, sizeof(*b->row));
	if (!b->row)
		return &err_nomem;
	for (size_t i = 0; i < b->nspans; i++) {
		const struct go_span *v = &s->heap.spans.v[i];

		if (v->scheme != GO_PTR_BITMAP &&
		    (v->scheme != GO_PTR_SPAN_BITS || v->bytes != GO_PAGE_BYTES))
			continue;
		b->row[i] = (uint32_t)b->nrows + 1;
		b->nrows += v->bytes / GO_PAGE_BYTES;
		if (b->nrows >= UINT32_MAX)
			return err_new(ERR_LIMIT, "the heap has more than 2^32 pages");
	}
	b->words = bigalloc((b->nrows + 1) * SNAP_BITS_WORDS, 8);
	b->arrows = bigalloc((b->nrows + 1) * SNAP_BITS_WORDS, 8);
	b->nodd = (size_t)(s->heap.nobjects / 64 + 1);
	b->odd = bigalloc(b->nodd, 8);
	return b->words && b->arrows && b->odd ? NULL : &err_nomem;
}

void snap_bits_free_arrows(struct snap_bits *b)
{
	bigfree(b->arrows, (b->nrows + 1) * SNAP_BITS_WORDS, 8);
	bigfree(b->odd, b->nodd, 8);
	b->arrows = b->odd = NULL;
}

void snap_bits_free(struct snapshot *s)
{
	struct snap_bits *b = s->bits;

	if (!b)
		return;
	bigfree(b->row, b->nspans + 1, sizeof(*b->row));
	bigfree(b->words, (b->nrows + 1) * SNAP_BITS_WORDS, 8);
	snap_bits_free_arrows(b);
	free(b);
	s->bits = NULL;
}

static uint64_t low_bits(uint64_t n)
{
	return n >= 64 ? UINT64_MAX : (1ULL << n) - 1;
}

bool snap_bits_get(const struct snapshot *s, size_t span, uint64_t id, uint64_t *ret)
{
	const struct go_span *v = &s->heap.spans.v[span];
	uint64_t words = v->elem_bytes / 8;

	return words <= 64 && snap_bits_from(s, span, id, 0, ret);
}

bool snap_bits_from(const struct snapshot *s, size_t span, uint64_t id, uint64_t first,
		    uint64_t *ret)
{
	const struct go_span *v = &s->heap.spans.v[span];
	uint32_t row = s->bits ? s->bits->row[span] : 0;
	uint64_t words = v->elem_bytes / 8, at = (id - v->first) * words + first;

	if (!row || at >= v->bytes / 8)
		return false;
	*ret = go_bits64(s->bits->words + (size_t)(row - 1) * SNAP_BITS_WORDS, at) &
	       low_bits(words - first);
	return true;
}

/* As snap_bits_extent, of more than 64 words. */
static uint64_t wide_extent(const struct snapshot *s, size_t span, uint64_t id, uint64_t n)
{
	uint64_t words = s->heap.spans.v[span].elem_bytes / 8, bits;

	for (uint64_t first = (words - 1) & ~63ULL;; first -= 64) {
		if (!snap_bits_from(s, span, id, first, &bits))
			return n;
		if (bits)
			return MIN(n, (first + 64 - (uint64_t)__builtin_clzll(bits)) * 8);
		if (!first)
			return 0;
	}
}

uint64_t snap_bits_extent(const struct snapshot *s, size_t span, uint64_t id, uint64_t n)
{
	uint64_t bits;

	if (!snap_bits_get(s, span, id, &bits))
		return wide_extent(s, span, id, n);
	return bits ? MIN(n, (64 - (uint64_t)__builtin_clzll(bits)) * 8) : 0;
}

uint64_t typing_row_mask(uint64_t mask, uint64_t words, uint64_t n)
{
	uint64_t all = mask;

	if (!words)
		return mask;
	for (uint64_t at = words; --n && at < 64; at += words)
		all |= mask << at;
	return all;
}

/* Where a claim points to. */
struct spot {
	size_t span;
	const struct go_span *s;
	uint64_t id;
	uint64_t off; /* behind the start of the object's data */
};

enum verdict { AGREED, TINY, BAD_SIZE, BAD_MASK, INSIDE };

/* 64 words of a type's mask, repeated, from the word first on; m is of rtype, or NULL: mask. */
static uint64_t wide_mask(const struct typing_info *i, const struct go_mask *m, uint64_t first)
{
	uint64_t words = i->bytes / 8, at = first % words, all = 0;

	if (m)
		return go_mask_word(m, first);
	for (uint64_t to = 0; to < 64; to += words - at, at = 0)
		all |= i->mask >> at << to;
	return all;
}

/* Objects of more than 64 words: Go up to 1.21 has no headers that would say what they are. */
static enum verdict wide_agree(struct typing *t, const struct spot *at, const struct typing_info *i,
			       uint64_t n)
{
	uint64_t words = at->s->elem_bytes / 8, end = n * (i->bytes / 8), bits;
	const struct go_mask *m = NULL;
	struct err *err = NULL;

	if (!i->bytes || i->bytes % 8 || !t->s->bits || !t->s->bits->row[at->span])
		return BAD_MASK;
	if (i->bytes > 512 && !go_type_made(i->rtype))
		err = go_mask_of(t->s->heap.masks, i->rtype, at->s->elem_bytes, &m);
	if (err || (i->bytes > 512 && !m)) {
		err_free(err);
		return BAD_MASK;
	}
	for (uint64_t first = 0; first < words; first += 64) {
		uint64_t is = first < end ? wide_mask(i, m, first) & low_bits(end - first) : 0;

		if (!snap_bits_from(t->s, at->span, at->id, first, &bits) || bits != is)
			return BAD_MASK;
	}
	return AGREED;
}

static enum verdict bits_agree(struct typing *t, const struct spot *at, const struct typing_info *i,
			       uint64_t n)
{
	uint64_t bits;

	if (at->s->noscan || !i->masked)
		return AGREED;
	if (!snap_bits_get(t->s, at->span, at->id, &bits))
		return wide_agree(t, at, i, n);
	return bits == typing_row_mask(i->mask, i->bytes / 8, n) ? AGREED : BAD_MASK;
}

static enum verdict one_agrees(struct typing *t, const struct spot *at, const struct typing_info *i)
{
	if (at->off)
		return INSIDE;
	/* A channel without a buffer has no pointers at all (chan.go, makechan: mem == 0). */
	if (i->form == FORM_CHAN && at->s->noscan)
		return at->s->elem_bytes >= snap_slot_bytes(t->s->go->L, i->bytes, true) ? AGREED
											 : BAD_SIZE;
	if (at->s->noscan != i->noscan)
		return BAD_SIZE;
	if (at->s->elem_bytes != i->slot)
		return BAD_SIZE;
	return bits_agree(t, at, i, 1);
}

/* Is it a slot that mallocgc gives for so many bytes? Objects with headers are not asked. */
static bool slot_fits(const struct typing *t, const struct go_span *s, uint64_t bytes)
{
	uint64_t class = s->spanclass >> 1;

	if (bytes > s->elem_bytes)
		return false;
	if (!class) /* its own span: whole pages */
		return bytes > s->elem_bytes - GO_PAGE_BYTES;
	return bytes > t->lower[class & 255];
}

static enum verdict row_agrees(struct typing *t, const struct spot *at, const struct typing_info *i,
			       uint64_t count)
{
	uint64_t first, n;

	if (!i->bytes || at->s->noscan != i->noscan)
		return BAD_SIZE;
	if (at->s->tiny && count < 16 && count * i->bytes < 16)
		return TINY;
	if (at->off % i->bytes)
		return INSIDE;
	first = at->off / i->bytes;
	n = at->s->elem_bytes / i->bytes;
	if (!count || first >= n || count > n - first)
		return BAD_SIZE;
	n = first + count;
	return slot_fits(t, at->s, n * i->bytes) ? bits_agree(t, at, i, n) : BAD_SIZE;
}

/* The count is not known: groups and buckets, a queue, a directory. */
static enum verdict part_agrees(struct typing *t, const struct spot *at,
				const struct typing_info *i, uint64_t count)
{
	uint64_t n;

	if (at->off || !i->bytes || at->s->noscan != i->noscan)
		return at->off ? INSIDE : BAD_SIZE;
	n = at->s->elem_bytes / i->bytes;
	if (!n || count > n)
		return BAD_SIZE;
	for (; n >= MAX(count, 1ULL) && slot_fits(t, at->s, n * i->bytes); n--)
		if (bits_agree(t, at, i, n) == AGREED)
			return AGREED;
	return BAD_MASK;
}

static enum verdict string_agrees(const struct spot *at, uint64_t nbytes)
{
	if (!at->s->noscan)
		return BAD_SIZE;
	if (at->s->tiny && nbytes < 16)
		return TINY;
	return nbytes <= at->s->elem_bytes && at->off <= at->s->elem_bytes - nbytes ? AGREED
										    : BAD_SIZE;
}

static enum verdict agrees(struct typing *t, const struct spot *at, const struct typing_info *i,
			   uint64_t count)
{
	switch (i->form) {
	case FORM_ROW:
		return row_agrees(t, at, i, count);
	case FORM_QUEUE:
	case FORM_GROUPS:
	case FORM_DIRECTORY:
	case FORM_LIST:
		return part_agrees(t, at, i, count);
	case FORM_STRING:
		return string_agrees(at, count);
	case FORM_TINY:
		return at->s->tiny ? AGREED : INSIDE;
	case FORM_NONE:
		return BAD_SIZE;
	default:
		return one_agrees(t, at, i);
	}
}

bool typing_agrees(struct typing *t, uint64_t id, uint32_t number)
{
	const struct go_span *s = go_heap_span_of(&t->s->heap, id);
	const struct typing_info *i = typing_info_of(t->plans, number);
	struct spot at = { (size_t)(s - t->s->heap.spans.v), s, id, 0 };

	if (s->scheme > GO_PTR_SPAN_BITS || i->form == FORM_CLOSURE)
		return true;
	return agrees(t, &at, i, 0) <= TINY;
}

/* Does a value of type a begin with one of type b? */
static bool contains(struct snapshot *s, taddr a, taddr b)
{
	for (unsigned i = 0; a && i < MAX_DEPTH; i++) {
		const struct go_type *t = go_type_at(s->rtypes, a);

		if (a == b)
			return true;
		if (!t)
			return false;
		a = t->kind == GO_STRUCT && t->nfields ? t->fields[0].type
		    : t->kind == GO_ARRAY	       ? t->elem
						       : 0;
	}
	return false;
}

static bool specific(const struct snap_type *t)
{
	return t->form >= FORM_CLOSURE && t->form <= FORM_LIST;
}

/* A total order, so that the result does not depend on which thread came first. */
static bool better(struct snapshot *s, const struct snap_type *a, const struct snap_type *b)
{
	if (a->rank != b->rank)
		return a->rank > b->rank;
	/* A map's header is also an internal/runtime/maps.Map, which says less. */
	if (specific(a) != specific(b))
		return specific(a);
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes;
	if (a->rtype != b->rtype && a->form == FORM_ONE && b->form == FORM_ONE &&
	    contains(s, a->rtype, b->rtype) != contains(s, b->rtype, a->rtype))
		return contains(s, a->rtype, b->rtype); /* a struct of nothing but the other */
	return strcmp(a->name, b->name) < 0;
}

static void count_conflict(struct typing_worker *w, const struct snap_type *a,
			   const struct snap_type *b)
{
	struct snapshot *s = w->t->s;

	if (a->rank != b->rank || a->form >= FORM_STRING || b->form >= FORM_STRING ||
	    !strcmp(a->name, b->name))
		return;
	if (!contains(s, a->rtype, b->rtype) && !contains(s, b->rtype, a->rtype))
		w->stats.conflicts++;
}

/* A header's type stays; a part of a map or channel says more of the same type. */
static bool more_than_header(const struct snap_type *is, const struct snap_type *now)
{
	taddr elem = now->form == FORM_QUEUE ? now->rtype : now->elem;

	if (is->rank != SNAP_RANK_HEADER)
		return false;
	return (now->form == FORM_QUEUE || now->form == FORM_GROUPS ||
		now->form == FORM_DIRECTORY || now->form == FORM_LIST) &&
	       (!elem || elem == is->rtype);
}

/* Objects with pointers of which something follows are to be read. */
static void to_expand(struct typing_worker *w, const struct spot *at, const struct typing_info *i)
{
	struct typing *t = w->t;
	uint64_t bit = 1ULL << (at->id & 63), old;
	uint32_t c = t->chunk_of[at->span];

	if (c == UINT32_MAX || i->rank < t->least || (!i->expands && i->form != FORM_CLOSURE))
		return;
	/* in the chunk at hand: expanded soon, without a mark */
	if (w->whole && at->id >= w->stack_lo && at->id < w->stack_hi &&
	    vec_push(&w->stack, (struct typing_next){ at->id, at->span }))
		return;
	old = __atomic_fetch_or(&t->dirty[at->id >> 6], bit, __ATOMIC_ACQ_REL);
	if (old & bit)
		return;
	__atomic_fetch_add(&t->chunks[c].ndirty, 1, __ATOMIC_RELAXED);
	if (at->id >= w->stack_lo && at->id < w->stack_hi && w->stack.n < w->stack_max)
		(void)!vec_push(&w->stack,
				(struct typing_next){
					at->id, at->span }); /* without memory: in the next round */
}

static void believe(struct typing_worker *w, const struct spot *at, uint32_t number,
		    const struct typing_info *i)
{
	struct snapshot *s = w->t->s;
	const struct snap_type *now = &s->types.v[number];
	uint32_t *type = &s->type_of[at->id];
	uint32_t old = __atomic_load_n(type, __ATOMIC_ACQUIRE);

	do {
		const struct snap_type *is = &s->types.v[old];

		if (old == number)
			return;
		if (old && !more_than_header(is, now) && !better(s, now, is)) {
			count_conflict(w, is, now);
			return;
		}
	} while (!__atomic_compare_exchange_n(type, &old, number, true, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	if (old)
		count_conflict(w, &s->types.v[old], now);
	w->stats.accepted++;
	to_expand(w, at, i);
}

void typing_believe(struct typing_worker *w, size_t span, uint64_t id, uint32_t number)
{
	struct spot at = { span, &w->t->s->heap.spans.v[span], id, 0 };

	believe(w, &at, number, typing_info_of(w->t->plans, number));
}

/* A func value: the object's first word says which function. */
static void claim_closure(struct typing_worker *w, const struct spot *at, taddr value)
{
	struct snapshot *s = w->t->s;
	uint32_t old = __atomic_load_n(&s->type_of[at->id], __ATOMIC_ACQUIRE), number;
	taddr entry = 0;
	struct err *err;

	if (at->off)
		return;
	/* tiny: a small one without pointers, that another pointer called so by its size */
	if (old && s->types.v[old].form != FORM_CLOSURE && s->types.v[old].form != FORM_TINY)
		return;
	entry = s->types.v[old].entry;
	if (!entry) {
		err = target_read(s->t, value, &entry, sizeof(entry));
		if (err) {
			err_free(err);
			return;
		}
	}
	number = snap_number(s, FORM_CLOSURE, entry, w->rank);
	if (number)
		believe(w, at, number, typing_info_of(w->t->plans, number));
}

static void refuse(struct typing_worker *w, enum verdict v)
{
	if (v == BAD_SIZE)
		w->stats.refused_size++;
	else if (v == BAD_MASK)
		w->stats.refused_mask++;
	else
		w->stats.refused_inside++;
}

/* Would n bytes of both have the same pointer bits? */
static bool same_bits(struct typing *t, taddr a, taddr b, uint64_t n)
{
	const struct go_mask *x, *y;
	struct err *err = go_mask_of(t->s->heap.masks, a, n, &x);

	if (!err)
		err = go_mask_of(t->s->heap.masks, b, n, &y);
	if (err) {
		err_free(err);
		return false;
	}
	for (uint64_t i = 0; i < n / 8; i += 64) {
		uint64_t keep = low_bits(n / 8 - i);

		if ((go_mask_word(x, i) & keep) != (go_mask_word(y, i) & keep))
			return false;
	}
	return true;
}

/* The object has a header: nothing to learn, but a claim can be held against it. */
static void check(struct typing_worker *w, const struct typing_claim *c, const struct spot *at,
		  uint32_t old)
{
	struct typing *t = w->t;
	const struct typing_info *i = typing_info_of(t->plans, c->number);
	const struct snap_type *is = &t->s->types.v[old];
	uint64_t n = at->s->elem_bytes - go_span_header(at->s);

	if (is->rank != SNAP_RANK_HEADER || at->off || !i->bytes || i->bytes > n)
		return;
	if (i->form == FORM_ONE ? i->slot != at->s->elem_bytes
				: i->form != FORM_ROW || !c->count || c->count > n / i->bytes ||
					  snap_slot_bytes(t->s->go->L, c->count * i->bytes,
							  false) != at->s->elem_bytes)
		return;
	w->stats.checked++;
	if (i->rtype != is->rtype && !go_type_made(i->rtype) &&
	    !contains(t->s, is->rtype, i->rtype) && !contains(t->s, i->rtype, is->rtype) &&
	    same_bits(t, i->rtype, is->rtype, n))
		w->stats.checked_wrong++;
}

/* What the header says is no type of the program (go.shape.…): another one of that layout is. */
static bool names_shape(struct typing *t, const struct typing_info *i, const struct spot *at,
			const struct snap_type *is)
{
	uint64_t n = at->s->elem_bytes - go_span_header(at->s);

	return is->rank == SNAP_RANK_GUESS && is->form == i->form && !at->off &&
	       i->bytes == is->bytes && same_bits(t, i->rtype, is->rtype, n);
}

/* An object with a header: its type is known. */
static void settle_header(struct typing_worker *w, const struct typing_claim *c,
			  const struct spot *at, uint32_t old)
{
	struct typing *t = w->t;
	const struct typing_info *i = typing_info_of(t->plans, c->number);
	const struct snap_type *is = &t->s->types.v[old];

	if (!old)
		return;
	if ((!at->off && more_than_header(is, &t->s->types.v[c->number])) ||
	    names_shape(t, i, at, is))
		believe(w, at, c->number, i);
	else
		check(w, c, at, old);
}

static enum verdict try(struct typing_worker *w, const struct spot *at, uint32_t number,
			uint64_t count)
{
	const struct typing_info *i = typing_info_of(w->t->plans, number);
	enum verdict v = agrees(w->t, at, i, count);

	if (v == AGREED && i->form == FORM_ROW && at->s->elem_bytes < 2 * i->bytes) {
		/* as headers are read: a row of one is no row */
		number = snap_number(w->t->s, FORM_ONE, i->rtype, i->rank);
		believe(w, at, number, typing_info_of(w->t->plans, number));
	} else if (v == AGREED) {
		believe(w, at, number, i);
	} else if (v == TINY) {
		number = snap_number(w->t->s, FORM_TINY, 0, i->rank);
		believe(w, at, number, typing_info_of(w->t->plans, number));
	}
	return v;
}

/*
 * A pointer to the first of several: &s[0].  Weak: it could be a struct that begins with two of
 * them; said only of structs, where the whole slot is made of copies.
 */
static bool try_row(struct typing_worker *w, const struct spot *at, const struct typing_claim *c)
{
	struct typing *t = w->t;
	const struct typing_info *i = typing_info_of(t->plans, c->number);
	const struct go_type *rt;
	uint32_t number;

	if (i->form != FORM_ONE || at->off || i->noscan || i->bytes < ROW_BYTES ||
	    at->s->elem_bytes < 2 * i->bytes)
		return false;
	rt = go_type_at(t->s->rtypes, i->rtype);
	if (!rt || rt->kind != GO_STRUCT ||
	    row_agrees(t, at, i, at->s->elem_bytes / i->bytes) != AGREED)
		return false;
	number = snap_number(t->s, FORM_ROW, i->rtype, SNAP_RANK_WEAK);
	if (number)
		believe(w, at, number, typing_info_of(t->plans, number));
	return true;
}

/* Of no use for the whole, but something lies at that place. */
static void hint(struct typing_worker *w, const struct typing_claim *c, const struct spot *at)
{
	const struct typing_info *i = typing_info_of(w->t->plans, c->number);
	uint64_t count = i->form == FORM_ROW ? c->count : 1;

	if (at->s->noscan || !count || (i->form != FORM_ONE && i->form != FORM_ROW))
		return;
	typing_hint_add(w, (struct typing_hint){ at->id, at->off, i->rtype, count });
}

static void settle(struct typing_worker *w, const struct typing_claim *c, const struct spot *at)
{
	uint32_t old = __atomic_load_n(&w->t->s->type_of[at->id], __ATOMIC_RELAXED);
	enum verdict v;

	w->stats.claims++;
	if (old && old == c->number)
		return;
	if (!c->number) {
		claim_closure(w, at, c->value);
		return;
	}
	if (at->s->scheme > GO_PTR_SPAN_BITS) {
		settle_header(w, c, at, old);
		return;
	}
	v = try(w, at, c->number, c->count);
	if (v > TINY && c->alt && at->off >= c->alt_back) {
		struct spot back = *at;

		back.off -= c->alt_back;
		v = try(w, &back, c->alt, c->count);
	}
	if (v <= TINY || try_row(w, at, c))
		return;
	refuse(w, v);
	if (!old)
		hint(w, c, at);
}

/* What settle() will look at of an object, asked for ahead. */
static void prefetch(const struct typing *t, const struct spot *at)
{
	const struct snap_bits *b = t->s->bits;

	__builtin_prefetch(&t->s->heap.spans.v[at->span]);
	__builtin_prefetch(&t->s->heap.alloc_bits[at->id >> 6]);
	__builtin_prefetch(&t->dirty[at->id >> 6], 1);
	__builtin_prefetch(&b->row[at->span]);
}

static void prefetch_bits(const struct snap_bits *b, const struct spot *at)
{
	uint32_t row = b->row[at->span];

	if (!row)
		return;
	__builtin_prefetch(b->words + (size_t)(row - 1) * SNAP_BITS_WORDS);
	__builtin_prefetch(b->words + (size_t)row * SNAP_BITS_WORDS - 1);
}

static inline bool by_id(const struct typing_claim *c)
{
	return c->value & TYPING_BY_ID;
}

void typing_flush(struct typing_worker *w)
{
	const struct go_heap *h = &w->t->s->heap;
	const uint32_t *type_of = w->t->s->type_of;
	struct spot at[TYPING_BATCH];

	/* Loops of independent loads: the misses of one loop overlap. */
	for (unsigned k = 0; k < w->nbatch; k++)
		at[k].span =
			by_id(&w->batch[k]) ? GO_NO_SPAN : go_heap_span_index(h, w->batch[k].value);
	for (unsigned k = 0; k < w->nbatch; k++) {
		at[k].id = by_id(&w->batch[k])
				   ? w->batch[k].value & ~TYPING_BY_ID
				   : go_heap_object_in(h, at[k].span, w->batch[k].value);
		if (at[k].id != GO_NO_OBJECT)
			__builtin_prefetch(&type_of[at[k].id], 1);
	}
	for (unsigned k = 0; k < w->nbatch; k++) {
		uint32_t number = w->batch[k].number;

		if (at[k].id == GO_NO_OBJECT)
			continue;
		if (number && __atomic_load_n(&type_of[at[k].id], __ATOMIC_RELAXED) == number) {
			w->stats.claims++; /* known: most are */
			at[k].id = GO_NO_OBJECT;
		} else {
			if (by_id(&w->batch[k]))
				at[k].span = typing_span_of(w->t, at[k].id);
			prefetch(w->t, &at[k]);
		}
	}
	for (unsigned k = 0; k < w->nbatch; k++)
		if (at[k].id != GO_NO_OBJECT)
			prefetch_bits(w->t->s->bits, &at[k]);
	for (unsigned k = 0; k < w->nbatch; k++) {
		const struct go_span *s;

		if (at[k].id == GO_NO_OBJECT || !go_bit(h->alloc_bits, at[k].id))
			continue;
		s = at[k].s = &h->spans.v[at[k].span];
		at[k].off = by_id(&w->batch[k]) ? 0
						: w->batch[k].value - s->base -
							  (at[k].id - s->first) * s->elem_bytes;
		if (at[k].off < go_span_header(s))
			continue;
		at[k].off -= go_span_header(s);
		settle(w, &w->batch[k], &at[k]);
	}
	w->nbatch = 0;
}
