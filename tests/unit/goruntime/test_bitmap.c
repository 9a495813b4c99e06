/*
 * test_bitmap.c - pointer bits in heap arenas, of both forms, against maps drawn as text.
 *
 * A word is 'p' pointer, 's' scalar with pointers behind it, '-' behind the object's last pointer,
 * 'x' the same with bits that mean nothing (Go to 1.19 does not clear them).
 */
#include "fake_target.h"

#include "goruntime/heap_scan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define ARENA ((taddr)0xc000000000)
#define META  ((taddr)0x7f0000000000)
#define PAGES 0x1000

static const struct draw {
	const char *words; /* objects of equal size, apart by '|' */
	uint64_t bit;	   /* where the first one begins */
	const char *ptrs;  /* what is left of it */
} draws[] = {
	{ "psp-", 0, "1010" },
	{ "psp-|pppp|----", 0, "101011110000" },
	{ "p-xx|s-xx|sssp", 0, "100000000001" },
	{ "pxxxxx|xxxxxx|pppppp", 60, "100000000000111111" },
	{ "ssp--x|psx-x-", 61, "001000100000" },
};

struct world {
	struct fake f;
	struct go g;
	struct go_heap h;
	struct go_scanner sc;
	uint32_t slot;
	taddr meta;
};

static void nothing_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg;
	(void)addr;
	(void)nbytes;
	fail();
}

static void count_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)addr;
	*(uint64_t *)arg += nbytes;
}

static void world_open(struct world *w, const struct go_layout *L)
{
	*w = (struct world){ .slot = 1, .meta = META };
	w->g.L = L;
	fake_map(&w->f, META + (uint64_t)L->heapArena_bitmap.off, PAGES);
	w->g.t = fake_open(&w->f);
	w->h.index = (struct go_heap_index){ .lo = ARENA,
					     .nslots = 1,
					     .arena_shift = 26,
					     .narenas = 1,
					     .arena_slot = &w->slot,
					     .meta = &w->meta };
	w->sc = (struct go_scanner){ .g = &w->g, .h = &w->h };
	assert_null(go_bitmap_init(&w->sc));
	assert_true(go_bitmaps(&w->sc));
}

static void world_close(struct world *w)
{
	free(w->sc.ptrs);
	free(w->sc.alive);
	free(w->sc.raw);
	fake_close(&w->f);
}

/* mbitmap.go: heapBits of 1.18, heapBitsForAddr of 1.20 */
static void put(struct world *w, uint64_t word, char c)
{
	const struct go_layout *L = w->g.L;
	bool two = go_layout_ptr_bits(L) == GO_BITMAP_2BIT;
	uint64_t at = two ? word / 4 : word / 8;
	uint8_t *p = fake_at(&w->f, META + (uint64_t)L->heapArena_bitmap.off + at);
	unsigned bit = (unsigned)(word % (two ? 4 : 8));

	if (c == 'p' || (c == 'x' && two))
		*p |= (uint8_t)(1U << bit);
	if (two && (c == 'p' || c == 's'))
		*p |= (uint8_t)(0x10U << bit);
}

static void check(const struct go_layout *L, const struct draw *d)
{
	uint64_t each = strcspn(d->words, "|"), word = d->bit, n = strlen(d->ptrs);
	struct world w;

	world_open(&w, L);
	for (const char *s = d->words; *s; s++)
		if (*s != '|')
			put(&w, word++, *s);
	assert_null(go_bitmap_load(&w.sc, ARENA, 1024, nothing_lost, NULL));
	for (uint64_t i = 0; i < n; i += each) {
		const char *o = d->words + i + i / each;

		assert_int_equal(go_bitmap_cut(&w.sc, d->bit + i, each),
				 !w.sc.alive || strcspn(o, "-x") >= each);
	}
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(go_bit(w.sc.ptrs, d->bit + i), d->ptrs[i] - '0');
	world_close(&w);
}

static void each(void (*fn)(const struct go_layout *L))
{
	size_t n, seen = 0;
	const struct go_layout *const *l = go_layouts(&n);

	for (size_t i = 0; i < n; i++) {
		enum go_ptr_bits kind = go_layout_ptr_bits(l[i]);

		if (kind != GO_BITMAP_1BIT && kind != GO_BITMAP_2BIT)
			continue;
		fn(l[i]);
		seen |= 1U << kind;
	}
	assert_int_equal(seen, 1U << GO_BITMAP_1BIT | 1U << GO_BITMAP_2BIT);
}

static void check_draws(const struct go_layout *L)
{
	for (size_t i = 0; i < ARRAY_LEN(draws); i++)
		check(L, &draws[i]);
}

static void test_draws(void **state)
{
	(void)state;
	each(check_draws);
}

/* What is not there, or no arena knows, is told, and is no pointer. */
static void check_lost(const struct go_layout *L)
{
	uint64_t lost = 0;
	struct world w;

	world_open(&w, L);
	assert_null(go_bitmap_load(&w.sc, ARENA + (1 << 25), 4096, count_lost, &lost));
	assert_int_equal(lost, 4096);
	assert_null(go_bitmap_load(&w.sc, ARENA + (1 << 26) - 512, 1024, count_lost, &lost));
	assert_int_equal(lost, 4096 + 1024);
	assert_int_equal(w.sc.ptrs[0] | w.sc.ptrs[1], 0);
	world_close(&w);
}

static void test_lost(void **state)
{
	(void)state;
	each(check_lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_draws),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
