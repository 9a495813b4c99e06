/*
 * dump.c - the heap of a heap dump: spans, ids, allocation bits, roots.
 *
 * A run of objects in the file is a span; slots between them are free.  The runtime's own
 * dumpobjs() takes what lies behind a span's last slot (the heap bits of Go 1.22 and later) for
 * objects: these are left out.  Cost: a second pass over the records of runs with free slots.
 */
#include "snapshot/dump.h"

#include "base/par.h"

#define ARENA_SHIFT 26 /* of our own index; any would do */
#define PAGE_BITS   (ARENA_SHIFT - GO_PAGE_SHIFT)
/* Arenas that the file's objects may be strewn over, and one more for so many bytes of file. */
#define FREE_ARENAS	1024U
#define BYTES_PER_ARENA 16384U

/*
 * Offset in the page where the slots of a span end: before the inline marks (mgcmark_greenteagc.go,
 * up to 512 bytes an object), and where objects have pointers before the heap bits (mbitmap.go,
 * heapBitsInSpan).  GO_PAGE_BYTES: at the page's end.
 */
static uint64_t slots_end(const struct go_layout *L, uint64_t elem, bool scan)
{
	uint64_t end = GO_PAGE_BYTES;

	if (!go_has(L->mspan_largeType) || elem > 512)
		return end;
	if (scan)
		end -= GO_PAGE_BYTES / 64;
	if (go_has(L->spanInlineMarkBits_marks) && elem >= 16)
		end -= MIN(L->spanInlineMarkBits_bytes, 1024U);
	return end / elem * elem;
}

static bool all_zero(const struct dump_object *o)
{
	for (uint64_t i = 0; i < o->bytes; i++)
		if (o->data[i])
			return false;
	return true;
}

/*
 * A page of which only what lies behind the slots is in the file: an empty span in some P's cache.
 * If it were one without pointers, just the last of its slots would all be taken, and no other.
 * Where that is but one slot, only an empty one is taken for none.
 */
static bool only_bits(const struct snapshot *s, const struct dump_run *u)
{
	uint64_t from = slots_end(s->go->L, u->elem, true);
	uint64_t end = slots_end(s->go->L, u->elem, false);
	uint64_t n = (MIN(end, GO_PAGE_BYTES) - from) / u->elem;
	_cleanup_(dump_walk_end) struct dump_walk w = { .n = 0 };
	struct dump_object o;

	if (u->scan || from >= end || u->base % GO_PAGE_BYTES != from || u->nobjects < n)
		return false;
	return n > 1 || (dump_object_at(s->dump->d, u->base, &w, &o) && all_zero(&o));
}

static uint8_t class_of(const struct go_layout *L, const struct dump_run *u)
{
	uint32_t c = 0;

	for (uint32_t i = 1; i < L->nclasses && i < 128; i++)
		if (L->class_to_size[i] == u->elem)
			c = i;
	return (uint8_t)(c << 1 | !u->scan);
}

/* The span of a run; nelems 0: none. */
static struct go_span span_of(const struct snapshot *s, const struct dump_run *u)
{
	uint64_t end = slots_end(s->go->L, u->elem, u->scan), off = u->base % GO_PAGE_BYTES;
	struct go_span sp = {
		.base = u->base,
		.elem_bytes = u->elem,
		.nelems = u->nslots,
		.spanclass = class_of(s->go->L, u),
		.noscan = !u->scan,
		.scheme = u->scan ? GO_PTR_LISTED : GO_PTR_NONE,
		.marks = GO_MARKS_NONE,
		.tiny = !u->scan && u->elem == 16,
	};

	if (end < GO_PAGE_BYTES && off + u->nslots * u->elem > end)
		sp.nelems = off < end ? (uint32_t)((end - off) / u->elem) : 0;
	if (only_bits(s, u))
		sp.nelems = 0;
	sp.freeindex = sp.free_index_for_scan = sp.nelems;
	sp.bytes = sp.limit_bytes = sp.nelems * u->elem;
	sp.div_mul = sp.nelems == 1 ? 0 : (uint32_t)(UINT32_MAX / u->elem + 1);
	return sp;
}

