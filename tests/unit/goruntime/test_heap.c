/*
 * test_heap.c - a heap of a few spans, written by the fields of every layout, read back.
 *
 * Truth is what was written: which slots are allocated and marked, which words point where.
 */
#include "fake_target.h"

#include "goruntime/heap.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#define RT	 0x400000UL /* runtime variables and mspans */
#define MHEAP	 RT
#define MSPANS	 (RT + 0x40000)
#define LIST	 (RT + 0x60000) /* slices */
#define BITMAPS	 (RT + 0x70000)
#define META	 0x600000UL /* heapArena */
#define L2	 0x800000UL
#define TYPES	 0x900000UL
#define ARENA	 0xc000000000UL
#define PHASE	 (RT + 0x7f000)
#define SWEEPGEN 10

struct world {
	struct fake f;
	struct go g;
	struct go_heap h;
	unsigned nspans;
};

static taddr mspan_at(unsigned i)
{
	return MSPANS + i * 0x200;
}

/* A span of npages at page; returns its mspan. */
static taddr put_span(struct world *w, uint64_t page, uint64_t npages, uint64_t elem,
		      uint64_t nelems, uint8_t spanclass, uint32_t sweepgen)
{
	const struct go_layout *L = w->g.L;
	unsigned i = w->nspans++;
	taddr at = mspan_at(i);

	fake_set(&w->f, at, L->mspan_startAddr, ARENA + page * GO_PAGE_BYTES);
	fake_set(&w->f, at, L->mspan_npages, npages);
	fake_set(&w->f, at, L->mspan_nelems, nelems);
	fake_set(&w->f, at, L->mspan_elemsize, elem);
	fake_set(&w->f, at, L->mspan_limit, ARENA + page * GO_PAGE_BYTES + elem * nelems);
	fake_set(&w->f, at, L->mspan_spanclass, spanclass);
	fake_set(&w->f, at, L->mspan_sweepgen, sweepgen);
	fake_set(&w->f, at, L->mspan_state, (uint64_t)L->c_mSpanInUse);
	fake_set(&w->f, at, L->mspan_allocBits, BITMAPS + i * 256);
	fake_set(&w->f, at, L->mspan_gcmarkBits, BITMAPS + i * 256 + 128);
	for (uint64_t p = 0; p < npages; p++)
		fake_put64(&w->f, META + (uint64_t)L->heapArena_spans.off + (page + p) * 8, at);
	fake_put64(&w->f, LIST + i * 8, at);
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_allspans.off + 8, w->nspans);
	return at;
}

static void set_bit(struct world *w, unsigned span, unsigned which, unsigned slot)
{
	*fake_at(&w->f, BITMAPS + span * 256 + which * 128 + slot / 8) |=
		(uint8_t)(1 << (slot % 8));
}

static void world_open(struct world *w, const struct go_layout *L)
{
	uint64_t arena_no = (ARENA - (uint64_t)L->c_arenaBaseOffset) / (64 << 20);

	*w = (struct world){ 0 };
	w->g.L = L;
	fake_map(&w->f, RT, 0x80000);
	fake_map(&w->f, META, MAX(L->heapArena_bytes, 65536U));
	fake_map(&w->f, L2 + arena_no * 8, 8);
	fake_map(&w->f, TYPES, 0x1000);
	fake_map(&w->f, ARENA, 64 * GO_PAGE_BYTES);
	w->g.t = fake_open(&w->f);
	w->g.v.mheap = MHEAP;
	w->g.v.gcphase = PHASE;
	fake_set(&w->f, MHEAP, L->mheap_sweepgen, SWEEPGEN);
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_arenas.off, L2);
	fake_put64(&w->f, L2 + arena_no * 8, META);
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_heapArenas.off, LIST + 0x8000);
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_heapArenas.off + 8, 1);
	fake_put64(&w->f, LIST + 0x8000, arena_no);
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_allspans.off, LIST);
}

static void world_close(struct world *w)
{
	go_heap_deinit(&w->h);
	fake_close(&w->f);
}

