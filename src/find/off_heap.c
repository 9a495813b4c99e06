/*
 * off_heap.c - resident memory that Go does not know, and spans that are held by few objects.
 *
 * Outside: what is resident and neither Go's heap, stacks and tables nor files: malloc of C, mmap.
 * One look cannot tell a cache there from a leak: a suspect, raised by a second look (growth.c).
 * Fragmentation: a page goes back to the system only when its whole span is free.  After each
 * collection as much is free as the program may allocate until the next; only what is well above
 * that counts.  Source: runtime/mheap.go (mspan), mgcpacer.go (the goal).
 */
#include "find/look_maps.h"
#include "find/priv.h"

#include "base/str.h"

#define MIB (1ULL << 20)

enum { MAPS_SHOWN = 4, MANY_THREADS = 256, SPARSE = 4 /* at most one slot in that many is used */ };

struct map_place {
	uint64_t rss, bytes;
	taddr start;
	uint8_t what; /* enum look_map */
};

/* The largest mappings that may be it; [0 .. n). */
struct outside {
	struct map_place v[MAPS_SHOWN];
	size_t n;
	uint64_t c_heap, arenas;
};

static void keep_largest(struct outside *o, struct map_place p)
{
	size_t i = o->n < MAPS_SHOWN ? o->n++ : MAPS_SHOWN - 1;

	if (i == MAPS_SHOWN - 1 && o->v[i].rss > p.rss)
		return;
	for (; i > 0 && o->v[i - 1].rss < p.rss; i--)
		o->v[i] = o->v[i - 1];
	o->v[i] = p;
}

/* glibc malloc/arena.c: arenas of other threads begin at multiples of HEAP_MAX_SIZE. */
static bool is_malloc_arena(const struct map_place *p)
{
	return p->what == LOOK_MAP_ANON && p->start % (64 * MIB) == 0;
}

static void look_at_maps(const struct find *f, struct outside *o)
{
	size_t n = 0;
	const struct target_smap *m = target_smaps(f->l.s->t, &n);

	for (size_t i = 0; i < n; i++) {
		struct map_place p = { .rss = m[i].rss,
				       .bytes = trange_bytes(m[i].range),
				       .start = m[i].range.start };

		if (m[i].rss < MIB || m[i].file_backed)
			continue;
		p.what = (uint8_t)look_map_of(f->l.s, &m[i]);
		if (p.what != LOOK_MAP_C_HEAP && p.what != LOOK_MAP_ANON &&
		    p.what != LOOK_MAP_RUNTIME)
			continue;
		o->c_heap += p.what == LOOK_MAP_C_HEAP ? p.rss : 0;
		o->arenas += is_malloc_arena(&p) ? p.rss : 0;
		keep_largest(o, p);
	}
}

static const char *maps_text(struct find *f, const struct outside *o)
{
	_cleanup_(str_deinit) struct str t = { 0 };
	char a[16], b[16];

	for (size_t i = 0; i < o->n; i++) {
		const struct map_place *p = &o->v[i];

		str_printf(&t, "%s%s resident of %s: %s", i ? "\n" : "", str_bytes(a, p->rss),
			   str_bytes(b, p->bytes),
			   p->what == LOOK_MAP_C_HEAP	 ? "[heap], malloc"
			   : is_malloc_arena(p)		 ? "anonymous, an arena of malloc"
			   : p->what == LOOK_MAP_RUNTIME ? "anonymous, in part the Go runtime's own"
							 : "anonymous");
	}
	return t.s ? keepf(&f->keep, "%s", t.s) : "";
}

static struct err *say_outside(struct find *f)
{
	const struct find_memory *m = f->memory;
	struct outside o = { 0 };
	struct finding x = { .node = GRAPH_NONE,
			     .goroutine = FIND_NO_GOROUTINE,
			     .type = "",
			     .proof = FIND_MEASURED,
			     .bytes = m->off_heap };
	bool cgo = f->l.s->go->cgo;
	char a[16], b[16];