/* Number the arenas that spans lie in; those of too many are left out. */
static struct err *index_arenas(struct go_heap *h, const struct dump *d)
{
	struct go_heap_index *x = &h->index;
	uint64_t max = FREE_ARENAS + d->nfile / BYTES_PER_ARENA;
	taddr lo, hi;

	x->arena_shift = ARENA_SHIFT;
	x->page_bits = PAGE_BITS;
	if (!h->spans.n)
		return NULL;
	lo = h->spans.v[0].base >> ARENA_SHIFT;
	hi = (h->spans.v[h->spans.n - 1].base + h->spans.v[h->spans.n - 1].bytes - 1) >>
	     ARENA_SHIFT;
	x->lo = lo << ARENA_SHIFT;
	x->nslots = hi - lo + 1;
	h->bounds = (struct trange){ x->lo, (hi + 1) << ARENA_SHIFT };
	x->arena_slot = bigalloc((size_t)x->nslots, sizeof(uint32_t));
	if (!x->arena_slot)
		return &err_nomem;
	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *s = &h->spans.v[i];

		for (uint64_t a = (s->base - x->lo) >> ARENA_SHIFT;
		     a <= (s->base + s->bytes - 1 - x->lo) >> ARENA_SHIFT; a++)
			if (!x->arena_slot[a] && x->narenas < max)
				x->arena_slot[a] = ++x->narenas;
	}
	h->narenas = x->narenas;
	x->page_span = bigalloc((size_t)x->narenas << PAGE_BITS, sizeof(uint32_t));
	return x->page_span ? NULL : &err_nomem;
}

static bool has_arenas(const struct go_heap_index *x, const struct go_span *s)
{
	for (uint64_t a = (s->base - x->lo) >> ARENA_SHIFT;
	     a <= (s->base + s->bytes - 1 - x->lo) >> ARENA_SHIFT; a++)
		if (!x->arena_slot[a])
			return false;
	return true;
}

static void map_pages(struct go_heap_index *x, const struct go_span *s, uint32_t number)
{
	for (uint64_t p = (s->base - x->lo) >> GO_PAGE_SHIFT;
	     p <= (s->base + s->bytes - 1 - x->lo) >> GO_PAGE_SHIFT; p++)
		x->page_span[((size_t)(x->arena_slot[p >> PAGE_BITS] - 1) << PAGE_BITS) |
			     (p & ((1U << PAGE_BITS) - 1))] = number;
}

/* Ids, page index and hot parts; spans without an arena go. */
static struct err *index_spans(struct snapshot *s)
{
	struct go_heap *h = &s->heap;
	struct go_heap_index *x = &h->index;
	struct err *err = index_arenas(h, s->dump->d);
	size_t n = 0;

	if (err)
		return err;
	x->nhot = h->spans.n;
	x->hot = bigalloc(x->nhot + 1, sizeof(*x->hot));
	if (!x->hot)
		return &err_nomem;
	x->nhot++;
	for (size_t i = 0; i < h->spans.n; i++) {
		struct go_span sp = h->spans.v[i];

		if (!has_arenas(x, &sp)) {
			h->lost_spans++;
			h->lost_bytes += sp.bytes;
			continue;
		}
		if (h->nobjects + sp.nelems > UINT32_MAX)
			return err_new(ERR_LIMIT, "more than %u object slots: not handled",
				       UINT32_MAX);
		sp.first = h->nobjects;
		h->nobjects += sp.nelems;
		x->hot[n] =
			(struct go_span_hot){ sp.base, sp.bytes, (uint32_t)sp.first, sp.div_mul };
		s->dump->run_of.v[n] = s->dump->run_of.v[i];
		h->spans.v[n++] = sp;
		map_pages(x, &sp, (uint32_t)n);
	}
	h->spans.n = s->dump->run_of.n = n;
	return NULL;
}

static struct err *make_spans(struct snapshot *s)
{
	const struct dump *d = s->dump->d;

