/*
 * agg_memory.c - where the memory is: cgroup, RSS by mapping, the Go heap by spans.
 *
 * smaps says how much of each mapping is resident; mappings are told apart by what is
 * known to lie in them (arenas, the modules' data, thread stacks).  Within the arenas
 * spans and the runtime's counters (mstats.go, mgcpacer.go) say what the pages are for.
 * Lines that are summed add up to RSS; heap_absent is the difference between what Go
 * counts as in use and what is resident there, and is one of them.
 * A file (core, heap dump) knows no RSS: then only what Go itself counts is there.
 */
#include "find/look_maps.h"
#include "report/agg_memory.h"
#include "report/kept.h"
#include "snapshot/dump.h"

struct mem_parts {
	uint64_t heap, globals, files, shared, thread_stacks, c_heap, anon;
	uint64_t total, marked_runtime;
};

static void sort_mapping(const struct agg *a, const struct target_smap *m, struct mem_parts *p)
{
	p->total += m->rss;
	if (!m->rss)
		return;
	switch (look_map_of(a->s, m)) {
	case LOOK_MAP_HEAP:
		p->heap += m->rss;
		break;
	case LOOK_MAP_GLOBALS:
		/* pages of a private file mapping that were written are the program's variables */
		p->globals += m->file_backed ? m->anonymous : m->rss;
		p->files += m->file_backed ? m->rss - m->anonymous : 0;
		break;
	case LOOK_MAP_FILE:
		p->files += m->rss;
		break;
	case LOOK_MAP_THREAD_STACK:
		p->thread_stacks += m->rss;
		break;
	case LOOK_MAP_C_HEAP:
		p->c_heap += m->rss;
		break;
	case LOOK_MAP_RUNTIME:
		p->marked_runtime += m->rss;
		p->anon += m->rss;
		break;
	case LOOK_MAP_ANON:
		p->anon += m->rss;
		break;
	}
}

static void heap_by_spans(const struct agg *a, struct ans_memory *m, uint64_t *span_bytes)
{
	const struct go_heap *h = &a->s->heap;
	uint64_t allocated = 0;

	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *sp = &h->spans.v[i];
		uint64_t n = 0;

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++)
			n += go_bit(h->alloc_bits, id);
		allocated += n * sp->elem_bytes;
		*span_bytes += sp->bytes;
	}
	m->heap_live = a->g ? a->g->reached_bytes : h->counters.heap_marked;
	m->heap_garbage = h->unswept_garbage_bytes;
	if (allocated > m->heap_live)
		m->heap_garbage += allocated - m->heap_live;
	if (*span_bytes > m->heap_live + m->heap_garbage)
		m->heap_free = *span_bytes - m->heap_live - m->heap_garbage;
}

struct mem_text {
	const char *key, *name, *note;
	int level;
	bool summed;
};

static void line(struct ans_memory *m, struct mem_text x, int64_t bytes, struct err **err)
{
	struct ans_mem_line l = {
		.key = x.key,
		.name = x.name,
		.note = x.note,
		.bytes = bytes,
		.level = x.level,
		.summed = x.summed,
	};

	if (!*err && !vec_push(&m->lines, l))
		*err = &err_nomem;
}

static void cgroup_line(struct ans_memory *m, struct mem_text x, uint64_t bytes, struct err **err)
{
	if (bytes != UINT64_MAX)
		line(m, x, (int64_t)bytes, err);
}

static struct err *cgroup_lines(const struct target_mem *t, struct ans_memory *m)
{
	struct err *err = NULL;

