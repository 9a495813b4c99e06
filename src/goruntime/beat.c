/*
 * beat.c - counters of a running program: memstats, gcController, work, sched.
 *
 * Source: runtime/mstats.go (readmemstats_m, consistentHeapStats), mgcpacer.go (heapGoalInternal),
 * proc.go (gcount).  Reads some 20 KiB and two words a P; knows no process.
 */
#include "goruntime/beat.h"

#include "goruntime/detect.h"
#include "goruntime/heap.h"

#include <time.h>

#define UNKNOWN	   UINT64_MAX
#define MAX_IMAGE  (1U << 16)
#define MAX_PS	   65536
#define MAX_GS	   (1ULL << 30)
#define MIB	   (1ULL << 20)
#define SUM_TRIES  50
#define SUM_NAP_NS 100000

static void *image_of(const struct go *g, taddr at, uint32_t nbytes)
{
	_cleanup_(freep) uint8_t *p = NULL;

	if (!at || !nbytes || nbytes > MAX_IMAGE)
		return NULL;
	p = zalloc(nbytes, 1);
	return p && go_try_read(g, at, p, nbytes) ? STEAL(p) : NULL;
}

static uint64_t known(const void *image, struct go_field f)
{
	return go_has(f) ? go_get(image, f) : UNKNOWN;
}

/* What all Ps and those without one counted; it is spread over three that take turns. */
struct sums {
	uint64_t mallocs, frees, alloc, free, stacks;
};

static void add_one(const struct go_layout *L, const uint8_t *p, struct sums *s)
{
	const uint8_t *allocs = p + L->heapStats_smallAllocCount.off;
	const uint8_t *frees = p + L->heapStats_smallFreeCount.off;
	uint32_t n = MIN(L->heapStats_smallAllocCount.bytes, L->heapStats_smallFreeCount.bytes) / 8;
	uint64_t tiny = go_get(p, L->heapStats_tinyAllocCount);

	s->mallocs += go_get(p, L->heapStats_largeAllocCount) + tiny;
	s->frees += go_get(p, L->heapStats_largeFreeCount) + tiny;
	s->alloc += go_get(p, L->heapStats_largeAlloc);
	s->free += go_get(p, L->heapStats_largeFree);
	s->stacks += go_get(p, L->heapStats_inStacks);
	for (uint32_t i = 0; i < MIN(n, L->nclasses); i++) {
		uint64_t a = load_u64(allocs + 8 * i), f = load_u64(frees + 8 * i);

		s->mallocs += a;
		s->frees += f;
		s->alloc += a * L->class_to_size[i];
		s->free += f * L->class_to_size[i];
	}
}

static bool has_sums(const struct go *g)
{
	const struct go_layout *L = g->L;

	return g->v.memstats && go_has(L->mstats_heapStats) && go_has(L->mstats_heapStats_gen) &&
	       L->heapStats_bytes && L->heapStats_bytes <= MAX_IMAGE / 3 &&
	       go_has(L->heapStats_smallAllocCount) && go_has(L->heapStats_smallFreeCount) &&
	       L->mstats_heapStats.bytes >= 3 * L->heapStats_bytes;
}