	for (size_t i = 0; i < d->runs.n; i++) {
		struct go_span sp = span_of(s, &d->runs.v[i]);

		if (!sp.nelems)
			continue;
		if (!vec_push(&s->heap.spans, sp) || !vec_push(&s->dump->run_of, (uint32_t)i))
			return &err_nomem;
	}
	return index_spans(s);
}

static void set_bit(uint64_t *bits, uint64_t i)
{
	__atomic_fetch_or(&bits[i >> 6], 1ULL << (i & 63), __ATOMIC_RELAXED);
}

static struct err *set_alloc(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct snapshot *s = arg;
	const struct snap_dump *x = s->dump;

	(void)worker;
	for (size_t i = lo; i < hi; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];
		const struct dump_run *u = &x->d->runs.v[x->run_of.v[i]];
		struct dump_walk w = { .d = x->d, .run = u };
		struct dump_object o;

		if (u->nobjects == u->nslots)
			for (uint32_t k = 0; k < sp->nelems; k++)
				set_bit(s->heap.alloc_bits, sp->first + k);
		else
			while (dump_next(&w, &o) && o.addr - sp->base < sp->bytes)
				set_bit(s->heap.alloc_bits,
					sp->first + (o.addr - sp->base) / sp->elem_bytes);
		if (w.lost)
			__atomic_fetch_add(&s->heap.lost_spans, 1, __ATOMIC_RELAXED);
		dump_walk_end(&w);
	}
	return NULL;
}

/* go_listed: the fields of one object, or of all objects of a span. */
static struct err *scan_object(const struct go_span *sp, const struct dump_object *o,
			       const struct go_scan_ops *ops, void *arg)
{
	struct bytes fields = o->fields;
	uint64_t id = sp->first + (o->addr - sp->base) / sp->elem_bytes;
	uint64_t at, last = UINT64_MAX, word0 = load_u64(o->data);
	bool first = dump_field(&fields, &at);
	/* malloc.go: objects of over 512 bytes have a header, their type, which is no pointer. */
	bool header = sp->elem_bytes > 512 && at;
	struct err *err =
		ops->object(arg, id, first && header ? word0 : 0, first && !at ? 0 : word0);

	for (; first && !err; first = dump_field(&fields, &at)) {
		taddr value = load_u64(o->data + at);

		if (value)
			err = ops->pointer(arg, id, at, value,
					   at && last != at - 8 ? load_u64(o->data + at - 8) : 0);
		last = at;
	}
	return err;
}

static struct err *scan_span(void *arg, const struct go_heap *h, size_t span, uint64_t only,
			     const struct go_scan_ops *ops, void *ops_arg)
{
	const struct snap_dump *x = arg;
	const struct go_span *sp = &h->spans.v[span];
	_cleanup_(dump_walk_end) struct dump_walk w = { .d = x->d,
							.run = &x->d->runs.v[x->run_of.v[span]] };
	struct dump_object o;
	struct err *err = NULL;

	while (!err && dump_next(&w, &o) && o.addr - sp->base < sp->bytes) {
		if (only == GO_NO_OBJECT ||
		    only == sp->first + (o.addr - sp->base) / sp->elem_bytes)
			err = scan_object(sp, &o, ops, ops_arg);
	}
	if (w.lost)
		ops->lost(ops_arg, sp->base, sp->bytes);
	return err;
}

static struct err *add_word(struct snapshot *s, taddr at, taddr value, enum go_root_kind kind)
{
	struct go_root_word w = { .at = at, .value = value, .kind = (uint8_t)kind };

	if (!trange_has(s->heap.bounds, value))
		return NULL;
	return vec_push(&s->heap.roots, w) ? NULL : &err_nomem;
}

static struct err *add_data(struct snapshot *s)
{
	const struct dump *d = s->dump->d;
	struct err *err = NULL;

