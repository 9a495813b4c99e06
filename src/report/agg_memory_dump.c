/*
 * agg_memory_dump.c - the memory table of a heap dump: runtime.MemStats at that instant.
 *
 * A dump knows no pages and no RSS, but all that the runtime had asked the system for, by use:
 * the lines add up to Sys.  Reachable and garbage are our own count of the objects.
 */
#include "report/agg_memory.h"
#include "snapshot/dump.h"

static uint64_t allocated_bytes(const struct go_heap *h)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *sp = &h->spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++)
			bytes += go_bit(h->alloc_bits, id) ? sp->elem_bytes : 0;
	}
	return bytes;
}

static struct err *put_line(struct ans_memory *m, struct ans_mem_line l)
{
	return vec_push(&m->lines, l) ? NULL : &err_nomem;
}

static struct err *put_lines(struct ans_memory *m, const struct dump_memstats *s,
			     uint64_t goroutine_stacks)
{
	const struct ans_mem_line lines[] = {
		{ "sys", "from the system (Sys)", "address space, by the runtime's own count",
		  (int64_t)s->sys, 0, false },
		{ "heap_live", "Go heap: reachable",
		  "objects that something still holds, whole slots", (int64_t)m->heap_live, 1,
		  true },
		{ "heap_garbage", "Go heap: garbage",
		  "unreachable: would have gone with the next cycle", (int64_t)m->heap_garbage, 1,
		  true },
		{ "heap_free_slots", "Go heap: free slots",
		  "free places in spans that hold other objects",
		  (int64_t)(s->heap_inuse - m->heap_live - m->heap_garbage), 1, true },
		{ "heap_idle", "Go heap: idle", "free spans, not yet returned to the kernel",
		  (int64_t)(s->heap_idle - s->heap_released), 1, true },
		{ "heap_released", "Go heap: released", "returned to the kernel",
		  (int64_t)s->heap_released, 1, true },
		{ "stacks", "goroutine stacks", "of the goroutines in the dump",
		  (int64_t)goroutine_stacks, 1, true },
		{ "stacks_cache", "free stacks, system stacks",
		  "kept by the runtime for reuse; of its threads",
		  (int64_t)(s->stack_sys - goroutine_stacks), 1, true },
		{ "runtime", "Go runtime",
		  "span tables, caches, profiles, GC metadata and buffers, the rest",
		  (int64_t)m->runtime, 1, true },
	};
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(lines) && !err; i++)
		err = put_line(m, lines[i]);
	return err;
}

struct err *agg_memory_dump(const struct agg *a, struct ans_memory *ret)
{
	const struct dump_memstats *s = &a->s->dump->d->memstats;
	uint64_t stacks = MIN(a->s->stacks.stack_bytes, s->stack_inuse);
	_cleanup_(ans_memory_deinit) struct ans_memory m = {
		.rss = ANS_UNKNOWN,
		.off_heap = ANS_UNKNOWN,
		.files = ANS_UNKNOWN,
		.thread_stacks = ANS_UNKNOWN,
		.globals = ANS_UNKNOWN,
		.sys = s->sys,
		.heap_live = a->g ? a->g->reached_bytes : 0,
		.heap_free = s->heap_idle - s->heap_released,
		.heap_released = s->heap_released,
		.stacks = s->stack_inuse,
		.runtime =
			s->mspan_sys + s->mcache_sys + s->buckhash_sys + s->gc_sys + s->other_sys,
	};
	uint64_t all = allocated_bytes(&a->s->heap);
	struct err *err;

	m.heap_garbage = all - MIN(all, m.heap_live);
	err = put_lines(&m, s, stacks);
	if (err)
		return err;
	*ret = m;
	m = (struct ans_memory){ 0 };
	return NULL;
}
