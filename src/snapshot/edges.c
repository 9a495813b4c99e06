/*
 * edges.c - who points at whom, by object id, in one pass over the heap.
 *
 * Spans are cut into chunks of a few MiB.  A chunk whose predecessors are all done writes its
 * edges where they belong; another one to a place of its own in the same big reservation (room
 * for a pointer in every word; untouched pages cost nothing), and whoever closes the gap moves
 * them there while they are warm, giving back what they leave: never twice the memory.
 * Types are learned on the way (learn.c), through a cache of each worker.
 * Cost: 4 bytes an object, 4 an edge (and 2, if words are kept), 4 an object for its type; 1/32 of
 * the heap for bits of its words, half of which is freed when the objects have names.
 */
#include "snapshot/dump.h"

#include "base/clock.h"
#include "base/par.h"
#include "goruntime/heap_scan.h"
#include "snapshot/typing.h"

#include <pthread.h>
#include <sys/mman.h>

#define CHUNK_BYTES (4ULL << 20)
#define CACHE	    1024
#define BATCH	    64 /* pointers looked up together */

struct chunk {
	size_t lo, hi;	  /* spans */
	uint64_t room_at; /* in to */
	uint64_t base;	  /* number of its first edge, as written so far */
	uint64_t n;	  /* edges */
	bool done;
};

struct iface_entry {
	taddr word;
	struct snap_iface is;
};

struct closure_entry {
	taddr pc;
	uint32_t type;
};

struct header_entry {
	taddr rtype;
	uint64_t data_bytes;
	uint32_t type;
};

/* A pointer not yet looked up. */
struct pending {
	taddr value;
	uint64_t before, from, at;
	uint64_t bit; /* of the word it lies in, in arrows */
};

struct worker {
	struct snapshot *s;
	struct go_scanner sc;
	struct snap_edges *e;
	struct trange text; /* from the first module's to the last's */
	bool several;	    /* modules: not all in between is text */
	/* of the chunk at hand */
	uint32_t *to;
	uint16_t *word; /* NULL: not kept */
	uint64_t n, next_id, bad;
	struct snap_bits *bits;
	uint64_t bit;	   /* of the object at hand in bits->arrows; SNAP_NO_ARROWS */
	uint64_t span_bit; /* of the span's first object */
	uint64_t span_first, span_words;
	uint64_t lost, lost_bytes;
	unsigned nbatch;
	struct pending batch[BATCH];
	struct iface_entry ifaces[CACHE];
	struct closure_entry closures[CACHE];
	struct header_entry headers[CACHE];
};

struct job {
	struct snapshot *s;
	struct snap_edges *e;
	struct chunk *chunks;
	size_t nchunks;
	struct worker **workers;
	pthread_mutex_t lock; /* of what follows, and of chunks[].done */
	size_t njoined;	      /* chunks [0, njoined) lie at their places */
	uint64_t m;	      /* edges of these */
};

static void learn_header(struct worker *w, uint64_t id, taddr rtype, uint64_t data_bytes)
{
	struct header_entry *c = &w->headers[(rtype >> 5) % CACHE];

	if (c->rtype != rtype || c->data_bytes != data_bytes)
		*c = (struct header_entry){ rtype, data_bytes,
					    snap_learn_header(w->s, rtype, data_bytes) };
	if (c->type)
		__atomic_store_n(&w->s->type_of[id], c->type, __ATOMIC_RELEASE);
}

static void learn_closure(struct worker *w, uint64_t id, taddr pc)
{
	struct closure_entry *c = &w->closures[(pc >> 5) % CACHE];

	if (c->pc != pc)
		*c = (struct closure_entry){ pc, snap_learn_closure(w->s, pc) };
	snap_type_set(w->s, id, c->type);
}

/* The object at value begins there, and its slot is the one for the type. */
static void learn_iface(struct worker *w, uint64_t id, taddr value, taddr word)
{
	struct iface_entry *c = &w->ifaces[(word >> 5) % CACHE];
	const struct go_span *s;

	if (c->word != word) {
		c->word = word;
		snap_learn_iface(w->s, word, &c->is);
	}
	if (!c->is.type)
		return;
	s = go_heap_span_at(&w->s->heap, value);
	if (s->scheme > GO_PTR_SPAN_BITS || (s->noscan != c->is.noscan && !c->is.either))
		return; /* headers tell better */
	if (c->is.at_least ? s->elem_bytes < c->is.slot_bytes : s->elem_bytes != c->is.slot_bytes)
		return;
	if ((value - s->base) % s->elem_bytes == 0)
		snap_type_set(w->s, id, c->is.type);
}

