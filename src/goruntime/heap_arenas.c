/*
 * heap_arenas.c - where the heap lies: mheap_.arenas into the page index.
 *
 * Source: runtime/mheap.go (mheap.arenas, heapArenas), malloc.go (arenaIndex, arenaBase).
 * Knows of spans only where they begin.  Costs 4 bytes a heap page, and a word per possible arena
 * between the first and the last.
 */
#include "goruntime/heap_priv.h"

#define MAX_ARENAS   (1U << 22) /* 256 TiB */
#define MAX_ALLSPANS (1ULL << 28)
#define CHUNK_WORDS  512U
/* malloc.go: on amd64 the address space is shifted so that the top half comes first. */
#define AMD64_BASE_OFFSET 0xffff800000000000ULL

/* Arena numbers, at the end ascending and each once. */
typedef VEC(uint64_t) arena_list;

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t arena_bytes(const struct go *g)
{
	int64_t c = g->L->c_heapArenaBytes;

	return c > 0 && !(c & (c - 1)) && c >= 1 << 16 ? (uint64_t)c : 64U << 20;
}

static taddr arena_base(const struct go *g, uint64_t idx)
{
	int64_t c = g->L->c_arenaBaseOffset;

	return idx * arena_bytes(g) + (c != -1 ? (uint64_t)c : AMD64_BASE_OFFSET);
}

static void sort_list(arena_list *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_value);
	for (size_t i = 0; i < l->n; i++) {
		if (!n || l->v[n - 1] != l->v[i])
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

/* The runtime's own slice of arena numbers. */
static struct err *read_list(const struct go *g, arena_list *l)
{
	uint64_t w[2];
	struct err *err;

	err = target_read(g->t, g->v.mheap + (uint64_t)g->L->mheap_heapArenas.off, w, sizeof(w));
	if (!err && w[1] > MAX_ARENAS)
		err = err_bad_data("%" PRIu64 " entries", w[1]);
	if (!err && !vec_reserve(l, (size_t)w[1]))
		err = &err_nomem;
	if (!err)
		err = target_read(g->t, w[0], l->v, (size_t)w[1] * 8);
	if (err)
		return err_prefix(err, "mheap_.heapArenas");
	l->n = (size_t)w[1];
	return NULL;
}

/*
 * The list was lost (a core that was cut): the table that it is an index of, mheap_.arenas[0], as
 * far as it is there.  32 MiB, most of it never touched.
 */
static struct err *scan_table(const struct go *g, arena_list *l)
{
	_cleanup_(freep) uint64_t *w = malloc(CHUNK_WORDS * 8);
	taddr l2;
	struct err *err;

	if (!w)
		return &err_nomem;
	err = go_read_u64(g, g->v.mheap + (uint64_t)g->L->mheap_arenas.off, &l2);
	for (uint64_t i = 0; !err && i < MAX_ARENAS; i += CHUNK_WORDS) {
		err = target_read(g->t, l2 + 8 * i, w, CHUNK_WORDS * 8);
		if (err_catch(&err, ERR_FAULT))
			continue;
		for (uint64_t k = 0; !err && k < CHUNK_WORDS; k++)
			if (w[k] && !vec_push(l, i + k))
				err = &err_nomem;
	}
	return err;
}

/* The arena that the mspan's memory lies in; UINT64_MAX when it is not in use. */
static struct err *arena_of(struct go_io *io, taddr mspan, uint64_t *ret)
{
	const struct go_layout *L = io->g->L;
	uint8_t m[HEAP_MSPAN_MAX];
	struct err *err = go_io_read(io, mspan, m, L->mspan_bytes);

	*ret = UINT64_MAX;
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	if ((int64_t)go_get(m, L->mspan_state) == L->c_mSpanInUse)
		*ret = (go_get(m, L->mspan_startAddr) - arena_base(io->g, 0)) / arena_bytes(io->g);
	return NULL;
}

/* Take idx if the runtime has an arena there: mheap_.arenas[0][idx] is set. */
static struct err *add_arena(const struct go *g, taddr l2, uint64_t idx, arena_list *l)
{
	taddr meta = 0;
	struct err *err;

	if (idx >= MAX_ARENAS || (l->n && l->v[l->n - 1] == idx))
		return NULL;
	err = go_read_u64(g, l2 + 8 * idx, &meta);
	if (err_catch(&err, ERR_FAULT) || err || !meta)
		return err;
	return vec_push(l, idx) ? NULL : &err_nomem;
}

/*
 * Arenas of user arena chunks are in no list before 1.25 (malloc.go, sysAlloc: register), so
 * spans in use are asked, too.
 */
static struct err *add_by_spans(const struct go *g, struct go_io *io, arena_list *l)
{
	uint64_t w[2], chunk[1024], idx;
	taddr l2;
	struct err *err;

	err = target_read(g->t, g->v.mheap + (uint64_t)g->L->mheap_allspans.off, w, sizeof(w));
	if (!err)
		err = go_read_u64(g, g->v.mheap + (uint64_t)g->L->mheap_arenas.off, &l2);
	if (!err && w[1] > MAX_ALLSPANS)
		err = err_bad_data("%" PRIu64 " entries", w[1]);
	for (uint64_t i = 0; !err && i < w[1]; i += ARRAY_LEN(chunk)) {
		uint64_t n = MIN(w[1] - i, (uint64_t)ARRAY_LEN(chunk));

		err = target_read(g->t, w[0] + 8 * i, chunk, (size_t)n * 8);
		if (err_catch(&err, ERR_FAULT))
			continue; /* the cross-check of the spans counts them as lost */
		for (uint64_t k = 0; k < n && !err; k++) {
			err = arena_of(io, chunk[k], &idx);
			if (!err)
				err = add_arena(g, l2, idx, l);
		}
	}
	return err_prefix(err, "mheap_.allspans");
}

static struct err *find_arenas(const struct go *g, arena_list *l)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct err *err = go_io_init(&io, g);

	if (!err)
		err = read_list(g, l);
	if (err_catch(&err, ERR_FAULT))
		err = scan_table(g, l);
	if (!err)
		err = add_by_spans(g, &io, l);
	sort_list(l);
	return err;
}