	if (m->off_heap == FIND_UNKNOWN || m->off_heap < 16 * MIB || m->off_heap < m->rss / 10)
		return NULL;
	x.verdict = m->off_heap >= 32 * MIB && m->off_heap >= m->rss / 4 ? FIND_SUSPECT : FIND_INFO;
	look_at_maps(f, &o);
	x.key = cgo ? "cgo" : "mmap";
	x.title =
		keepf(&f->keep,
		      "%s of %s resident lie outside of Go (%s): no Go profile shows them, the "
		      "collector does not free them",
		      str_bytes(a, m->off_heap), str_bytes(b, m->rss),
		      !cgo				      ? "anonymous mappings"
		      : o.c_heap + o.arenas > m->off_heap / 2 ? "C's malloc"
							      : "C's malloc or anonymous mappings");
	x.fix = cgo ? "free in Go's code what C allocated: a C.free for each C.malloc, C.CString and C.CBytes "
		      "(defer it beside the call), the library's own close for its handles"
		    : "each syscall.Mmap (or unix.Mmap) needs its Munmap: give the mapping an owner with a Close";
	x.mitigate =
		cgo ? "MALLOC_ARENA_MAX=2 in the environment keeps malloc from an arena for each thread; a "
		      "limit for the cache of the C library"
		    : "madvise(MADV_DONTNEED) gives pages back without unmapping";
	x.decide =
		x.verdict == FIND_SUSPECT
			? "a second look: limpet report --since SNAPSHOT; a cache stays as it is, a "
			  "leak grows with the load"
			: "";
	x.confirm = "limpet memory TARGET: the line \"outside of Go\" stays as it is under load";
	x.detail = maps_text(f, &o);
	return find_say(f, &x);
}

static struct err *say_threads(struct find *f)
{
	const struct target_mem *t = target_mem(f->l.s->t);
	const struct go_stacks *st = &f->l.s->stacks;
	uint64_t nsyscall = 0, bytes = f->memory->thread_stacks;
	struct finding x = { .node = GRAPH_NONE,
			     .goroutine = FIND_NO_GOROUTINE,
			     .type = "",
			     .proof = FIND_MEASURED,
			     .verdict = FIND_WASTE };

	if (!t || t->threads == UINT64_MAX || t->threads < MANY_THREADS)
		return NULL;
	for (size_t i = 0; i < st->gs.n; i++) {
		if (st->gs.v[i].dead || st->gs.v[i].status != (uint32_t)f->l.s->go->L->c_Gsyscall)
			continue;
		x.goroutine = nsyscall++ ? x.goroutine : i;
	}
	x.bytes = bytes == FIND_UNKNOWN ? 0 : bytes;
	x.count = t->threads;
	x.key = "threads";
	x.title = keepf(&f->keep,
			"%" PRIu64
			" threads: each call into C or the kernel that blocks takes one, and "
			"Go does not end them; %" PRIu64 " goroutines are in such calls now",
			t->threads, nsyscall);
	x.fix = "let only so many goroutines at once make blocking calls (a semaphore channel, "
		"errgroup.SetLimit); use calls that know the network poller";
	x.mitigate = "debug.SetMaxThreads ends the program instead of letting it grow";
	x.confirm =
		"the number of threads (limpet report TARGET --json, ls /proc/PID/task) stays low under load";
	return find_say(f, &x);
}

/* Spans that are nearly empty, by class. */
struct sparse {
	uint64_t spans, bytes, used; /* bytes of objects in them */
	uint64_t elem_bytes;
};

struct spans_sum {
	uint64_t bytes, free; /* of all that were swept */
	struct sparse by_class[256];
	uint32_t *by_type; /* reached objects in sparse spans, by index in s->types */
};

static bool is_sparse(const struct go_span *sp, uint64_t used)
{
	return sp->nelems >= SPARSE && used && used * SPARSE <= sp->nelems;
}

static void count_types(const struct find *f, const struct go_span *sp, struct spans_sum *s)
{
	for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
		uint32_t t;

		if (!look_reached(&f->l, id) || !f->l.s->type_of)
			continue;
		t = f->l.s->type_of[id];
		if (t >= f->l.s->types.n)
			continue;
		s->by_type[t]++;
	}
}

static void sum_spans(const struct find *f, struct spans_sum *s)
{
	const struct go_heap *h = &f->l.s->heap;

	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *sp = &h->spans.v[i];
		struct sparse *c = &s->by_class[sp->spanclass];
		uint64_t used = 0;

		if (sp->marks == GO_MARKS_UNSWEPT)
			continue; /* what looks free there is garbage that waits for the sweeper */
		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++)
			used += go_bit(h->alloc_bits, id);
		s->bytes += sp->bytes;
		s->free += sp->bytes - used * sp->elem_bytes;
		if (!is_sparse(sp, used))
			continue;
		c->spans++;
		c->bytes += sp->bytes;
		c->used += used * sp->elem_bytes;
		c->elem_bytes = sp->elem_bytes;
		count_types(f, sp, s);
	}
}

/* Free slots that the next allocations will take: the way to the goal. */
static uint64_t usual_free(const struct find *f)
{
	const struct go_counters *c = &f->l.s->heap.counters;
	uint64_t live = f->l.g->reached_bytes;

	if (!c->gc_percent_known || c->gc_percent < 0 || c->heap_goal <= live)
		return live;
	return c->heap_goal - live;
}

