/*
 * typing.c - types by propagation: what to read, in which order, until nothing changes.
 *
 * The heap is cut into chunks, of which the spans that are needed are read: what follows from
 * plain pointers is known without (typing_arrows.c).  In a chunk all objects that became known
 * are expanded, those that this makes known with them; what lies in other chunks is marked.  Rounds
 * go over the marked chunks only.  Where few objects are marked they are read one by one and
 * followed wherever they lead, so that a list strewn over the heap does not cost a round a link.
 * Cost: one bit an object, 1/64 of the heap for its pointer bits, 4 bytes a span.
 */
#include "snapshot/code.h"
#include "snapshot/typing.h"

#include "base/clock.h"
#include "base/par.h"
#include "goruntime/heap_scan.h"

#define CHUNK_BYTES  TYPING_CHUNK_BYTES
#define MAX_ELEMENT  ((uint64_t)64 << 20) /* larger single values are not looked into */
#define BYTES_A_READ 8192		  /* a system call costs as much as copying that much */
#define MAX_WAITING  48			  /* objects waiting to be read one by one */
#define FOLLOWED                                                                                   \
	((uint64_t)8) /* a chunk, in the first round; twice as many in each that follows           \
		       */
#define MAX_VAR	   ((uint64_t)16 << 20)
#define MAX_ROUNDS 100000

static void lost(void *arg, taddr addr, uint64_t nbytes)
{
	/* snapshot_edges has counted it */
	(void)arg;
	(void)addr;
	(void)nbytes;
}

/* go_scan_run() reads no larger span of several objects either: Go has none. */
static bool has_pointers(const struct go_span *s)
{
	return go_span_large(s) || ((s->scheme == GO_PTR_SPAN_BITS || s->scheme == GO_PTR_HEADER ||
				     s->scheme == GO_PTR_BITMAP) &&
				    s->bytes <= CHUNK_BYTES);
}

/* Has the buffer room for the i-th span, too? A liar's spans need not be in order. */
static bool in_chunk(const struct typing_chunk *c, size_t i, const struct go_span *s)
{
	return !go_span_large(s) && i - c->lo < TYPING_CHUNK_SPANS && s->base >= c->base &&
	       s->base - c->base <= CHUNK_BYTES && s->bytes <= CHUNK_BYTES - (s->base - c->base);
}

/* Spans [lo, hi) that the buffer has room for, those without pointers among them too. */
static void cut_one(const struct go_heap *h, size_t lo, struct typing_chunk *c)
{
	const struct go_span *v = h->spans.v;

	*c = (struct typing_chunk){ .lo = lo,
				    .hi = lo + 1,
				    .first = v[lo].first,
				    .end = v[lo].first + v[lo].nelems,
				    .base = v[lo].base,
				    .bytes = v[lo].bytes };
	if (go_span_large(&v[lo]))
		return;
	for (size_t i = lo + 1; i < h->spans.n && in_chunk(c, i, &v[i]); i++) {
		if (!has_pointers(&v[i]))
			continue;
		c->hi = i + 1;
		c->end = v[i].first + v[i].nelems;
		c->bytes += v[i].bytes;
	}
}

static struct err *cut(struct typing *t)
{
	const struct go_heap *h = &t->s->heap;
	VEC(struct typing_chunk) c = { 0 };

	t->chunk_of = bigalloc(h->spans.n + 1, sizeof(*t->chunk_of));
	if (!t->chunk_of)
		return &err_nomem;
	for (size_t i = 0; i < h->spans.n;) {
		struct typing_chunk x;

		t->chunk_of[i] = UINT32_MAX;
		if (!has_pointers(&h->spans.v[i])) {
			i++;
			continue;
		}
		cut_one(h, i, &x);
		for (; i < x.hi; i++)
			t->chunk_of[i] = has_pointers(&h->spans.v[i]) ? (uint32_t)c.n : UINT32_MAX;
		if (!vec_push(&c, x)) {
			vec_free(&c);
			return &err_nomem;
		}
	}
	t->chunks = c.v;
	t->nchunks = c.n;
	return NULL;
}

static void classes(struct typing *t)
{
	const struct go_layout *L = t->s->go->L;

	for (uint32_t i = 1; i < L->nclasses && i < ARRAY_LEN(t->lower); i++)
		t->lower[i] = L->class_to_size[i - 1];
}