static struct err *index_alloc(struct go_heap_index *x, uint64_t span_of_arenas, size_t narenas)
{
	x->nslots = span_of_arenas;
	x->narenas = (uint32_t)narenas;
	x->arena_slot = bigalloc((size_t)x->nslots, sizeof(uint32_t));
	x->page_span = bigalloc(narenas << x->page_bits, sizeof(uint32_t));
	x->meta = zalloc(narenas + 1, sizeof(*x->meta));
	return x->arena_slot && x->page_span && x->meta ? NULL : &err_nomem;
}

static struct err *index_build(const struct go *g, struct go_heap *h, const arena_list *l)
{
	struct go_heap_index *x = &h->index;
	uint64_t lo = l->n ? l->v[0] : 0, hi = l->n ? l->v[l->n - 1] : 0;
	struct err *err;

	h->narenas = l->n;
	x->arena_shift = (uint32_t)__builtin_ctzll(arena_bytes(g));
	x->page_bits = x->arena_shift - GO_PAGE_SHIFT;
	if (!l->n)
		return index_alloc(x, 0, 0);
	if (hi >= MAX_ARENAS)
		return err_bad_data("arenas %" PRIu64 " to %" PRIu64 " cannot be", lo, hi);
	x->lo = arena_base(g, lo);
	h->bounds = (struct trange){ x->lo, arena_base(g, hi) + arena_bytes(g) };
	err = index_alloc(x, hi - lo + 1, l->n);
	for (size_t i = 0; i < l->n && !err; i++)
		x->arena_slot[l->v[i] - lo] = (uint32_t)i + 1;
	return err;
}

struct err *heap_arenas_read(const struct go *g, struct go_heap *h)
{
	arena_list l = { 0 };
	struct err *err;

	if (!g->v.mheap || !go_has(g->L->mheap_heapArenas))
		return err_unsupported("the heap's head (mheap_) was not found");
	if (!g->L->mspan_bytes || g->L->mspan_bytes > HEAP_MSPAN_MAX)
		return err_bad_data("layout: mspan has %u bytes", g->L->mspan_bytes);
	err = find_arenas(g, &l);
	if (!err)
		err = index_build(g, h, &l);
	if (!err && !l.n && h->counters.heap_in_use) {
		h->lost_spans++;
		h->lost_bytes += h->counters.heap_in_use;
	}
	vec_free(&l);
	return err;
}
