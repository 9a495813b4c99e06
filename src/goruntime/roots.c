/*
 * roots.c - pointer words outside heap and stacks that keep objects alive.
 *
 * Source: runtime/mgcmark.go, markroot: data and bss of every module by their masks,
 * allfin's blocks, gcCleanups' blocks (1.25+), specials (specials.c), stacks (stack.h), and of
 * each mcache the current tiny block.  Work buffers and the like are no roots.
 * Only words that point between the first and the last arena are kept.
 */
#include "base/cycle.h"
#include "goruntime/heap_mask.h"
#include "goruntime/heap_priv.h"

#define CHUNK_BYTES (256U << 10)
#define MAX_SECTION (8ULL << 30)
#define MAX_BLOCKS  (1U << 20)
#define MAX_PS	    (1U << 16)
#define BLOCK_BYTES 4096 /* mfinal.go: finBlockSize; mcleanup.go: cleanupBlockSize */

struct section {
	struct trange range;
	taddr mask;
	uint64_t mask_bits;
	taddr prog; /* moduledata.gcdata: GC program, for a mask not yet expanded */
	uint8_t kind, module;
};

static struct err *add(struct go_heap *h, taddr at, taddr value, uint8_t kind, uint8_t module)
{
	struct go_root_word w = { .at = at, .value = value, .kind = kind, .module = module };

	if (!trange_has(h->bounds, value))
		return NULL;
	return vec_push(&h->roots, w) ? NULL : &err_nomem;
}

/* symtab.go: schedinit expands gcdata through progToPointerMask; before that, do so here. */
static struct err *expand_mask(const struct go *g, const struct section *s, uint64_t *bits,
			       uint64_t nbits)
{
	size_t nprog = 0, cap = (size_t)(nbits / 4 + 4096);
	_cleanup_(freep) uint8_t *prog = zalloc(cap, 1);
	struct err *err;

	if (!prog)
		return &err_nomem;
	err = target_read_some(g->t, s->prog, prog, cap, &nprog);
	if (!err && go_gcprog_expand(prog, nprog, bits, nbits) == UINT64_MAX)
		err = err_bad_data("damaged GC program");
	return err;
}

static struct err *section_mask(const struct go *g, const struct section *s, uint64_t **ret)
{
	uint64_t nbits = trange_bytes(s->range) / 8;
	_cleanup_(freep) uint64_t *bits = zalloc((size_t)(nbits / 64 + 2), 8);
	struct err *err = NULL;
	bool have = s->mask != 0;

	if (!bits)
		return &err_nomem;
	if (have)
		err = target_read(g->t, s->mask, bits,
				  (size_t)((MIN(nbits, s->mask_bits) + 7) / 8));
	/* cut off; what it was made of lies in the executable */
	if (s->prog && err_catch(&err, ERR_FAULT))
		have = false;
	if (!have && s->prog)
		err = expand_mask(g, s, bits, nbits);
	if (err)
		return err_prefix(err, "pointer mask of %s",
				  s->kind == GO_ROOT_BSS ? "bss" : "data");
	*ret = STEAL(bits);
	return NULL;
}

static struct err *scan_words(struct go_heap *h, const struct section *s, taddr base,
			      const uint64_t *words, size_t n, const uint64_t *bits)
{
	uint64_t first = (base - s->range.start) / 8;
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		if (words[i] && go_bit(bits, first + i))
			err = add(h, base + 8 * i, words[i], s->kind, s->module);
	}
	return err;
}

static struct err *scan_section(const struct go *g, struct go_heap *h, const struct section *s)
{
	_cleanup_(freep) uint64_t *bits = NULL;
	_cleanup_(freep) uint64_t *buf = zalloc(CHUNK_BYTES, 1);
	struct err *err;

	if (!buf)
		return &err_nomem;
	if (!trange_bytes(s->range))
		return NULL;
	if (trange_bytes(s->range) > MAX_SECTION || (s->range.start & 7))
		return err_bad_data("a section of %" PRIu64 " bytes", trange_bytes(s->range));
	err = section_mask(g, s, &bits);
	for (taddr a = s->range.start; a + 8 <= s->range.end && !err; a += CHUNK_BYTES) {
		size_t n = (size_t)MIN(s->range.end - a, (uint64_t)CHUNK_BYTES) & ~(size_t)7;

		err = target_read(g->t, a, buf, n);
		if (err_catch(&err, ERR_FAULT)) {
			h->lost_spans++;
			h->lost_bytes += n;
			continue;
		}
		if (!err)
			err = scan_words(h, s, a, buf, n / 8, bits);
	}
	return err;
}

/* One block of a queue: count entries of stride bytes, with pointers at the given offsets. */
struct queue {
	taddr head;
	struct go_field link, count, array;
	uint64_t stride;
	uint64_t ptr_at[4];
	unsigned nptrs;
	uint8_t kind;
};

static struct err *scan_block(struct go_heap *h, const struct queue *q, taddr at,
			      const uint8_t *image)
{
	uint64_t n = go_get(image, q->count), array = (uint64_t)q->array.off;
	struct err *err = NULL;

	n = MIN(n, (BLOCK_BYTES - array) / q->stride);
	for (uint64_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < q->nptrs && !err; k++) {
			uint64_t off = array + i * q->stride + q->ptr_at[k];

			err = add(h, at + off, load_u64(image + off), q->kind, 0);
		}
	}
	return err;
}

