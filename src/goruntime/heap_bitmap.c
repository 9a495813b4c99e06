/*
 * heap_bitmap.c - pointer bits that lie in the heap's arenas (Go up to 1.21).
 *
 * Source: runtime/mheap.go (heapArena.bitmap), mbitmap.go (heapBits).  Both forms become one: a
 * bit a word.
 *   1.20, 1.21   a bit a word; what lies behind an object's last pointer is clear
 *                (writeHeapBits.flush), so that noMorePtrs is not needed
 *   1.18, 1.19   a byte for 4 words: low nibble pointers, high nibble "scan"; the first word of an
 *                object without its scan bit ends it, behind it the bits mean nothing
 * Knows nothing of the words themselves.  Cost: one read a run of spans, 1/64 or 1/32 of it.
 */
#include "goruntime/heap_scan.h"

#include <assert.h>

#define BIT_WORDS (GO_SCAN_BYTES / 512 + 2) /* go_bits64() looks at the word behind */

struct err *go_bitmap_init(struct go_scanner *sc)
{
	enum go_ptr_bits kind = go_layout_ptr_bits(sc->g->L);

	if (kind != GO_BITMAP_1BIT && kind != GO_BITMAP_2BIT)
		return NULL;
	sc->ptrs = zalloc(BIT_WORDS, 8);
	if (!sc->ptrs)
		return &err_nomem;
	if (kind == GO_BITMAP_1BIT)
		return NULL;
	sc->alive = zalloc(BIT_WORDS, 8);
	sc->raw = zalloc(BIT_WORDS, 16);
	return sc->alive && sc->raw ? NULL : &err_nomem;
}

/* The low nibble of each byte. */
static uint64_t nibbles(uint64_t x)
{
	x &= 0x0f0f0f0f0f0f0f0fULL;
	x = (x | x >> 4) & 0x00ff00ff00ff00ffULL;
	x = (x | x >> 8) & 0x0000ffff0000ffffULL;
	return (x | x >> 16) & 0xffffffffULL;
}

static void split(struct go_scanner *sc, uint64_t word, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t lo = load_u64(sc->raw + 16 * i), hi = load_u64(sc->raw + 16 * i + 8);

		sc->ptrs[word + i] = nibbles(lo) | nibbles(hi) << 32;
		sc->alive[word + i] = nibbles(lo >> 4) | nibbles(hi >> 4) << 32;
	}
}

/* n groups of 64 words that lie in one arena, into sc->ptrs from `word` on. */
static struct err *load_piece(struct go_scanner *sc, taddr at, uint64_t word, uint64_t n)
{
	const struct go_heap_index *x = &sc->h->index;
	const struct go_layout *L = sc->g->L;
	uint64_t slot = (at - x->lo) >> x->arena_shift;
	uint64_t in = (at & ((1ULL << x->arena_shift) - 1)) / 512; /* arenas are aligned */
	unsigned each = sc->alive ? 16 : 8;
	uint32_t arena = slot < x->nslots ? x->arena_slot[slot] : 0;
	taddr meta = arena ? x->meta[arena - 1] : 0;
	struct err *err;

	if (!meta || (in + n) * each > L->heapArena_bitmap.bytes)
		return err_fault(at);
	meta += (uint64_t)L->heapArena_bitmap.off + in * each;
	err = target_read(sc->g->t, meta, sc->alive ? sc->raw : (uint8_t *)(sc->ptrs + word),
			  (size_t)n * each);
	if (!err && sc->alive)
		split(sc, word, n);
	return err;
}

struct err *go_bitmap_load(struct go_scanner *sc, taddr at, uint64_t nbytes,
			   void (*lost)(void *arg, taddr addr, uint64_t nbytes), void *arg)
{
	uint64_t words = (nbytes + 511) / 512, step;
	uint64_t arena_bytes = 1ULL << sc->h->index.arena_shift;
	struct err *err = NULL;

	assert(go_bitmaps(sc) && !(at & 511) && words < BIT_WORDS);
	for (uint64_t w = 0; w < words && !err; w += step) {
		taddr a = at + 512 * w;

		step = MIN(words - w, (arena_bytes - (a & (arena_bytes - 1))) / 512);
		err = load_piece(sc, a, w, step);
		if (err_catch(&err, ERR_FAULT)) {
			memset(sc->ptrs + w, 0, (size_t)step * 8);
			if (sc->alive)
				memset(sc->alive + w, 0, (size_t)step * 8);
			lost(arg, a, step * 512);
		}
	}
	return err;
}

static void clear(uint64_t *bits, uint64_t at, uint64_t what)
{
	unsigned sh = at & 63;

	bits[at >> 6] &= ~(what << sh);
	if (sh)
		bits[(at >> 6) + 1] &= ~(what >> (64 - sh));
}

bool go_bitmap_cut(struct go_scanner *sc, uint64_t bit, uint64_t n)
{
	bool dead = false;

	for (uint64_t i = 0; sc->alive && i < n; i += 64) {
		uint64_t keep = n - i < 64 ? (1ULL << (n - i)) - 1 : UINT64_MAX;
		uint64_t ends = ~go_bits64(sc->alive, bit + i) & keep, wrong;

		if (!dead && !ends)
			continue;
		wrong = dead ? keep : keep & ~((ends & (0 - ends)) - 1);
		wrong &= go_bits64(sc->ptrs, bit + i);
		if (wrong)
			clear(sc->ptrs, bit + i, wrong);
		dead = true;
	}
	return !dead;
}

void go_bitmap_cut_span(struct go_scanner *sc, const struct go_span *s, uint64_t bit)
{
	uint64_t ew = s->elem_bytes / 8;

	for (uint32_t k = 0; k < s->nelems; k++)
		go_bitmap_cut(sc, bit + k * ew, ew);
}