static uint64_t slot_data_bytes(const struct go_heap *h, uint64_t id)
{
	const struct go_span *s = go_heap_span_of(h, id);

	return s->elem_bytes - go_span_header(s);
}

GO_INLINE struct err *on_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	struct worker *w = arg;

	w->bit = SNAP_NO_ARROWS;
	if (type) {
		learn_header(w, id, type, slot_data_bytes(&w->s->heap, id));
		return NULL;
	}
	if (w->span_bit != SNAP_NO_ARROWS)
		w->bit = w->span_bit + (id - w->span_first) * w->span_words;
	if (word0 - w->text.start < w->text.end - w->text.start &&
	    (!w->several || go_module_of_text(w->s->go, word0)))
		learn_closure(w, id, word0);
	return NULL;
}

/* An aligned address that could be an rtype or itab; lengths, flags and times mostly are not. */
GO_INLINE bool maybe_type_word(uint64_t x)
{
	return !(x & 7) && x >= 1 << 16 && x < 1ULL << 47;
}

/* Does a pointer lead to the first byte of a slot? From the rounding of go_heap_object_in(). */
static bool leads_to_begin(const struct go_span_hot *hot, taddr value)
{
	uint64_t off = value - hot->base;

	return !off || (uint32_t)(off * hot->div_mul) < hot->div_mul;
}

/* For typing_arrows.c: what can be told of the pointer without reading it again. */
static void note_arrow(struct worker *w, const struct pending *p)
{
	if (p->bit < SNAP_NO_ARROWS)
		w->bits->arrows[p->bit >> 6] |= 1ULL << (p->bit & 63);
}

static void note_odd(struct worker *w, const struct pending *p)
{
	uint64_t *odd = &w->bits->odd[p->from >> 6], bit = 1ULL << (p->from & 63);

	/* 64 objects may be of two chunks */
	if (p->bit < SNAP_NO_ARROWS && !(__atomic_load_n(odd, __ATOMIC_RELAXED) & bit))
		__atomic_fetch_or(odd, bit, __ATOMIC_RELAXED);
}

/* The batch's pointers that lead to objects, in order, with the indexes up to their owners. */
static void flush(struct worker *w)
{
	const struct go_heap *h = &w->s->heap;
	size_t span[BATCH];
	uint64_t id[BATCH];

	/* Three loops of independent loads: the misses of one loop overlap. */
	for (unsigned i = 0; i < w->nbatch; i++)
		span[i] = go_heap_span_index(h, w->batch[i].value);
	for (unsigned i = 0; i < w->nbatch; i++)
		id[i] = go_heap_object_in(h, span[i], w->batch[i].value);
	for (unsigned i = 0; i < w->nbatch; i++) {
		const struct pending *p = &w->batch[i];

		if (id[i] == GO_NO_OBJECT) {
			note_odd(w, p);
			continue;
		}
		if (!go_bit(h->alloc_bits, id[i])) {
			note_odd(w, p);
			w->bad++;
			continue;
		}
		if (leads_to_begin(&h->index.hot[span[i]], p->value))
			note_arrow(w, p);
		else
			note_odd(w, p);
		while (w->next_id <= p->from)
			w->e->first[w->next_id++] = (uint32_t)w->n;
		if (w->word)
			w->word[w->n] = (uint16_t)MIN(p->at / 8, (uint64_t)SNAP_WORDS_MAX);
		w->to[w->n++] = (uint32_t)id[i];
		if (maybe_type_word(p->before))
			learn_iface(w, id[i], p->value, p->before);
	}
	w->nbatch = 0;
}

GO_INLINE struct err *on_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct worker *w = arg;

	w->batch[w->nbatch++] = (struct pending){ value, before, id, at, w->bit + at / 8 };
	if (w->nbatch == BATCH)
		flush(w);
	return NULL;
}

static void on_lost(void *arg, taddr addr, uint64_t nbytes)
{
	struct worker *w = arg;

	(void)addr;
	w->lost++;
	w->lost_bytes += nbytes;
}

GO_INLINE void on_bits(void *arg, const struct go_span *span, uint64_t at, const uint64_t *bits,
		       uint64_t nbytes)
{
	struct worker *w = arg;
	size_t i = (size_t)(span - w->s->heap.spans.v);

	snap_bits_set(w->s, i, at, bits, nbytes);
	w->span_bit = snap_bits_at(w->bits, i);
	w->span_first = span->first;
	w->span_words = span->elem_bytes / 8;
}

/* Give back whole pages of [from, to), elements of an array by edge. */
static void give_back(void *a, size_t bytes, uint64_t from, uint64_t to)
{
	uintptr_t lo = ((uintptr_t)a + from * bytes + 4095) & ~(uintptr_t)4095;
	uintptr_t hi = ((uintptr_t)a + to * bytes) & ~(uintptr_t)4095;

	if (hi > lo)
		madvise((void *)lo, hi - lo, MADV_DONTNEED);
}