static struct err *scan_queue(const struct go *g, struct go_heap *h, const struct queue *q)
{
	uint8_t image[BLOCK_BYTES];
	struct cycle cycle = { 0 };
	taddr at;
	struct err *err = go_read_u64(g, q->head, &at);

	for (unsigned i = 0; at && i < MAX_BLOCKS && !err; i++) {
		err = cycle_closed(&cycle, at) ? err_fault(at)
					       : target_read(g->t, at, image, sizeof(image));
		if (err_catch(&err, ERR_FAULT)) {
			h->lost_spans++;
			h->lost_bytes += BLOCK_BYTES;
			return NULL;
		}
		if (!err)
			err = scan_block(h, q, at, image);
		at = go_get(image, q->link);
	}
	return err;
}

/* mfinal.go, finptrmask: fn, arg, fint, ot are pointers. */
static struct err *finalizers(const struct go *g, struct go_heap *h)
{
	const struct go_layout *L = g->L;
	struct queue q = {
		.head = g->v.allfin,
		.link = L->finBlock_alllink,
		.count = L->finBlock_cnt,
		.array = L->finBlock_fin,
		.stride = L->finalizer_bytes,
		.ptr_at = { (uint64_t)L->finalizer_fn.off, (uint64_t)L->finalizer_arg.off,
			    (uint64_t)L->finalizer_fint.off, (uint64_t)L->finalizer_ot.off },
		.nptrs = 4,
		.kind = GO_ROOT_FINALIZER_QUEUE,
	};

	if (!q.head || !go_has(q.array) || q.stride < 40)
		return NULL;
	return scan_queue(g, h, &q);
}

/* mcleanup.go: 1.25 queues *funcval, 1.26 cleanupFn. */
static struct err *cleanups(const struct go *g, struct go_heap *h)
{
	const struct go_layout *L = g->L;
	struct queue q = {
		.head = g->v.cleanups_all,
		.link = L->cleanupBlock_alllink,
		.count = L->cleanupBlock_n,
		.array = L->cleanupBlock_cleanups,
		.stride = 8,
		.nptrs = 1,
		.kind = GO_ROOT_CLEANUP_QUEUE,
	};

	if (!q.head && g->v.gccleanups && go_has(L->cleanupQueue_all))
		q.head = g->v.gccleanups + (uint64_t)L->cleanupQueue_all.off;
	if (!q.head || !go_has(q.array))
		return NULL;
	if (L->cleanupFn_bytes && go_has(L->cleanupFn_call)) {
		q.stride = L->cleanupFn_bytes;
		q.ptr_at[0] = (uint64_t)L->cleanupFn_call.off;
		q.ptr_at[1] = (uint64_t)L->cleanupFn_fn.off;
		q.ptr_at[2] = (uint64_t)L->cleanupFn_arg.off;
		q.nptrs = 3;
	}
	return scan_queue(g, h, &q);
}

/* mgcmark.go, gcMarkTinyAllocs: the block that a P hands out pieces of. */
static struct err *tiny_block(const struct go *g, struct go_heap *h, taddr p)
{
	uint64_t cache, tiny = 0;
	taddr at = 0;
	struct err *err = go_read_u64(g, p + (uint64_t)g->L->p_mcache.off, &cache);

	if (!err && cache) {
		at = cache + (uint64_t)g->L->mcache_tiny.off;
		err = go_read_u64(g, at, &tiny);
	}
	return err || !tiny ? err : add(h, at, tiny, GO_ROOT_RUNTIME, 0);
}

static struct err *tiny_blocks(const struct go *g, struct go_heap *h)
{
	uint64_t all[2];
	struct err *err;

	if (!g->v.allp || !go_has(g->L->p_mcache) || !go_has(g->L->mcache_tiny))
		return NULL;
	err = target_read(g->t, g->v.allp, all, sizeof(all));
	for (uint64_t i = 0; i < MIN(err ? 0 : all[1], (uint64_t)MAX_PS) && !err; i++) {
		taddr p;

		err = go_read_u64(g, all[0] + 8 * i, &p);
		if (!err && p)
			err = tiny_block(g, h, p);
	}
	if (err_catch(&err, ERR_FAULT)) {
		h->lost_spans++;
		h->lost_bytes += 16;
	}
	return err;
}

struct err *heap_roots_read(const struct go *g, struct go_heap *h)
{
	struct err *err = NULL;

	for (size_t i = 0; i < g->nmodules && !err; i++) {
		const struct go_module *m = &g->modules[i];
		struct section data = { m->data,   m->gcdatamask, m->gcdatamask_bits,
					m->gcdata, GO_ROOT_DATA,  (uint8_t)MIN(i, 255U) };
		struct section bss = { m->bss,	 m->gcbssmask, m->gcbssmask_bits,
				       m->gcbss, GO_ROOT_BSS,  (uint8_t)MIN(i, 255U) };

		err = scan_section(g, h, &data);
		if (!err)
			err = scan_section(g, h, &bss);
	}
	if (!err)
		err = finalizers(g, h);
	if (!err)
		err = cleanups(g, h);
	return err ? err : tiny_blocks(g, h);
}
