/*
 * fuzz_span.c - arenas, spans, bits, specials, roots and the walk over pointers, by each layout.
 *
 * A small heap that is as the runtime leaves it, then damaged: the input is a list of orders of 12
 * bytes (a span, a special, a type, a word anywhere, memory that ends early).  What comes
 * out must be consistent with itself, whatever went in.
 */
#include "fake/segments.h"
#include "goruntime/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define RT	 0x400000ULL /* the runtime's variables, lists, mspans, bitmaps, specials, types */
#define LISTS	 (RT + 0x1000)
#define MSPANS	 (RT + 0x3000)
#define BITMAPS	 (RT + 0x7000)
#define SPECIALS (RT + 0x9000)
#define TYPES	 (RT + 0xa000)
#define BLOCKS	 (RT + 0xb000) /* finalizer and cleanup queues, Ps, sections */
#define RT_BYTES 0x10000U
#define META	 0x600000ULL
#define L2	 0x800000ULL
#define ARENA	 0xc000000000ULL
#define PAGES	 16U
#define SPANS	 32U
#define SWEEPGEN 10U
#define MAX_OPS	 200U

enum { SEG_RT, SEG_META, SEG_L2, SEG_ARENA, SEGS };

struct world {
	const struct go_layout *L;
	struct fake_segment seg[SEGS];
	taddr mheap; /* so that the few fields that count lie at RT */
	struct go_module module;
	struct go g;
	unsigned nspans;
};

static uint8_t rt[RT_BYTES], meta[1U << 18], l2[64], arena[PAGES * GO_PAGE_BYTES];

static void put(struct world *w, taddr at, uint64_t x, size_t n)
{
	for (unsigned i = 0; i < SEGS; i++) {
		const struct fake_segment *s = &w->seg[i];

		if (at >= s->at && at - s->at < s->n && s->n - (at - s->at) >= n)
			memcpy((uint8_t *)s->bytes + (at - s->at), &x, n);
	}
}

static void set(struct world *w, taddr at, struct go_field f, uint64_t x)
{
	if (go_has(f))
		put(w, at + (uint64_t)f.off, x, MIN(f.bytes, 8U));
}

/* Size class or pages, as runtime/sizeclasses.go has them. */
static void put_span(struct world *w, const uint8_t *o)
{
	const struct go_layout *L = w->L;
	unsigned i = w->nspans < SPANS ? w->nspans++ : o[0] % SPANS;
	uint64_t page = o[1] % PAGES, npages = 1 + o[2] % 4U, class = o[3] >> 1;
	uint64_t elem =
		class && class < L->nclasses ? L->class_to_size[class] : npages * GO_PAGE_BYTES;
	uint64_t nelems = npages * GO_PAGE_BYTES / MAX(elem, 1U);
	taddr at = MSPANS + i * 0x200ULL, base = ARENA + page * GO_PAGE_BYTES;

	set(w, at, L->mspan_startAddr, base);
	set(w, at, L->mspan_npages, npages);
	set(w, at, L->mspan_nelems, nelems + (o[4] & 1));
	set(w, at, L->mspan_elemsize, elem);
	set(w, at, L->mspan_limit, base + elem * nelems - (o[4] & 6) * 32U);
	set(w, at, L->mspan_spanclass, o[3]);
	set(w, at, L->mspan_sweepgen, SWEEPGEN - 2U + (o[4] >> 4) % 6U);
	set(w, at, L->mspan_state, (uint64_t)(o[4] & 8 ? L->c_mSpanManual : L->c_mSpanInUse));
	set(w, at, L->mspan_freeindex, o[5]);
	set(w, at, L->mspan_freeIndexForScan, o[6]);
	set(w, at, L->mspan_allocCount, o[7]);
	set(w, at, L->mspan_allocBits, BITMAPS + i * 256ULL);
	set(w, at, L->mspan_gcmarkBits, BITMAPS + i * 256ULL + 128);
	set(w, at, L->mspan_largeType, o[8] & 1 ? TYPES + (o[8] >> 1) * 0x40ULL : 0);
	set(w, at, L->mspan_isUserArenaChunk, o[9] & 1);
	set(w, at, L->mspan_specials, o[9] & 2 ? SPECIALS + (o[9] >> 2) * 0x40ULL : 0);
	for (uint64_t p = 0; p < npages; p++)
		put(w, META + (uint64_t)L->heapArena_spans.off + (page + p) * 8, at, 8);
	put(w, LISTS + i * 8ULL, at, 8);
	put(w, w->mheap + (uint64_t)L->mheap_allspans.off + 8, w->nspans, 8);
}

