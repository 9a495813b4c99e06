/*
 * runtime_metadata.c - what the runtime itself keeps: goroutines that ended, specials, profile
 * records, span structs.
 *
 * None of it is given back: a runtime.g stays for the next goroutine, a special as long as its
 * object, a bucket of the profile for good, an mspan for the next span (fixalloc).  Counted from
 * the structures, bytes by the runtime's own counters (mstats.go).
 */
#include "find/look_special.h"
#include "find/priv.h"

#include "base/str.h"

#define MIB (1ULL << 20)

enum { MANY_DEAD = 10000, MANY_SPECIALS = 100000, MANY_ON_ONE = 1000, MANY_RECORDS = 200000 };

static uint64_t least(const struct find *f)
{
	return MAX(f->l.g->reached_bytes / 100, MIB);
}

static struct finding begin(void)
{
	return (struct finding){ .node = GRAPH_NONE,
				 .goroutine = FIND_NO_GOROUTINE,
				 .type = "",
				 .proof = FIND_MEASURED,
				 .verdict = FIND_WASTE };
}

/* proc.go, gfput: the struct of an ended goroutine waits for the next one, for ever. */
static struct err *say_goroutines(struct find *f)
{
	const struct go_stacks *st = &f->l.s->stacks;
	struct finding x = begin();
	uint64_t dead = 0, bytes = 0;
	char a[16];

	for (size_t i = 0; i < st->gs.n; i++) {
		uint64_t id, own = 0;

		if (!st->gs.v[i].dead)
			continue;
		id = go_heap_object_at(&f->l.s->heap, st->gs.v[i].g);
		if (id != GO_NO_OBJECT)
			go_heap_address(&f->l.s->heap, id, &own);
		dead++;
		bytes += own;
	}
	if (dead < MANY_DEAD || bytes < least(f) || dead < st->gs.n / 2)
		return NULL;
	x.bytes = bytes;
	x.objects = x.count = dead;
	x.type = "runtime.g";
	x.key = "ended goroutines";
	x.title = keepf(
		&f->keep,
		"%" PRIu64
		" goroutines once ran at the same time, %zu do now: what the runtime keeps of the ended ones is %s, for good",
		(uint64_t)st->gs.n, st->gs.n - (size_t)dead, str_bytes(a, bytes));
	x.fix = "limit how many goroutines run at once (a worker pool, a semaphore channel, "
		"errgroup.SetLimit): their number at the peak decides, not their sum";
	x.mitigate = "only a restart gives it back; new goroutines use it again";
	x.confirm = "limpet top TARGET --by type: runtime.g stays as it is through the next peak";
	return find_say(f, &x);
}

/* Finalizers, cleanups, weak handles on objects of one type. */
struct special_row {
	uint8_t kind; /* enum go_special_kind */
	uint32_t type;
	uint64_t count, retained;
	gnode example;
	const struct go_special *first;
};

struct special_sum {
	struct special_row rows[64];
	unsigned n;
	/* most of one object */
	uint64_t last_id, on_last, on_one;
	struct look_special one;
	uint64_t one_retained, last_retained;
};

static struct special_row *row_of(struct special_sum *s, uint8_t kind, uint32_t type)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->rows[i].kind == kind && s->rows[i].type == type)
			return &s->rows[i];
	if (s->n == ARRAY_LEN(s->rows))
		return NULL;
	s->rows[s->n] = (struct special_row){ .kind = kind, .type = type, .example = GRAPH_NONE };
	return &s->rows[s->n++];
}

static void count_on_one(struct special_sum *s, const struct look_special *x, uint64_t retained)
{
	if (s->last_id != x->id)
		s->on_last = s->last_retained = 0;
	s->last_id = x->id;
	s->on_last++;
	s->last_retained += retained;
	if (s->on_last <= s->on_one)
		return;
	s->on_one = s->on_last;
	s->one_retained = s->last_retained;
	s->one = *x;
}

