/*
 * heap_scan.h - the walk over all pointer words, as code to be inlined.
 *
 * go_heap_scan() (heap.h) is this with callbacks.  Who needs speed calls go_scan_spans()
 * with a constant struct go_scan_ops: the compiler then inlines the callbacks.
 *
 * Source: runtime/mbitmap.go (heapBitsSmallForAddr, typePointersOfUnchecked, next; to 1.21:
 * heapBitsForAddr, heapBits.next),
 * mgcmark.go (scanobject: an object is scanned to the end of its slot).
 * Spans without pointers are never read, their objects are not visited.
 * Cost: one read per run of neighbouring spans (1 MiB), O(objects + pointers).
 */
#ifndef LIMPET_GORUNTIME_HEAP_SCAN_H
#define LIMPET_GORUNTIME_HEAP_SCAN_H

#include "goruntime/heap.h"
#include "goruntime/heap_mask.h"

#define GO_SCAN_BYTES ((size_t)1 << 20)
#define GO_SCAN_SLACK 4096 /* the last bit word may be read with the one behind it */
#define GO_SCAN_MASKS 256

#define GO_INLINE static inline __attribute__((always_inline))

/* One worker's buffer and its masks. */
struct go_scanner {
	const struct go *g;
	const struct go_heap *h;
	uint8_t *buf; /* GO_SCAN_BYTES + GO_SCAN_SLACK */
	const struct go_mask *seen[GO_SCAN_MASKS];
	uint64_t bad_types; /* headers that are no types: counted, not scanned */
	/* where the heap's bits lie in its arenas, else NULL; heap_bitmap.c */
	uint64_t *ptrs;	 /* bit a word: pointer */
	uint64_t *alive; /* bit a word: it or a word behind it is a pointer (2-bit bitmaps) */
	uint8_t *raw;
};

struct err *go_scanner_init(struct go_scanner *sc, const struct go *g,
			    const struct go_heap *h) MUST_CHECK;
void go_scanner_deinit(struct go_scanner *sc);
struct err *go_bitmap_init(struct go_scanner *sc) MUST_CHECK; /* part of it */

/* go_heap_scan_object() (heap.h) without the cost of a scanner for each. */
struct err *go_scan_object(struct go_scanner *sc, uint64_t id, const struct go_scan_ops *ops,
			   void *arg) MUST_CHECK;

/*
 * Fill to with n bytes at addr; what cannot be read becomes zeros, and is told to lost.
 */
struct err *go_scan_read(struct go_scanner *sc, taddr addr, uint8_t *to, size_t n,
			 void (*lost)(void *arg, taddr addr, uint64_t nbytes),
			 void *arg) MUST_CHECK;

/* Mask for a type, through the scanner's own cache; NULL in *ret: no such type, counted. */
struct err *go_scan_mask_slow(struct go_scanner *sc, taddr type, uint64_t max_bytes,
			      const struct go_mask **ret) MUST_CHECK;

GO_INLINE struct err *go_scan_mask(struct go_scanner *sc, taddr type, uint64_t max_bytes,
				   const struct go_mask **ret)
{
	const struct go_mask *m = sc->seen[(type >> 5) % GO_SCAN_MASKS];

	if (__builtin_expect(m && m->type == type, 1)) {
		*ret = m;
		return NULL;
	}
	return go_scan_mask_slow(sc, type, max_bytes, ret);
}

/* Offset of the heap bits in a span: at its end, before green tea's inline marks. */
uint64_t go_span_bits_offset(const struct go *g, const struct go_span *s);

/*
 * sc->ptrs (and sc->alive) for the words of [at, at + nbytes), in terms of that range; at is a
 * multiple of 512, nbytes at most GO_SCAN_BYTES.  What cannot be read is told to lost, and no
 * pointer.
 */
struct err *go_bitmap_load(struct go_scanner *sc, taddr at, uint64_t nbytes,
			   void (*lost)(void *arg, taddr addr, uint64_t nbytes),
			   void *arg) MUST_CHECK;
/*
 * Clear sc->ptrs of the n words from bit on that lie behind the object's last pointer; nothing to
 * do for 1-bit bitmaps, where they are clear.  False: the object's last pointer lies here.
 */
bool go_bitmap_cut(struct go_scanner *sc, uint64_t bit, uint64_t n);
/* The same for all slots of a span that begins at that bit. */
void go_bitmap_cut_span(struct go_scanner *sc, const struct go_span *s, uint64_t bit);
static inline bool go_bitmaps(const struct go_scanner *sc)
{
	return sc->ptrs != NULL;
}