/* Move a chunk's edges behind those of its predecessors, and make their numbers global. */
static void place(struct job *j, const struct chunk *c)
{
	const struct go_span *v = j->s->heap.spans.v;
	uint64_t end_id = v[c->hi - 1].first + v[c->hi - 1].nelems;
	struct snap_edges *e = j->e;
	uint16_t *word = j->s->words.v;

	if (c->base == j->m && j->m != 0)
		return; /* written there */
	if (j->m != c->room_at)
		memmove(e->to + j->m, e->to + c->room_at, (size_t)c->n * 4);
	if (j->m != c->room_at && word)
		memmove(word + j->m, word + c->room_at, (size_t)c->n * 2);
	for (uint64_t id = v[c->lo].first; id < end_id; id++)
		e->first[id] += (uint32_t)j->m;
	give_back(e->to, 4, MAX(j->m + c->n, c->room_at), c->room_at + c->n);
	if (word)
		give_back(word, 2, MAX(j->m + c->n, c->room_at), c->room_at + c->n);
}

/* Number of the chunk's first edge if it may write to its place; 0: to its room. */
static uint64_t begin_chunk(struct job *j, const struct chunk *c)
{
	uint64_t base;

	pthread_mutex_lock(&j->lock);
	base = &j->chunks[j->njoined] == c ? j->m : 0;
	pthread_mutex_unlock(&j->lock);
	return base;
}

static void end_chunk(struct job *j, struct chunk *c)
{
	pthread_mutex_lock(&j->lock);
	c->done = true;
	while (j->njoined < j->nchunks && j->chunks[j->njoined].done && j->m < UINT32_MAX) {
		place(j, &j->chunks[j->njoined]);
		j->m += j->chunks[j->njoined++].n;
	}
	pthread_mutex_unlock(&j->lock);
}

static struct err *scan_chunk(struct job *j, struct worker *w, struct chunk *c)
{
	static const struct go_scan_ops ops = { on_object, on_pointer, on_lost, on_bits };
	const struct go_span *v = w->s->heap.spans.v;
	uint64_t end_id = v[c->hi - 1].first + v[c->hi - 1].nelems;
	struct err *err;

	c->base = begin_chunk(j, c);
	w->to = w->e->to + (c->base ? 0 : c->room_at);
	w->word = w->s->words.v ? w->s->words.v + (c->base ? 0 : c->room_at) : NULL;
	w->n = c->base;
	w->next_id = v[c->lo].first;
	err = go_scan_spans(&w->sc, c->lo, c->hi, ops, w);
	flush(w);
	while (w->next_id < end_id)
		w->e->first[w->next_id++] = (uint32_t)w->n;
	c->n = w->n - c->base;
	if (!err)
		end_chunk(j, c);
	return err;
}

static struct err *work(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct job *j = arg;
	struct worker *w = j->workers[worker];
	struct err *err = w->sc.buf ? NULL : go_scanner_init(&w->sc, j->s->go, &j->s->heap);

	for (size_t i = lo; i < hi && !err; i++)
		err = scan_chunk(j, w, &j->chunks[i]);
	return err;
}

/* Pointers that a span can have at most. */
static uint64_t room_of(const struct go_span *s)
{
	return s->noscan ? 0 : s->bytes / 8;
}

static struct err *cut(struct job *j)
{
	const struct go_span *v = j->s->heap.spans.v;
	size_t n = j->s->heap.spans.n;
	VEC(struct chunk) c = { 0 };
	uint64_t room = 0;

	for (size_t lo = 0, hi; lo < n; lo = hi) {
		struct chunk x = { .lo = lo, .room_at = room };
		uint64_t nbytes = 0;

		for (hi = lo; hi < n && nbytes < CHUNK_BYTES; hi++) {
			nbytes += v[hi].noscan ? 64 : v[hi].bytes;
			room += room_of(&v[hi]);
		}
		x.hi = hi;
		if (!vec_push(&c, x)) {
			vec_free(&c);
			return &err_nomem;
		}
	}
	j->chunks = c.v;
	j->nchunks = c.n;
	j->e->to_cap = room + 1;
	return NULL;
}

/* Who has no memory for them reads the heap once more; a dump lists its edges in its own way. */
static void words_create(struct snapshot *s, uint64_t room)
{
	if (s->keep != SNAP_KEEP_WORDS || s->dump)
		return;
	s->words.v = bigalloc((size_t)room, sizeof(*s->words.v));
	s->words.cap = s->words.v ? room : 0;
}