/* Which slots are objects, and which are marked, in each state of sweeping. */
static const struct {
	const char *what;
	uint32_t gcphase, sweepgen;
	uint8_t marks;
	const char *alloc, *marked; /* of slots 0..7, 'x' set */
} states[] = {
	/* freeIndexForScan 3, freeindex 4, allocBits 1 and 6, gcmarkBits 0, 1, inline mark 5 */
	{ "swept", 0, SWEEPGEN, GO_MARKS_LAST_CYCLE, "xxx...x.", ".x....x." },
	{ "swept and cached", 0, SWEEPGEN + 3, GO_MARKS_LAST_CYCLE, "xxx...x.", ".x....x." },
	{ "unswept", 0, SWEEPGEN - 2, GO_MARKS_UNSWEPT, "xx...i..", "xx...i.." },
	{ "unswept, cached", 0, SWEEPGEN + 1, GO_MARKS_UNSWEPT, "xx...i..", "xx...i.." },
	{ "being swept", 0, SWEEPGEN - 1, GO_MARKS_SWEEPING, "xxx..ix.", "xx...i.." },
	{ "marking", 1, SWEEPGEN, GO_MARKS_MARKING, "xxx..ix.", ".x....x." },
	{ "marking, cached", 1, SWEEPGEN + 3, GO_MARKS_MARKING, "xxx..ix.", ".x....x." },
	{ "marking, yet unswept: damage", 1, SWEEPGEN - 2, GO_MARKS_SWEEPING, "xxx..ix.",
	  "xx...i.." },
};

static bool want(const struct world *w, char c)
{
	return c == 'x' || (c == 'i' && go_has(w->g.L->spanInlineMarkBits_marks));
}

static void check_state(const struct go_layout *L, size_t i)
{
	struct world w;
	taddr m;

	world_open(&w, L);
	fake_set(&w.f, PHASE, (struct go_field){ 0, 4 }, states[i].gcphase);
	m = put_span(&w, 2, 1, 48, 160, 4 << 1, states[i].sweepgen);
	fake_set(&w.f, m, L->mspan_freeindex, 4);
	fake_set(&w.f, m, L->mspan_freeIndexForScan, 3);
	set_bit(&w, 0, 0, 1);
	set_bit(&w, 0, 0, 6);
	set_bit(&w, 0, 1, 0);
	set_bit(&w, 0, 1, 1);
	/* mgcmark_greenteagc.go: the last 128 bytes of the page are scans, owned, marks, class. */
	if (go_has(L->spanInlineMarkBits_marks))
		*fake_at(&w.f, ARENA + 3 * GO_PAGE_BYTES - 128 + 64) = 1 << 5;
	assert_null(go_heap_read(&w.g, 2, &w.h));
	assert_int_equal(w.h.spans.n, 1);
	assert_int_equal(w.h.spans.v[0].marks, states[i].marks);
	assert_int_equal(w.h.nobjects, 160);
	assert_int_equal(w.h.lost_spans, 0);
	for (unsigned k = 0; k < 160; k++) {
		char a = k < 8 ? states[i].alloc[k] : '.', c = k < 8 ? states[i].marked[k] : '.';

		assert_int_equal(go_bit(w.h.alloc_bits, k), want(&w, a));
		assert_int_equal(go_bit(w.h.mark_bits, k), want(&w, c));
	}
	world_close(&w);
}

/* All that the walk found, as "id+at=value(before);". */
struct found {
	char text[4096];
	size_t n, nobjects;
	uint64_t word0[8];
};

static struct err *on_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	struct found *f = arg;

	(void)id;
	(void)type;
	f->word0[f->nobjects++ % 8] = word0;
	return NULL;
}

static struct err *on_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct found *f = arg;

	f->n += (size_t)snprintf(f->text + f->n, sizeof(f->text) - f->n,
				 "%" PRIu64 "+%" PRIu64 "=%" PRIx64 "(%" PRIx64 ");", id, at, value,
				 before);
	return NULL;
}

