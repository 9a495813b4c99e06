/*
 * heap_arenas.c - where the heap lies: mheap_.arenas into the page index.
 *
 * Source: runtime/mheap.go (mheap.arenas, heapArenas), malloc.go (arenaIndex, arenaBase).
 * Knows nothing of spans yet.  Costs 4 bytes a heap page, and a word per possible arena
 * between the first and the last.
 */
#include "goruntime/heap_priv.h"

#define MAX_ARENAS (1U << 21) /* 128 TiB */
/* malloc.go: on amd64 the address space is shifted so that the top half comes first. */
#define AMD64_BASE_OFFSET 0xffff800000000000ULL

struct arena_list {
	uint64_t *idx; /* ascending */
	size_t n;
};

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

/* The slice of arena numbers; sorted, without repeats. */
static struct err *read_list(const struct go *g, struct arena_list *ret)
{
	uint64_t w[2];
	struct err *err;
	size_t n = 0;

	err = target_read(g->t, g->v.mheap + (uint64_t)g->L->mheap_heapArenas.off, w, sizeof(w));
	if (err)
		return err_prefix(err, "mheap_.heapArenas");
	if (w[1] > MAX_ARENAS)
		return err_bad_data("mheap_.heapArenas has %" PRIu64 " entries", w[1]);
	ret->idx = zalloc((size_t)w[1], 8);
	if (!ret->idx)
		return &err_nomem;
	err = target_read(g->t, w[0], ret->idx, (size_t)w[1] * 8);
	if (err)
		return err_prefix(err, "mheap_.heapArenas");
	qsort(ret->idx, (size_t)w[1], 8, by_value);
	for (size_t i = 0; i < w[1]; i++) {
		if (!n || ret->idx[n - 1] != ret->idx[i])
			ret->idx[n++] = ret->idx[i];
	}
	ret->n = n;
	return NULL;
}

static struct err *index_alloc(struct go_heap_index *x, uint64_t span_of_arenas, size_t narenas)
{
	x->nslots = span_of_arenas;
	x->narenas = (uint32_t)narenas;
	x->arena_slot = bigalloc((size_t)x->nslots, sizeof(uint32_t));
	x->page_span = bigalloc(narenas << x->page_bits, sizeof(uint32_t));
	return x->arena_slot && x->page_span ? NULL : &err_nomem;
}

struct err *heap_arenas_read(const struct go *g, struct go_heap *h)
{
	struct go_heap_index *x = &h->index;
	struct arena_list l = { 0 };
	_cleanup_(freep) uint64_t *guard = NULL;
	struct err *err;

	if (!g->v.mheap || !go_has(g->L->mheap_heapArenas))
		return err_unsupported("the heap's head (mheap_) was not found");
	err = read_list(g, &l);
	guard = l.idx;
	if (err)
		return err;
	h->narenas = l.n;
	x->arena_shift = (uint32_t)__builtin_ctzll(arena_bytes(g));
	x->page_bits = x->arena_shift - GO_PAGE_SHIFT;
	if (!l.n)
		return index_alloc(x, 0, 0);
	if (l.idx[l.n - 1] - l.idx[0] >= 2 * MAX_ARENAS)
		return err_bad_data("arenas %" PRIu64 " to %" PRIu64 " cannot be", l.idx[0],
				    l.idx[l.n - 1]);
	x->lo = arena_base(g, l.idx[0]);
	h->bounds = (struct trange){ x->lo, arena_base(g, l.idx[l.n - 1]) + arena_bytes(g) };
	err = index_alloc(x, l.idx[l.n - 1] - l.idx[0] + 1, l.n);
	if (err)
		return err;
	for (size_t i = 0; i < l.n; i++)
		x->arena_slot[l.idx[i] - l.idx[0]] = (uint32_t)i + 1;
	return NULL;
}
