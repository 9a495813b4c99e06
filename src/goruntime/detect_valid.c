/*
 * detect_valid.c - does a runtime variable lie at that address?  Invariants, one each.
 *
 * Source: the variable's declaration in package runtime and who maintains it.  Candidates are
 * hostile: every read may fail and means "no".
 */
#include "goruntime/detect.h"

#include "goruntime/buckets.h"

#define MAX_STRUCT  65536
#define MAX_THREADS 1000000
#define LOOK_AT	    64 /* elements of a list that are looked into */
#define USER_TOP    (1ULL << 56)

bool go_valid_any(const struct go *g, taddr at)
{
	uint64_t x;

	return go_try_read(g, at, &x, 8);
}

/* A struct of the layout at addr: allocated image or NULL. */
static void *image(const struct go *g, taddr at, uint32_t nbytes)
{
	_cleanup_(freep) uint8_t *p = NULL;

	if (!at || !nbytes || nbytes > MAX_STRUCT)
		return NULL;
	p = malloc(nbytes);
	if (!p)
		((struct detect *)g->priv)->nomem = true;
	return p && go_try_read(g, at, p, nbytes) ? STEAL(p) : NULL;
}

bool go_lost(const struct go *g, taddr at, uint64_t nbytes)
{
	const struct target_region *r = target_region_at(g->t, at);
	uint8_t x;
	size_t n;

	(void)target_losses(g->t, &n);
	if (!n || !r || !nbytes || !trange_has_all(r->range, at, nbytes))
		return false;
	return !go_try_read(g, at, &x, 1) || !go_try_read(g, at + nbytes - 1, &x, 1);
}

/* stack.lo < stack.hi, and g.m is a pointer or nil: runtime2.go */
static bool is_g(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image(g, at, L->g_bytes);
	uint64_t lo, hi, status;

	if (!p || (at & 7))
		return !p && !(at & 7) && go_lost(g, at, L->g_bytes);
	lo = go_get(p, L->g_stack_lo);
	hi = go_get(p, L->g_stack_hi);
	status = go_get(p, L->g_atomicstatus) & ~(uint64_t)L->c_Gscan;
	/* A dead g may have given its stack back: 0, 0. */
	return lo <= hi && hi < USER_TOP && status < 32 && go_get(p, L->g_goid) < (1ULL << 48);
}

/* proc.go: goids are never given twice; a g that never ran has 0. */
static bool goids_differ(const uint64_t *ids, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; ids[i] && k < i; k++)
			if (ids[k] == ids[i])
				return false;
		any = any || ids[i];
	}
	return any;
}

bool go_valid_allgs(const struct go *g, taddr at)
{
	uint64_t s[3], ids[LOOK_AT];
	size_t n;

	if (!go_try_read(g, at, s, sizeof(s)) || !s[0] || (s[0] & 7) || !s[1] || s[1] > s[2] ||
	    s[2] > (1U << 30))
		return false;
	n = (size_t)MIN(s[1], (uint64_t)LOOK_AT);
	for (size_t i = 0; i < n; i++) {
		taddr gp = go_try_u64(g, s[0] + 8 * i);

		if (!is_g(g, gp))
			return false;
		ids[i] = go_try_u64(g, gp + (uint64_t)g->L->g_goid.off);
		if (ids[i] == UINT64_MAX)
			ids[i] = 0; /* lost */
	}
	return goids_differ(ids, n);
}

bool go_valid_allm(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	taddr m = go_try_u64(g, at);
	unsigned n = 0;

	if (!m || m == UINT64_MAX)
		return false;
	for (; m && n < MAX_THREADS; n++) {
		if (go_lost(g, m, L->m_bytes))
			return true;
		if ((m & 7) || (n < LOOK_AT && !is_g(g, go_try_u64(g, m + (uint64_t)L->m_g0.off))))
			return false;
		/* g0.m == m once the thread runs; before, nil. */
		if (n < LOOK_AT) {
			taddr g0 = go_try_u64(g, m + (uint64_t)L->m_g0.off);
			taddr back = go_try_u64(g, g0 + (uint64_t)L->g_m.off);

			if (back && back != m)
				return false;
		}
		m = go_try_u64(g, m + (uint64_t)L->m_alllink.off);
	}
	return n < MAX_THREADS;
}