GO_INLINE uint64_t go_bits64(const uint64_t *bits, uint64_t at)
{
	unsigned sh = at & 63;
	uint64_t x = bits[at >> 6] >> sh;

	return sh ? x | bits[(at >> 6) + 1] << (64 - sh) : x;
}

/*
 * The pointer words that mask names among up to 64 words; at = offset of words[0] in the
 * slot.  before_ok: words[-1] may be looked at and is no pointer.
 */
GO_INLINE struct err *go_scan_words(const struct go_scan_ops ops, void *arg, uint64_t id,
				    uint64_t at, const uint64_t *words, uint64_t mask,
				    unsigned before_ok)
{
	uint64_t plain = ~mask << 1 | before_ok;

	while (mask) {
		unsigned i = (unsigned)__builtin_ctzll(mask);
		uint64_t value = words[i];

		mask &= mask - 1;
		if (value) {
			uint64_t before = plain >> i & 1 ? words[(int)i - 1] : 0;
			struct err *err = ops.pointer(arg, id, at + 8 * i, value, before);

			if (__builtin_expect(err != NULL, 0))
				return err;
		}
	}
	return NULL;
}

/*
 * n data words by a repeated type mask; the first of them is word w0 of the data.
 * words[-1] is valid when w0 > 0.
 */
GO_INLINE struct err *go_scan_typed(const struct go_scan_ops ops, void *arg, uint64_t id,
				    uint64_t at, const uint64_t *words, uint64_t n,
				    const struct go_mask *m, uint64_t w0)
{
	uint64_t r = (w0 >> 6) % m->size_words;
	unsigned before_ok = w0 && !(go_mask_word(m, w0 - 1) & 1);
	struct err *err = NULL;

	for (uint64_t i = 0; i < n && !err; i += 64) {
		uint64_t mask = m->rolled ? m->rolled[r] : go_mask_word(m, w0 + i);

		if (n - i < 64)
			mask &= (1ULL << (n - i)) - 1;
		if (mask)
			err = go_scan_words(ops, arg, id, at + 8 * i, words + i, mask, before_ok);
		before_ok = !(mask >> 63);
		r = r + 1 == m->size_words ? 0 : r + 1;
	}
	return err;
}

/* A slot with its type's header before it. */
GO_INLINE struct err *go_scan_header_slot(struct go_scanner *sc, const struct go_span *s,
					  uint64_t id, const uint64_t *words,
					  const struct go_scan_ops ops, void *arg)
{
	uint64_t n = s->elem_bytes / 8 - 1;
	const struct go_mask *m;
	struct err *err;

	if (!words[0]) /* malloc.go: the header is written last; nothing in it yet */
		return NULL;
	err = go_scan_mask(sc, words[0], s->elem_bytes, &m);
	if (err)
		return err;
	if (!m) {
		ops.lost(arg, s->base + (id - s->first) * s->elem_bytes, s->elem_bytes);
		return NULL;
	}
	err = ops.object(arg, id, words[0], go_mask_word(m, 0) & 1 ? 0 : words[1]);
	return err ? err : go_scan_typed(ops, arg, id, 8, words + 1, n, m, 0);
}

/* n data words by bits from `bit` on; the first of them lies at offset at of the slot. */
GO_INLINE struct err *go_scan_wide(const struct go_scan_ops ops, void *arg, uint64_t id,
				   uint64_t at, const uint64_t *words, uint64_t n,
				   const uint64_t *bits, uint64_t bit, unsigned before_ok)
{
	struct err *err = NULL;

	for (uint64_t i = 0; i < n && !err; i += 64) {
		uint64_t mask = go_bits64(bits, bit + i);

		if (n - i < 64)
			mask &= (1ULL << (n - i)) - 1;
		if (mask)
			err = go_scan_words(ops, arg, id, at + 8 * i, words + i, mask, before_ok);
		before_ok = !(mask >> 63);
	}
	return err;
}

/* A span of objects larger than 64 words; mem = its bytes, bits = those of its words. */
GO_INLINE struct err *go_scan_middle(struct go_scanner *sc, const struct go_span *s,
				     const uint8_t *mem, const uint64_t *bits,
				     const struct go_scan_ops ops, void *arg)
{
	uint64_t ew = s->elem_bytes / 8;
	struct err *err = NULL;

	if (ops.bits)
		ops.bits(arg, s, 0, bits, s->bytes);
	for (uint32_t k = 0; k < s->nelems && !err; k++) {
		const uint64_t *words = (const uint64_t *)(const void *)(mem + k * s->elem_bytes);

		if (!go_bit(sc->h->alloc_bits, s->first + k))
			continue;
		err = ops.object(arg, s->first + k, 0, go_bit(bits, k * ew) ? 0 : words[0]);
		if (!err)
			err = go_scan_wide(ops, arg, s->first + k, 0, words, ew, bits, k * ew, 0);
	}
	return err;
}