static void put_special(struct world *w, const uint8_t *o)
{
	const struct go_layout *L = w->L;
	taddr at = SPECIALS + (o[1] % 64) * 0x40ULL;

	set(w, at, L->special_next, o[2] & 1 ? SPECIALS + (o[2] >> 1) * 0x40ULL : 0);
	set(w, at, L->special_kind, o[3]);
	set(w, at, L->special_offset, load_u32(o + 4));
	for (unsigned i = 24; i < 0x40; i += 8)
		put(w, at + i, ARENA + load_u32(o + 8), 8);
}

static void put_type(struct world *w, const uint8_t *o)
{
	const struct go_layout *L = w->L;
	taddr at = TYPES + (o[1] % 64) * 0x40ULL;

	set(w, at, L->type_Size_, o[2] * 8U);
	set(w, at, L->type_PtrBytes, o[3] * 8U);
	set(w, at, L->type_Kind_, o[4]);
	set(w, at, L->type_TFlag, o[5]);
	set(w, at, L->type_GCData, TYPES + o[6] * 0x10ULL);
	put(w, at + L->type_bytes, TYPES + (o[7] % 64) * 0x40ULL, 8);
	put(w, at + L->type_bytes + 16, o[8], 8);
}

/* A word of the target: any, or an address that means something. */
static uint64_t word_of(const uint8_t *o)
{
	static const taddr means[] = { RT, META, L2, ARENA, MSPANS, SPECIALS, TYPES, BLOCKS };

	return o[1] & 0x10 ? means[o[4] % 8] + load_u32(o + 5) % (1U << 17) : load_u64(o + 4);
}

static void poke(struct world *w, const uint8_t *o)
{
	const struct fake_segment *s = &w->seg[o[1] % SEGS];

	if (s->n >= 8)
		put(w, s->at + load_u16(o + 2) * 8ULL % (s->n - 7), word_of(o), 8);
}

static void fill(struct world *w, const uint8_t *o)
{
	const struct fake_segment *s = &w->seg[o[1] % SEGS];
	size_t at = load_u32(o + 4) % MAX(s->n, 1U);

	if (s->n)
		memset((uint8_t *)s->bytes + at, o[2], MIN(s->n - at, (size_t)load_u16(o + 8)));
}

/* The runtime's variables that lead to roots and figures; sections with their masks. */
static void put_variable(struct world *w, const uint8_t *o)
{
	taddr at = BLOCKS + load_u16(o + 2) % 0x3000U;
	struct go_vars *v = &w->g.v;
	taddr *all[] = {
		&v->allfin,	  &v->gccleanups,	 &v->cleanups_all,    &v->allp,
		&v->gccontroller, &v->memstats,		 &v->gcphase,	      &w->module.gcdata,
		&w->module.gcbss, &w->module.gcdatamask, &w->module.gcbssmask
	};
	unsigned i = o[1] % (ARRAY_LEN(all) + 3);

	if (i < ARRAY_LEN(all))
		*all[i] = at;
	else if (i == ARRAY_LEN(all))
		w->module.data = (struct trange){ at & ~7ULL, at + load_u16(o + 4) };
	else if (i == ARRAY_LEN(all) + 1)
		w->module.bss = (struct trange){ at, at + load_u32(o + 4) };
	else
		w->module.gcdatamask_bits = w->module.gcbssmask_bits = load_u64(o + 4);
}

static void order(struct world *w, const uint8_t *o)
{
	switch (o[0] % 8) {
	case 0:
	case 1:
		put_span(w, o);
		break;
	case 2:
		put_special(w, o);
		break;
	case 3:
		put_type(w, o);
		break;
	case 4:
		fill(w, o);
		break;
	case 5:
		put_variable(w, o);
		break;
	case 6: /* memory ends early; rarely, as most would be lost then */
		if (o[1] % 4 == 3)
			w->seg[o[2] % SEGS].n = load_u32(o + 4) % (w->seg[o[2] % SEGS].n + 1);
		break;
	default:
		poke(w, o);
	}
}

static uint64_t least(const struct go_layout *L)
{
	int32_t a = MIN(L->mheap_allspans.off, L->mheap_sweepgen.off);
	int32_t b = MIN(L->mheap_arenas.off, L->mheap_heapArenas.off);

	return (uint64_t)MIN(a, b) & ~7ULL;
}

