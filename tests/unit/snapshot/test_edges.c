/*
 * test_edges.c - edges over a heap of random spans, against a list made while writing it.
 *
 * Several chunks, one and many threads: the same rows in id order.
 */
#include "../goruntime/fake_target.h"

#include "snapshot/names.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define RT	0x400000UL
#define MHEAP	RT
#define LIST	(RT + 0x40000)
#define MSPANS	0x1000000UL
#define BITMAPS 0x4000000UL
#define META	0x600000UL
#define L2	0x800000UL
#define ARENA	0xc000000000UL
#define NPAGES	1500 /* 12 MiB: three chunks */
#define ELEM	64
#define NELEMS	120

struct world {
	struct fake f;
	struct go g;
	uint32_t *first, *to; /* the truth */
	uint32_t m, bad;
};

static uint32_t seed = 7;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % below;
}

static uint64_t bits_at(const struct go_layout *L, uint64_t page)
{
	return ARENA + (page + 1) * GO_PAGE_BYTES - 128 -
	       (go_has(L->spanInlineMarkBits_marks) ? 128 : 0);
}

static bool allocated(struct world *w, uint64_t id)
{
	return *fake_at(&w->f, BITMAPS + id / NELEMS * 64 + id % NELEMS / 8) >> (id % NELEMS % 8) &
	       1;
}

static void put_spans(struct world *w)
{
	const struct go_layout *L = w->g.L;

	for (uint64_t p = 0; p < NPAGES; p++) {
		taddr at = MSPANS + p * 512;

		fake_set(&w->f, at, L->mspan_startAddr, ARENA + p * GO_PAGE_BYTES);
		fake_set(&w->f, at, L->mspan_npages, 1);
		fake_set(&w->f, at, L->mspan_nelems, NELEMS);
		fake_set(&w->f, at, L->mspan_elemsize, ELEM);
		fake_set(&w->f, at, L->mspan_limit, ARENA + p * GO_PAGE_BYTES + ELEM * NELEMS);
		fake_set(&w->f, at, L->mspan_spanclass, 10 + (p % 7 == 0)); /* one in 7 is noscan */
		fake_set(&w->f, at, L->mspan_state, (uint64_t)L->c_mSpanInUse);
		fake_set(&w->f, at, L->mspan_allocBits, BITMAPS + p * 64);
		fake_set(&w->f, at, L->mspan_gcmarkBits, BITMAPS + p * 64 + 32);
		for (unsigned i = 0; i < NELEMS; i++)
			if (rnd(10))
				*fake_at(&w->f, BITMAPS + p * 64 + i / 8) |=
					(uint8_t)(1 << (i % 8));
		fake_put64(&w->f, META + (uint64_t)L->heapArena_spans.off + p * 8, at);
	}
}

/* One object's words; the truth gets what the collector would follow. */
static void put_object(struct world *w, uint64_t id, uint64_t p, unsigned slot)
{
	for (unsigned k = 0; k < ELEM / 8; k++) {
		uint64_t word = slot * (ELEM / 8) + k, to = rnd(NPAGES * NELEMS);
		taddr value = ARENA + to / NELEMS * GO_PAGE_BYTES + to % NELEMS * ELEM + rnd(ELEM);
		bool ptr = rnd(3) == 0;

		if (rnd(10) == 0)
			value = rnd(2) ? 0 : 0x1234567;
		fake_put64(&w->f, ARENA + p * GO_PAGE_BYTES + word * 8, value);
		if (ptr && p % 7)
			*fake_at(&w->f, bits_at(w->g.L, p) + word / 8) |=
				(uint8_t)(1 << (word % 8));
		if (!ptr || p % 7 == 0 || value < ARENA || !allocated(w, id))
			continue;
		if (allocated(w, to))
			w->to[w->m++] = (uint32_t)to;
		else
			w->bad++;
	}
}

