/*
 * fake_heap.c - a heap of a few spans, without a process.
 */
#include "fake_heap.h"

#define SPANS_MAX 4U
#define SHIFT	  20 /* one arena a span */

/* What go_heap_object_at() looks at. */
static void index_span(struct go_heap_index *x, uint32_t i, const struct go_span *sp)
{
	x->nslots = i + 1;
	x->arena_slot[i] = i + 1;
	for (uint64_t page = 0; page * GO_PAGE_BYTES < sp->bytes; page++)
		x->page_span[(i << x->page_bits) | page] = i + 1;
	x->hot[i] = (struct go_span_hot){
		.base = sp->base,
		.bytes = sp->bytes,
		.first = (uint32_t)sp->first,
		.div_mul = (uint32_t)(UINT32_MAX / sp->elem_bytes + 1),
	};
}

void fake_init(struct fake *f)
{
	*f = (struct fake){ 0 };
	f->s.heap.counters.num_gc = 7;
	f->s.heap.alloc_bits = zalloc(64, 8);
	f->s.heap.mark_bits = zalloc(64, 8);
	f->s.heap.index = (struct go_heap_index){
		.lo = FAKE_BASE,
		.arena_shift = SHIFT,
		.page_bits = SHIFT - GO_PAGE_SHIFT,
		.arena_slot = zalloc(SPANS_MAX, sizeof(uint32_t)),
		.page_span = zalloc((size_t)SPANS_MAX << (SHIFT - GO_PAGE_SHIFT), sizeof(uint32_t)),
		.hot = zalloc(SPANS_MAX, sizeof(struct go_span_hot)),
	};
	f->s.go = (struct go *)f; /* never looked into: go_heap_scan below wants it back */
}

void fake_deinit(struct fake *f)
{
	free(f->s.heap.index.arena_slot);
	free(f->s.heap.index.page_span);
	free(f->s.heap.index.hot);
	free(f->s.heap.alloc_bits);
	free(f->s.heap.mark_bits);
	vec_free(&f->s.heap.spans);
	vec_free(&f->s.heap.specials);
	vec_free(&f->s.roots);
	vec_free(&f->s.slots);
}

uint32_t fake_span(struct fake *f, uint32_t elem_bytes, enum go_marks marks)
{
	struct go_heap *h = &f->s.heap;
	struct go_span sp = {
		.base = FAKE_BASE + (h->spans.n << SHIFT),
		.bytes = FAKE_SLOTS * elem_bytes,
		.elem_bytes = elem_bytes,
		.first = h->nobjects,
		.nelems = FAKE_SLOTS,
		.marks = (uint8_t)marks,
		.freeindex = FAKE_SLOTS,
		.free_index_for_scan = FAKE_SLOTS,
		.tiny = elem_bytes == 16,
	};

	if (h->spans.n == SPANS_MAX || !vec_push(&h->spans, sp))
		abort();
	index_span(&h->index, (uint32_t)h->spans.n - 1, &sp);
	h->nobjects += FAKE_SLOTS;
	return (uint32_t)sp.first;
}

void fake_set(struct fake *f, uint32_t id, enum fake_state state)
{
	uint64_t bit = 1ULL << (id & 63);

	f->s.heap.alloc_bits[id >> 6] &= ~bit;
	f->s.heap.mark_bits[id >> 6] &= ~bit;
	if (state != FAKE_FREE)
		f->s.heap.alloc_bits[id >> 6] |= bit;
	if (state == FAKE_MARKED)
		f->s.heap.mark_bits[id >> 6] |= bit;
}

void fake_root(struct fake *f, uint32_t id, uint32_t flags)
{
	struct snap_root r = { .first_slot = f->s.slots.n, .nslots = 1 };
	struct snap_slot s = { .object = id, .flags = flags };

	if (!vec_push(&f->s.roots, r) || !vec_push(&f->s.slots, s))
		abort();
}

void fake_edge(struct fake *f, uint32_t from, uint32_t to)
{
	f->from[f->m] = from;
	f->to[f->m++] = to;
}

taddr fake_address(const struct fake *f, uint32_t id)
{
	return go_heap_address(&f->s.heap, id, &(uint64_t){ 0 });
}

struct err *snapshot_edges(struct snapshot *s, unsigned nthreads, struct snap_edges *ret)
{
	const struct fake *f = (const struct fake *)s->go;

	(void)nthreads;
	*ret = (struct snap_edges){ .n = s->heap.nobjects, .m = f->m, .to_cap = f->m };
	ret->bad = f->bad_from != f->bad_to;
	ret->first = bigalloc(ret->n + 1, sizeof(*ret->first));
	ret->to = bigalloc(f->m, sizeof(*ret->to));
	if (!ret->first || !ret->to)
		return &err_nomem;
	for (uint32_t id = 0, m = 0; id < ret->n; id++) {
		for (uint32_t e = 0; e < f->m; e++)
			if (f->from[e] == id)
				ret->to[m++] = f->to[e];
		ret->first[id + 1] = m;
	}
	return NULL;
}

void snapshot_edges_deinit(struct snap_edges *e)
{
	bigfree(e->first, e->n + 1, sizeof(*e->first));
	bigfree(e->to, e->to_cap, sizeof(*e->to));
}

taddr go_heap_address(const struct go_heap *h, uint64_t id, uint64_t *ret_bytes)
{
	const struct go_span *sp = &h->spans.v[id / FAKE_SLOTS];

	*ret_bytes = sp->elem_bytes;
	return sp->base + (id - sp->first) * sp->elem_bytes;
}

struct err *go_heap_scan(const struct go *g, const struct go_heap *h, size_t lo, size_t hi,
			 const struct go_scan_ops *ops, void *arg)
{
	const struct fake *f = (const struct fake *)g;
	struct err *err;

	(void)lo;
	(void)hi;
	err = ops->object(arg, f->bad_from, 0, 0);
	if (err)
		return err;
	return ops->pointer(arg, f->bad_from, 8,
			    go_heap_address(h, f->bad_to, &(uint64_t){ 0 }) + 3, 0);
}
