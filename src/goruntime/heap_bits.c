/*
 * heap_bits.c - which slots are objects, and which of them the collector marked.
 *
 * Source: runtime/mbitmap.go (isFree, isFreeOrNewlyAllocated), mgcsweep.go (sweep),
 * mgcmark_greenteagc.go (spanInlineMarkBits, moveInlineMarks).
 *
 *   object     slot < freeIndexForScan, or its allocBits bit is set, or it is marked (from
 *              1.25 on what is allocated while a cycle marks is only marked); other slots below
 *              freeindex may be half written, and the collector does not look at them either
 *   marked     swept span: the allocBits are the last cycle's marks, also while the next one
 *              marks: it fills gcmarkBits (and green tea's marks inside the span)
 *              unswept span: they lie there
 *
 * Cost: bits of a span are a few dozen bytes, read through the block cache.
 */
#include "goruntime/heap_priv.h"

#include "base/par.h"

#include <stdatomic.h>

#define MAX_SLOT_BYTES (GO_PAGE_BYTES * 16 / 8) /* bits of the longest small-object span */
struct job {
	const struct go *g;
	struct go_heap *h;
	struct go_io *io; /* one a worker */
	atomic_ullong garbage, garbage_bytes;
	atomic_ullong lost, lost_bytes;
};

enum go_marks heap_marks_of(const struct go_counters *c, uint32_t span_sweepgen)
{
	uint32_t ahead = span_sweepgen - c->sweepgen;

	if (c->gcphase)
		return ahead == 0 || ahead == 3 ? GO_MARKS_MARKING : GO_MARKS_SWEEPING;
	if (ahead == (uint32_t)-2 || ahead == 1)
		return GO_MARKS_UNSWEPT;
	if (ahead == 0 || ahead == 3)
		return c->num_gc ? GO_MARKS_LAST_CYCLE : GO_MARKS_FRESH;
	return GO_MARKS_SWEEPING;
}

/* mgcmark_greenteagc.go: gcUsesSpanInlineMarkBits. */
static bool has_inline_marks(const struct go *g, const struct go_span *s)
{
	int64_t small = g->L->c_minSizeForMallocHeader;

	return go_has(g->L->spanInlineMarkBits_marks) && s->elem_bytes >= 16 &&
	       s->elem_bytes <= (uint64_t)(small > 0 ? small : 512) && s->bytes == GO_PAGE_BYTES;
}

/* bits |= those at addr; nbits are wanted. */
static struct err *or_bits(struct go_io *io, taddr addr, uint32_t nbits, uint64_t *bits)
{
	uint64_t b[MAX_SLOT_BYTES / 8];
	struct err *err;

	if (!addr)
		return NULL;
	memset(b, 0, (nbits + 63) / 64 * 8);
	err = go_io_read(io, addr, b, (nbits + 7) / 8);
	if (err)
		return err;
	for (uint32_t i = 0; i < (nbits + 63) / 64; i++)
		bits[i] |= b[i];
	return NULL;
}

static struct err *or_inline(struct go_io *io, const struct go_span *s, uint64_t *bits)
{
	const struct go_layout *L = io->g->L;
	uint64_t b[8] = { 0 };
	taddr at = s->base + s->bytes - L->spanInlineMarkBits_bytes;
	struct err *err;

	/* Not through the block cache: this is the heap itself, a few bytes in each page. */
	err = target_read(io->g->t, at + (uint64_t)L->spanInlineMarkBits_marks.off, b,
			  MIN(L->spanInlineMarkBits_marks.bytes, sizeof(b)));
	if (err)
		return err;
	for (uint32_t i = 0; i < MIN((s->nelems + 63) / 64, 8U); i++)
		bits[i] |= b[i];
	return NULL;
}

static void set_below(uint64_t *bits, uint32_t n)
{
	for (uint32_t i = 0; i < n / 64; i++)
		bits[i] = UINT64_MAX;
	if (n % 64)
		bits[n / 64] |= (1ULL << (n % 64)) - 1;
}

/* Neighbouring spans of two workers share a word of the big arrays. */
static void publish(uint64_t *to, uint64_t first, const uint64_t *bits, uint32_t nbits)
{
	for (uint32_t i = 0; i < nbits; i += 64) {
		uint64_t x = bits[i / 64], at = first + i;
		unsigned sh = at & 63;

		if (nbits - i < 64)
			x &= (1ULL << (nbits - i)) - 1;
		if (!x)
			continue;
		__atomic_fetch_or(&to[at >> 6], x << sh, __ATOMIC_RELAXED);
		if (sh && x >> (64 - sh))
			__atomic_fetch_or(&to[(at >> 6) + 1], x >> (64 - sh), __ATOMIC_RELAXED);
	}
}