static bool all_zero(const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/*
 * consistentHeapStats.read takes the next of the three for what is counted from then on, adds the
 * oldest to the one that was in use, and clears the oldest, which is the one after the next: while
 * that has something in it, all may be there twice.  Where a reading is in between two of its
 * steps, the next one is not.
 */
static bool whole_image(const struct go *g, uint8_t *p, uint32_t each)
{
	const struct go_layout *L = g->L;
	taddr gen_at = g->v.memstats + (uint64_t)L->mstats_heapStats_gen.off;
	uint32_t gen, again;
	unsigned good = 0;

	for (unsigned i = 0; i < SUM_TRIES; i++) {
		if (!go_try_read(g, gen_at, &gen, 4) ||
		    !go_try_read(g, g->v.memstats + (uint64_t)L->mstats_heapStats.off, p,
				 3 * each) ||
		    !go_try_read(g, gen_at, &again, 4))
			return false;
		if (gen == again && gen < 3 && all_zero(p + (gen + 1) % 3 * each, each))
			good++;
		else
			good = 0;
		if (good == 2)
			return true;
		if (!good)
			nanosleep(&(struct timespec){ .tv_nsec = SUM_NAP_NS }, NULL);
	}
	return false;
}

static bool sum(const struct go *g, struct sums *ret)
{
	uint32_t each = g->L->heapStats_bytes;
	_cleanup_(freep) uint8_t *p = has_sums(g) ? zalloc(3, each) : NULL;
	struct sums s = { 0 };

	if (!p || !whole_image(g, p, each))
		return false;
	for (unsigned i = 0; i < 3; i++)
		add_one(g->L, p + i * each, &s);
	*ret = s;
	return true;
}

static void allocator(const struct go *g, struct go_beat *b)
{
	struct sums s;

	b->mallocs = b->frees = b->total_alloc = b->total_free = b->stacks = UNKNOWN;
	if (!sum(g, &s))
		return;
	b->mallocs = s.mallocs;
	b->frees = s.frees;
	b->total_alloc = s.alloc;
	b->total_free = s.free;
	b->stacks = s.stacks;
}

/* mgcpacer.go, memoryLimitHeapGoal; the headroom is that of Go 1.21 and later. */
static uint64_t limit_goal(const struct go_counters *c)
{
	uint64_t alloc = c->total_alloc_bytes - c->total_free_bytes;
	uint64_t limit = (uint64_t)c->memory_limit, taken = c->heap_free + alloc, goal, room;

	if (c->memory_limit <= 0 || c->memory_limit == INT64_MAX || taken > c->mapped_ready)
		return UNKNOWN;
	uint64_t other = c->mapped_ready - taken;

	if (c->mapped_ready > limit)
		other += c->mapped_ready - limit;
	if (other >= limit)
		return c->heap_marked;
	goal = limit - other;
	room = MAX(goal / 100 * 3, MIB);
	goal = goal < 2 * room ? room : goal - room;
	return MAX(goal, c->heap_marked);
}

static void controller(const struct go *g, const struct go_counters *c, struct go_beat *b)
{
	uint64_t by_limit = limit_goal(c);
	bool known_goal = go_has(g->L->gcController_gcPercentHeapGoal);

	b->heap_live = b->heap_marked = b->heap_goal = UNKNOWN;
	b->heap_in_use = b->heap_free = b->heap_released = UNKNOWN;
	if (!g->v.gccontroller)
		return;
	b->heap_live = c->heap_live;
	b->heap_marked = c->heap_marked;
	b->heap_in_use = c->heap_in_use;
	b->heap_free = c->heap_free;
	b->heap_released = c->heap_released;
	if (known_goal)
		b->heap_goal = MIN(c->heap_goal, by_limit) == UINT64_MAX
				       ? GO_BEAT_NO_GOAL
				       : MIN(c->heap_goal, by_limit);
	b->gc_percent = c->gc_percent;
	b->gc_percent_known = c->gc_percent_known;
}

/* mstats.go: pause_ns is a ring, the last one at (numgc + 255) % 256. */
static uint64_t last_pause(const struct go_layout *L, const uint8_t *p, uint64_t numgc)
{
	uint32_t n = go_has(L->mstats_pause_ns) ? L->mstats_pause_ns.bytes / 8 : 0;

	if (!n || !numgc)
		return UNKNOWN;
	return load_u64(p + L->mstats_pause_ns.off + 8 * ((numgc - 1) % n));
}

static void stats(const struct go *g, const struct go_counters *c, struct go_beat *b)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image_of(g, g->v.memstats, L->mstats_bytes);

	b->forced = b->pause_total_ns = b->last_pause_ns = b->runtime_bytes = UNKNOWN;
	b->last_gc_unix_ns = UNKNOWN;
	if (!p)
		return;
	b->forced = known(p, L->mstats_numforcedgc);
	b->pause_total_ns = known(p, L->mstats_pause_total_ns);
	b->last_pause_ns = last_pause(L, p, b->cycles);
	b->last_gc_unix_ns = known(p, L->mstats_last_gc_unix);
	b->last_gc_ns = go_get(p, L->mstats_last_gc_nanotime);
	b->runtime_bytes = c->mspan_sys + c->mcache_sys + c->buckhash_sys + c->gc_misc_sys +
			   c->other_sys + go_get(p, L->mstats_stacks_sys);
}

/* Go 1.20 and later: work.cpuStats; before: of all collections together, and no total. */
static void cpu(const struct go *g, struct go_beat *b)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image_of(g, g->v.work, L->work_bytes);

	b->gc_cpu_ns = b->total_cpu_ns = UNKNOWN;
	if (!p)
		return;
	if (go_has(L->work_gcTotalTime))
		b->gc_cpu_ns = go_get(p, L->work_gcTotalTime) - go_get(p, L->work_gcIdleTime);
	else
		b->gc_cpu_ns = known(p, L->work_totaltime);
	b->total_cpu_ns = known(p, L->work_totalTime);
}