static void on_lost(void *arg, taddr addr, uint64_t nbytes)
{
	struct found *f = arg;

	f->n += (size_t)snprintf(f->text + f->n, sizeof(f->text) - f->n,
				 "lost %" PRIx64 "+%" PRIu64 ";", addr, nbytes);
}

static const struct go_scan_ops ops = { on_object, on_pointer, on_lost, NULL };

/* Heap bits of a word of a small-object span. */
static void set_ptr(struct world *w, uint64_t page, uint64_t elem, uint64_t word)
{
	uint64_t end = ARENA + (page + 1) * GO_PAGE_BYTES;
	uint64_t at =
		end - 128 - (elem >= 16 && go_has(w->g.L->spanInlineMarkBits_marks) ? 128 : 0);

	*fake_at(&w->f, at + word / 8) |= (uint8_t)(1 << (word % 8));
}

/* A type with the given pointer words of size_words. */
static taddr put_type(struct world *w, taddr at, uint64_t size_words, uint64_t ptr_words,
		      uint64_t mask)
{
	const struct go_layout *L = w->g.L;

	fake_set(&w->f, at, L->type_Size_, size_words * 8);
	fake_set(&w->f, at, L->type_PtrBytes, ptr_words * 8);
	fake_set(&w->f, at, L->type_Kind_, 25);
	fake_set(&w->f, at, L->type_GCData, at + 0x80);
	fake_put64(&w->f, at + 0x80, mask);
	return at;
}

