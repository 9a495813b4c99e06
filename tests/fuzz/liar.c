/*
 * liar.c - lies about single words, whole reads and the end of the process.
 *
 * Cost: a hash for each word that is read.
 */
#include "liar.h"

#include <stdatomic.h>
#include <stdio.h>

uint64_t liar_hash(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15U ^ b;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

static uint64_t from_pool(const struct liar *l, taddr at, uint64_t h)
{
	static const uint64_t odd[] = { 0,	    1,
					7,	    64,
					0xff,	    0x7fffffff,
					0x80000000, 0xffffffff,
					1ULL << 32, 1ULL << 40,
					1ULL << 47, 1ULL << 62,
					1ULL << 63, 0x7fffffffffffffff,
					~0ULL,	    ~7ULL,
					0x100000,   0x2000000,
					4096 };

	switch (h % 8) {
	case 0:
	case 1:
		return odd[(h >> 8) % ARRAY_LEN(odd)];
	case 2:
		return h * 0x9e3779b97f4a7c15U;
	case 3:
		return at; /* itself */
	case 4:
		return at + 8 * ((h >> 8) % 64) - 256;
	default:
		if (!l->notes || !l->notes->pool.n)
			return at & ~4095ULL;
		return l->notes->pool.v[(h >> 8) % l->notes->pool.n] +
		       ((h >> 40) % 4 ? 0 : (h >> 48) % 64 * 8);
	}
}

/* A whole word of truth becomes one of lies. */
static uint64_t twist(const struct liar *l, taddr at, uint64_t truth, uint64_t h)
{
	uint64_t g = liar_hash(h, 77);

	switch (h >> 8 & 7) {
	case 0:
		return truth ^ 1ULL << (g & 63);
	case 1:
		return truth + (g & 0xff) - 128;
	case 2: /* half of it */
		return g & 1 ? (truth & 0xffffffff) | from_pool(l, at, g >> 4) << 32
			     : (truth & ~0xffffffffULL) | (uint32_t)from_pool(l, at, g >> 4);
	case 3: { /* a byte */
		unsigned sh = (unsigned)(g & 7) * 8;

		return (truth & ~(0xffULL << sh)) | (g >> 8 & 0xff) << sh;
	}
	default:
		return from_pool(l, at, g);
	}
}

static bool is_chosen(const struct liar *l, taddr at)
{
	size_t lo = 0, hi = l->chosen.n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->chosen.v[mid] < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->chosen.n && l->chosen.v[lo] == at;
}

static bool lies_at(const struct liar *l, taddr at, uint64_t h)
{
	switch (l->lie) {
	case LIE_WORDS:
	case LIE_UNSTABLE:
		return h % l->rate_inv == 0;
	case LIE_PAGES:
		return liar_hash(at >> 12, l->seed) % l->rate_inv == 0 && h % 7 != 0;
	case LIE_HOT:
		return is_chosen(l, at);
	default:
		return false;
	}
}

static void lie_words(struct liar *l, taddr addr, uint8_t *buf, size_t n, uint64_t salt)
{
	for (taddr at = (addr + 7) & ~7ULL; at - addr + 8 <= n; at += 8) {
		uint64_t h = liar_hash(at, salt), word;

		if (!lies_at(l, at, h))
			continue;
		memcpy(&word, buf + (at - addr), 8);
		word = twist(l, at, word, liar_hash(h, 3));
		memcpy(buf + (at - addr), &word, 8);
	}
	/* Reads of less than a word, or at an odd address. */
	if (n < 8) {
		uint64_t word = 0, h = liar_hash(addr & ~7ULL, salt);

		if (!lies_at(l, addr & ~7ULL, h))
			return;
		memcpy(&word, buf, n);
		word = twist(l, addr, word, liar_hash(h, 3));
		memcpy(buf, &word, n);
	}
}

static struct err *lie_read(struct target *t, taddr addr, void *buf, size_t nbytes, size_t *ret)
{
	struct liar *l = (struct liar *)t;
	uint64_t nr = l->armed ? atomic_fetch_add(&l->nreads, 1) : 0;
	uint64_t h = liar_hash(nr, l->seed);

	if (l->record && nbytes <= 512)
		(void)vec_push(&l->record->hot, (struct trange){ addr, addr + nbytes });
	if (l->armed && l->lie == LIE_GONE && nr >= l->nth)
		return err_new(ERR_GONE, "process 1: it ended");
	if (l->armed &&
	    ((l->lie == LIE_FAULT_NTH && nr == l->nth) ||
	     (l->lie == LIE_FAULT_RATE && liar_hash(addr >> 12, l->seed) % l->rate_inv == 0))) {
		*ret = 0;
		return NULL;
	}
	if (l->armed && l->lie == LIE_SHORT && h % l->rate_inv == 0)
		nbytes = h >> 32 & 1 ? 1 + (h >> 40) % nbytes : 1 + (h >> 40) % MIN(nbytes, 64);

	struct err *err = target_read_some(l->inner, addr, buf, nbytes, ret);

	if (!err && *ret && l->armed)
		lie_words(l, addr, buf, *ret, l->lie == LIE_UNSTABLE ? h : l->seed);
	return err;
}

static const struct target_ops liar_ops = { .read_some = lie_read };

static int by_addr(const void *a, const void *b)
{
	taddr x = *(const taddr *)a, y = *(const taddr *)b;

	return x < y ? -1 : x > y;
}

static struct err *choose(struct liar *l)
{
	unsigned n = 1U << liar_hash(l->seed, 5) % 8;
	const struct liar_notes *k = l->notes;

	for (unsigned i = 0; i < n && k->hot.n; i++) {
		struct trange r = k->hot.v[liar_hash(l->seed, 100 + i) % k->hot.n];
		taddr at = (r.start & ~7ULL) +
			   8 * (liar_hash(l->seed, 5000 + i) % (trange_bytes(r) / 8 + 1));

		if (!vec_push(&l->chosen, at))
			return &err_nomem;
	}
	if (l->chosen.n)
		qsort(l->chosen.v, l->chosen.n, sizeof(taddr), by_addr);
	return NULL;
}

struct err *liar_init(struct liar *l, struct target *inner, uint64_t seed,
		      const struct liar_notes *notes)
{
	uint64_t h = liar_hash(seed, 1);

	*l = (struct liar){ .t = *inner, .inner = inner, .seed = seed, .notes = notes };
	l->t.ops = &liar_ops;
	if (!notes)
		return NULL;
	/* Half of all runs: a few words where it matters. */
	l->lie = h & 1 ? LIE_HOT : (enum lie)(LIE_FAULT_NTH + (h >> 8) % (LIE_HOT - LIE_FAULT_NTH));
	l->nth = (h >> 16) % (1ULL << (h >> 32) % 12);
	l->rate_inv = 3ULL << (h >> 40) % 18;
	if (l->lie == LIE_FAULT_RATE || l->lie == LIE_PAGES)
		l->rate_inv = 2ULL << (h >> 40) % 10;
	if (l->lie == LIE_SHORT)
		l->rate_inv = 1 + (h >> 40) % 20;
	return l->lie == LIE_HOT ? choose(l) : NULL;
}

void liar_deinit(struct liar *l)
{
	vec_free(&l->chosen);
}

void liar_describe(const struct liar *l, char *buf, size_t n)
{
	static const char *const word[LIES] = { "none",	 "fault-nth", "fault-rate", "short", "gone",
						"words", "unstable",  "pages",	    "hot" };

	snprintf(buf, n, "%s nth=%" PRIu64 " 1/%" PRIu64 " chosen=%zu", word[l->lie], l->nth,
		 l->rate_inv, l->chosen.n);
}
