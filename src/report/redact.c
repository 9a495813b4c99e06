/*
 * redact.c - sets of addresses, and the filter that a core's bytes go through.
 *
 * Knows nothing of why an address is in a set.  Cost: one pass over the bytes; a lookup of a
 * mapping only for words within printable runs, which are few.
 */
#include "report/redact.h"

#include "base/bytes.h"

enum { RUN_MIN = 4 };	 /* what `strings -n 4` shows */
enum { RED_ZONE = 256 }; /* below the stack pointer, and still in use: 128 by the C ABI */

void ranges_add(struct ranges *r, taddr at, uint64_t nbytes)
{
	struct trange x = { at, at + nbytes };

	if (!nbytes || x.end < at)
		return;
	if (r->at.n && r->at.v[r->at.n - 1].end == at)
		r->at.v[r->at.n - 1].end = x.end;
	else if (!vec_push(&r->at, x))
		r->bad = true;
}

static int by_start(const void *a, const void *b)
{
	const struct trange *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

struct err *ranges_settle(struct ranges *r)
{
	size_t n = 0;

	if (r->bad)
		return &err_nomem;
	if (r->at.n)
		qsort(r->at.v, r->at.n, sizeof(*r->at.v), by_start);
	for (size_t i = 0; i < r->at.n; i++) {
		if (n && r->at.v[i].start <= r->at.v[n - 1].end)
			r->at.v[n - 1].end = MAX(r->at.v[n - 1].end, r->at.v[i].end);
		else
			r->at.v[n++] = r->at.v[i];
	}
	r->at.n = n;
	return NULL;
}

size_t ranges_after(const struct ranges *r, taddr addr)
{
	size_t lo = 0, hi = r->at.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->at.v[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool ranges_touch(const struct ranges *r, taddr at, uint64_t n)
{
	size_t i = ranges_after(r, at);

	return i < r->at.n && r->at.v[i].start < at + n;
}

bool ranges_cover(const struct ranges *r, taddr at, uint64_t n)
{
	size_t i = ranges_after(r, at);

	return i < r->at.n && trange_has_all(r->at.v[i], at, n);
}

/* Bytes of the character at p, 0: none that is shown.  Latin text is ASCII or UTF-8 in Go. */
static size_t char_bytes(const uint8_t *p, size_t n)
{
	size_t len;

	if ((*p >= 0x20 && *p < 0x7f) || *p == '\t')
		return 1;
	len = *p >= 0xf5 ? 0 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static bool is_pointer(const struct redact *r, uint64_t word)
{
	size_t lo = 0, hi = r->nregions;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (word >= r->regions[mid].range.end)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->nregions && trange_has(r->regions[lo].range, word);
}

/* A printable run [i, j): all of it but the words that are pointers. */
static void wipe_run(const struct redact *r, uint8_t *buf, size_t i, size_t j)
{
	for (size_t w = i & ~(size_t)7; w < j; w += 8) {
		size_t from = MAX(w, i), to = MIN(w + 8, j);

		if (!is_pointer(r, load_u64(buf + w)))
			memset(buf + from, 0, to - from);
	}
}

void redact_scrub(const struct redact *r, uint8_t *buf, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t j = i, len;

		if (!(i & 7) && n - i >= 8 && !load_u64(buf + i)) {
			i += 8; /* most words */
			continue;
		}
		while (j < n && (len = char_bytes(buf + j, n - j)))
			j += len;
		if (j - i >= RUN_MIN)
			wipe_run(r, buf, i, j);
		i = j + 1;
	}
}

/* The parts of [at, at + n) in set, one after the other: true while there is one. */
static bool next_part(const struct ranges *set, size_t *i, taddr at, size_t n, size_t *from,
		      size_t *to)
{
	struct trange x;

	if (*i >= set->at.n)
		return false;
	x = set->at.v[*i];
	if (x.start >= at + n)
		return false;
	*from = x.start > at ? (size_t)(x.start - at) : 0;
	*to = (size_t)(MIN(x.end, at + n) - at);
	(*i)++;
	return true;
}

static void scrub_parts(const struct redact *r, taddr at, uint8_t *buf, size_t n)
{
	size_t i = ranges_after(&r->scrub, at), from, to;

	while (next_part(&r->scrub, &i, at, n, &from, &to)) {
		from &= ~(size_t)7;
		redact_scrub(r, buf + from, to - from);
	}
}

static void drop_parts(const struct redact *r, taddr at, uint8_t *buf, size_t n)
{
	size_t i = ranges_after(&r->drop, at), from, to;

	while (next_part(&r->drop, &i, at, n, &from, &to))
		memset(buf + from, 0, to - from);
}

static void keep_parts(const struct redact *r, taddr at, uint8_t *buf, const uint8_t *was, size_t n)
{
	size_t i = ranges_after(&r->keep, at), from, to;

	while (next_part(&r->keep, &i, at, n, &from, &to))
		memcpy(buf + from, was + from, to - from);
}

void redact_filter(void *arg, taddr at, uint8_t *buf, size_t n)
{
	const struct redact *r = arg;
	_cleanup_(freep) uint8_t *was = NULL;

	if (ranges_cover(&r->keep, at, n))
		return;
	if (ranges_touch(&r->keep, at, n)) {
		was = malloc(n);
		if (was)
			memcpy(was, buf, n);
	}
	scrub_parts(r, at, buf, n);
	drop_parts(r, at, buf, n);
	if (was) /* memory is short: rather too little leaves than too much */
		keep_parts(r, at, buf, was, n);
}

void redact_deinit(struct redact *r)
{
	vec_free(&r->scrub.at);
	vec_free(&r->drop.at);
	vec_free(&r->keep.at);
}

/* Slots that are no objects keep what was there before, also of other objects: a page is cleared
 * when it is used, not when it is freed. */
static void drop_free_slots(const struct snapshot *s, const struct go_span *sp, struct redact *r)
{
	for (uint32_t i = 0; i < sp->nelems; i++)
		if (!go_bit(s->heap.alloc_bits, sp->first + i))
			ranges_add(&r->drop, sp->base + i * sp->elem_bytes, sp->elem_bytes);
}

static void drop_objects(const struct snapshot *s, struct redact *r)
{
	for (size_t i = 0; i < s->heap.spans.n; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		if (sp->noscan)
			ranges_add(&r->drop, sp->base, sp->bytes);
		else
			drop_free_slots(s, sp, r);
	}
}

/* Pages of the arenas that belong to no span: what was there before is still in them. */
static struct err *drop_free_pages(const struct snapshot *s, struct redact *r)
{
	const struct go_heap_index *x = &s->heap.index;
	struct ranges used = { 0 };
	struct err *err;

	for (size_t i = 0; i < s->heap.spans.n; i++)
		ranges_add(&used, s->heap.spans.v[i].base, s->heap.spans.v[i].bytes);
	for (size_t i = 0; i < s->heap.manual.n; i++)
		ranges_add(&used, s->heap.manual.v[i].start, trange_bytes(s->heap.manual.v[i]));
	err = ranges_settle(&used);
	for (uint64_t a = 0; a < x->nslots && !err; a++) {
		taddr at = x->lo + (a << x->arena_shift), end = at + (1ULL << x->arena_shift);

		if (!x->arena_slot[a])
			continue;
		for (size_t i = ranges_after(&used, at); at < end; i++) {
			struct trange u = { end, end };

			if (i < used.at.n && used.at.v[i].start < end)
				u = used.at.v[i];
			if (u.start > at)
				ranges_add(&r->drop, at, u.start - at);
			at = u.end;
		}
	}
	vec_free(&used.at);
	return err;
}

/* Arguments and environment: where the kernel put them, at the end of the first stack. */
static void scrub_arguments(const struct snapshot *s, struct redact *r)
{
	enum { AT_EXECFN_ = 31 }; /* include/uapi/linux/auxvec.h */
	size_t n = 0;
	const uint8_t *auxv = target_auxv(s->t, &n);

	for (size_t i = 0; i + 16 <= n; i += 16) {
		const struct target_region *g;

		if (load_u64(auxv + i) != AT_EXECFN_)
			continue;
		g = target_region_at(s->t, load_u64(auxv + i + 8));
		if (g)
			ranges_add(&r->scrub, g->range.start, trange_bytes(g->range));
	}
}

/* Stacks stay, but not what lies beside and below them: that was the heap's before. */
static void scrub_beside_stacks(const struct snapshot *s, struct redact *r)
{
	for (size_t i = 0; i < s->heap.manual.n; i++)
		ranges_add(&r->scrub, s->heap.manual.v[i].start, trange_bytes(s->heap.manual.v[i]));
	for (size_t i = 0; i < s->stacks.gs.n; i++) {
		const struct go_goroutine *g = &s->stacks.gs.v[i];
		taddr from = g->nframes ? s->stacks.frames.v[g->first_frame].sp : g->stack_lo;

		if (from > g->stack_lo + RED_ZONE)
			from -= RED_ZONE;
		if (!g->dead && from < g->stack_hi)
			ranges_add(&r->keep, from, g->stack_hi - from);
	}
}

struct err *redact_create(struct snapshot *s, enum core_detail detail, unsigned nthreads,
			  struct redact *ret)
{
	_cleanup_(redact_deinit) struct redact r = { 0 };
	struct err *err = NULL;

	r.regions = target_regions(s->t, &r.nregions);
	drop_objects(s, &r);
	/* With spans lost, what looks free may be one of them. */
	if (detail == CORE_REDACTED || !s->heap.lost_spans)
		err = drop_free_pages(s, &r);
	if (detail == CORE_REDACTED) {
		ranges_add(&r.scrub, 0, UINT64_MAX);
	} else {
		scrub_arguments(s, &r);
		scrub_beside_stacks(s, &r);
	}
	if (!err)
		err = redact_keep(s, detail, nthreads, &r);
	if (!err)
		err = ranges_settle(&r.scrub);
	if (!err)
		err = ranges_settle(&r.drop);
	if (!err)
		err = ranges_settle(&r.keep);
	if (err)
		return err;
	*ret = r;
	r = (struct redact){ 0 };
	return NULL;
}
