/*
 * verify.c - our reachable set against the collector's bits, one observation.
 *
 * Which bits say what is decided by the heap room, span by span (enum go_marks); here is
 * only what follows from it.  Source: runtime/mgcsweep.go (sweep), mbitmap.go (isFree),
 * mgcmark.go (gcmarknewobject: born black; gcMarkTinyAllocs; scanConservative).
 * Cost: a pass over three bit sets, 64 slots a step.
 */
#include "graph/verify.h"

static const char reason_candidate[] =
	"marked by the last cycle, not reached: garbage since, or missed; a later cycle decides";
static const char reason_finalizer[] =
	"marked by the last cycle, not reached, has a finalizer; a later cycle decides";
static const char reason_birth[] = "being allocated at that instant";
static const char reason_sweeping[] = "span being swept at that instant";
static const char reason_unswept[] = "reached, but the last cycle did not mark it";
static const char reason_free_root[] = "reached from a root, but the slot is free";
static const char reason_free_object[] = "reached from an object, but the slot is free";

/* n ≤ 64 bits from position at. */
static uint64_t bits_at(const uint64_t *bits, uint64_t at, unsigned n)
{
	unsigned sh = at & 63;
	uint64_t x = bits[at >> 6] >> sh;

	if (sh + n > 64)
		x |= bits[(at >> 6) + 1] << (64 - sh);
	return n < 64 ? x & ((1ULL << n) - 1) : x;
}

static bool marks_speak(const struct go_span *sp)
{
	return sp->marks == GO_MARKS_LAST_CYCLE || sp->marks == GO_MARKS_UNSWEPT ||
	       sp->marks == GO_MARKS_MARKING;
}

static struct err *note(struct verify_result *r, struct verify_diff d)
{
	if (r->diffs.n < VERIFY_DIFFS_MAX && !vec_push(&r->diffs, d))
		return &err_nomem;
	return NULL;
}

/* Each bit of which: a slot of sp, counted from slot. */
static struct err *note_candidates(struct verify_result *r, const struct go_span *sp, uint32_t slot,
				   uint64_t which)
{
	for (; which; which &= which - 1) {
		uint64_t i = slot + (unsigned)__builtin_ctzll(which);
		struct verify_diff d = {
			.addr = sp->base + i * sp->elem_bytes,
			.bytes = sp->elem_bytes,
			.side = VERIFY_MISSING,
			.flags = sp->tiny ? VERIFY_TINY : 0,
			.reason = reason_candidate,
		};
		struct err *err = note(r, d);

		if (err)
			return err;
	}
	return NULL;
}

static struct err *compare_span(const struct snapshot *s, const struct graph *g,
				const struct go_span *sp, struct verify_result *r)
{
	for (uint32_t slot = 0; slot < sp->nelems; slot += 64) {
		unsigned n = MIN(sp->nelems - slot, 64U);
		uint64_t id = sp->first + slot;
		uint64_t alloc = bits_at(s->heap.alloc_bits, id, n);
		uint64_t marked = bits_at(s->heap.mark_bits, id, n) & alloc;
		uint64_t reached = bits_at(g->reached, graph_node_of_object(g, id), n);
		uint64_t lacking = marked & ~reached;
		uint64_t nmarked = (uint64_t)__builtin_popcountll(marked);
		struct err *err;

		r->gc_objects += nmarked;
		r->gc_bytes += nmarked * sp->elem_bytes;
		r->born_since += (uint64_t)__builtin_popcountll(reached & alloc & ~marked);
		r->missing += (uint64_t)__builtin_popcountll(lacking);
		err = note_candidates(r, sp, slot, lacking);
		if (err)
			return err;
	}
	return NULL;
}

static struct err *compare_spans(const struct snapshot *s, const struct graph *g,
				 struct verify_result *r)
{
	for (size_t i = 0; i < s->heap.spans.n; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];
		struct err *err;

		if (!marks_speak(sp)) {
			r->spans_undecidable++;
			continue;
		}
		r->spans_valid++;
		err = compare_span(s, g, sp, r);
		if (err)
			return err;
	}
	r->undecided = r->missing;
	return NULL;
}

/* A precise pointer at a slot that is no object.  GO_NO_OBJECT: not in the heap at all. */
static struct err *note_extra(struct verify_result *r, const struct snapshot *s, uint64_t id,
			      const char *reason)
{
	struct verify_diff d = { .side = VERIFY_EXTRA, .reason = reason };
	const struct go_span *sp;
	uint64_t slot;

	d.addr = go_heap_address(&s->heap, id, &d.bytes);
	sp = go_heap_span_at(&s->heap, d.addr);
	slot = sp ? id - sp->first : 0;
	if (sp && sp->marks == GO_MARKS_SWEEPING)
		d.reason = reason_sweeping;
	else if (sp && slot >= sp->free_index_for_scan && slot < sp->freeindex)
		d.reason = reason_birth;
	else if (sp && sp->marks == GO_MARKS_UNSWEPT)
		d.reason = reason_unswept;
	d.explained = d.reason == reason_sweeping || d.reason == reason_birth;
	return note(r, d);
}

static bool is_free_slot(const struct snapshot *s, uint64_t id)
{
	return id < s->heap.nobjects && !go_bit(s->heap.alloc_bits, id);
}