/* proc.go, procresize: allp[i].id == i */
bool go_valid_allp(const struct go *g, taddr at)
{
	uint64_t s[3];

	if (!go_try_read(g, at, s, sizeof(s)) || !s[1] || s[1] > s[2] || s[2] > 65536 || (s[0] & 7))
		return false;
	for (uint64_t i = 0; i < MIN(s[1], (uint64_t)LOOK_AT); i++) {
		taddr p = go_try_u64(g, s[0] + 8 * i);
		uint32_t id;

		if (go_lost(g, p, g->L->p_bytes))
			continue;
		if (!go_try_read(g, p + (uint64_t)g->L->p_id.off, &id, 4) || id != i)
			return false;
	}
	return true;
}

/* mfinal.go: finBlock.cnt <= len(finBlock.fin) */
bool go_valid_allfin(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	taddr b = go_try_u64(g, at);
	_cleanup_(freep) uint8_t *p = NULL;

	if (!b)
		return true;
	p = image(g, b, L->finBlock_bytes);
	return p && !(b & 7) && L->finalizer_bytes &&
	       go_get(p, L->finBlock_cnt) <= L->finBlock_fin.bytes / L->finalizer_bytes;
}

/* mcleanup.go: cleanupBlock.n <= len(cleanupBlock.cleanups) */
bool go_valid_cleanups(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	taddr b = go_try_u64(g, at + (uint64_t)L->cleanupQueue_all.off);
	_cleanup_(freep) uint8_t *p = NULL;

	if (!b)
		return true;
	p = image(g, b, L->cleanupBlock_bytes);
	return p && !(b & 7) && go_get(p, L->cleanupBlock_n) <= L->cleanupBlock_cleanups.bytes / 8;
}

/* mgc.go: _GCoff, _GCmark, _GCmarktermination */
bool go_valid_gcphase(const struct go *g, taddr at)
{
	uint32_t x;

	return go_try_read(g, at, &x, 4) && x <= 2;
}

bool go_valid_controller(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image(g, at, L->gcController_bytes);
	int32_t percent;

	if (!p)
		return false;
	/* GOGC=off is -1; sys memory in use is never 0. */
	percent = (int32_t)go_get(p, L->gcController_gcPercent);
	if (go_has(L->gcController_mappedReady) && !go_get(p, L->gcController_mappedReady))
		return false;
	return percent >= -1 &&
	       (!go_has(L->gcController_memoryLimit) ||
		(int64_t)go_get(p, L->gcController_memoryLimit) > 0) &&
	       go_get(p, L->gcController_heapLive) < (1ULL << 47) &&
	       go_get(p, L->gcController_heapInUse) < (1ULL << 47) &&
	       go_get(p, L->gcController_mappedReady) < (1ULL << 47);
}

bool go_valid_memstats(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image(g, at, L->mstats_bytes);

	return p && go_get(p, L->mstats_enablegc) <= 1 &&
	       go_get(p, L->mstats_numforcedgc) <= go_get(p, L->mstats_numgc) &&
	       go_get(p, L->mstats_mspan_sys) > 0 &&
	       go_get(p, L->mstats_mspan_sys) < (1ULL << 40) &&
	       go_get(p, L->mstats_mcache_sys) < (1ULL << 40);
}

bool go_valid_sched(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image(g, at, L->sched_bytes);
	taddr free_g;

	if (!p || go_get(p, L->sched_ngsys) > (1U << 24) || !go_get(p, L->sched_procresizetime))
		return false;
	free_g = go_word(p, L->sched_gFree_stack, 0);
	return !free_g || is_g(g, free_g);
}

bool go_valid_work(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image(g, at, L->work_bytes);

	return p && go_get(p, L->work_bytesMarked) < (1ULL << 47) && go_get(p, L->work_mode) <= 2 &&
	       go_get(p, L->work_userForced) <= 1;
}

