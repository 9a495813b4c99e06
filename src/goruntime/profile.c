/*
 * profile.c - the list of the memory profile's buckets, and what their pcs mean.
 *
 * Knows nothing of objects and of what is alive.  The list may be anything: a bucket that
 * is none, a cycle or an absurd length breaks it off, which is counted.  24 bytes a bucket
 * and 8 a pc; lookups of pcs are not cached here.
 */
#include "goruntime/profile.h"

#include "base/cycle.h"
#include "goruntime/detect.h"
#include "goruntime/heap_io.h"

#define MEM_PROFILE 1	 /* mprof.go: memProfile bucketType = 1 + iota */
#define MAX_DEPTH   1024 /* mprof.go: maxProfStackDepth */
#define MAX_BUCKETS (1U << 21)
#define MAX_PCS	    (1U << 25)
#define HEAD_MAX    128
#define RECORD_MAX  512

struct reader {
	struct go_io io;
	struct go_profile *p;
	uint8_t tail[8 * MAX_DEPTH + RECORD_MAX];
};

/* memRecord: active and future are counts of the same kind, of different times. */
static void count(const struct go_layout *L, const uint8_t *record, struct go_bucket *b)
{
	uint32_t each = L->memRecordCycle_bytes;
	uint32_t n = each ? L->memRecord_future.bytes / each : 0;

	b->allocs = go_get(record, L->memRecord_active_allocs);
	b->frees = go_get(record, L->memRecord_active_frees);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *cycle = record + L->memRecord_future.off + i * each;

		b->allocs += go_get(cycle, L->memRecord_active_allocs);
		b->frees += go_get(cycle, L->memRecord_active_frees);
	}
}

static struct err *add(struct reader *r, struct go_bucket b, uint64_t nstk)
{
	struct go_profile *p = r->p;

	b.first_pc = (uint32_t)p->pcs.n;
	b.npcs = (uint32_t)nstk;
	for (uint64_t i = 0; i < nstk; i++)
		if (!vec_push(&p->pcs, load_u64(r->tail + 8 * i)))
			return &err_nomem;
	return vec_push(&p->buckets, b) ? NULL : &err_nomem;
}

/* One bucket: its head, the stack behind it, the record behind that.  ERR_FAULT: it is none. */
static struct err *read_one(struct reader *r, taddr at, taddr *ret_next)
{
	const struct go_layout *L = r->io.g->L;
	uint8_t head[HEAD_MAX] = { 0 };
	struct go_bucket b = { .at = at };
	struct err *err = go_io_read(&r->io, at, head, L->bucket_bytes);
	uint64_t nstk;

	if (err)
		return err;
	nstk = go_get(head, L->bucket_nstk);
	if ((at & 7) || go_get(head, L->bucket_typ) != MEM_PROFILE || nstk > MAX_DEPTH ||
	    r->p->pcs.n + nstk > MAX_PCS)
		return err_fault(at);
	err = go_io_read(&r->io, at + L->bucket_bytes, r->tail, 8 * nstk + L->memRecord_bytes);
	if (err)
		return err;
	b.bytes = go_get(head, L->bucket_size);
	count(L, r->tail + 8 * nstk, &b);
	*ret_next = go_get(head, L->bucket_allnext);
	return add(r, b, nstk);
}

static int by_address(const void *x, const void *y)
{
	const struct go_bucket *a = x, *b = y;

	return a->at < b->at ? -1 : a->at > b->at;
}

static bool known_layout(const struct go_layout *L)
{
	return L->bucket_bytes && L->bucket_bytes <= HEAD_MAX && go_has(L->bucket_allnext) &&
	       go_has(L->bucket_nstk) && go_has(L->bucket_size) && L->memRecord_bytes &&
	       L->memRecord_bytes <= RECORD_MAX && go_has(L->memRecord_active_allocs) &&
	       L->memRecordCycle_bytes >= 16 && go_has(L->memRecord_future) &&
	       (uint32_t)L->memRecord_future.off + L->memRecord_future.bytes <= L->memRecord_bytes;
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

static struct err *read_list(const struct go *g, taddr at, struct go_profile *p)
{
	_cleanup_(freep) struct reader *r = zalloc(1, sizeof(*r));
	struct cycle cycle = { 0 };
	struct err *err;

	if (!r)
		return &err_nomem;
	r->p = p;
	err = go_io_init(&r->io, g);
	while (at && !err && p->buckets.n < MAX_BUCKETS && !cycle_closed(&cycle, at))
		err = read_one(r, at, &at);
	if (err_catch(&err, ERR_FAULT) || (at && !err))
		p->cut++;
	go_io_deinit(&r->io);
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
