/*
 * since.c - the earlier look: making it small, and asking it.
 *
 * All that is asked is a binary search; of large objects the largest are kept.
 * Knows no kind of finding.
 */
#include "find/priv.h"

#include <stdio.h>

enum { PLACES_MAX = 1 << 18, PLACE_MIN = 64 << 10 };

struct since_span {
	taddr base;
	uint64_t elem_bytes, first;
	uint32_t nelems;
};

struct since_place {
	taddr addr;
	uint64_t elem_bytes, retained;
};

struct since_root {
	const char *key;
	uint64_t bytes;
};

struct since_found {
	char signature[17];
	uint64_t bytes, count;
};

struct since_facts {
	struct keep keep;
	VEC(struct since_span) spans; /* ascending */
	uint64_t *alive;	      /* bit by slot; bigalloc'd */
	uint64_t words;
	VEC(struct since_place) places; /* ascending */
	VEC(struct since_root) roots;	/* ascending by key */
	VEC(struct since_found) found;	/* ascending by signature */
};

void find_since_free(struct find_since *x)
{
	struct since_facts *k = x ? x->facts : NULL;

	if (k) {
		vec_free(&k->spans);
		vec_free(&k->places);
		vec_free(&k->roots);
		vec_free(&k->found);
		if (k->alive)
			bigfree(k->alive, k->words, sizeof(*k->alive));
		keep_deinit(&k->keep);
	}
	free(k);
	free(x);
}

static struct err *keep_slots(const struct look *l, struct since_facts *k)
{
	const struct go_heap *h = &l->s->heap;

	k->words = h->nobjects / 64 + 1;
	k->alive = bigalloc(k->words, sizeof(*k->alive));
	if (!k->alive)
		return &err_nomem;
	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *sp = &h->spans.v[i];
		struct since_span y = { sp->base, sp->elem_bytes, sp->first, sp->nelems };

		if (!vec_push(&k->spans, y))
			return &err_nomem;
		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++)
			k->alive[id >> 6] |= (uint64_t)look_reached(l, id) << (id & 63);
	}
	return NULL;
}

/* Smallest power of two of which few enough objects retain more. */
static uint64_t place_floor(const struct look *l)
{
	uint64_t n[64] = { 0 }, sum = 0;
	unsigned b = 63;

	for (gnode v = l->g->nroots + 1; v < l->g->n; v++)
		if (l->g->retained[v] >= PLACE_MIN)
			n[63 - __builtin_clzll(l->g->retained[v])]++;
	for (; b > 0 && sum + n[b] <= PLACES_MAX; b--)
		sum += n[b];
	return MAX((uint64_t)PLACE_MIN, b ? 2ULL << b : 0);
}

static struct err *keep_places(const struct look *l, struct since_facts *k)
{
	uint64_t floor = place_floor(l);

	for (gnode v = l->g->nroots + 1; v < l->g->n; v++) {
		struct since_place y = { .retained = l->g->retained[v] };

		if (y.retained < floor)
			continue;
		y.addr = go_heap_address(&l->s->heap, graph_object(l->g, v), &y.elem_bytes);
		if (!vec_push(&k->places, y))
			return &err_nomem;
	}
	return NULL;
}

static int by_key(const void *x, const void *y)
{
	const struct since_root *p = x, *q = y;

	return strcmp(p->key, q->key);
}

static int by_signature(const void *x, const void *y)
{
	const struct since_found *p = x, *q = y;

	return strcmp(p->signature, q->signature);
}

/* Roots of one name are one. */
static struct err *keep_roots(const struct find *f, struct since_facts *k)
{
	size_t n = 0;

	for (uint32_t r = 0; r < f->l.g->nroots; r++) {
		struct find *g = (struct find *)(uintptr_t)f;
		struct since_root y = { .bytes = f->l.g->retained[r + 1] };

		if (!y.bytes)
			continue;
		y.key = keepf(&k->keep, "%s", find_root_key(g, r));
		if (!vec_push(&k->roots, y))
			return &err_nomem;
	}
	if (k->roots.n)
		qsort(k->roots.v, k->roots.n, sizeof(k->roots.v[0]), by_key);
	for (size_t i = 0; i < k->roots.n; i++) {
		if (n && !strcmp(k->roots.v[n - 1].key, k->roots.v[i].key))
			k->roots.v[n - 1].bytes += k->roots.v[i].bytes;
		else
			k->roots.v[n++] = k->roots.v[i];
	}
	k->roots.n = n;
	return NULL;
}

static struct err *keep_found(const struct find *f, struct since_facts *k)
{
	for (size_t i = 0; i < f->found.n; i++) {
		const struct finding *x = &f->found.v[i];
		struct since_found y = { .bytes = finding_bytes(x), .count = x->count };

		memcpy(y.signature, x->signature, sizeof(y.signature));
		if (!vec_push(&k->found, y))
			return &err_nomem;
	}
	if (k->found.n)
		qsort(k->found.v, k->found.n, sizeof(k->found.v[0]), by_signature);
	return NULL;
}

static struct err *keep_facts(const struct find *f, struct since_facts *k)
{
	struct err *err = keep_slots(&f->l, k);

	if (!err)
		err = keep_places(&f->l, k);
	if (!err)
		err = keep_roots(f, k);
	if (!err)
		err = keep_found(f, k);
	return err ? err : keep_err(&k->keep);
}

static const char *copy(struct keep *k, const char *text)
{
	return keepf(k, "%s", text ? text : "");
}

static void copy_process(struct keep *k, const struct find_process *p, struct find_process *ret)
{
	*ret = *p;
	ret->go = copy(k, p->go);
	ret->module = copy(k, p->module);
	ret->version = copy(k, p->version);
	ret->revision = copy(k, p->revision);
}