static void count_specials(const struct find *f, struct special_sum *s)
{
	const struct look *l = &f->l;
	struct look_specials at = { 0 };
	struct look_special x;

	s->last_id = GO_NO_OBJECT;
	while (look_special_next(l, &at, &x)) {
		uint64_t retained = l->g->retained[x.root + 1];
		struct special_row *r;
		uint32_t type;

		if (x.id == GO_NO_OBJECT)
			continue;
		type = l->s->type_of ? l->s->type_of[x.id] : 0;
		r = row_of(s, x.sp->kind, type);
		if (r && !r->count++)
			r->first = x.sp;
		if (r && r->example == GRAPH_NONE && look_reached(l, x.id))
			r->example = graph_node_of_object(l->g, x.id);
		if (r)
			r->retained += retained;
		if (x.sp->kind == GO_SPECIAL_CLEANUP)
			count_on_one(s, &x, retained);
	}
}

static uint64_t special_bytes(const struct find *f, uint8_t kind)
{
	const struct go_layout *L = f->l.s->go->L;

	return kind == GO_SPECIAL_FINALIZER ? L->specialfinalizer_bytes
	       : kind == GO_SPECIAL_CLEANUP ? L->specialCleanup_bytes
	       : kind == GO_SPECIAL_WEAK    ? L->specialWeakHandle_bytes
					    : L->specialprofile_bytes;
}

static struct err *say_on_one(struct find *f, const struct special_sum *s)
{
	struct finding x = begin();
	const char *fn;
	char a[16];

	if (s->on_one < MANY_ON_ONE)
		return NULL;
	x.bytes = s->one_retained + s->on_one * special_bytes(f, GO_SPECIAL_CLEANUP);
	if (x.bytes < least(f) && s->on_one < 10 * MANY_ON_ONE)
		return NULL;
	fn = look_special_function(&f->l, s->one.sp);
	x.verdict = FIND_SUSPECT;
	x.node = look_reached(&f->l, s->one.id) ? graph_node_of_object(f->l.g, s->one.id)
						: GRAPH_NONE;
	x.type = keepf(&f->keep, "%s",
		       look_type_name(&f->l, graph_node_of_object(f->l.g, s->one.id)));
	x.count = s->on_one;
	x.key = keepf(&f->keep, "cleanups on one %s", fn);
	x.title = keepf(&f->keep,
			"one object of %s carries %" PRIu64
			" cleanups (%s): each keeps its argument until the object dies, %s in all",
			x.type, s->on_one, fn, str_bytes(a, x.bytes));
	x.fix = keepf(
		&f->keep,
		"runtime.AddCleanup with %s is called again and again for the same object: call it once where "
		"the object is made, or keep the runtime.Cleanup and call its Stop",
		fn);
	x.mitigate = "Stop on the runtime.Cleanup values that are kept; else only the object's end";
	x.decide =
		"a second look: limpet report --since SNAPSHOT; the number of cleanups grows with the load";
	x.confirm = "limpet finalizers TARGET: as many cleanups as objects";
	return find_say(f, &x);
}

static struct err *say_row(struct find *f, const struct special_row *r)
{
	static const char *const words[] = { "finalizers", "cleanups", "weak handles" };
	const char *word = words[MIN(r->kind, 2)];
	const char *type = r->type && r->type < f->l.s->types.n ? f->l.s->types.v[r->type].name
								: "unknown type";
	const char *fn = look_special_function(&f->l, r->first);
	struct finding x = begin();
	char a[16];

	if (r->count < MANY_SPECIALS)
		return NULL;
	x.bytes = r->count * special_bytes(f, r->kind) + r->retained;
	x.verdict = FIND_SUSPECT;
	x.count = r->count;
	x.node = r->example;
	x.type = type;
	x.key = keepf(&f->keep, "%s %s %s", word, type, fn);
	x.title = keepf(
		&f->keep,
		"%" PRIu64
		" %s on objects of %s%s%s: records of the runtime, what they keep, and one more step of "
		"each collection for each, %s in all",
		r->count, word, type, *fn ? ", " : "", fn, str_bytes(a, x.bytes));
	x.fix = "one finalizer or cleanup for the owner of many instead of one for each; where {type} has a Close "
		"that is called, runtime.SetFinalizer(x, nil) (or Stop of the runtime.Cleanup) in it";
	x.mitigate = "fewer objects of {type} at once: who holds them stands below";
	x.decide =
		"a second look: limpet report --since SNAPSHOT; a steady number is a big table, a growing one a leak of {type}";
	x.confirm = "limpet finalizers TARGET: the count of this type";
	return find_say(f, &x);
}