static void check_scan(const struct go_layout *L)
{
	struct world w;
	struct found f = { 0 };
	taddr m, t, base;
	char want_text[1024];

	world_open(&w, L);
	/* 24-byte objects: 0 and 2 allocated; 1 has bits and words but is free. */
	m = put_span(&w, 0, 1, 24, 320, 3 << 1, SWEEPGEN);
	set_bit(&w, 0, 0, 0);
	set_bit(&w, 0, 0, 2);
	for (unsigned i = 0; i < 9; i++)
		fake_put64(&w.f, ARENA + 8 * i, 0x100 + i);
	for (unsigned i = 3; i < 6; i++)
		set_ptr(&w, 0, 24, i);
	set_ptr(&w, 0, 24, 1);
	set_ptr(&w, 0, 24, 6);
	set_ptr(&w, 0, 24, 7);
	/* 640-byte objects with headers: elements of 3 words, pointer in the second. */
	t = put_type(&w, TYPES, 3, 2, 2);
	base = ARENA + GO_PAGE_BYTES;
	m = put_span(&w, 1, 1, 640, 12, 29 << 1, SWEEPGEN);
	set_bit(&w, 1, 0, 1);
	set_bit(&w, 1, 0, 2); /* its header is not yet written */
	set_bit(&w, 1, 0, 3); /* its header is no type */
	fake_put64(&w.f, base + 640, t);
	fake_put64(&w.f, base + 640 + 8, 0x200);
	fake_put64(&w.f, base + 640 + 16, 0x201);
	fake_put64(&w.f, base + 640 + 8 + 3 * 8 * 25 + 8, 0x225);
	fake_put64(&w.f, base + 640 + 8 + 3 * 8 * 25 + 16, 0x226);
	fake_put64(&w.f, base + 3 * 640, 0x77);
	/* A large object: 40,960 bytes of it. */
	m = put_span(&w, 4, 5, 5 * GO_PAGE_BYTES, 1, 0, SWEEPGEN);
	set_bit(&w, 2, 0, 0);
	fake_set(&w.f, m, L->mspan_largeType, t);
	fake_put64(&w.f, ARENA + 4 * GO_PAGE_BYTES + 24 * 1000 + 8, 0x300);
	fake_put64(&w.f, ARENA + 4 * GO_PAGE_BYTES + 24 * 1000, 0x2ff);
	/* noscan */
	put_span(&w, 10, 1, 64, 128, 5 << 1 | 1, SWEEPGEN);
	set_bit(&w, 3, 0, 0);
	fake_put64(&w.f, ARENA + 10 * GO_PAGE_BYTES, 0x400);
	/* A large object that is none: not yet, or no more. */
	m = put_span(&w, 12, 5, 5 * GO_PAGE_BYTES, 1, 0, SWEEPGEN);
	fake_set(&w.f, m, L->mspan_largeType, t);
	fake_put64(&w.f, ARENA + 12 * GO_PAGE_BYTES + 8, 0x500);

	assert_null(go_heap_read(&w.g, 1, &w.h));
	assert_int_equal(w.h.spans.n, 5);
	assert_int_equal(w.h.nobjects, 320 + 12 + 1 + 128 + 1);
	assert_null(go_heap_scan(&w.g, &w.h, 0, w.h.spans.n, &ops, &f));
	snprintf(want_text, sizeof(want_text),
		 "0+8=101(100);2+0=106(0);2+8=107(0);321+16=201(200);321+616=225(0);lost %" PRIx64
		 "+640;"
		 "332+24008=300(2ff);",
		 base + 3 * 640);
	assert_string_equal(f.text, want_text);
	assert_int_equal(f.nobjects, 4);
	assert_int_equal(f.word0[0], 0x100);
	assert_int_equal(f.word0[1], 0); /* a pointer by the mask */
	assert_int_equal(f.word0[2], 0x200);

	/* One at a time gives the same. */
	f = (struct found){ 0 };
	for (uint64_t id = 0; id < w.h.nobjects; id++)
		if (go_bit(w.h.alloc_bits, id))
			assert_null(go_heap_scan_object(&w.g, &w.h, id, &ops, &f));
	assert_string_equal(f.text, want_text);

	/* Interior pointers; the tail of a span, gaps and other places are no objects. */
	assert_int_equal(go_heap_object_at(&w.h, ARENA), 0);
	assert_int_equal(go_heap_object_at(&w.h, ARENA + 47), 1);
	assert_int_equal(go_heap_object_at(&w.h, ARENA + 320 * 24 - 1), 319);
	assert_true(go_heap_object_at(&w.h, ARENA + 320 * 24) == GO_NO_OBJECT);
	assert_int_equal(go_heap_object_at(&w.h, ARENA + 8 * GO_PAGE_BYTES), 332);
	assert_true(go_heap_object_at(&w.h, ARENA + 20 * GO_PAGE_BYTES) == GO_NO_OBJECT);
	assert_true(go_heap_object_at(&w.h, ARENA - 1) == GO_NO_OBJECT);
	assert_true(go_heap_object_at(&w.h, 0) == GO_NO_OBJECT);
	assert_true(go_heap_object_at(&w.h, UINT64_MAX) == GO_NO_OBJECT);
	for (uint64_t id = 0; id < w.h.nobjects; id++) {
		uint64_t nbytes;
		taddr a = go_heap_address(&w.h, id, &nbytes);

		assert_int_equal(go_heap_object_at(&w.h, a), id);
		assert_int_equal(go_heap_object_at(&w.h, a + nbytes - 1), id);
	}
	world_close(&w);
}