struct err *find_since_create(const struct find *f, const struct find_process *p, uint64_t rss,
			      struct find_since **ret)
{
	_cleanup_(find_since_freep) struct find_since *x = zalloc(1, sizeof(*x));
	const struct snapshot *s = f->l.s;
	struct err *err;

	if (x)
		x->facts = zalloc(1, sizeof(*x->facts));
	if (!x || !x->facts)
		return &err_nomem;
	copy_process(&x->facts->keep, p, &x->process);
	x->why = "";
	x->same = FIND_OTHER;
	x->rss = rss;
	x->reachable_bytes = f->l.g->reached_bytes;
	x->reachable_objects = f->l.g->nreached_objects;
	x->stack_bytes = s->stacks.stack_bytes;
	x->goroutines = s->stacks.gs.n;
	x->num_gc = s->heap.counters.num_gc;
	x->total_alloc = s->heap.counters.total_alloc_bytes;
	err = keep_facts(f, x->facts);
	if (err)
		return err;
	*ret = STEAL(x);
	return NULL;
}

/* Why it is not the same process; "": it is, as far as can be told. */
static const char *other_process(const struct find_since *x, const struct find_process *now,
				 const struct snapshot *s)
{
	const struct find_process *p = &x->process;

	if (p->pid && now->pid && p->pid != now->pid)
		return "the earlier look is of another process";
	if (p->started_ns && now->started_ns &&
	    p->started_ns / 1000000000 != now->started_ns / 1000000000)
		return "the process was started anew";
	if (strcmp(p->go, now->go) != 0 || strcmp(p->version, now->version) != 0 ||
	    strcmp(p->revision, now->revision) != 0)
		return "the earlier look is of another build";
	if (p->at_unix_ns && now->at_unix_ns && p->at_unix_ns > now->at_unix_ns)
		return "the earlier look is the later one";
	if (s && (s->heap.counters.num_gc < x->num_gc ||
		  s->heap.counters.total_alloc_bytes < x->total_alloc))
		return "the program was started anew: it has allocated less than by then";
	return "";
}

void find_since_match(struct find_since *x, const struct find_process *now,
		      const struct snapshot *s)
{
	x->same = FIND_SAME_PROCESS;
	x->why = other_process(x, now, s);
	if (*x->why)
		x->same = FIND_SAME_PROGRAM;
	if (strcmp(x->process.module, now->module) != 0) {
		x->why = "the earlier look is of another program";
		x->same = FIND_OTHER;
	}
	if (x->process.at_unix_ns && now->at_unix_ns > x->process.at_unix_ns)
		x->ns = now->at_unix_ns - x->process.at_unix_ns;
	if (!s || x->same != FIND_SAME_PROCESS)
		return;
	x->cycles = s->heap.counters.num_gc - x->num_gc;
	x->allocated = s->heap.counters.total_alloc_bytes - x->total_alloc;
}

bool find_since_root(const struct find_since *x, const char *key, uint64_t *ret_bytes)
{
	const struct since_facts *k = x->facts;
	struct since_root want = { .key = key };
	const struct since_root *r = NULL;

	if (x->same != FIND_OTHER && k->roots.n)
		r = bsearch(&want, k->roots.v, k->roots.n, sizeof(want), by_key);
	*ret_bytes = r ? r->bytes : 0;
	return r != NULL;
}

/* The last span that begins at or before addr. */
static const struct since_span *span_at(const struct since_facts *k, taddr addr)
{
	size_t lo = 0, hi = k->spans.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->spans.v[mid].base <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &k->spans.v[lo - 1] : NULL;
}

bool find_since_alive(const struct find_since *x, taddr addr, uint64_t elem_bytes)
{
	const struct since_span *sp;
	uint64_t slot;

	if (x->same != FIND_SAME_PROCESS || !elem_bytes)
		return false;
	sp = span_at(x->facts, addr);
	if (!sp || sp->elem_bytes != elem_bytes)
		return false;
	slot = (addr - sp->base) / elem_bytes;
	if (slot >= sp->nelems || (addr - sp->base) % elem_bytes)
		return false;
	slot += sp->first;
	return x->facts->alive[slot >> 6] >> (slot & 63) & 1;
}

static int by_addr(const void *x, const void *y)
{
	const struct since_place *p = x, *q = y;

	return (p->addr > q->addr) - (p->addr < q->addr);
}

bool find_since_place(const struct find_since *x, taddr addr, uint64_t elem_bytes,
		      uint64_t *ret_bytes)
{
	const struct since_facts *k = x->facts;
	struct since_place want = { .addr = addr };
	const struct since_place *p = NULL;

	if (x->same == FIND_SAME_PROCESS && k->places.n)
		p = bsearch(&want, k->places.v, k->places.n, sizeof(want), by_addr);
	if (p && p->elem_bytes != elem_bytes)
		p = NULL;
	*ret_bytes = p ? p->retained : 0;
	return p != NULL;
}

bool find_since_found(const struct find_since *x, const char *signature, uint64_t *ret_bytes,
		      uint64_t *ret_count)
{
	const struct since_facts *k = x->facts;
	struct since_found want;
	const struct since_found *p = NULL;

	snprintf(want.signature, sizeof(want.signature), "%s", signature);
	if (x->same != FIND_OTHER && k->found.n)
		p = bsearch(&want, k->found.v, k->found.n, sizeof(want), by_signature);
	*ret_bytes = p ? p->bytes : 0;
	*ret_count = p ? p->count : 0;
	return p != NULL;
}
