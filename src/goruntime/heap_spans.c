/*
 * heap_spans.c - every in-use span, from the arenas' page tables.
 *
 * Source: runtime/mheap.go (heapArena.spans, mspan, initSpan, spanOf), sizeclasses.go.
 * A page table entry may be stale (free spans stay in it), so only an mspan that says of
 * itself that it starts at this page and is in use counts.  mheap_.allspans is the
 * cross-check: an in-use mspan that no page points to is a lost one.
 * Cost: 8 bytes read a page, one mspan a span.
 */
#include "goruntime/heap_priv.h"

#define MAX_ALLSPANS (1ULL << 28)

struct reader {
	const struct go *g;
	struct go_heap *h;
	struct go_io *io;
	taddr next;	 /* pages below belong to the span before */
	taddr stale;	 /* the last mspan that begins elsewhere: the pages after are its, too */
	taddr stale_at;	 /* where */
	uint64_t *table; /* one arena's spans[] */
};

/* All pages of [base, base + bytes) lie in known arenas. */
static bool in_arenas(const struct go_heap *h, taddr base, uint64_t bytes)
{
	const struct go_heap_index *x = &h->index;

	if (!bytes || !trange_has_all(h->bounds, base, bytes))
		return false;
	for (uint64_t i = (base - x->lo) >> x->arena_shift;
	     i <= (base + bytes - 1 - x->lo) >> x->arena_shift; i++) {
		if (!x->arena_slot[i])
			return false;
	}
	return true;
}

static uint8_t scheme_of(const struct go *g, const struct go_span *s, bool arena_chunk)
{
	int64_t small = g->L->c_minSizeForMallocHeader;

	if (s->noscan)
		return GO_PTR_NONE;
	if (go_layout_ptr_bits(g->L) != GO_MALLOC_HEADER)
		return GO_PTR_BITMAP;
	if (arena_chunk)
		return GO_PTR_ARENA;
	if (s->elem_bytes <= (uint64_t)(small > 0 ? small : 512))
		return GO_PTR_SPAN_BITS;
	return HEAP_CLASS(s->spanclass) ? GO_PTR_HEADER : GO_PTR_LARGE;
}

/* An mspan image into a go_span; false when it contradicts itself. */
static bool span_from(const struct reader *r, taddr at, const uint8_t *m, struct go_span *s)
{
	const struct go_layout *L = r->g->L;
	uint64_t npages = go_get(m, L->mspan_npages);
	uint64_t nelems = go_get(m, L->mspan_nelems);
	uint64_t limit = go_get(m, L->mspan_limit);

	*s = (struct go_span){
		.base = go_get(m, L->mspan_startAddr),
		.elem_bytes = go_get(m, L->mspan_elemsize),
		.freeindex = (uint32_t)go_get(m, L->mspan_freeindex),
		.spanclass = (uint8_t)go_get(m, L->mspan_spanclass),
		.mspan = at,
		.large_type = go_get(m, L->mspan_largeType),
		.specials = go_get(m, L->mspan_specials),
	};
	if (npages > 1ULL << 40 || !in_arenas(r->h, s->base, npages * GO_PAGE_BYTES))
		return false;
	s->bytes = npages * GO_PAGE_BYTES;
	if (!nelems || !s->elem_bytes || (s->elem_bytes & 7) || nelems > s->bytes ||
	    s->elem_bytes > s->bytes || nelems * s->elem_bytes > s->bytes)
		return false;
	/* Division by multiplication is exact, and slots stay below nelems, only up to here. */
	if (nelems > 1 && s->bytes * s->elem_bytes >= 1ULL << 32)
		return false;
	s->nelems = (uint32_t)nelems;
	s->freeindex = MIN(s->freeindex, s->nelems);
	s->free_index_for_scan = s->freeindex; /* to 1.18.6 and 1.19.1 the only one */
	if (go_has(L->mspan_freeIndexForScan))
		s->free_index_for_scan =
			MIN((uint32_t)go_get(m, L->mspan_freeIndexForScan), s->freeindex);
	s->noscan = s->spanclass & 1;
	/* mheap.go, initSpan: 0 for large spans, else ceil(2^32 / elemsize). */
	s->div_mul = s->nelems == 1 ? 0 : (uint32_t)(UINT32_MAX / s->elem_bytes + 1);
	s->limit_bytes = nelems * s->elem_bytes;
	if (limit > s->base && limit - s->base < s->limit_bytes)
		s->limit_bytes = limit - s->base;
	s->tiny = s->noscan && s->elem_bytes == 16; /* malloc.go: maxTinySize */
	s->scheme = scheme_of(r->g, s, go_get(m, L->mspan_isUserArenaChunk) & 1);
	s->marks = (uint8_t)heap_marks_of(&r->h->counters, (uint32_t)go_get(m, L->mspan_sweepgen));
	return true;
}

