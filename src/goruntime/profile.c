/*
 * profile.c - the list of the memory profile's buckets, and what their pcs mean.
 *
 * Knows nothing of objects and of what is alive.  The list may be anything: a bucket that
 * is none, a cycle or an absurd length breaks it off, which is counted.  24 bytes a bucket
 * and 8 a pc; lookups of pcs are not cached here.
 */
#include "goruntime/profile.h"

#include "goruntime/buckets.h"
#include "goruntime/detect.h"

#include <math.h>

struct reader {
	const struct go_layout *L;
	struct go_profile *p;
	uint32_t cycle; /* of future: complete, whether it was added to active already or not */
	bool clear;	/* nothing was told yet */
};

static uint32_t ncycles(const struct go_layout *L)
{
	uint32_t each = L->memRecordCycle_bytes;

	return each ? L->memRecord_future.bytes / each : 0;
}

/*
 * memRecord: active and future are counts of the same kind, of different times.  memProfileInternal
 * adds the cycle that is complete, if the collector has not done so, and tells what is in active
 * then.
 */
static void count(const struct reader *r, const uint8_t *record, struct go_bucket *b)
{
	const struct go_layout *L = r->L;

	b->allocs = b->told_allocs = go_get(record, L->memRecord_active_allocs);
	b->frees = b->told_frees = go_get(record, L->memRecord_active_frees);
	for (uint32_t i = 0; i < ncycles(L); i++) {
		const uint8_t *cycle =
			record + L->memRecord_future.off + i * L->memRecordCycle_bytes;
		uint64_t allocs = go_get(cycle, L->memRecord_active_allocs);
		uint64_t frees = go_get(cycle, L->memRecord_active_frees);

		b->allocs += allocs;
		b->frees += frees;
		if (i == r->cycle) {
			b->told_allocs += allocs;
			b->told_frees += frees;
		}
	}
}

static struct err *add(void *arg, const struct go_bucket_image *from)
{
	struct reader *r = arg;
	struct go_profile *p = r->p;
	struct go_bucket b = { .at = from->at, .bytes = from->bytes, .npcs = from->npcs };

	b.first_pc = (uint32_t)p->pcs.n;
	count(r, from->record, &b);
	r->clear &= !b.told_allocs && !b.told_frees;
	for (uint32_t i = 0; i < from->npcs; i++)
		if (!vec_push(&p->pcs, load_u64(from->pcs + 8 * i)))
			return &err_nomem;
	return vec_push(&p->buckets, b) ? NULL : &err_nomem;
}

static int by_address(const void *x, const void *y)
{
	const struct go_bucket *a = x, *b = y;

	return a->at < b->at ? -1 : a->at > b->at;
}

static bool known_layout(const struct go_layout *L)
{
	return go_buckets_known(L) && L->memRecord_bytes &&
	       L->memRecord_bytes <= GO_BUCKET_RECORD_MAX && go_has(L->memRecord_active_allocs) &&
	       L->memRecordCycle_bytes >= 16 && go_has(L->memRecord_future) &&
	       (uint32_t)L->memRecord_future.off + L->memRecord_future.bytes <= L->memRecord_bytes;
}

/* mprof.go, mProfCycleHolder: bit 0 says that it was flushed; before Go 1.19 that was a word of its
 * own. */
static bool read_cycle(const struct go *g, uint32_t *ret)
{
	bool shifted = go_has(g->L->mProf_value);
	struct go_field f = shifted ? g->L->mProf_value : g->L->mProf_cycle;
	uint8_t word[4];

	if (!g->v.mprofcycle || !go_has(f) || !ncycles(g->L) ||
	    !go_try_read(g, g->v.mprofcycle + (uint64_t)f.off, word, 4))
		return false;
	*ret = (load_u32(word) >> shifted) % ncycles(g->L);
	return true;
}

/* A cycle is noticed only after some rounds. */
static void settle(struct go_profile *p)
{
	size_t n = 0;

	if (p->buckets.n)
		qsort(p->buckets.v, p->buckets.n, sizeof(*p->buckets.v), by_address);
	for (size_t i = 0; i < p->buckets.n; i++)
		if (!n || p->buckets.v[n - 1].at != p->buckets.v[i].at)
			p->buckets.v[n++] = p->buckets.v[i];
	p->buckets.n = n;
}

