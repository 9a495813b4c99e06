/*
 * heap.c - the collector's view of the heap, put together.
 *
 * Order: counters (they say what mark bits mean), arenas, spans, bits, specials, roots.
 * Cost: about 100 bytes a span, 2 bits an object, 4 bytes a heap page.
 */
#include "goruntime/heap_mask.h"
#include "goruntime/heap_priv.h"

static void guard(struct go_heap **h)
{
	if (*h)
		go_heap_deinit(*h);
}

struct err *go_heap_read(const struct go *g, unsigned nthreads, struct go_heap *ret)
{
	struct go_heap h = { 0 };
	_cleanup_(guard) struct go_heap *hp = &h;
	struct err *err;

	err = go_masks_create(g, &h.masks);
	if (!err)
		err = go_counters_read(g, &h.counters);
	if (!err)
		err = heap_arenas_read(g, &h);
	if (!err)
		err = heap_spans_read(g, &h);
	if (!err)
		err = heap_bits_read(g, nthreads, &h);
	if (!err)
		err = heap_specials_read(g, &h);
	if (!err)
		err = heap_roots_read(g, &h);
	if (err)
		return err_prefix(err, "heap");
	*ret = h;
	hp = NULL;
	return NULL;
}

void go_heap_deinit(struct go_heap *h)
{
	struct go_heap_index *x = &h->index;
	size_t words = (size_t)(h->nobjects / 64 + 2);

	bigfree(x->arena_slot, (size_t)x->nslots, sizeof(uint32_t));
	free(x->meta);
	bigfree(x->page_span, (size_t)x->narenas << x->page_bits, sizeof(uint32_t));
	bigfree(x->hot, x->nhot, sizeof(*x->hot));
	bigfree(h->alloc_bits, words, 8);
	bigfree(h->mark_bits, words, 8);
	vec_free(&h->spans);
	vec_free(&h->manual);
	vec_free(&h->specials);
	vec_free(&h->roots);
	go_masks_free(h->masks);
	*h = (struct go_heap){ 0 };
}

const struct go_span *go_heap_span_of(const struct go_heap *h, uint64_t id)
{
	size_t lo = 0, hi = h->spans.n;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (h->spans.v[mid].first <= id)
			lo = mid;
		else
			hi = mid;
	}
	return hi ? &h->spans.v[lo] : NULL;
}

taddr go_heap_address(const struct go_heap *h, uint64_t id, uint64_t *ret_bytes)
{
	const struct go_span *s = id < h->nobjects ? go_heap_span_of(h, id) : NULL;

	if (ret_bytes)
		*ret_bytes = s ? s->elem_bytes : 0;
	return s ? s->base + (id - s->first) * s->elem_bytes : 0;
}

struct trange go_heap_manual_at(const struct go_heap *h, taddr addr)
{
	size_t lo = 0, hi = h->manual.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr >= h->manual.v[mid].end)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < h->manual.n && trange_has(h->manual.v[lo], addr))
		return h->manual.v[lo];
	return (struct trange){ 0, 0 };
}