static void map_pages(struct go_heap *h, const struct go_span *s, uint32_t number)
{
	struct go_heap_index *x = &h->index;
	uint32_t mask = (1U << x->page_bits) - 1;

	for (uint64_t p = (s->base - x->lo) >> GO_PAGE_SHIFT;
	     p < (s->base + s->bytes - x->lo) >> GO_PAGE_SHIFT; p++) {
		uint32_t a = x->arena_slot[p >> x->page_bits] - 1;

		x->page_span[((size_t)a << x->page_bits) | ((uint32_t)p & mask)] = number;
	}
}

static void lose_span(struct go_heap *h, uint64_t bytes)
{
	h->lost_spans++;
	h->lost_bytes += bytes;
}

static struct err *add_span(struct reader *r, struct go_span *s)
{
	struct go_heap *h = r->h;

	s->first = h->nobjects;
	h->nobjects += s->nelems;
	if (h->nobjects > UINT32_MAX - 1)
		return err_new(ERR_LIMIT,
			       "the heap has more than %u object slots: more than 32-bit ids reach",
			       UINT32_MAX - 1);
	if (!vec_push(&h->spans, *s))
		return &err_nomem;
	map_pages(h, s, (uint32_t)h->spans.n);
	return NULL;
}

/* The page at addr is said to belong to the mspan at `at`. */
static struct err *visit(struct reader *r, taddr addr, taddr at)
{
	const struct go_layout *L = r->g->L;
	uint8_t m[HEAP_MSPAN_MAX];
	struct go_span s;
	uint64_t state, bytes;
	struct err *err = go_io_read(r->io, at, m, L->mspan_bytes);

	if (err_catch(&err, ERR_FAULT)) {
		lose_span(r->h, GO_PAGE_BYTES);
		return NULL;
	}
	if (err)
		return err;
	state = go_get(m, L->mspan_state);
	if (go_get(m, L->mspan_startAddr) != addr) {
		r->stale = at;
		r->stale_at = go_get(m, L->mspan_startAddr);
		return NULL;
	}
	bytes = go_get(m, L->mspan_npages) * GO_PAGE_BYTES;
	if ((int64_t)state == L->c_mSpanManual) {
		r->h->nmanual_spans++;
		if (!in_arenas(r->h, addr, bytes))
			return NULL;
		r->h->manual_span_bytes += bytes;
		return vec_push(&r->h->manual, (struct trange){ addr, addr + bytes }) ? NULL
										      : &err_nomem;
	}
	if ((int64_t)state != L->c_mSpanInUse)
		return NULL;
	if (!span_from(r, at, m, &s)) {
		lose_span(r->h, GO_PAGE_BYTES);
		return NULL;
	}
	r->next = addr + s.bytes;
	return add_span(r, &s);
}

static struct err *read_arena(struct reader *r, taddr base, taddr meta)
{
	const struct go_heap_index *x = &r->h->index;
	size_t npages = (size_t)1 << x->page_bits;
	struct err *err;

	err = target_read(r->g->t, meta + (uint64_t)r->g->L->heapArena_spans.off, r->table,
			  npages * 8);
	if (err_catch(&err, ERR_FAULT)) {
		lose_span(r->h, npages << GO_PAGE_SHIFT);
		return NULL;
	}
	for (size_t p = 0; p < npages && !err; p++) {
		taddr addr = base + (p << GO_PAGE_SHIFT);

		/* A stale entry may name the very mspan that begins on a later page. */
		if (r->table[p] && addr >= r->next &&
		    (r->table[p] != r->stale || addr == r->stale_at))
			err = visit(r, addr, r->table[p]);
	}
	return err;
}

struct arena {
	taddr base, meta;
};
typedef VEC(struct arena) arenas;

static int by_base(const void *a, const void *b)
{
	const struct arena *x = a, *y = b;

	return (x->base > y->base) - (x->base < y->base);
}

static int by_meta(const void *a, const void *b)
{
	const struct arena *x = a, *y = b;

	return x->meta == y->meta ? by_base(a, b) : (x->meta > y->meta) - (x->meta < y->meta);
}

static struct err *find_metadata(struct reader *r, arenas *ret)
{
	const struct go_heap_index *x = &r->h->index;
	const struct go_layout *L = r->g->L;
	uint64_t offset =
		L->c_arenaBaseOffset != -1 ? (uint64_t)L->c_arenaBaseOffset : 0xffff800000000000ULL;
	taddr l2;
	struct err *err = go_read_u64(r->g, r->g->v.mheap + (uint64_t)L->mheap_arenas.off, &l2);

	for (uint64_t i = 0; i < x->nslots && !err; i++) {
		struct arena a = { .base = x->lo + (i << x->arena_shift) };

		if (!x->arena_slot[i])
			continue;
		err = go_read_u64(r->g, l2 + 8 * ((a.base - offset) >> x->arena_shift), &a.meta);
		if (err_catch(&err, ERR_FAULT)) {
			lose_span(r->h, 1ULL << x->arena_shift);
			continue;
		}
		if (!err && a.meta && !vec_push(ret, a))
			err = &err_nomem;
	}
	return err;
}