/* A span of objects of up to 64 words. */
GO_INLINE struct err *go_scan_small(struct go_scanner *sc, const struct go_span *s,
				    const uint8_t *mem, const uint64_t *bits,
				    const struct go_scan_ops ops, void *arg)
{
	uint64_t ew = s->elem_bytes / 8;
	uint64_t keep = ew >= 64 ? UINT64_MAX : (1ULL << ew) - 1;

	if (ops.bits)
		ops.bits(arg, s, 0, bits, s->bytes);
	for (uint32_t k = 0; k < s->nelems; k += 64) {
		uint64_t live = go_bits64(sc->h->alloc_bits, s->first + k);

		if (s->nelems - k < 64)
			live &= (1ULL << (s->nelems - k)) - 1;
		while (live) {
			uint64_t slot = k + (unsigned)__builtin_ctzll(live);
			const uint64_t *words =
				(const uint64_t *)(const void *)(mem + slot * s->elem_bytes);
			uint64_t mask = go_bits64(bits, slot * ew) & keep;
			struct err *err =
				ops.object(arg, s->first + slot, 0, mask & 1 ? 0 : words[0]);

			live &= live - 1;
			if (!err)
				err = go_scan_words(ops, arg, s->first + slot, 0, words, mask, 0);
			if (__builtin_expect(err != NULL, 0))
				return err;
		}
	}
	return NULL;
}

GO_INLINE struct err *go_scan_headers(struct go_scanner *sc, const struct go_span *s,
				      const uint8_t *mem, const struct go_scan_ops ops, void *arg)
{
	struct err *err = NULL;

	for (uint32_t k = 0; k < s->nelems && !err; k++) {
		if (go_bit(sc->h->alloc_bits, s->first + k))
			err = go_scan_header_slot(
				sc, s, s->first + k,
				(const uint64_t *)(const void *)(mem + k * s->elem_bytes), ops,
				arg);
	}
	return err;
}

/* A span of one object, by the span's type, piece by piece. */
GO_INLINE struct err *go_scan_large(struct go_scanner *sc, const struct go_span *s,
				    const struct go_scan_ops ops, void *arg)
{
	uint64_t *buf = (uint64_t *)(void *)sc->buf;
	uint64_t room = GO_SCAN_BYTES - 8, nbytes = s->elem_bytes & ~7ULL;
	const struct go_mask *m;
	struct err *err;

	if (!s->large_type) /* mallocgc still zeroes it */
		return NULL;
	err = go_scan_mask(sc, s->large_type, s->elem_bytes, &m);
	if (err)
		return err;
	if (!m) {
		ops.lost(arg, s->base, s->elem_bytes);
		return NULL;
	}
	/* One element only: what lies behind its last pointer need not be read. */
	if (m->size_words * 16 > nbytes)
		nbytes = MIN(nbytes, (m->size_words + m->ptr_words) * 8);
	buf[0] = 0;
	room &= ~(uint64_t)511; /* whole mask words, so that rolled masks stay in step */
	for (uint64_t off = 0; off < nbytes && !err; off += room) {
		uint64_t n = MIN(nbytes - off, room);

		err = go_scan_read(sc, s->base + off, sc->buf + 8, (size_t)n, ops.lost, arg);
		if (!err && !off)
			err = ops.object(arg, s->first, s->large_type,
					 go_mask_word(m, 0) & 1 ? 0 : buf[1]);
		if (!err)
			err = go_scan_typed(ops, arg, s->first, off, buf + 1, n / 8, m, off / 8);
		buf[0] = buf[n / 8];
	}
	return err;
}