/* What no mark keeps waits for the sweeper. */
static void drop_garbage(struct job *j, const struct go_span *s, uint64_t *alloc,
			 const uint64_t *marks)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < (s->nelems + 63) / 64; i++) {
		n += (uint64_t)__builtin_popcountll(alloc[i] & ~marks[i]);
		alloc[i] &= marks[i];
	}
	atomic_fetch_add(&j->garbage, n);
	atomic_fetch_add(&j->garbage_bytes, n * s->elem_bytes);
}

/* marks: of the last finished cycle.  What it or the running one has marked is allocated. */
static struct err *read_marks(struct job *j, struct go_io *io, const struct go_span *s,
			      taddr gcmark_bits, uint64_t *alloc, uint64_t *marks)
{
	uint64_t now[MAX_SLOT_BYTES / 8];
	uint32_t words = (s->nelems + 63) / 64;
	struct err *err;

	memset(now, 0, words * 8);
	if (s->marks != GO_MARKS_UNSWEPT && s->marks != GO_MARKS_SWEEPING)
		memcpy(marks, alloc, words * 8);
	if (s->marks == GO_MARKS_LAST_CYCLE || s->marks == GO_MARKS_FRESH)
		return NULL;
	err = or_bits(io, gcmark_bits, s->nelems, now);
	if (!err && has_inline_marks(j->g, s))
		err = or_inline(io, s, now);
	for (uint32_t i = 0; i < words && !err; i++) {
		alloc[i] |= now[i];
		if (s->marks != GO_MARKS_MARKING)
			marks[i] = now[i];
	}
	return err;
}

static struct err *read_span(struct job *j, struct go_io *io, const struct go_span *s)
{
	const struct go_layout *L = j->g->L;
	uint64_t alloc[MAX_SLOT_BYTES / 8], marks[MAX_SLOT_BYTES / 8];
	uint32_t words = (s->nelems + 63) / 64;
	uint8_t m[HEAP_MSPAN_MAX];
	struct err *err;

	if (words > ARRAY_LEN(alloc))
		return err_fault(s->mspan);
	memset(alloc, 0, words * 8);
	memset(marks, 0, words * 8);
	err = go_io_read(io, s->mspan, m, L->mspan_bytes);
	if (!err)
		err = or_bits(io, go_get(m, L->mspan_allocBits), s->nelems, alloc);
	if (err)
		return err;
	err = read_marks(j, io, s, go_get(m, L->mspan_gcmarkBits), alloc, marks);
	if (err)
		return err;
	set_below(alloc, s->free_index_for_scan);
	if (s->nelems % 64) {
		alloc[words - 1] &= (1ULL << (s->nelems % 64)) - 1;
		marks[words - 1] &= (1ULL << (s->nelems % 64)) - 1;
	}
	if (s->marks == GO_MARKS_UNSWEPT)
		drop_garbage(j, s, alloc, marks);
	publish(j->h->alloc_bits, s->first, alloc, s->nelems);
	publish(j->h->mark_bits, s->first, marks, s->nelems);
	return NULL;
}

static struct err *work(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct job *j = arg;
	struct go_io *io = &j->io[worker];
	struct err *err = io->mem ? NULL : go_io_init(io, j->g);

	for (size_t i = lo; i < hi && !err; i++) {
		const struct go_span *s = &j->h->spans.v[i];

		err = read_span(j, io, s);
		if (err_catch(&err, ERR_FAULT)) {
			atomic_fetch_add(&j->lost, 1);
			atomic_fetch_add(&j->lost_bytes, s->bytes);
		}
	}
	return err;
}

struct err *heap_bits_read(const struct go *g, unsigned nthreads, struct go_heap *h)
{
	struct job j = { .g = g, .h = h };
	size_t words = (size_t)(h->nobjects / 64 + 2);
	struct err *err;

	nthreads = MAX(nthreads, 1U);
	h->alloc_bits = bigalloc(words, 8);
	h->mark_bits = bigalloc(words, 8);
	j.io = zalloc(nthreads, sizeof(*j.io));
	if (!h->alloc_bits || !h->mark_bits || !j.io) {
		free(j.io);
		return &err_nomem;
	}
	err = par_for(nthreads, h->spans.n, 256, work, &j);
	for (unsigned i = 0; i < nthreads; i++)
		go_io_deinit(&j.io[i]);
	free(j.io);
	h->unswept_garbage_objects = j.garbage;
	h->unswept_garbage_bytes = j.garbage_bytes;
	h->lost_spans += j.lost;
	h->lost_bytes += j.lost_bytes;
	return err;
}