/* mprof.go: bucketType 1..3, nstk <= maxProfStackDepth */
static bool is_bucket_list(const struct go *g, taddr at, uint64_t typ)
{
	const struct go_layout *L = g->L;
	taddr b = go_try_u64(g, at);

	for (unsigned i = 0; b && i < LOOK_AT; i++) {
		_cleanup_(freep) uint8_t *p = image(g, b, L->bucket_bytes);

		if (!p || (b & 7) || go_get(p, L->bucket_typ) != typ ||
		    go_get(p, L->bucket_nstk) > 1024)
			return false;
		b = go_get(p, L->bucket_allnext);
	}
	return true;
}

bool go_valid_mbuckets(const struct go *g, taddr at)
{
	return is_bucket_list(g, at, GO_BUCKET_MEM);
}

bool go_valid_bbuckets(const struct go *g, taddr at)
{
	return is_bucket_list(g, at, GO_BUCKET_BLOCK);
}

bool go_valid_xbuckets(const struct go *g, taddr at)
{
	return is_bucket_list(g, at, GO_BUCKET_MUTEX);
}

bool go_valid_rate(const struct go *g, taddr at)
{
	int64_t x = (int64_t)go_try_u64(g, at);

	return x >= 0 && x <= INT32_MAX;
}

/* proc.go: two minutes, unless limpet changed it and was killed (watch/nudge.c). */
bool go_valid_period(const struct go *g, taddr at)
{
	uint64_t x = go_try_u64(g, at);

	return x == GO_FORCEGC_PERIOD_NS || x == GO_FORCEGC_NUDGED_NS;
}

/*
 * mheap_.arenas[0] -> *[L2]*heapArena; of the arenas in use, spans[page(s.startAddr)] == s for
 * most (mheap.go: setSpans; stale entries of freed spans are normal).
 */
static bool is_arena(const struct go *g, taddr arena, taddr base)
{
	taddr table = arena + (uint64_t)g->L->heapArena_spans.off;
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint64_t *spans = image(g, table, L->heapArena_spans.bytes);
	uint32_t n = L->heapArena_spans.bytes / 8, good = 0, bad = 0;

	for (uint32_t i = 0; spans && i < n && good + bad < LOOK_AT; i++) {
		taddr start;
		uint64_t page;

		if (!spans[i] || (i && spans[i] == spans[i - 1]))
			continue;
		if (go_lost(g, spans[i], L->mspan_bytes))
			continue;
		start = go_try_u64(g, spans[i] + (uint64_t)L->mspan_startAddr.off);
		page = (start - base) >> GO_PAGE_SHIFT;
		if (start >= base && page < n && spans[page] == spans[i])
			good++;
		else
			bad++;
	}
	if (!good && !bad)
		return spans ? go_lost(g, spans[0], L->mspan_bytes)
			     : go_lost(g, table, L->heapArena_spans.bytes);
	return good > bad;
}

static bool is_arena_number(const struct go *g, taddr l2, uint64_t index)
{
	const struct go_layout *L = g->L;

	return is_arena(g, go_try_u64(g, l2 + 8 * index),
			index * (uint64_t)L->c_heapArenaBytes + (uint64_t)L->c_arenaBaseOffset);
}

bool go_valid_mheap(const struct go *g, taddr at)
{
	const struct go_layout *L = g->L;
	uint64_t s[3];
	taddr l2 = go_try_u64(g, at + (uint64_t)L->mheap_arenas.off);
	bool any = false;

	if (!l2 || (l2 & 7) || l2 == UINT64_MAX ||
	    !go_try_read(g, at + (uint64_t)L->mheap_heapArenas.off, s, sizeof(s)) || !s[1] ||
	    s[1] > s[2] || s[2] > (1U << 24))
		return false;
	/* The list was cut off: that its table is mapped must do; the code has voted. */
	if (go_lost(g, s[0], 8 * s[1]))
		return target_region_at(g->t, l2) != NULL;
	for (uint64_t i = 0; i < MIN(s[1], (uint64_t)8); i++) {
		uint64_t index;

		if (!go_try_read(g, s[0] + 8 * i, &index, 8) || index >= (1U << 26))
			return false;
		any = any || is_arena_number(g, l2, index);
	}
	return any;
}