static struct err *workers_create(struct typing *t, unsigned n)
{
	t->workers = zalloc(n, sizeof(struct typing_worker *));
	if (!t->workers)
		return &err_nomem;
	for (unsigned i = 0; i < n; i++) {
		struct typing_worker *w = zalloc(1, sizeof(*w));

		if (!w)
			return &err_nomem;
		t->workers[t->nworkers++] = w;
		w->t = t;
		w->buf_bytes = CHUNK_BYTES + GO_SCAN_SLACK;
		w->buf = bigalloc(w->buf_bytes, 1);
		if (!w->buf)
			return &err_nomem;
	}
	return NULL;
}

static void add_stats(struct snap_typing_stats *to, const struct snap_typing_stats *x)
{
	to->seeds += x->seeds;
	to->claims += x->claims;
	to->accepted += x->accepted;
	to->refused_size += x->refused_size;
	to->refused_mask += x->refused_mask;
	to->refused_inside += x->refused_inside;
	to->conflicts += x->conflicts;
	to->checked += x->checked;
	to->checked_wrong += x->checked_wrong;
	to->read_bytes += x->read_bytes;
}

static void typing_deinit(struct typing *t)
{
	for (unsigned i = 0; i < t->nworkers; i++) {
		struct typing_worker *w = t->workers[i];

		add_stats(&t->s->typing, &w->stats);
		bigfree(w->buf, w->buf_bytes, 1);
		vec_free(&w->stack);
		vec_free(&w->hints);
		free(w);
	}
	free(t->workers);
	free(t->chunks);
	bigfree(t->chunk_of, t->s->heap.spans.n + 1, sizeof(*t->chunk_of));
	bigfree(t->dirty, (size_t)(t->s->heap.nobjects / 64 + 1), 8);
	typing_statics_deinit(t);
	typing_arrows_free(t);
	typing_plans_free(t->plans);
}

static struct err *typing_init(struct typing *t, unsigned nthreads)
{
	struct err *err = typing_plans_create(t->s, &t->plans);

	if (!err)
		err = cut(t);
	if (!err)
		err = workers_create(t, nthreads);
	if (err)
		return err;
	classes(t);
	err = typing_arrows_create(t);
	if (err)
		return err;
	t->dirty = bigalloc((size_t)(t->s->heap.nobjects / 64 + 1), 8);
	return t->dirty ? NULL : &err_nomem;
}

/* Is it marked? Then it is ours, and not marked any more. */
static bool take(struct typing *t, struct typing_chunk *c, uint64_t id)
{
	uint64_t bit = 1ULL << (id & 63);

	if (!(__atomic_fetch_and(&t->dirty[id >> 6], ~bit, __ATOMIC_ACQ_REL) & bit))
		return false;
	__atomic_fetch_sub(&c->ndirty, 1, __ATOMIC_RELAXED);
	return true;
}

static uint32_t type_of(const struct typing *t, uint64_t id)
{
	return __atomic_load_n(&t->s->type_of[id], __ATOMIC_ACQUIRE);
}

/* mem: of its data. */
static void expand_object(struct typing_worker *w, size_t span, uint64_t id, const uint8_t *mem)
{
	const struct go_span *s = &w->t->s->heap.spans.v[span];
	uint64_t n = s->elem_bytes - go_span_header(s), bits;
	uint32_t type = type_of(w->t, id);
	const struct typing_info *i = typing_info_of(w->t->plans, type);

	/* Which struct a closure lies in is not certain: its bits must agree. */
	if (i->form == FORM_CLOSURE &&
	    (!snap_bits_get(w->t->s, span, id, &bits) || (bits & i->cover) != i->mask))
		return;
	typing_expand(w, type, mem,
		      i->form == FORM_ONE ? n : snap_bits_extent(w->t->s, span, id, n), n);
}

static bool by_arrows(struct typing_worker *w, size_t span, uint64_t id)
{
	const struct typing_info *i = typing_info_of(w->t->plans, type_of(w->t, id));

	return i->arrows && typing_arrows_expand(w, span, id, i);
}

