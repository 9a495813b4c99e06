/*
 * heap_scan.c - the walk of heap_scan.h with callbacks, for all and for one object.
 *
 * Knows nothing of what is done with the pointers.
 */
#include "goruntime/heap_scan.h"

struct err *go_scanner_init(struct go_scanner *sc, const struct go *g, const struct go_heap *h)
{
	uint8_t *buf = bigalloc(GO_SCAN_BYTES + GO_SCAN_SLACK, 1);

	if (!buf)
		return &err_nomem;
	*sc = (struct go_scanner){ .g = g, .h = h, .buf = buf };
	return go_bitmap_init(sc);
}

void go_scanner_deinit(struct go_scanner *sc)
{
	bigfree(sc->buf, GO_SCAN_BYTES + GO_SCAN_SLACK, 1);
	sc->buf = NULL;
	free(sc->ptrs);
	free(sc->alive);
	free(sc->raw);
	sc->ptrs = sc->alive = NULL;
	sc->raw = NULL;
}

/* Page by page, around the holes. */
static struct err *read_pages(struct go_scanner *sc, taddr addr, uint8_t *to, size_t n,
			      void (*lost)(void *arg, taddr addr, uint64_t nbytes), void *arg)
{
	struct err *err = NULL;

	while (n && !err) {
		size_t step = (size_t)MIN((uint64_t)n, 4096 - (addr & 4095));

		err = target_read(sc->g->t, addr, to, step);
		if (err_catch(&err, ERR_FAULT)) {
			memset(to, 0, step);
			lost(arg, addr, step);
		}
		addr += step;
		to += step;
		n -= step;
	}
	return err;
}

struct err *go_scan_read(struct go_scanner *sc, taddr addr, uint8_t *to, size_t n,
			 void (*lost)(void *arg, taddr addr, uint64_t nbytes), void *arg)
{
	struct err *err = target_read(sc->g->t, addr, to, n);

	if (err_catch(&err, ERR_FAULT))
		return read_pages(sc, addr, to, n, lost, arg);
	return err;
}

struct err *go_scan_mask_slow(struct go_scanner *sc, taddr type, uint64_t max_bytes,
			      const struct go_mask **ret)
{
	const struct go_mask *m = NULL;
	struct err *err = go_mask_of(sc->h->masks, type, max_bytes, &m);

	if (err_catch(&err, ERR_FAULT) || err_catch(&err, ERR_BAD_DATA)) {
		sc->bad_types++;
		m = NULL;
	}
	if (err)
		return err;
	if (m)
		sc->seen[(type >> 5) % GO_SCAN_MASKS] = m;
	*ret = m;
	return NULL;
}

uint64_t go_span_bits_offset(const struct go *g, const struct go_span *s)
{
	uint64_t off = s->bytes - s->bytes / 64;

	/* mgcmark_greenteagc.go: gcUsesSpanInlineMarkBits */
	if (go_has(g->L->spanInlineMarkBits_marks) && s->elem_bytes >= 16)
		off -= MIN(g->L->spanInlineMarkBits_bytes, 1024U);
	return off;
}

struct err *go_heap_scan(const struct go *g, const struct go_heap *h, size_t lo, size_t hi,
			 const struct go_scan_ops *ops, void *arg)
{
	_cleanup_(go_scanner_deinit) struct go_scanner sc = { 0 };
	struct err *err = go_scanner_init(&sc, g, h);

	return err ? err : go_scan_spans(&sc, lo, hi, *ops, arg);
}

static struct err *scan_small_one(struct go_scanner *sc, const struct go_span *s, uint64_t slot,
				  const struct go_scan_ops *ops, void *arg)
{
	uint64_t words[64], bits[2] = { 0 }, ew = s->elem_bytes / 8;
	uint64_t bit = slot * ew, mask;
	taddr bits_at = s->base + go_span_bits_offset(sc->g, s) + bit / 64 * 8;
	struct err *err;

	if (ew > ARRAY_LEN(words))
		return NULL;
	err = go_scan_read(sc, s->base + slot * s->elem_bytes, (uint8_t *)words,
			   (size_t)s->elem_bytes, ops->lost, arg);
	if (!err)
		err = go_scan_read(sc, bits_at, (uint8_t *)bits,
				   (size_t)MIN(s->base + s->bytes - bits_at, (uint64_t)16),
				   ops->lost, arg);
	if (err)
		return err;
	mask = go_bits64(bits, bit % 64);
	if (ew < 64)
		mask &= (1ULL << ew) - 1;
	err = ops->object(arg, s->first + slot, 0, mask & 1 ? 0 : words[0]);
	return err ? err : go_scan_words(*ops, arg, s->first + slot, 0, words, mask, 0);
}

/* A slot by its arena's bits; they are read from the last multiple of 64 words on. */
static struct err *scan_bitmap_one(struct go_scanner *sc, const struct go_span *s, uint64_t slot,
				   const struct go_scan_ops *ops, void *arg)
{
	taddr at = s->base + slot * s->elem_bytes, from = at & ~(taddr)511;
	uint64_t bit = (at - from) / 8;
	const uint64_t *words = (const uint64_t *)(const void *)sc->buf;
	struct err *err;

	if (go_span_large(s))
		return go_scan_large_bitmap(sc, s, *ops, arg);
	if (s->elem_bytes > GO_SCAN_BYTES - 512)
		return NULL;
	err = go_bitmap_load(sc, from, at - from + s->elem_bytes, ops->lost, arg);
	if (!err)
		err = go_scan_read(sc, at, sc->buf, (size_t)s->elem_bytes, ops->lost, arg);
	if (err)
		return err;
	go_bitmap_cut(sc, bit, s->elem_bytes / 8);
	err = ops->object(arg, s->first + slot, 0, go_bit(sc->ptrs, bit) ? 0 : words[0]);
	return err ? err
		   : go_scan_wide(*ops, arg, s->first + slot, 0, words, s->elem_bytes / 8, sc->ptrs,
				  bit, 0);
}

struct err *go_scan_object(struct go_scanner *sc, uint64_t id, const struct go_scan_ops *ops,
			   void *arg)
{
	const struct go_span *s = go_heap_span_of(sc->h, id);
	taddr at;
	struct err *err;

	if (!s || id - s->first >= s->nelems || s->noscan)
		return NULL;
	at = s->base + (id - s->first) * s->elem_bytes;
	switch (s->scheme) {
	case GO_PTR_LISTED:
		return sc->h->listed->scan(sc->h->listed->arg, sc->h, (size_t)(s - sc->h->spans.v),
					   id, ops, arg);
	case GO_PTR_BITMAP:
		return scan_bitmap_one(sc, s, id - s->first, ops, arg);
	case GO_PTR_SPAN_BITS:
		return scan_small_one(sc, s, id - s->first, ops, arg);
	case GO_PTR_HEADER:
		if (s->elem_bytes > GO_SCAN_BYTES)
			return NULL;
		err = go_scan_read(sc, at, sc->buf, (size_t)s->elem_bytes, ops->lost, arg);
		if (err)
			return err;
		return go_scan_header_slot(sc, s, id, (const uint64_t *)(const void *)sc->buf, *ops,
					   arg);
	default:
		return go_scan_large(sc, s, *ops, arg);
	}
}

struct err *go_heap_scan_object(const struct go *g, const struct go_heap *h, uint64_t id,
				const struct go_scan_ops *ops, void *arg)
{
	_cleanup_(go_scanner_deinit) struct go_scanner sc = { 0 };
	struct err *err = go_scanner_init(&sc, g, h);

	return err ? err : go_scan_object(&sc, id, ops, arg);
}
