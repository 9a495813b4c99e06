/*
 * needs.c - memory of the runtime itself, and channels among the pointer-free objects.
 *
 * Source: runtime/mheap.go, mgcsweep.go (bitmaps), chan.go (makechan), symtab.go (masks).
 */
#include "goruntime/needs.h"

#include "base/par.h"
#include "goruntime/heap_io.h"
#include "goruntime/heap_priv.h"
#include "goruntime/heap_scan.h"
#include "goruntime/contention.h"
#include "goruntime/profile.h"

#include <pthread.h>

#define MAX_MASK_WORDS (1U << 24)

static void own_span(const struct go *g, const struct go_span *s, const uint8_t *m, go_range_fn *fn,
		     void *arg)
{
	uint64_t bits = (s->nelems + 63) / 64 * 8, used = (uint64_t)s->nelems * s->elem_bytes;

	fn(arg, s->mspan, g->L->mspan_bytes);
	fn(arg, go_get(m, g->L->mspan_allocBits), bits);
	fn(arg, go_get(m, g->L->mspan_gcmarkBits), bits);
	/* heap bits and inline marks, behind the objects */
	if (s->scheme == GO_PTR_SPAN_BITS)
		used = MAX(used, go_span_bits_offset(g, s));
	if ((s->scheme == GO_PTR_SPAN_BITS || s->scheme == GO_PTR_ARENA) && used < s->bytes)
		fn(arg, s->base + used, s->bytes - used);
}

static struct err *own_spans(const struct go *g, const struct go_heap *h, go_range_fn *fn,
			     void *arg)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct err *err = go_io_init(&io, g);
	uint8_t m[HEAP_MSPAN_MAX];

	for (size_t i = 0; i < h->spans.n && !err; i++) {
		err = go_io_read(&io, h->spans.v[i].mspan, m, g->L->mspan_bytes);
		if (err_catch(&err, ERR_FAULT))
			continue;
		if (!err)
			own_span(g, &h->spans.v[i], m, fn, arg);
	}
	return err;
}

static struct err *own_arenas(const struct go *g, const struct go_heap *h, go_range_fn *fn,
			      void *arg)
{
	const struct go_heap_index *x = &h->index;
	uint64_t offset = g->L->c_arenaBaseOffset != -1 ? (uint64_t)g->L->c_arenaBaseOffset
							: 0xffff800000000000ULL;
	taddr l2 = 0, meta = 0;
	struct err *err = go_read_u64(g, g->v.mheap + (uint64_t)g->L->mheap_arenas.off, &l2);

	for (uint64_t i = 0; i < x->nslots && !err; i++) {
		taddr base = x->lo + (i << x->arena_shift);

		if (!x->arena_slot[i])
			continue;
		err = go_read_u64(g, l2 + 8 * ((base - offset) >> x->arena_shift), &meta);
		if (!err && meta)
			fn(arg, meta, g->L->heapArena_bytes);
	}
	return err;
}

static void own_variables(const struct go *g, go_range_fn *fn, void *arg)
{
	const struct go_layout *L = g->L;
	const struct go_vars *v = &g->v;
	const struct {
		taddr at;
		uint64_t bytes;
	} vars[] = {
		{ v->mheap, L->mheap_bytes },
		{ v->sched, L->sched_bytes },
		{ v->work, L->work_bytes },
		{ v->gccontroller, L->gcController_bytes },
		{ v->memstats, L->mstats_bytes },
		{ v->allgs, 24 },
		{ v->allp, 24 },
		{ v->gcphase, 8 },
		{ v->memprofilerate, 8 },
		{ v->mbuckets, 8 },
		{ v->bbuckets, 8 },
		{ v->xbuckets, 8 },
		{ v->mprofcycle, L->mProf_bytes },
		{ v->mutexprofilerate, 8 },
		{ v->ticks, L->ticks_bytes },
	};

	for (size_t i = 0; i < ARRAY_LEN(vars); i++)
		if (vars[i].at)
			fn(arg, vars[i].at, vars[i].bytes);
	for (size_t i = 0; i < g->nmodules; i++) {
		const struct go_module *m = &g->modules[i];

		fn(arg, m->addr, L->moduledata_bytes);
		if (m->gcdatamask)
			fn(arg, m->gcdatamask, (m->gcdatamask_bits + 7) / 8);
		if (m->gcbssmask)
			fn(arg, m->gcbssmask, (m->gcbssmask_bits + 7) / 8);
	}
}