/* An object of its own span by the bits of its arenas, piece by piece. */
GO_INLINE struct err *go_scan_large_bitmap(struct go_scanner *sc, const struct go_span *s,
					   const struct go_scan_ops ops, void *arg)
{
	uint64_t *buf = (uint64_t *)(void *)sc->buf;
	uint64_t room = (GO_SCAN_BYTES - 8) & ~(uint64_t)511, nbytes = s->elem_bytes & ~7ULL;
	bool more = true, before_ok = false;
	struct err *err = NULL;

	buf[0] = 0;
	for (uint64_t off = 0; off < nbytes && more && !err; off += room) {
		uint64_t n = MIN(nbytes - off, room);

		err = go_bitmap_load(sc, s->base + off, n, ops.lost, arg);
		if (err)
			break;
		more = go_bitmap_cut(sc, 0, n / 8);
		if (ops.bits)
			ops.bits(arg, s, off, sc->ptrs, n);
		err = go_scan_read(sc, s->base + off, sc->buf + 8, (size_t)n, ops.lost, arg);
		if (!err && !off)
			err = ops.object(arg, s->first, 0, sc->ptrs[0] & 1 ? 0 : buf[1]);
		if (!err)
			err = go_scan_wide(ops, arg, s->first, off, buf + 1, n / 8, sc->ptrs, 0,
					   before_ok);
		buf[0] = buf[n / 8];
		before_ok = !go_bit(sc->ptrs, n / 8 - 1);
	}
	return err;
}

/* Spans [i, *end) that lie next to each other, have pointers, and fit in the buffer. */
GO_INLINE uint64_t go_scan_run(const struct go_heap *h, size_t i, size_t hi, size_t *end)
{
	const struct go_span *v = h->spans.v;
	uint64_t nbytes = 0;

	while (i < hi &&
	       (v[i].scheme == GO_PTR_SPAN_BITS || v[i].scheme == GO_PTR_HEADER ||
		(v[i].scheme == GO_PTR_BITMAP && !go_span_large(&v[i]))) &&
	       nbytes + v[i].bytes <= GO_SCAN_BYTES &&
	       (!nbytes || v[i].base == v[i - 1].base + v[i - 1].bytes))
		nbytes += v[i++].bytes;
	*end = i;
	return nbytes;
}

/* Pointer bits of a span in the buffer's run, at mem. */
GO_INLINE const uint64_t *go_scan_span_bits(struct go_scanner *sc, const struct go_span *s,
					    const uint8_t *mem)
{
	uint64_t at = (uint64_t)(mem - sc->buf);

	if (s->scheme != GO_PTR_BITMAP)
		return (const uint64_t *)(const void *)(mem + go_span_bits_offset(sc->g, s));
	if (sc->alive)
		go_bitmap_cut_span(sc, s, at / 8);
	return sc->ptrs + at / 512;
}

/* Walk spans [lo, hi); ops should be a constant. */
GO_INLINE struct err *go_scan_spans(struct go_scanner *sc, size_t lo, size_t hi,
				    const struct go_scan_ops ops, void *arg)
{
	const struct go_span *v = sc->h->spans.v;
	struct err *err = NULL;

	while (lo < hi && !err) {
		size_t end;
		uint64_t n = go_scan_run(sc->h, lo, hi, &end);
		const uint8_t *mem = sc->buf;

		if (!n) {
			if (v[lo].scheme == GO_PTR_LARGE || v[lo].scheme == GO_PTR_ARENA)
				err = go_bit(sc->h->alloc_bits, v[lo].first)
					      ? go_scan_large(sc, &v[lo], ops, arg)
					      : NULL;
			else if (v[lo].scheme == GO_PTR_BITMAP && go_span_large(&v[lo]))
				err = go_bit(sc->h->alloc_bits, v[lo].first)
					      ? go_scan_large_bitmap(sc, &v[lo], ops, arg)
					      : NULL;
			else if (v[lo].scheme == GO_PTR_LISTED)
				err = sc->h->listed->scan(sc->h->listed->arg, sc->h, lo,
							  GO_NO_OBJECT, &ops, arg);
			else if (!v[lo].noscan) /* no such small-object span is made */
				ops.lost(arg, v[lo].base, v[lo].bytes);
			lo++;
			continue;
		}
		err = go_scan_read(sc, v[lo].base, sc->buf, (size_t)n, ops.lost, arg);
		if (!err && go_bitmaps(sc))
			err = go_bitmap_load(sc, v[lo].base, n, ops.lost, arg);
		for (; lo < end && !err; mem += v[lo++].bytes) {
			const uint64_t *bits;

			if (v[lo].scheme == GO_PTR_HEADER) {
				err = go_scan_headers(sc, &v[lo], mem, ops, arg);
				continue;
			}
			bits = go_scan_span_bits(sc, &v[lo], mem);
			err = v[lo].elem_bytes <= 512
				      ? go_scan_small(sc, &v[lo], mem, bits, ops, arg)
				      : go_scan_middle(sc, &v[lo], mem, bits, ops, arg);
		}
	}
	return err;
}

#endif