static void world_make(struct world *w)
{
	const struct go_layout *L = w->L;
	int64_t off = L->c_arenaBaseOffset;
	uint64_t no = (ARENA - (off != -1 ? (uint64_t)off : 0xffff800000000000ULL)) / (64U << 20);

	memset(rt, 0, sizeof(rt));
	memset(meta, 0, sizeof(meta));
	memset(l2, 0, sizeof(l2));
	memset(arena, 0, sizeof(arena));
	w->seg[SEG_RT] = (struct fake_segment){ RT, rt, sizeof(rt) };
	w->seg[SEG_META] = (struct fake_segment){ META, meta, sizeof(meta) };
	w->seg[SEG_L2] = (struct fake_segment){ L2 + no * 8 - 16, l2, sizeof(l2) };
	w->seg[SEG_ARENA] = (struct fake_segment){ ARENA, arena, sizeof(arena) };
	w->mheap = RT - least(L);
	w->g.v.mheap = w->mheap;
	w->g.v.gcphase = LISTS + 0x1f00;
	set(w, w->mheap, L->mheap_sweepgen, SWEEPGEN);
	put(w, w->mheap + (uint64_t)L->mheap_arenas.off, L2, 8);
	put(w, L2 + no * 8, META, 8);
	put(w, w->mheap + (uint64_t)L->mheap_heapArenas.off, LISTS + 0x1000, 8);
	put(w, w->mheap + (uint64_t)L->mheap_heapArenas.off + 8, 1, 8);
	put(w, LISTS + 0x1000, no, 8);
	put(w, w->mheap + (uint64_t)L->mheap_allspans.off, LISTS, 8);
}

/* One span of each kind, with objects, types and a special. */
static void world_fill(struct world *w)
{
	static const uint8_t start[][12] = {
		{ 0, 0, 0, 4 << 1, 0x20, 9, 8, 9, 0, 2 },     /* 48 B, bits at its end */
		{ 0, 1, 0, 29 << 1, 0x20, 5, 5, 5, 0, 0 },    /* malloc headers */
		{ 0, 2, 3, 0, 0x20, 1, 1, 1, 1, 0 },	      /* one large object */
		{ 0, 6, 0, 2 << 1 | 1, 0x20, 9, 9, 9, 0, 6 }, /* tiny */
		{ 2, 0, 3, 1, 48, 0, 0, 0, 0, 0 },	      /* a finalizer, */
		{ 2, 1, 0, 4, 16, 0, 0, 0, 0, 0 },	/* and another special, of two spans */
		{ 3, 0, 4, 3, 25, 0, 0x0c },		/* a type of four words */
		{ 4, 0, 0x5a, 0, 0, 0x70, 0, 0, 0, 2 }, /* bitmaps */
	};

	for (unsigned i = 0; i < ARRAY_LEN(start); i++)
		order(w, start[i]);
	put(w, TYPES + 0xc0, 5, 8);
	for (unsigned i = 0; i < 5; i++) {
		taddr slot = ARENA + GO_PAGE_BYTES + i * (uint64_t)w->L->class_to_size[29];

		put(w, slot, TYPES, 8);
		put(w, slot + 8, ARENA + 48, 8);
	}
	put(w, ARENA + 2 * GO_PAGE_BYTES, ARENA + 96, 8);
	put(w, ARENA + GO_PAGE_BYTES - 128, 0x1111, 8);
	put(w, ARENA + GO_PAGE_BYTES - 256, 0x1111, 8);
}

struct walk {
	const struct go_heap *h;
	uint64_t id; /* the object that the walk is in */
	uint64_t bytes;
	unsigned npointers;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct err *on_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	struct walk *w = arg;

	(void)type;
	(void)word0;
	must(id < w->h->nobjects && go_bit(w->h->alloc_bits, id));
	must(w->id == GO_NO_OBJECT || id > w->id);
	w->id = id;
	go_heap_address(w->h, id, &w->bytes);
	return NULL;
}

static struct err *on_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct walk *w = arg;
	uint64_t to = go_heap_object_at(w->h, value);

	(void)before;
	w->npointers++;
	must(id == w->id && value && !(at & 7) && at + 8 <= w->bytes);
	must(to == GO_NO_OBJECT || to < w->h->nobjects);
	return NULL;
}