/* A span's bytes into its place in the chunk's. */
static struct err *load(struct typing_worker *w, const struct typing_chunk *c, size_t span)
{
	struct go_scanner sc = { .g = w->t->s->go, .h = &w->t->s->heap };
	const struct go_span *s = &w->t->s->heap.spans.v[span];
	uint64_t *have = &w->have[(span - c->lo) / 64]; /* in_chunk(): they fit */
	uint64_t bit = 1ULL << ((span - c->lo) & 63);

	if (*have & bit)
		return NULL;
	*have |= bit;
	w->stats.read_bytes += s->bytes;
	return go_scan_read(&sc, s->base, w->buf + (s->base - c->base), (size_t)s->bytes, lost,
			    NULL);
}

/* The object is marked no more, or was not. */
static struct err *expand_in(struct typing_worker *w, struct typing_chunk *c, size_t span,
			     uint64_t id)
{
	const struct go_span *s = &w->t->s->heap.spans.v[span];
	const uint8_t *mem = w->buf + (s->base - c->base) + (id - s->first) * s->elem_bytes;
	struct err *err;

	if (by_arrows(w, span, id))
		return NULL;
	err = load(w, c, span);
	if (!err)
		expand_object(w, span, id, mem + go_span_header(s));
	return err;
}

static struct err *expand_stack(struct typing_worker *w, struct typing_chunk *c)
{
	struct err *err = NULL;

	typing_flush(w);
	while (w->stack.n && !err) {
		struct typing_next x = w->stack.v[--w->stack.n];

		err = expand_in(w, c, x.span, x.id);
		if (!w->stack.n)
			typing_flush(w);
	}
	return err;
}

static struct err *expand_span(struct typing_worker *w, struct typing_chunk *c, size_t span)
{
	const struct go_span *s = &w->t->s->heap.spans.v[span];
	uint64_t end = s->first + s->nelems;
	struct err *err = NULL;

	for (uint64_t id = s->first; id < end && !err;) {
		uint64_t bits =
			__atomic_load_n(&w->t->dirty[id >> 6], __ATOMIC_RELAXED) >> (id & 63);

		if (!bits) {
			id = (id | 63) + 1;
			continue;
		}
		id += (unsigned)__builtin_ctzll(bits);
		if (id >= end)
			break;
		if (take(w->t, c, id))
			err = expand_in(w, c, span, id);
		id++;
	}
	return err;
}

/* All marked objects of a chunk, and what they make known in it. */
static struct err *whole(struct typing_worker *w, struct typing_chunk *c)
{
	struct err *err = NULL;

	typing_arrows_warm(w->t, c);
	memset(w->have, 0, sizeof(w->have));
	w->stack_lo = c->first;
	w->stack_hi = c->end;
	w->whole = true;
	for (size_t i = c->lo; i < c->hi && !err; i++) {
		err = expand_span(w, c, i);
		if (!err)
			err = expand_stack(w, c);
	}
	w->whole = false;
	w->stack_max = 0;
	return err;
}

bool typing_room(struct typing_worker *w, uint64_t nbytes)
{
	uint8_t *p;

	if (nbytes <= w->buf_bytes)
		return true;
	if (nbytes > MAX_ELEMENT)
		return false;
	p = bigalloc((size_t)nbytes, 1);
	if (!p)
		return false;
	bigfree(w->buf, w->buf_bytes, 1);
	w->buf = p;
	w->buf_bytes = (size_t)nbytes;
	return true;
}

/* A span of one object, element by element. */
static struct err *large(struct typing_worker *w, struct typing_chunk *c)
{
	struct go_scanner sc = { .g = w->t->s->go, .h = &w->t->s->heap };
	const struct typing_info *i;
	uint64_t step, n = snap_bits_extent(w->t->s, c->lo, c->first, c->bytes);
	uint32_t type;
	struct err *err = NULL;

	if (!take(w->t, c, c->first))
		return NULL;
	type = type_of(w->t, c->first);
	i = typing_info_of(w->t->plans, type);
	if (!i->bytes || !typing_room(w, i->bytes))
		return NULL;
	step = MAX(CHUNK_BYTES / i->bytes, 1ULL) * i->bytes;
	n = i->form == FORM_ONE ? MIN(c->bytes, i->bytes) : n;
	for (uint64_t at = 0; at < n && !err; at += step) {
		uint64_t len = MIN(step, n - at);

		err = go_scan_read(&sc, c->base + at, w->buf, (size_t)len, lost, NULL);
		if (!err)
			typing_expand(w, type, w->buf, len, len);
		w->stats.read_bytes += len;
	}
	typing_flush(w);
	return err;
}