void snap_words_free(struct snapshot *s)
{
	if (s->words.v)
		bigfree(s->words.v, (size_t)s->words.cap, sizeof(*s->words.v));
	s->words = (struct snap_words){ 0 };
}

static void shrink_words(struct snapshot *s, uint64_t m)
{
	uint16_t *p = s->words.v ? biggrow(s->words.v, (size_t)s->words.cap, (size_t)m + 1,
					   sizeof(*s->words.v))
				 : NULL;

	if (p)
		s->words = (struct snap_words){ p, m + 1 };
}

static void shrink(struct snap_edges *e)
{
	uint32_t *p = biggrow(e->to, (size_t)e->to_cap, (size_t)e->m + 1, sizeof(*e->to));

	if (p) {
		e->to = p;
		e->to_cap = e->m + 1;
	}
}

static void text_of(const struct go *g, struct worker *w)
{
	for (size_t i = 0; i < g->nmodules; i++) {
		const struct trange *t = &g->modules[i].text;

		w->text.start = i ? MIN(w->text.start, t->start) : t->start;
		w->text.end = MAX(w->text.end, t->end);
	}
	w->several = g->nmodules > 1;
}

static struct err *workers_create(struct job *j, unsigned n)
{
	j->workers = zalloc(n, sizeof(struct worker *));
	if (!j->workers)
		return &err_nomem;
	for (unsigned i = 0; i < n; i++) {
		struct worker *w = zalloc(1, sizeof(*w));

		if (!w)
			return &err_nomem;
		w->s = j->s;
		w->e = j->e;
		w->bits = j->s->bits;
		w->bit = w->span_bit = SNAP_NO_ARROWS;
		text_of(j->s->go, w);
		j->workers[i] = w;
	}
	return NULL;
}

static void workers_free(struct job *j, unsigned n)
{
	uint64_t lost = 0, bytes = 0, bad_types = 0;

	for (unsigned i = 0; i < n && j->workers; i++) {
		struct worker *w = j->workers[i];

		if (!w)
			continue;
		lost += w->lost;
		bytes += w->lost_bytes;
		bad_types += w->sc.bad_types;
		j->e->bad += w->bad;
		go_scanner_deinit(&w->sc);
		free(w);
	}
	free(j->workers);
	free(j->chunks);
	if (lost)
		snapshot_lose(j->s,
			      bad_types ? "heap objects without readable memory or type"
					: "heap pages not readable",
			      lost, bytes);
}

static struct err *run(struct job *j, unsigned nthreads)
{
	struct snap_edges *e = j->e;
	struct err *err = workers_create(j, nthreads);

	if (!err)
		err = cut(j);
	if (err)
		return err;
	e->first = bigalloc((size_t)e->n + 1, sizeof(*e->first));
	e->to = bigalloc((size_t)e->to_cap, sizeof(*e->to));
	words_create(j->s, e->to_cap);
	if (!e->first || !e->to)
		return &err_nomem;
	err = par_for(nthreads, j->nchunks, 1, work, j);
	if (!err && j->m > UINT32_MAX - 1)
		err = err_new(ERR_LIMIT, "the heap has more than %u pointers: not handled",
			      UINT32_MAX - 1);
	if (err)
		return err;
	e->first[e->n] = (uint32_t)j->m;
	e->m = j->m;
	return NULL;
}

struct err *snapshot_edges(struct snapshot *s, unsigned nthreads, struct snap_edges *ret)
{
	struct snap_edges e = { .n = s->heap.nobjects };
	struct job j = { .s = s, .e = &e, .lock = PTHREAD_MUTEX_INITIALIZER };
	uint64_t begun = clock_ns();
	struct err *err;

	nthreads = nthreads ? nthreads : par_default_threads();
	if (!s->type_of)
		s->type_of = bigalloc((size_t)e.n, sizeof(*s->type_of));
	if (!s->type_of)
		return &err_nomem;
	err = snap_bits_create(s);
	if (!err)
		err = snap_learn_runtime(s);
	if (!err)
		err = run(&j, nthreads);
	if (!err && s->dump)
		err = snap_dump_settle(s);
	workers_free(&j, nthreads);
	if (err) {
		snapshot_edges_deinit(&e);
		return err_prefix(err, "edges");
	}
	shrink(&e);
	shrink_words(s, e.m);
	s->extract_ns = clock_ns() - begun;
	*ret = e;
	return NULL;
}

void snapshot_edges_deinit(struct snap_edges *e)
{
	bigfree(e->first, (size_t)e->n + 1, sizeof(*e->first));
	bigfree(e->to, (size_t)e->to_cap, sizeof(*e->to));
	*e = (struct snap_edges){ 0 };
}