	if (t->cgroup_usage == UINT64_MAX)
		return NULL;
#define C(field, name, note, level)                                                                \
	cgroup_line(m, (struct mem_text){ #field, name, note, level, false }, t->field, &err)
	C(cgroup_usage, "cgroup usage",
	  "what the kernel charges to the container, all its processes", 0);
	C(cgroup_limit, "cgroup limit", "beyond it the kernel kills", 0);
	C(cgroup_anon, "anonymous", "heaps and stacks of all its processes", 1);
	C(cgroup_file, "page cache",
	  "file contents, given back when memory is short (tmpfs included)", 1);
	C(cgroup_shmem, "tmpfs, shared memory", "files in memory: stays until they are deleted", 2);
	C(cgroup_kernel, "kernel", "page tables, kernel stacks, slab", 1);
	C(cgroup_sock, "sockets", "network buffers", 1);
#undef C
	return err;
}

static struct err *rss_lines(struct ans_memory *m, uint64_t slots_free, uint64_t idle,
			     uint64_t stacks, uint64_t manual)
{
	struct err *err = NULL;
	const char *absent =
		m->heap_absent < 0
			? "used by Go's count, never touched or given back: no page is there"
			: "pages that Go counts as free to the kernel and that are still there";

#define L(key, name, note, level, summed, bytes)                                                   \
	line(m, (struct mem_text){ key, name, note, level, summed }, (int64_t)(bytes), &err)
	L("rss", "resident memory (RSS)", "pages that the process has in memory", 0, false, m->rss);
	L("heap_live", "Go heap: reachable", "objects that something still holds, whole slots", 1,
	  true, m->heap_live);
	L("heap_garbage", "Go heap: garbage",
	  "unreachable, not yet swept: goes with the next cycle", 1, true, m->heap_garbage);
	L("heap_free_slots", "Go heap: free slots", "free places in spans that hold other objects",
	  1, true, slots_free);
	L("heap_idle", "Go heap: idle", "free spans, not yet returned to the kernel", 1, true,
	  idle);
	L("heap_absent", "Go heap: not resident", absent, 1, true, m->heap_absent);
	L("stacks", "goroutine stacks", "of the goroutines that exist", 1, true, stacks);
	L("stacks_cache", "free stacks, GC buffers", "kept by the runtime for reuse", 1, true,
	  manual - stacks);
	L("runtime", "Go runtime", "span tables, mark bits, profiles, page summaries", 1, true,
	  m->runtime);
	L("globals", "variables", "data and bss of the program and of the runtime", 1, true,
	  m->globals);
	L("files", "files", "binary, libraries, mapped files; most can be dropped and read again",
	  1, true, m->files);
	L("thread_stacks", "thread stacks", "stacks of threads outside the Go heap", 1, true,
	  m->thread_stacks);
	L("off_heap", "outside of Go", "cgo's malloc, anonymous mmap: no Go profile shows it", 1,
	  true, m->off_heap);
	L("unexplained", "unexplained", "RSS changed while it was read, or limpet does not know", 1,
	  true, m->unexplained);
	L("heap_released", "Go heap: released", "returned to the kernel: address space only", 0,
	  false, m->heap_released);
#undef L
	return err;
}

static uint64_t runtime_sys(const struct go_counters *c)
{
	return c->mspan_sys + c->mcache_sys + c->buckhash_sys + c->gc_misc_sys + c->other_sys;
}

static int64_t sum_of_lines(const struct ans_memory *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->lines.n; i++)
		if (m->lines.v[i].summed)
			sum += m->lines.v[i].bytes;
	return sum;
}

static void fill_parts(const struct agg *a, struct mem_parts *p)
{
	size_t n = 0;
	const struct target_smap *v = target_smaps(a->s->t, &n);

	for (size_t i = 0; i < n; i++)
		sort_mapping(a, &v[i], p);
}

/* Anonymous memory that is neither arenas nor stacks: the runtime's up to its own count. */
static void split_anon(const struct agg *a, const struct mem_parts *p, struct ans_memory *m)
{
	uint64_t sys = runtime_sys(&a->s->heap.counters);

	m->runtime = sys ? MIN(sys, p->anon) : p->marked_runtime;
	m->off_heap = p->c_heap + p->anon - m->runtime;
}

static uint64_t variable_bytes(const struct go *go)
{
	uint64_t n = 0;

	for (size_t i = 0; i < go->nmodules; i++)
		n += trange_bytes(go->modules[i].data) + trange_bytes(go->modules[i].bss) +
		     trange_bytes(go->modules[i].noptrdata) + trange_bytes(go->modules[i].noptrbss);
	return n;
}

static struct err *go_lines(struct ans_memory *m, uint64_t slots_free, uint64_t idle,
			    uint64_t stacks, uint64_t variables)
{
	struct err *err = NULL;

#define L(key, name, note, bytes)                                                                  \
	line(m, (struct mem_text){ key, name, note, 1, false }, (int64_t)(bytes), &err)
	L("heap_live", "Go heap: reachable", "objects that something still holds, whole slots",
	  m->heap_live);
	L("heap_garbage", "Go heap: garbage",
	  "unreachable, not yet swept: would have gone with the next cycle", m->heap_garbage);
	L("heap_free_slots", "Go heap: free slots", "free places in spans that hold other objects",
	  slots_free);
	L("heap_idle", "Go heap: idle", "free spans, not yet returned to the kernel", idle);
	L("stacks", "goroutine stacks", "of the goroutines that exist", stacks);
	L("stacks_cache", "free stacks, GC buffers", "kept by the runtime for reuse",
	  m->stacks - stacks);
	if (m->runtime != ANS_UNKNOWN)
		L("runtime", "Go runtime", "span tables, mark bits, profiles, page summaries",
		  m->runtime);
	if (variables)
		L("variables", "variables", "data and bss of the program and of the runtime",
		  variables);
	L("heap_released", "Go heap: released", "returned to the kernel: address space only",
	  m->heap_released);
#undef L
	return err;
}

/* No page is known to have been resident: address space by Go's own count, nothing summed. */
static struct err *by_go_alone(struct agg *a, struct ans_memory *ret)
{
	const struct go_heap *h = &a->s->heap;
	_cleanup_(ans_memory_deinit) struct ans_memory m = { .rss = ANS_UNKNOWN,
							     .off_heap = ANS_UNKNOWN,
							     .files = ANS_UNKNOWN,
							     .thread_stacks = ANS_UNKNOWN,
							     .globals = ANS_UNKNOWN };
	uint64_t span_bytes = 0, slots_free, sys = runtime_sys(&h->counters);
	struct err *err;