/* One object by a read of its own. */
static struct err *single(struct typing_worker *w, struct typing_next x)
{
	const struct go_span *s = &w->t->s->heap.spans.v[x.span];
	struct typing_chunk *c = &w->t->chunks[w->t->chunk_of[x.span]];
	uint64_t header = go_span_header(s), n = s->elem_bytes - header;
	struct err *err;

	if (go_span_large(s))
		return large(w, c);
	if (!take(w->t, c, x.id))
		return NULL;
	if (by_arrows(w, x.span, x.id)) {
		typing_flush(w);
		return NULL;
	}
	err = target_read(w->t->s->t, s->base + (x.id - s->first) * s->elem_bytes + header, w->buf,
			  (size_t)n);
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	w->stats.read_bytes += n;
	expand_object(w, x.span, x.id, w->buf);
	typing_flush(w);
	return NULL;
}

/* The marked objects of a span one by one, and what they make known anywhere. */
static struct err *few_of(struct typing_worker *w, size_t span, uint64_t *budget)
{
	const struct go_span *s = &w->t->s->heap.spans.v[span];
	uint64_t end = s->first + s->nelems;
	struct err *err = NULL;

	for (uint64_t id = s->first; id < end && !err; id++) {
		uint64_t bits =
			__atomic_load_n(&w->t->dirty[id >> 6], __ATOMIC_RELAXED) >> (id & 63);

		if (!bits) {
			id |= 63;
			continue;
		}
		id += (unsigned)__builtin_ctzll(bits);
		if (id >= end)
			break;
		err = single(w, (struct typing_next){ id, span });
		for (; w->stack.n && *budget && !err; --*budget)
			err = single(w, w->stack.v[--w->stack.n]);
		w->stack.n = 0; /* those are still marked */
	}
	return err;
}

static struct err *few(struct typing_worker *w, const struct typing_chunk *c)
{
	uint64_t budget = FOLLOWED << MIN(w->t->round, 40U);
	struct err *err = NULL;

	w->stack_lo = 0;
	w->stack_hi = UINT64_MAX;
	w->stack_max = MAX_WAITING;
	for (size_t i = c->lo; i < c->hi && !err; i++)
		err = few_of(w, i, &budget);
	return err;
}

static struct err *chunks(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct typing *t = arg;
	struct err *err = NULL;

	for (size_t i = lo; i < hi && !err; i++) {
		struct typing_chunk *c = &t->chunks[i];
		uint32_t n = __atomic_load_n(&c->ndirty, __ATOMIC_RELAXED);

		if (!n)
			continue;
		if (go_span_large(&t->s->heap.spans.v[c->lo])) {
			t->workers[worker]->stack_max = 0;
			err = large(t->workers[worker], c);
		} else if (n * (uint64_t)BYTES_A_READ < c->bytes)
			err = few(t->workers[worker], c);
		else
			err = whole(t->workers[worker], c);
	}
	return err;
}

static bool dirty(const struct typing *t)
{
	for (size_t i = 0; i < t->nchunks; i++)
		if (t->chunks[i].ndirty)
			return true;
	return false;
}

static struct err *settle(struct typing *t)
{
	struct err *err = NULL;

	bool more = true;

	for (t->round = 0; t->round < MAX_ROUNDS && !err && (more || dirty(t)); t->round++) {
		t->s->typing.rounds++;
		err = par_for(t->nworkers, t->nchunks, 1, chunks, t);
		if (!err)
			err = typing_statics_read(t, &more);
	}
	return err;
}

/* What snapshot_edges knew: strong types are where it begins, weak ones must fit their slot. */
static void seed(struct typing *t, struct typing_worker *w, size_t span)
{
	const struct go_span *s = &t->s->heap.spans.v[span];
	uint32_t c = t->chunk_of[span];

	for (uint64_t id = s->first; id < s->first + s->nelems; id++) {
		uint32_t number = t->s->type_of[id];
		const struct typing_info *i;

		if (!number)
			continue;
		i = typing_info_of(t->plans, number);
		if (i->rank < t->least && !typing_agrees(t, id, number)) {
			t->s->type_of[id] = 0;
			w->stats.refused_mask++;
			continue;
		}
		w->stats.seeds++;
		if (i->rank < t->least || !i->expands || c == UINT32_MAX)
			continue;
		t->dirty[id >> 6] |= 1ULL << (id & 63);
		t->chunks[c].ndirty++;
	}
}