static struct err *say_specials(struct find *f)
{
	_cleanup_(freep) struct special_sum *s = zalloc(1, sizeof(*s));
	struct err *err;

	if (!s)
		return &err_nomem;
	if (f->l.s->heap.specials.n < MANY_ON_ONE)
		return NULL;
	count_specials(f, s);
	err = say_on_one(f, s);
	for (unsigned i = 0; i < s->n && !err; i++)
		err = say_row(f, &s->rows[i]);
	return err;
}

static struct err *say_profile(struct find *f)
{
	const struct go_heap *h = &f->l.s->heap;
	uint64_t records = 0, rate = f->l.s->go->v.memprofilerate, bytes;
	struct finding x = begin();
	char a[16], b[16];

	for (size_t i = 0; i < h->specials.n; i++)
		records += h->specials.v[i].kind == GO_SPECIAL_PROFILE;
	bytes = records * special_bytes(f, GO_SPECIAL_PROFILE) + h->counters.buckhash_sys;
	if (records < MANY_RECORDS && h->counters.buckhash_sys < 16 * MIB)
		return NULL;
	if (bytes < least(f))
		return NULL;
	if (rate)
		err_free(go_read_u64(f->l.s->go, rate, &rate));
	x.bytes = bytes;
	x.count = records;
	x.key = "profile";
	x.title = keepf(&f->keep,
			"the memory profile keeps %s of stacks and %" PRIu64
			" records of sampled objects, %s in all; MemProfileRate is %" PRIu64,
			str_bytes(a, h->counters.buckhash_sys), records, str_bytes(b, bytes), rate);
	x.fix = rate && rate < 65536
			? "leave runtime.MemProfileRate at its default (524288): each object below it costs a "
			  "stack walk and a record"
			: "very many different stacks allocate: recursion of changing depth, generated code; a "
			  "higher runtime.MemProfileRate samples fewer";
	x.mitigate = "runtime.MemProfileRate = 0 stops new records; stacks stay until a restart";
	x.confirm = "limpet memory TARGET: the line \"Go runtime\"";
	return find_say(f, &x);
}

/* Span structs are kept for the peak: fixalloc never gives memory back. */
static struct err *say_spans(struct find *f)
{
	const struct go_heap *h = &f->l.s->heap;
	uint64_t used = (h->spans.n + h->nmanual_spans) * f->l.s->go->L->mspan_bytes;
	uint64_t sys = h->counters.mspan_sys;
	struct finding x = begin();
	char a[16], b[16];

	if (sys < 4 * MIB || used * 4 > sys || sys - used < least(f))
		return NULL;
	x.bytes = sys - used;
	x.count = h->spans.n + h->nmanual_spans;
	x.key = "mspan";
	x.verdict = FIND_INFO;
	x.title = keepf(
		&f->keep,
		"%s of span structs are left of a larger heap, %s are in use: never given back, used again",
		str_bytes(a, sys), str_bytes(b, used));
	x.fix = "nothing, unless the peak itself is wrong: a heap of many small objects needs a span for each 8 KiB";
	x.mitigate = "only a restart gives it back";
	x.confirm = "limpet memory TARGET: the line \"Go runtime\" stays as it is";
	return find_say(f, &x);
}

static struct err *run(struct find *f)
{
	struct err *err = say_goroutines(f);

	if (!err)
		err = say_specials(f);
	if (!err)
		err = say_profile(f);
	return err ? err : say_spans(f);
}

const struct detector detect_runtime_metadata = {
	.name = "runtime-metadata",
	.about = "ended goroutines, specials, profile records, span structs",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