static void world_open(struct world *w, const struct go_layout *L)
{
	uint64_t arena_no = (ARENA - (uint64_t)L->c_arenaBaseOffset) / (64 << 20);
	uint64_t n = (uint64_t)NPAGES * NELEMS, id = 0;

	*w = (struct world){ 0 };
	w->g.L = L;
	w->first = zalloc(n + 1, 4);
	w->to = zalloc(n * 8, 4);
	fake_map(&w->f, RT, 0x80000);
	fake_map(&w->f, META, MAX(L->heapArena_bytes, 65536U));
	fake_map(&w->f, L2 + arena_no * 8, 8);
	fake_map(&w->f, MSPANS, NPAGES * 512 + 4096);
	fake_map(&w->f, BITMAPS, NPAGES * 64);
	fake_map(&w->f, ARENA, (size_t)NPAGES * GO_PAGE_BYTES);
	w->g.t = fake_open(&w->f);
	w->g.v.mheap = MHEAP;
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_arenas.off, L2);
	fake_put64(&w->f, L2 + arena_no * 8, META);
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_heapArenas.off, LIST);
	fake_put64(&w->f, MHEAP + (uint64_t)L->mheap_heapArenas.off + 8, 1);
	fake_put64(&w->f, LIST, arena_no);
	put_spans(w);
	for (uint64_t p = 0; p < NPAGES; p++)
		for (unsigned i = 0; i < NELEMS; i++) {
			w->first[id] = w->m;
			put_object(w, id++, p, i);
		}
	w->first[id] = w->m;
}

static void world_close(struct world *w)
{
	free(w->first);
	free(w->to);
	fake_close(&w->f);
}

/* The word that is kept of each edge is read again: it leads where the edge does. */
static void check_words(const struct snapshot *s, const struct snap_edges *e)
{
	assert_non_null(s->words.v);
	for (uint64_t id = 0; id < e->n; id++)
		for (uint32_t k = e->first[id]; k < e->first[id + 1]; k++) {
			uint64_t bytes, value = 0;
			taddr at = go_heap_address(&s->heap, id, &bytes);

			assert_true(s->words.v[k] < bytes / 8);
			assert_true(k == e->first[id] || s->words.v[k - 1] < s->words.v[k]);
			assert_null(target_read(s->t, at + 8ULL * s->words.v[k], &value, 8));
			assert_int_equal(go_heap_object_at(&s->heap, value), e->to[k]);
		}
}

static void check(struct world *w, unsigned nthreads)
{
	struct snapshot s = { .t = w->g.t, .go = &w->g, .keep = SNAP_KEEP_WORDS };
	struct snap_edges e;

	assert_null(snap_names_create(&s.names));
	assert_null(go_types_create(&w->g, &s.rtypes));
	assert_null(go_heap_read(&w->g, nthreads, &s.heap));
	assert_int_equal(s.heap.nobjects, NPAGES * NELEMS);
	assert_null(snapshot_edges(&s, nthreads, &e));
	assert_int_equal(e.n, NPAGES * NELEMS);
	assert_int_equal(e.m, w->m);
	assert_int_equal(e.bad, w->bad);
	assert_memory_equal(e.first, w->first, (e.n + 1) * 4);
	assert_memory_equal(e.to, w->to, e.m * 4);
	check_words(&s, &e);
	assert_int_equal(s.losses.n, 0);
	snap_words_free(&s);
	snapshot_edges_deinit(&e);
	bigfree(s.type_of, s.heap.nobjects, 4);
	go_heap_deinit(&s.heap);
	go_types_free(s.rtypes);
	vec_free(&s.types);
	snap_names_free(s.names);
}

static void test_edges(void **state)
{
	size_t n;
	const struct go_layout *const *layouts = go_layouts(&n);

	(void)state;
	/* One with green tea's inline marks, one without. */
	for (size_t i = 0, with = 0, without = 0; i < n; i++) {
		struct world w;

		if (!go_has(layouts[i]->mspan_largeType) ||
		    (go_has(layouts[i]->spanInlineMarkBits_marks) ? with++ : without++))
			continue;
		world_open(&w, layouts[i]);
		assert_true(w.m > 100000 && w.bad > 1000);
		check(&w, 1);
		check(&w, 4);
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