	for (size_t i = 0; i < d->data.n && !err; i++) {
		const struct dump_segment *m = &d->data.v[i];
		struct bytes fields = m->fields;
		uint64_t at;

		while (!err && dump_field(&fields, &at))
			err = add_word(s, m->addr + at, load_u64(m->data + at),
				       i < d->ndata ? GO_ROOT_DATA : GO_ROOT_BSS);
	}
	for (size_t i = 0; i < d->queued.n && !err; i++) {
		err = add_word(s, 0, d->queued.v[i].fn, GO_ROOT_FINALIZER_QUEUE);
		if (!err)
			err = add_word(s, 0, d->queued.v[i].object, GO_ROOT_FINALIZER_QUEUE);
	}
	for (size_t i = 0; i < d->other_roots.n && !err; i++)
		err = add_word(s, 0, d->other_roots.v[i].to, GO_ROOT_BSS);
	return err;
}

static struct err *add_finalizers(struct snapshot *s)
{
	const struct dump *d = s->dump->d;

	for (size_t i = 0; i < d->finalizers.n; i++) {
		const struct dump_finalizer *f = &d->finalizers.v[i];
		struct go_special sp = { .kind = GO_SPECIAL_FINALIZER, .nwords = 1 };
		uint64_t id = go_heap_object_at(&s->heap, f->object);

		if (id == GO_NO_OBJECT)
			continue;
		sp.object = go_heap_address(&s->heap, id, NULL);
		sp.words[0] = f->fn;
		if (!vec_push(&s->heap.specials, sp))
			return &err_nomem;
	}
	return NULL;
}

static void set_counters(struct go_counters *c, const struct dump *d)
{
	const struct dump_memstats *m = &d->memstats;

	c->num_gc = (uint32_t)d->num_gc;
	c->sweepgen = 2 * c->num_gc;
	c->heap_live = m->heap_alloc;
	c->heap_in_use = m->heap_inuse;
	c->heap_free = m->heap_idle - MIN(m->heap_idle, m->heap_released);
	c->heap_released = m->heap_released;
	c->stacks_in_use = m->stack_inuse;
	c->mspan_sys = m->mspan_sys;
	c->mspan_in_use = m->mspan_inuse;
	c->mcache_sys = m->mcache_sys;
	c->buckhash_sys = m->buckhash_sys;
	c->gc_misc_sys = m->gc_sys;
	c->other_sys = m->other_sys;
	c->total_alloc_bytes = m->total_alloc;
	c->heap_goal = m->next_gc;
	c->last_gc_unix_ns = m->last_gc;
	c->total_pause_ns = m->pause_total_ns;
}

struct err *snap_dump_heap(struct snapshot *s, unsigned nthreads)
{
	struct go_heap *h = &s->heap;
	size_t words;
	struct err *err;

	s->dump = zalloc(1, sizeof(*s->dump));
	if (!s->dump)
		return &err_nomem;
	s->dump->d = target_dump(s->t);
	s->dump->listed = (struct go_listed){ scan_span, s->dump };
	h->listed = &s->dump->listed;
	set_counters(&h->counters, s->dump->d);
	h->manual_span_bytes = s->dump->d->memstats.stack_inuse;
	err = make_spans(s);
	if (err)
		return err;
	words = (size_t)(h->nobjects / 64 + 2);
	h->alloc_bits = bigalloc(words, 8);
	h->mark_bits = bigalloc(words, 8);
	if (!h->alloc_bits || !h->mark_bits)
		return &err_nomem;
	err = par_for(nthreads, h->spans.n, 1024, set_alloc, s);
	if (!err)
		err = add_data(s);
	return err ? err : add_finalizers(s);
}

void snap_dump_free(struct snap_dump *x)
{
	if (!x)
		return;
	vec_free(&x->run_of);
	free(x);
}

const struct dump_bucket *snap_dump_site(const struct snapshot *s, uint64_t id)
{
	const struct dump_bucket *b;
	uint64_t bytes;
	taddr at = go_heap_address(&s->heap, id, &bytes);

	if (!s->dump)
		return NULL;
	b = dump_bucket_of(s->dump->d, at);
	/* Behind a malloc header. */
	return b || bytes <= 512 ? b : dump_bucket_of(s->dump->d, at + 8);
}