/* From now on weak types speak too. */
static void weaken(struct typing *t, size_t span)
{
	const struct go_span *s = &t->s->heap.spans.v[span];
	uint32_t c = t->chunk_of[span];

	for (uint64_t id = s->first; id < s->first + s->nelems && c != UINT32_MAX; id++) {
		const struct typing_info *i;

		if (!t->s->type_of[id])
			continue;
		i = typing_info_of(t->plans, t->s->type_of[id]);
		if (i->rank >= SNAP_RANK_FLOW || !i->expands)
			continue;
		t->dirty[id >> 6] |= 1ULL << (id & 63);
		t->chunks[c].ndirty++;
	}
}

/* Claims from a variable's own memory. */
static struct err *variable(struct typing_worker *w, const struct snap_var *v)
{
	struct typing *t = w->t;
	const struct typing_plan *p = typing_plan_of(t->plans, v->rtype);
	struct err *err;

	if (!p || p->bytes > MAX_VAR || !typing_room(w, p->bytes))
		return NULL;
	err = target_read(t->s->t, v->at, w->buf, (size_t)p->bytes);
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	w->rank = MIN(v->rank, (unsigned)SNAP_RANK_FLOW);
	typing_expand_plan(w, p, w->buf);
	typing_flush(w);
	return NULL;
}

static struct err *variables(struct typing *t)
{
	struct typing_worker *w = t->workers[0];
	struct err *err = NULL;

	w->stack_max = 0;
	for (size_t i = 0; i < t->s->vars.n && !err; i++) {
		const struct snap_var *v = &t->s->vars.v[i];

		if ((v->rank >= SNAP_RANK_FLOW) == (t->least >= SNAP_RANK_FLOW))
			err = variable(w, v);
	}
	return err;
}

/* runtime/mfinal.go, SetFinalizer: ot is the type of the pointer that it was called with. */
static void finalized(struct typing *t)
{
	struct typing_worker *w = t->workers[0];
	const struct go_heap *h = &t->s->heap;

	w->rank = SNAP_RANK_FLOW;
	for (size_t i = 0; i < h->specials.n; i++) {
		const struct go_special *sp = &h->specials.v[i];
		const struct go_span *span = sp->type ? go_heap_span_at(h, sp->object) : NULL;

		if (span)
			typing_expand_iface(w, sp->type, span->base + sp->offset);
	}
	typing_flush(w);
}

static struct err *propagate(struct typing *t)
{
	struct err *err;

	t->least = SNAP_RANK_FLOW;
	for (size_t i = 0; i < t->s->heap.spans.n; i++)
		seed(t, t->workers[0], i);
	err = variables(t);
	if (!err) {
		finalized(t);
		err = settle(t);
	}
	if (err)
		return err;
	t->least = SNAP_RANK_WEAK;
	for (size_t i = 0; i < t->s->heap.spans.n; i++)
		weaken(t, i);
	err = variables(t);
	if (!err)
		err = typing_pairs(t);
	if (!err)
		err = settle(t);
	return err ? err : typing_inside(t, settle);
}

struct err *snapshot_types(struct snapshot *s, const struct snap_arrows *a, unsigned nthreads)
{
	_cleanup_(typing_deinit) struct typing t = { .s = s,
						     .arrows = a,
						     .statics.lock = PTHREAD_MUTEX_INITIALIZER };
	uint64_t begun = clock_ns();
	struct err *err;

	if (s->dump || !s->type_of)
		return NULL;
	nthreads = nthreads ? nthreads : par_default_threads();
	err = snap_code_learn(s, nthreads);
	if (!err)
		err = typing_init(&t, nthreads);
	if (!err)
		err = propagate(&t);
	if (!err)
		err = typing_rules(&t);
	if (!err)
		err = typing_shapes(&t);
	s->names_ns = clock_ns() - begun;
	return err_prefix(err, "types");
}