/* Before the first collection all is told. */
static void tell_all(struct go_profile *p)
{
	for (size_t i = 0; i < p->buckets.n; i++) {
		p->buckets.v[i].told_allocs = p->buckets.v[i].allocs;
		p->buckets.v[i].told_frees = p->buckets.v[i].frees;
	}
}

static struct err *read_list(const struct go *g, taddr at, struct go_profile *p)
{
	struct reader r = { .L = g->L, .p = p, .cycle = UINT32_MAX, .clear = true };
	struct go_bucket_list l = { at, GO_BUCKET_MEM, g->L->memRecord_bytes };
	struct err *err;

	p->told = read_cycle(g, &r.cycle);
	err = go_buckets_each(g, &l, add, &r, &p->cut);
	if (r.clear)
		tell_all(p);
	settle(p);
	return err;
}

/* cmd/link/internal/ld/lib.go (linksetup): which function's absence turns profiling off. */
static bool linked(const struct go *g)
{
	struct go_func f;

	return go_func_by_name(g, "runtime.memProfileInternal", &f) ||
	       go_func_by_name(g, "runtime.MemProfile", &f);
}

static uint8_t state_of(const struct go *g, const struct go_profile *p)
{
	if (p->buckets.n && (p->rate || !g->v.memprofilerate))
		return GO_PROFILING_ON;
	if (!g->v.mbuckets || !g->v.memprofilerate || !known_layout(g->L))
		return linked(g) ? GO_PROFILING_UNKNOWN : GO_PROFILING_UNLINKED;
	if (p->rate)
		return GO_PROFILING_ON;
	return linked(g) ? GO_PROFILING_OFF : GO_PROFILING_UNLINKED;
}

struct err *go_profile_read(const struct go *g, struct go_profile *ret)
{
	_cleanup_(go_profile_deinit) struct go_profile p = { 0 };
	struct err *err = NULL;

	if (g->v.memprofilerate)
		p.rate = go_try_u64(g, g->v.memprofilerate);
	if (p.rate > INT64_MAX)
		p.rate = 0;
	if (g->v.mbuckets && known_layout(g->L))
		err = read_list(g, go_try_u64(g, g->v.mbuckets), &p);
	if (err)
		return err;
	p.state = state_of(g, &p);
	if (p.state == GO_PROFILING_UNLINKED)
		p.buckets.n = p.pcs.n = 0; /* from before the runtime knew: proc.go, schedinit */
	*ret = p;
	p = (struct go_profile){ 0 };
	return NULL;
}

void go_profile_deinit(struct go_profile *p)
{
	vec_free(&p->buckets);
	vec_free(&p->pcs);
}

size_t go_profile_bucket(const struct go_profile *p, taddr at)
{
	struct go_bucket key = { .at = at };
	const struct go_bucket *b =
		p->buckets.n ? bsearch(&key, p->buckets.v, p->buckets.n, sizeof(key), by_address)
			     : NULL;

	return b ? (size_t)(b - p->buckets.v) : SIZE_MAX;
}

double go_profile_scale(uint64_t bytes, uint64_t rate)
{
	return rate <= 1 || !bytes ? 1 : 1 / (1 - exp(-(double)bytes / (double)rate));
}

/* runtime/symtab.go, Frames.Next: back into the call, but never out of the function. */
size_t go_callers_lines(const struct go *g, taddr pc, struct go_line *lines, size_t max)
{
	struct go_func f;

	if (!go_func_at(g, pc, &f))
		return 0;
	return go_lines_at(g, pc > f.entry ? pc - 1 : pc, lines, max);
}

/* runtime/pprof/protomem.go, writeHeapProto; internal/runtime holds none that allocate before 1.24.
 */
static bool is_runtime(const char *function)
{
	return !strncmp(function, "runtime.", 8) || !strncmp(function, "internal/runtime/", 17);
}

/* That asks FuncForPC, which takes the return address as it is. */
uint32_t go_callers_hidden(const struct go *g, const taddr *pcs, uint32_t n)
{
	struct go_line l;

	for (uint32_t i = 0; i < n; i++)
		if (!go_lines_at(g, pcs[i], &l, 1) || !is_runtime(l.function))
			return i;
	return 0; /* all of them: then all are shown */
}