/*
 * Of g the figures alone: pointers speak for themselves, and g, m and p also keep registers of
 * the program (p.xRegs, 1.26+: what vector registers held when it was preempted).
 */
static void own_goroutines(const struct go *g, const struct go_stacks *st, go_range_fn *fn,
			   void *arg)
{
	const struct go_field figures[] = { g->L->g_goid, g->L->g_parentGoid, g->L->g_waitsince,
					    g->L->g_sleepWhen, g->L->g_atomicstatus };

	for (size_t i = 0; i < st->gs.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(figures); k++)
			if (go_has(figures[k]))
				fn(arg, st->gs.v[i].g + (uint64_t)figures[k].off, figures[k].bytes);
}

/* Stacks and counts of the memory profile (mprof.go). */
static struct err *own_profile(const struct go *g, go_range_fn *fn, void *arg)
{
	_cleanup_(go_profile_deinit) struct go_profile p = { 0 };
	struct err *err = go_profile_read(g, &p);

	for (size_t i = 0; i < p.buckets.n && !err; i++)
		fn(arg, p.buckets.v[i].at,
		   g->L->bucket_bytes + 8 * (uint64_t)p.buckets.v[i].npcs + g->L->memRecord_bytes);
	return err;
}

/* The same of blocking and of mutexes. */
static struct err *own_contention(const struct go *g, enum go_contention_kind kind, go_range_fn *fn,
				  void *arg)
{
	_cleanup_(go_contention_deinit) struct go_contention c = { 0 };
	struct err *err = go_contention_read(g, kind, &c);

	for (size_t i = 0; i < c.stacks.n && !err; i++)
		fn(arg, c.stacks.v[i].at.start, trange_bytes(c.stacks.v[i].at));
	return err;
}

struct err *go_own_memory(const struct go *g, const struct go_heap *h, const struct go_stacks *st,
			  go_range_fn *fn, void *arg)
{
	struct err *err = own_spans(g, h, fn, arg);

	if (!err)
		err = own_arenas(g, h, fn, arg);
	if (err)
		return err;
	own_variables(g, fn, arg);
	own_goroutines(g, st, fn, arg);
	err = own_profile(g, fn, arg);
	if (!err)
		err = own_contention(g, GO_CONTENTION_BLOCK, fn, arg);
	if (!err)
		err = own_contention(g, GO_CONTENTION_MUTEX, fn, arg);
	return err;
}

struct channels {
	const struct go *g;
	const struct go_heap *h;
	pthread_mutex_t lock;
	go_range_fn *fn;
	void *arg;
};

/*
 * makechan: a channel of pointer-free elements is one pointer-free object, elements behind the
 * head; with no elements buf points into the head.  The element's type must agree: no bytes of
 * a program look so by chance.
 */
static bool is_channel(const struct go *g, taddr at, const uint8_t *p)
{
	const struct go_layout *L = g->L;
	taddr buf = go_get(p, L->hchan_buf), type = go_get(p, L->hchan_elemtype);
	uint64_t size = 0;
	struct err *err;

	if (buf != at + L->hchan_bytes && buf != at + (uint64_t)L->hchan_buf.off)
		return false;
	if (go_get(p, L->hchan_qcount) > go_get(p, L->hchan_dataqsiz) || !type || (type & 7))
		return false;
	err = go_read_u64(g, type + (uint64_t)L->type_Size_.off, &size);
	if (err) {
		err_free(err);
		return false;
	}
	return size == go_get(p, L->hchan_elemsize);
}