/* mspans that contradict themselves are losses, and nothing is read beyond. */
static void check_hostile(const struct go_layout *L)
{
	static const struct {
		uint64_t npages, elem, nelems;
	} bad[] = {
		{ 0, 48, 160 },	 { 1ULL << 50, 48, 160 },  { 1, 0, 160 },
		{ 1, 48, 0 },	 { 1, 48, 171 },	   { 1, 49, 10 },
		{ 1, 16384, 1 }, { 1, UINT64_MAX - 7, 1 }, { 1 << 20, 8192, 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct world w;
		taddr m;

		world_open(&w, L);
		m = put_span(&w, 0, 1, 48, 160, 4 << 1, SWEEPGEN);
		fake_set(&w.f, m, L->mspan_npages, bad[i].npages);
		fake_set(&w.f, m, L->mspan_elemsize, bad[i].elem);
		fake_set(&w.f, m, L->mspan_nelems, bad[i].nelems);
		put_span(&w, 3, 1, 48, 160, 4 << 1, SWEEPGEN);
		/* bits that cannot be read */
		m = put_span(&w, 4, 1, 48, 160, 4 << 1, SWEEPGEN);
		fake_set(&w.f, m, L->mspan_allocBits, 0x1234);
		assert_null(go_heap_read(&w.g, 1, &w.h));
		assert_int_equal(w.h.spans.n, 2);
		assert_true(w.h.lost_spans >= 2);
		world_close(&w);
	}
}

/* Free spans leave their entries in the page table: also of an mspan that is used again. */
static void check_stale(const struct go_layout *L)
{
	struct world w;
	taddr m;

	world_open(&w, L);
	m = put_span(&w, 5, 2, 1024, 16, 10 << 1 | 1, SWEEPGEN);
	for (uint64_t p = 3; p < 5; p++)
		fake_put64(&w.f, META + (uint64_t)L->heapArena_spans.off + p * 8, m);
	m = put_span(&w, 9, 1, 1024, 8, 10 << 1 | 1, SWEEPGEN);
	fake_set(&w.f, m, L->mspan_state, (uint64_t)L->c_mSpanDead);
	m = put_span(&w, 10, 4, 32768, 1, 0, SWEEPGEN);
	fake_set(&w.f, m, L->mspan_state, (uint64_t)L->c_mSpanManual);
	/* In use, with objects, and no page names it: lost. */
	m = put_span(&w, 20, 1, 1024, 8, 10 << 1 | 1, SWEEPGEN);
	fake_set(&w.f, m, L->mspan_allocCount, 3);
	fake_put64(&w.f, META + (uint64_t)L->heapArena_spans.off + 20 * 8, 0);
	assert_null(go_heap_read(&w.g, 1, &w.h));
	assert_int_equal(w.h.spans.n, 1);
	assert_true(go_heap_object_at(&w.h, ARENA + 4 * GO_PAGE_BYTES) == GO_NO_OBJECT);
	assert_int_equal(go_heap_object_at(&w.h, ARENA + 5 * GO_PAGE_BYTES + 1024), 1);
	assert_int_equal(w.h.nmanual_spans, 1);
	assert_int_equal(w.h.manual_span_bytes, 4 * GO_PAGE_BYTES);
	assert_int_equal(go_heap_manual_at(&w.h, ARENA + 10 * GO_PAGE_BYTES - 1).end, 0);
	assert_int_equal(go_heap_manual_at(&w.h, ARENA + 10 * GO_PAGE_BYTES).end,
			 ARENA + 14 * GO_PAGE_BYTES);
	assert_int_equal(go_heap_manual_at(&w.h, ARENA + 14 * GO_PAGE_BYTES - 1).start,
			 ARENA + 10 * GO_PAGE_BYTES);
	assert_int_equal(go_heap_manual_at(&w.h, ARENA + 14 * GO_PAGE_BYTES).end, 0);
	assert_int_equal(w.h.lost_spans, 1);
	world_close(&w);
}

/* malloc.go, sysAlloc: arenas of user arena chunks are not in the list of arenas. */
static void check_unlisted(const struct go_layout *L)
{
	struct world w;
	taddr m;

	world_open(&w, L);
	fake_put64(&w.f, MHEAP + (uint64_t)L->mheap_heapArenas.off + 8, 0);
	put_span(&w, 5, 1, 1024, 8, 10 << 1 | 1, SWEEPGEN);
	/* One that names a place without an arena changes nothing. */
	m = put_span(&w, 7, 1, 1024, 8, 10 << 1 | 1, SWEEPGEN);
	fake_set(&w.f, m, L->mspan_startAddr, 0x7f0000000000);
	assert_null(go_heap_read(&w.g, 1, &w.h));
	assert_int_equal(w.h.narenas, 1);
	assert_int_equal(w.h.spans.n, 1);
	assert_int_equal(go_heap_object_at(&w.h, ARENA + 5 * GO_PAGE_BYTES), 0);
	world_close(&w);
}

/* Arenas that are said to have one page table among them: read once, and the others are lost. */
static void check_shared_metadata(const struct go_layout *L)
{
	uint64_t arena_no = (ARENA - (uint64_t)L->c_arenaBaseOffset) / (64 << 20);
	struct world w;

	world_open(&w, L);
	fake_map(&w.f, L2 + (arena_no + 1) * 8, 16);
	fake_put64(&w.f, L2 + (arena_no + 1) * 8, META);
	fake_put64(&w.f, L2 + (arena_no + 2) * 8, META + 4096);
	fake_put64(&w.f, LIST + 0x8008, arena_no + 1);
	fake_put64(&w.f, LIST + 0x8010, arena_no + 2);
	fake_put64(&w.f, MHEAP + (uint64_t)L->mheap_heapArenas.off + 8, 3);
	put_span(&w, 5, 1, 1024, 8, 10 << 1 | 1, SWEEPGEN);
	assert_null(go_heap_read(&w.g, 1, &w.h));
	assert_int_equal(w.h.narenas, 3);
	assert_int_equal(w.h.spans.n, 1);
	assert_int_equal(w.h.lost_spans, 2);
	assert_int_equal(w.h.lost_bytes, 2 * (64 << 20));
	assert_int_equal(go_heap_object_at(&w.h, ARENA + 5 * GO_PAGE_BYTES), 0);
	world_close(&w);
}

/* mgcmark.go, gcMarkTinyAllocs: what the Ps hand out pieces of is a root; a P without one has none.
 */
static void check_tiny(const struct go_layout *L)
{
	const taddr allp = RT + 0x20000, p = RT + 0x21000, cache = RT + 0x22000;
	struct world w;

	world_open(&w, L);
	w.g.v.allp = allp;
	fake_put64(&w.f, allp, allp + 0x100);
	fake_put64(&w.f, allp + 8, 4);
	fake_put64(&w.f, allp + 0x100, p);
	fake_put64(&w.f, allp + 0x108, 0);
	fake_put64(&w.f, allp + 0x110, p + 0x800);
	fake_put64(&w.f, allp + 0x118, 0xdead0000); /* lost */
	fake_set(&w.f, p, L->p_mcache, cache);
	fake_set(&w.f, cache, L->mcache_tiny, ARENA + 5 * GO_PAGE_BYTES + 16);
	put_span(&w, 5, 1, 16, 512, 2 << 1 | 1, SWEEPGEN);
	set_bit(&w, 0, 0, 1);
	assert_null(go_heap_read(&w.g, 1, &w.h));
	assert_int_equal(w.h.roots.n, 1);
	assert_int_equal(w.h.roots.v[0].kind, GO_ROOT_RUNTIME);
	assert_int_equal(w.h.roots.v[0].at, cache + (uint64_t)L->mcache_tiny.off);
	assert_int_equal(w.h.roots.v[0].value, ARENA + 5 * GO_PAGE_BYTES + 16);
	assert_int_equal(w.h.lost_spans, 1);
	world_close(&w);
}

static void each_layout(void (*check)(const struct go_layout *L))
{
	size_t n;
	const struct go_layout *const *layouts = go_layouts(&n);

	for (size_t i = 0; i < n; i++)
		if (go_layout_ptr_bits(layouts[i]) == GO_MALLOC_HEADER)
			check(layouts[i]);
}

static void check_states(const struct go_layout *L)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		check_state(L, i);
}

static void test_states(void **state)
{
	(void)state;
	each_layout(check_states);
}

static void test_scan(void **state)
{
	(void)state;
	each_layout(check_scan);
}

static void test_stale(void **state)
{
	(void)state;
	each_layout(check_stale);
}

static void test_shared_metadata(void **state)
{
	(void)state;
	each_layout(check_shared_metadata);
}

static void test_unlisted(void **state)
{
	(void)state;
	each_layout(check_unlisted);
}

static void test_tiny(void **state)
{
	(void)state;
	each_layout(check_tiny);
}

static void test_hostile(void **state)
{
	(void)state;
	each_layout(check_hostile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_unlisted),
		cmocka_unit_test(test_shared_metadata),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_tiny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