/*
 * Each arena has page tables of its own (mheap.sysAlloc): one of two that overlap is a lie, and
 * what is read of all of them is then no more than the program has memory.
 */
static void drop_overlaps(struct reader *r, arenas *v)
{
	uint64_t bytes = (uint64_t)8 << r->h->index.page_bits;
	size_t n = 0;

	if (v->n)
		qsort(v->v, v->n, sizeof(*v->v), by_meta);
	for (size_t i = 0; i < v->n; i++) {
		if (n && v->v[i].meta - v->v[n - 1].meta < bytes)
			lose_span(r->h, 1ULL << r->h->index.arena_shift);
		else
			v->v[n++] = v->v[i];
	}
	v->n = n;
	if (v->n)
		qsort(v->v, v->n, sizeof(*v->v), by_base);
}

static struct err *read_arenas(struct reader *r)
{
	struct go_heap_index *x = &r->h->index;
	arenas v = { 0 };
	struct err *err = find_metadata(r, &v);

	if (!err)
		drop_overlaps(r, &v);
	for (size_t i = 0; i < v.n && !err; i++) {
		x->meta[x->arena_slot[(v.v[i].base - x->lo) >> x->arena_shift] - 1] = v.v[i].meta;
		err = read_arena(r, v.v[i].base, v.v[i].meta);
	}
	vec_free(&v);
	return err;
}

/* An in-use mspan of allspans that no page led to. */
static struct err *check_one(struct reader *r, taddr at)
{
	const struct go_layout *L = r->g->L;
	uint8_t m[HEAP_MSPAN_MAX];
	taddr base;
	const struct go_span *s;
	struct err *err = go_io_read(r->io, at, m, L->mspan_bytes);

	if (err_catch(&err, ERR_FAULT))
		return NULL;
	if (err)
		return err;
	if ((int64_t)go_get(m, L->mspan_state) != L->c_mSpanInUse ||
	    !go_get(m, L->mspan_allocCount))
		return NULL;
	base = go_get(m, L->mspan_startAddr);
	s = go_heap_span_at(r->h, base);
	if (!s || s->mspan != at)
		lose_span(r->h, MIN(go_get(m, L->mspan_npages), (uint64_t)1 << 32) * GO_PAGE_BYTES);
	return NULL;
}

static struct err *cross_check(struct reader *r)
{
	uint64_t w[2], chunk[1024];
	struct err *err;

	err = target_read(r->g->t, r->g->v.mheap + (uint64_t)r->g->L->mheap_allspans.off, w,
			  sizeof(w));
	if (!err && w[1] > MAX_ALLSPANS)
		err = err_bad_data("mheap_.allspans has %" PRIu64 " entries", w[1]);
	/* Each span in use has a page of its own, and mspans are used again: more is damage. */
	if (!err && w[1] > (uint64_t)r->h->index.narenas << r->h->index.page_bits) {
		lose_span(r->h, 0);
		return NULL;
	}
	for (uint64_t i = 0; i < w[1] && !err; i += ARRAY_LEN(chunk)) {
		uint64_t n = MIN(w[1] - i, (uint64_t)ARRAY_LEN(chunk));

		err = target_read(r->g->t, w[0] + 8 * i, chunk, (size_t)n * 8);
		if (err_catch(&err, ERR_FAULT)) {
			lose_span(r->h, 0);
			continue;
		}
		for (uint64_t k = 0; k < n && !err; k++)
			err = check_one(r, chunk[k]);
	}
	return err_prefix(err, "mheap_.allspans");
}

static struct err *hot_build(struct go_heap *h)
{
	struct go_heap_index *x = &h->index;

	x->nhot = h->spans.n;
	x->hot = bigalloc(x->nhot, sizeof(*x->hot));
	if (!x->hot)
		return &err_nomem;
	for (size_t i = 0; i < x->nhot; i++) {
		const struct go_span *s = &h->spans.v[i];

		x->hot[i] = (struct go_span_hot){
			.base = s->base,
			.bytes = s->limit_bytes,
			.first = (uint32_t)s->first,
			.div_mul = s->div_mul,
		};
	}
	return NULL;
}

struct err *heap_spans_read(const struct go *g, struct go_heap *h)
{
	_cleanup_(freep) uint64_t *table = zalloc((size_t)1 << h->index.page_bits, 8);
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct reader r = { .g = g, .h = h, .io = &io, .table = table };
	struct err *err;

	if (!table)
		return &err_nomem;
	if (go_layout_ptr_bits(g->L) == GO_BITS_UNKNOWN)
		return err_unsupported(
			"Go %s keeps its pointer bits in a way that is not known here", g->version);
	err = go_io_init(&io, g);
	if (err)
		return err;
	err = read_arenas(&r);
	if (!err)
		err = hot_build(h);
	return err ? err : cross_check(&r);
}