static const struct sparse *worst(const struct spans_sum *s)
{
	const struct sparse *w = &s->by_class[0];

	for (size_t i = 1; i < ARRAY_LEN(s->by_class); i++)
		if (s->by_class[i].bytes - s->by_class[i].used > w->bytes - w->used)
			w = &s->by_class[i];
	return w;
}

static struct err *say_fragments(struct find *f, const struct spans_sum *s)
{
	const struct sparse *w = worst(s);
	uint32_t t = 0;
	char a[16], b[16], c[16];
	struct finding x = { .node = GRAPH_NONE,
			     .goroutine = FIND_NO_GOROUTINE,
			     .type = "",
			     .proof = FIND_MEASURED,
			     .verdict = FIND_WASTE,
			     .bytes = s->free };

	for (uint32_t i = 0; i < f->l.s->types.n; i++)
		if (s->by_type[i] > s->by_type[t])
			t = i;
	/* no node: who holds one of them is not what this is about */
	if (s->by_type[t] && f->l.s->types.v[t].name)
		x.type = f->l.s->types.v[t].name;
	x.count = w->spans;
	x.objects = s->by_type[t];
	x.key = keepf(&f->keep, "fragmentation %s", x.type);
	x.title = keepf(&f->keep,
			"spans of %s hold objects of %s: %" PRIu64
			" spans of %s slots are kept by few objects%s%s",
			str_bytes(a, s->bytes), str_bytes(b, s->bytes - s->free), w->spans,
			str_bytes(c, w->elem_bytes), *x.type ? ", mostly " : "", x.type);
	x.fix = "what lives long is allocated among what dies soon, and keeps its page: allocate the long-lived "
		"ones together ({type}, at start or in a batch), or copy what is to stay when the rest goes; "
		"free slots are used again for objects of the same size";
	x.mitigate = "none without a restart: the collector does not move objects";
	x.confirm = "limpet memory TARGET: the line \"Go heap: free slots\" falls";
	return find_say(f, &x);
}

static struct err *look_for_fragments(struct find *f)
{
	_cleanup_(freep) struct spans_sum *s = zalloc(1, sizeof(*s));
	_cleanup_(freep) uint32_t *by_type = zalloc(f->l.s->types.n + 1, sizeof(*by_type));
	uint64_t usual = usual_free(f);

	if (!s || !by_type)
		return &err_nomem;
	if (f->memory->heap_free < 16 * MIB || f->memory->heap_free < 2 * usual)
		return NULL; /* free pages are counted there, too: no need to look */
	s->by_type = by_type;
	sum_spans(f, s);
	if (s->free < 16 * MIB || s->free < 2 * usual)
		return NULL;
	return say_fragments(f, s);
}

/* Free pages that are still resident: the scavenger gives them back in its own time. */
static struct err *say_idle(struct find *f)
{
	const struct go_counters *c = &f->l.s->heap.counters;
	struct finding x = { .node = GRAPH_NONE,
			     .goroutine = FIND_NO_GOROUTINE,
			     .type = "",
			     .proof = FIND_MEASURED,
			     .verdict = FIND_INFO,
			     .bytes = c->heap_free };
	char a[16], b[16];

	if (c->heap_free < 64 * MIB || c->heap_free < f->l.g->reached_bytes)
		return NULL;
	x.key = "idle";
	x.title =
		keepf(&f->keep,
		      "%s of the Go heap are free and not yet returned to the kernel; %s are live",
		      str_bytes(a, c->heap_free), str_bytes(b, f->l.g->reached_bytes));
	x.fix = "nothing is wrong: the runtime keeps up to a tenth above its goal and gives the rest back "
		"slowly (runtime/mgcscavenge.go); a GOMEMLIMIT makes it hurry";
	x.mitigate = "debug.FreeOSMemory() gives all of it back at once";
	x.confirm = "limpet memory TARGET: the line \"Go heap: idle\" falls within minutes";
	return find_say(f, &x);
}

static struct err *run(struct find *f)
{
	struct err *err = say_outside(f);

	if (!err)
		err = say_threads(f);
	if (!err)
		err = look_for_fragments(f);
	return err ? err : say_idle(f);
}

const struct detector detect_off_heap = {
	.name = "off-heap",
	.about = "resident memory that Go does not know, spans held by few objects",
	.needs = FIND_NEEDS_RUNTIME | FIND_NEEDS_MEMORY,
	.run = run,
};