/* Conservative words at free slots are nothing: scanConservative passes over them, and so do we. */
static struct err *extra_of_roots(const struct snapshot *s, struct verify_result *r)
{
	for (size_t i = 0; i < s->slots.n; i++) {
		const struct snap_slot *slot = &s->slots.v[i];
		struct err *err;

		r->conservative_slots += (slot->flags & GO_SLOT_CONSERVATIVE) != 0;
		if ((slot->flags & GO_SLOT_CONSERVATIVE) || !is_free_slot(s, slot->object))
			continue;
		err = note_extra(r, s, slot->object, reason_free_root);
		if (err)
			return err;
	}
	return NULL;
}

struct rescan {
	const struct snapshot *s;
	const struct graph *g;
	struct verify_result *r;
};

static struct err *rescan_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg;
	(void)id;
	(void)type;
	(void)word0;
	return NULL;
}

static struct err *rescan_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	const struct rescan *x = arg;
	uint64_t to = go_heap_object_at(&x->s->heap, value);

	(void)at;
	(void)before;
	if (!is_free_slot(x->s, to) || !graph_reached(x->g, graph_node_of_object(x->g, id)))
		return NULL;
	return note_extra(x->r, x->s, to, reason_free_object);
}

static void rescan_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg; /* counted by the snapshot when it read the same memory */
	(void)addr;
	(void)nbytes;
}

static struct err *extra_of_objects(const struct snapshot *s, const struct graph *g,
				    struct verify_result *r)
{
	static const struct go_scan_ops ops = {
		.object = rescan_object,
		.pointer = rescan_pointer,
		.lost = rescan_lost,
	};
	struct rescan x = { .s = s, .g = g, .r = r };

	if (!g->bad_edges)
		return NULL;
	return go_heap_scan(s->go, &s->heap, 0, s->heap.spans.n, &ops, &x);
}

static int by_address(const void *a, const void *b)
{
	const struct verify_diff *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->side > y->side) - (x->side < y->side);
}

/* One diff an address and side; then each extra that is not explained counts. */
static void sort_out(struct verify_result *r)
{
	size_t n = 0;

	if (r->diffs.n > 1)
		qsort(r->diffs.v, r->diffs.n, sizeof(*r->diffs.v), by_address);
	for (size_t i = 0; i < r->diffs.n; i++) {
		struct verify_diff *d = &r->diffs.v[i];

		if (n && !by_address(&r->diffs.v[n - 1], d))
			continue;
		r->extra += d->side == VERIFY_EXTRA && !d->explained;
		r->diffs.v[n++] = *d;
	}
	r->diffs.n = n;
}

static void mark_finalizers(const struct snapshot *s, struct verify_result *r)
{
	for (size_t i = 0; r->diffs.n && i < s->heap.specials.n; i++) {
		const struct go_special *sp = &s->heap.specials.v[i];
		struct verify_diff key = { .addr = sp->object, .side = VERIFY_MISSING };
		struct verify_diff *d;

		if (sp->kind != GO_SPECIAL_FINALIZER)
			continue;
		d = bsearch(&key, r->diffs.v, r->diffs.n, sizeof(key), by_address);
		if (d) {
			d->flags |= VERIFY_FINALIZER;
			d->reason = reason_finalizer;
		}
	}
}

/*
 * Objects with a finalizer are scanned as roots too, without being marked by that, and
 * scanobject counts what it scans: mgcmark.go, markrootSpans (gcScanFinalizer from 1.26).
 */
static uint64_t counted_twice(const struct snapshot *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->heap.specials.n; i++) {
		const struct go_special *spec = &s->heap.specials.v[i];
		const struct go_span *sp = go_heap_span_at(&s->heap, spec->object);

		if (spec->kind == GO_SPECIAL_FINALIZER && sp && !sp->noscan)
			bytes += sp->elem_bytes;
	}
	return bytes;
}

static const char *phase_text(const struct verify_result *r)
{
	if (!r->cycles)
		return "no cycle has finished yet: there are no marks to compare with";
	if (r->gcphase)
		return "a cycle is marking: the marks are those of the one before it";
	if (r->spans_undecidable)
		return "between cycles, sweeping: some spans could not be compared";
	return "between cycles: all marks are those of the last cycle";
}

static bool has_marks(const struct snapshot *s)
{
	return !s->heap.spans.n || s->heap.spans.v[0].marks != GO_MARKS_NONE;
}

struct err *verify_run(const struct snapshot *s, const struct graph *g, struct verify_result *ret)
{
	_cleanup_(verify_deinit) struct verify_result r = {
		.reachable_objects = g->nreached_objects,
		.reachable_bytes = g->reached_bytes,
		.gcphase = s->heap.counters.gcphase,
		.cycles = s->heap.counters.num_gc,
		.conservative_frames = s->stacks.conservative_frames,
	};
	uint64_t twice = counted_twice(s);
	struct err *err;

	r.counter_bytes = s->heap.counters.heap_marked;
	r.counter_bytes -= MIN(r.counter_bytes, twice);
	err = compare_spans(s, g, &r);
	if (!err)
		err = extra_of_roots(s, &r);
	if (!err)
		err = extra_of_objects(s, g, &r);
	if (err)
		return err;
	sort_out(&r);
	mark_finalizers(s, &r);
	r.counter_comparable = r.cycles && !r.spans_undecidable;
	r.phase = has_marks(s) ? phase_text(&r) : "a heap dump has no mark bits to compare with";
	*ret = r;
	r = (struct verify_result){ 0 };
	return NULL;
}

void verify_deinit(struct verify_result *r)
{
	vec_free(&r->diffs);
}

bool verify_holds(const struct verify_result *r)
{
	if (r->extra || r->missing > r->undecided)
		return false;
	return r->second || r->undecided <= r->gc_objects / 2;
}