static void look(struct channels *c, taddr at, const uint8_t *p)
{
	if (!is_channel(c->g, at, p))
		return;
	pthread_mutex_lock(&c->lock);
	c->fn(c->arg, at, c->g->L->hchan_bytes);
	pthread_mutex_unlock(&c->lock);
}

/* Small objects by the whole span; of big ones the head alone. */
static struct err *look_span(struct channels *c, const struct go_span *s, uint8_t *buf, size_t cap)
{
	uint64_t head = c->g->L->hchan_bytes;
	uint64_t used = (uint64_t)s->nelems * s->elem_bytes;
	bool whole = used <= cap;
	size_t got = 0;
	struct err *err = NULL;

	if (whole)
		err = target_read_some(c->g->t, s->base, buf, (size_t)used, &got);
	for (uint64_t i = 0; i < s->nelems && !err; i++) {
		uint64_t off = i * s->elem_bytes;

		if (!go_bit(c->h->alloc_bits, s->first + i))
			continue;
		if (!whole)
			err = target_read_some(c->g->t, s->base + off, buf, (size_t)head, &got);
		if (!err && (whole ? off : 0) + head <= got)
			look(c, s->base + off, buf + (whole ? off : 0));
	}
	return err;
}

static struct err *look_spans(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct channels *c = arg;
	size_t cap = 64U << 10;
	_cleanup_(freep) uint8_t *buf = malloc(cap);
	struct err *err = buf ? NULL : &err_nomem;

	(void)worker;
	for (size_t i = lo; i < hi && !err; i++) {
		const struct go_span *s = &c->h->spans.v[i];

		if (s->noscan && s->elem_bytes >= c->g->L->hchan_bytes)
			err = look_span(c, s, buf, cap);
	}
	return err;
}

struct err *go_channel_heads(const struct go *g, const struct go_heap *h, unsigned nthreads,
			     go_range_fn *fn, void *arg)
{
	struct channels c = { .g = g, .h = h, .fn = fn, .arg = arg };
	const struct go_layout *L = g->L;
	struct err *err;

	if (!L->hchan_bytes || !go_has(L->hchan_buf) || !go_has(L->hchan_elemtype) ||
	    !go_has(L->type_Size_))
		return NULL;
	pthread_mutex_init(&c.lock, NULL);
	err = par_for(nthreads, h->spans.n, 256, look_spans, &c);
	pthread_mutex_destroy(&c.lock);
	return err;
}

/* reflect/type.go: StructOf, ArrayOf; internal/abi/type.go: GCData. */
void go_made_mask(const struct go *g, taddr type, go_range_fn *fn, void *arg)
{
	const struct go_layout *L = g->L;
	uint8_t t[256];
	uint32_t n = 0;
	taddr gcdata;
	uint64_t words;
	struct err *err = L->type_bytes > sizeof(t) ? err_bad_data("type")
						    : target_read(g->t, type, t, L->type_bytes);

	if (err) {
		err_free(err);
		return;
	}
	gcdata = go_get(t, L->type_GCData);
	words = go_get(t, L->type_PtrBytes) / 8;
	if (!gcdata || !words || words > MAX_MASK_WORDS)
		return;
	if (L->c_KindGCProg > 0 && (go_get(t, L->type_Kind_) & (uint64_t)L->c_KindGCProg)) {
		err = go_read_u32(g, gcdata, &n);
		if (!err && n < MAX_MASK_WORDS)
			fn(arg, gcdata, 4 + (uint64_t)n);
		err_free(err);
	} else if (L->c_TFlagGCMaskOnDemand <= 0 ||
		   !(go_get(t, L->type_TFlag) & (uint64_t)L->c_TFlagGCMaskOnDemand)) {
		fn(arg, gcdata, (words + 7) / 8);
	}
}
