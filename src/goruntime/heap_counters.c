/*
 * heap_counters.c - numbers that the runtime keeps about itself.
 *
 * Source: runtime/mgc.go (gcphase, work), mgcpacer.go (gcController), mstats.go (memstats).
 * A variable that was not found (address 0) leaves its fields 0: unknown.
 */
#include "goruntime/heap_priv.h"

#define MAX_IMAGE (1U << 16)

/* The image of a runtime struct, or NULL when it is unknown or unreadable. */
static void *image_of(const struct go *g, taddr at, uint32_t nbytes)
{
	_cleanup_(freep) uint8_t *p = NULL;
	struct err *err;

	if (!at || !nbytes || nbytes > MAX_IMAGE)
		return NULL;
	p = zalloc(nbytes, 1);
	if (!p)
		return NULL;
	err = target_read(g->t, at, p, nbytes);
	if (err) {
		err_free(err); /* a figure less, not an error */
		return NULL;
	}
	return STEAL(p);
}

/* Bytes of memory; more than there are addresses is damage: unknown. */
static uint64_t counted(const void *image, struct go_field f)
{
	uint64_t n = go_get(image, f);

	return n < 1ULL << 47 ? n : 0;
}

static void controller(const struct go *g, struct go_counters *c)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image_of(g, g->v.gccontroller, L->gcController_bytes);

	if (!p)
		return;
	c->heap_marked = counted(p, L->gcController_heapMarked);
	c->heap_live = counted(p, L->gcController_heapLive);
	c->heap_in_use = counted(p, L->gcController_heapInUse);
	c->heap_free = counted(p, L->gcController_heapFree);
	c->heap_released = counted(p, L->gcController_heapReleased);
	c->heap_goal = go_get(p, L->gcController_gcPercentHeapGoal);
	c->heap_minimum = counted(p, L->gcController_heapMinimum);
	c->stack_scan = counted(p, L->gcController_lastStackScan);
	c->globals_scan = counted(p, L->gcController_globalsScan);
	c->mapped_ready = counted(p, L->gcController_mappedReady);
	c->total_alloc_bytes = go_get(p, L->gcController_totalAlloc);
	c->total_free_bytes = go_get(p, L->gcController_totalFree);
	c->memory_limit = (int64_t)go_get(p, L->gcController_memoryLimit);
	c->gc_percent = (int32_t)go_get(p, L->gcController_gcPercent);
	c->gc_percent_known = go_has(L->gcController_gcPercent);
}

/* mstats.go of 1.18, readmemstats_m: what gcController counts since; stacks are not in heap_sys. */
static void old_stats(const struct go_layout *L, const void *p, struct go_counters *c)
{
	uint64_t sys = counted(p, L->mstats_heap_sys), used;

	c->heap_in_use = counted(p, L->mstats_heap_inuse);
	c->heap_released = counted(p, L->mstats_heap_released);
	used = c->heap_in_use + c->heap_released;
	c->heap_free = sys > used ? sys - used : 0;
}

static void stats(const struct go *g, struct go_counters *c)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image_of(g, g->v.memstats, L->mstats_bytes);

	if (!p)
		return;
	c->num_gc = (uint32_t)go_get(p, L->mstats_numgc);
	c->mspan_sys = counted(p, L->mstats_mspan_sys);
	c->mcache_sys = counted(p, L->mstats_mcache_sys);
	c->buckhash_sys = counted(p, L->mstats_buckhash_sys);
	c->gc_misc_sys = counted(p, L->mstats_gcMiscSys);
	c->other_sys = counted(p, L->mstats_other_sys);
	c->last_gc_unix_ns = go_get(p, L->mstats_last_gc_unix);
	c->last_gc_ns =
		go_has(L->mstats_last_gc_nanotime) ? go_get(p, L->mstats_last_gc_nanotime) : 0;
	c->total_pause_ns = go_get(p, L->mstats_pause_total_ns);
	if (go_has(L->mstats_heap_inuse))
		old_stats(L, p, c);
}

struct err *go_counters_read(const struct go *g, struct go_counters *ret)
{
	struct go_counters c = { 0 };
	struct err *err;

	err = go_read_u32(g, g->v.mheap + (uint64_t)g->L->mheap_sweepgen.off, &c.sweepgen);
	if (err)
		return err_prefix(err, "mheap_.sweepgen");
	if (g->v.gcphase) {
		err = go_read_u32(g, g->v.gcphase, &c.gcphase);
		if (err)
			return err_prefix(err, "gcphase");
	}
	controller(g, &c);
	stats(g, &c);
	/* h.sweepgen starts at 0 and grows by 2 a cycle (mgc.go, gcSweep). */
	if (!c.num_gc)
		c.num_gc = c.sweepgen / 2;
	*ret = c;
	return NULL;
}