static void on_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg;
	(void)addr;
	(void)nbytes;
}

static const struct go_scan_ops ops = { on_object, on_pointer, on_lost };

static void check_spans(const struct go_heap *h)
{
	uint64_t id = 0;
	taddr end = 0;

	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *s = &h->spans.v[i];

		must(s->base >= end && s->first == id && s->nelems);
		must(s->elem_bytes * s->nelems <= s->bytes);
		must(go_heap_span_at(h, s->base) == s);
		must(go_heap_span_at(h, s->base + s->bytes - 1) == s);
		must(go_heap_span_of(h, id) == s && go_heap_span_of(h, id + s->nelems - 1) == s);
		end = s->base + s->bytes;
		id += s->nelems;
	}
	must(id == h->nobjects);
}

/* An object is found by its address, unless it lies beyond its span's limit. */
static void check_objects(const struct go *g, const struct go_heap *h)
{
	struct walk w = { .h = h, .id = GO_NO_OBJECT };

	for (uint64_t id = 0; id < h->nobjects; id += 1 + h->nobjects / 512) {
		uint64_t nbytes, got;
		taddr at = go_heap_address(h, id, &nbytes);

		got = go_heap_object_at(h, at);
		must(got == id || got == GO_NO_OBJECT);
		got = go_heap_object_at(h, at + nbytes - 1);
		must(got == id || got == GO_NO_OBJECT);
		if (!go_bit(h->alloc_bits, id) || id % 7)
			continue;
		w.id = GO_NO_OBJECT;
		err_free(go_heap_scan_object(g, h, id, &ops, &w));
	}
}

static void check(const struct go *g, const struct go_heap *h)
{
	struct walk w = { .h = h, .id = GO_NO_OBJECT };

	check_spans(h);
	for (size_t i = 0; i < h->specials.n; i++) {
		uint64_t id = go_heap_object_at(h, h->specials.v[i].object);

		must(id == GO_NO_OBJECT || id < h->nobjects);
		must(h->specials.v[i].nwords <= ARRAY_LEN(h->specials.v[i].words));
	}
	for (size_t i = 0; i < h->roots.n; i++)
		go_heap_manual_at(h, h->roots.v[i].value);
	err_free(go_heap_scan(g, h, 0, h->spans.n, &ops, &w));
	check_objects(g, h);
}

static void world_open(struct world *w, const struct go_layout *L)
{
	*w = (struct world){ .L = L };
	w->g.L = L;
	w->g.modules = &w->module;
	w->g.nmodules = 1;
	world_make(w);
	world_fill(w);
}

/* Undamaged it must be read whole: else the fuzzer would look at error paths alone. */
static void check_start(const struct go_layout *L)
{
	struct world w;
	struct go_heap h = { 0 };
	struct walk walk = { .h = &h, .id = GO_NO_OBJECT };

	world_open(&w, L);
	w.module.data = (struct trange){ BLOCKS, BLOCKS + 64 };
	w.module.gcdatamask = LISTS + 0x1e00;
	w.module.gcdatamask_bits = 8;
	put(&w, LISTS + 0x1e00, 2, 8);
	put(&w, BLOCKS + 8, ARENA + 8, 8);
	w.g.t = fake_target(w.seg, SEGS);
	must(w.g.t != NULL);
	must(!go_heap_read(&w.g, 1, &h));
	must(!h.lost_spans && h.spans.n == 4 && h.specials.n == 3 && h.roots.n == 1);
	check(&w.g, &h);
	must(!go_heap_scan(&w.g, &h, 0, h.spans.n, &ops, &walk));
	must(walk.npointers >= 6);
	go_heap_deinit(&h);
	target_close(w.g.t);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < nl; i++)
		check_start(all[i]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);
	struct world w;
	struct go_heap h = { 0 };
	struct err *err;

	if (n < 2)
		return 0;
	world_open(&w, all[data[0] % nl]);
	put(&w, w.g.v.gcphase, data[1] % 4 == 3, 4);
	for (size_t at = 2, k = 0; at + 12 <= n && k < MAX_OPS; at += 12, k++)
		order(&w, data + at);
	w.g.t = fake_target(w.seg, SEGS);
	if (!w.g.t)
		return 0;
	err = go_heap_read(&w.g, 1, &h);
	if (!err) {
		check(&w.g, &h);
		go_heap_deinit(&h);
	}
	err_free(err);
	target_close(w.g.t);
	return 0;
}