	heap_by_spans(a, &m, &span_bytes);
	slots_free = m.heap_free;
	m.heap_free += h->counters.heap_free;
	m.heap_released = h->counters.heap_released;
	m.stacks = h->manual_span_bytes;
	m.runtime = sys ? sys : ANS_UNKNOWN;
	err = go_lines(&m, slots_free, h->counters.heap_free,
		       MIN(a->s->stacks.stack_bytes, m.stacks), variable_bytes(a->s->go));
	if (err)
		return err;
	*ret = m;
	m = (struct ans_memory){ 0 };
	return NULL;
}

static struct err *by_mappings(struct agg *a, struct ans_memory *ret)
{
	_cleanup_(ans_memory_deinit) struct ans_memory m = { 0 };
	const struct go_heap *h = &a->s->heap;
	const struct target_mem *t = target_mem(a->s->t);
	uint64_t span_bytes = 0, manual = h->manual_span_bytes;
	uint64_t stacks = MIN(a->s->stacks.stack_bytes, manual);
	struct mem_parts p = { 0 };
	uint64_t slots_free;
	struct err *err;

	fill_parts(a, &p);
	m.rss = t->rss != UINT64_MAX ? t->rss : p.total;
	heap_by_spans(a, &m, &span_bytes);
	slots_free = m.heap_free;
	m.heap_free += h->counters.heap_free;
	m.heap_released = h->counters.heap_released;
	m.heap_absent = (int64_t)p.heap - (int64_t)(span_bytes + manual + h->counters.heap_free);
	m.stacks = manual;
	m.globals = p.globals;
	m.files = p.files;
	m.thread_stacks = p.thread_stacks;
	split_anon(a, &p, &m);
	m.unexplained = (int64_t)m.rss - (int64_t)p.total;
	err = cgroup_lines(t, &m);
	if (!err)
		err = rss_lines(&m, slots_free, h->counters.heap_free, stacks, manual);
	if (err)
		return err;
	m.unexplained += (int64_t)m.rss - sum_of_lines(&m);
	for (size_t i = 0; i < m.lines.n; i++)
		if (!strcmp(m.lines.v[i].key, "unexplained"))
			m.lines.v[i].bytes = m.unexplained;
	*ret = m;
	m = (struct ans_memory){ 0 };
	return NULL;
}

struct err *agg_memory(struct agg *a, struct ans_memory *ret)
{
	if (a->asked)
		return kept_memory_of(a, ret);
	if (a->s->dump && a->s->dump->d->has_memstats)
		return agg_memory_dump(a, ret);
	if (target_mem(a->s->t)->rss == UINT64_MAX &&
	    target_capture(a->s->t)->method == TARGET_BY_FILE)
		return by_go_alone(a, ret);
	return by_mappings(a, ret);
}