/* Dead ones that the Ps keep; false: not known. */
static bool free_of_ps(const struct go *g, uint64_t *ret)
{
	uint64_t s[3], n = 0;

	if (!g->v.allp || !go_has(g->L->p_gFree_n) || !go_try_read(g, g->v.allp, s, sizeof(s)) ||
	    s[1] > MAX_PS)
		return false;
	for (uint64_t i = 0; i < s[1]; i++) {
		taddr p = go_try_u64(g, s[0] + 8 * i);
		uint32_t x;

		if (!go_try_read(g, p + (uint64_t)g->L->p_gFree_n.off, &x, 4))
			return false;
		n += x;
	}
	*ret = n;
	return true;
}

static bool free_of_sched(const struct go *g, uint64_t *ret)
{
	const struct go_layout *L = g->L;
	_cleanup_(freep) uint8_t *p = image_of(g, g->v.sched, L->sched_bytes);

	if (!p || (!go_has(L->sched_gFree_n) && !go_has(L->sched_gFree_stack_n)))
		return false;
	*ret = go_get(p, L->sched_gFree_n) + go_get(p, L->sched_gFree_stack_n) +
	       go_get(p, L->sched_gFree_noStack_n) + go_get(p, L->sched_ngsys);
	return true;
}

static uint64_t goroutines(const struct go *g)
{
	uint64_t all = g->v.allgs ? go_try_u64(g, g->v.allgs + 8) : UNKNOWN, sched, ps;

	if (all > MAX_GS || !free_of_sched(g, &sched) || !free_of_ps(g, &ps))
		return UNKNOWN;
	return all > sched + ps ? all - sched - ps : 1;
}

struct err *go_beat_read(const struct go *g, struct go_beat *ret)
{
	struct go_beat b = { 0 };
	struct go_counters c;
	struct err *err = go_counters_read(g, &c);

	if (err)
		return err;
	b.collecting = c.gcphase != 0;
	b.cycles = c.num_gc;
	allocator(g, &b);
	controller(g, &c, &b);
	stats(g, &c, &b);
	cpu(g, &b);
	b.goroutines = goroutines(g);
	*ret = b;
	return NULL;
}

static enum go_beat_state state_of(const struct go_layout *L, uint64_t status)
{
	int64_t s = (int64_t)(status & ~(uint64_t)L->c_Gscan);

	if (s == L->c_Grunning)
		return GO_BEAT_RUNNING;
	if (s == L->c_Grunnable || (L->c_Gpreempted >= 0 && s == L->c_Gpreempted))
		return GO_BEAT_RUNNABLE;
	if (s == L->c_Gsyscall)
		return GO_BEAT_SYSCALL;
	if (s == L->c_Gwaiting || (L->c_Gleaked >= 0 && s == L->c_Gleaked))
		return GO_BEAT_WAITING;
	if (s == L->c_Gcopystack)
		return GO_BEAT_OTHER;
	return GO_BEAT_STATES; /* dead, or not yet born */
}

static bool look_at(const struct go *g, taddr gp, struct go_beat_states *s)
{
	const struct go_layout *L = g->L;
	uint32_t status;
	uint8_t reason = 0;
	enum go_beat_state st;

	if (!go_try_read(g, gp + (uint64_t)L->g_atomicstatus.off, &status, 4))
		return false;
	st = state_of(L, status);
	s->seen++;
	if (st == GO_BEAT_STATES)
		return true;
	s->n[st]++;
	if (st == GO_BEAT_WAITING && go_try_read(g, gp + (uint64_t)L->g_waitreason.off, &reason, 1))
		s->wait[reason]++;
	return true;
}

struct err *go_beat_states(const struct go *g, uint64_t max, struct go_beat_states *ret)
{
	struct go_beat_states s = { 0 };
	uint64_t all[3], step;
	struct err *err;

	if (!g->v.allgs || !max)
		return err_unsupported("runtime.allgs was not found");
	err = target_read(g->t, g->v.allgs, all, sizeof(all));
	if (err)
		return err;
	if (all[1] > MAX_GS)
		return err_bad_data("runtime.allgs has %" PRIu64 " elements", all[1]);
	s.of = all[1];
	step = (all[1] + max - 1) / max;
	for (uint64_t i = 0; step && i < all[1]; i += step) {
		taddr gp = go_try_u64(g, all[0] + 8 * i);

		if (gp != UINT64_MAX && gp)
			(void)look_at(g, gp, &s);
	}
	*ret = s;
	return NULL;
}
