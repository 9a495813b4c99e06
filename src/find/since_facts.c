/*
 * since_facts.c - what is kept of an earlier look, added piece by piece: by a look, by a store.
 *
 * Knows neither of them.  Pieces come in any order and may be lies (a file's): what does not hold
 * together is refused.  Cost: sorting.
 */
#include "find/since.h"

#define SLOTS_MAX (1ULL << 40)

void find_since_free(struct find_since *x)
{
	struct since_facts *k = x ? x->facts : NULL;

	if (k) {
		vec_free(&k->spans);
		vec_free(&k->alive);
		vec_free(&k->places);
		vec_free(&k->roots);
		vec_free(&k->found);
		keep_deinit(&k->keep);
	}
	free(k);
	free(x);
}

static const char *copy(struct keep *k, const char *text)
{
	return keepf(k, "%s", text ? text : "");
}

struct err *find_since_begin(const struct find_process *p, struct find_since **ret)
{
	_cleanup_(find_since_freep) struct find_since *x = zalloc(1, sizeof(*x));
	struct keep *k;

	if (x)
		x->facts = zalloc(1, sizeof(*x->facts));
	if (!x || !x->facts)
		return &err_nomem;
	k = &x->facts->keep;
	x->process = *p;
	x->process.go = copy(k, p->go);
	x->process.module = copy(k, p->module);
	x->process.version = copy(k, p->version);
	x->process.revision = copy(k, p->revision);
	x->why = "";
	x->same = FIND_OTHER;
	x->rss = UINT64_MAX;
	*ret = STEAL(x);
	return NULL;
}

struct err *find_since_add_span(struct find_since *x, taddr base, uint64_t elem_bytes,
				uint32_t nelems, const uint64_t *alive)
{
	struct since_facts *k = x->facts;
	struct since_span y = { base, elem_bytes, k->alive.n, nelems };
	size_t words = ((size_t)nelems + 63) / 64;

	if (!elem_bytes || !nelems || elem_bytes > SLOTS_MAX)
		return err_bad_data("a span of %" PRIu32 " slots of %" PRIu64 " bytes", nelems,
				    elem_bytes);
	if (!vec_reserve(&k->alive, k->alive.n + words) || !vec_push(&k->spans, y))
		return &err_nomem;
	memcpy(k->alive.v + k->alive.n, alive, words * sizeof(*alive));
	k->alive.n += words;
	return NULL;
}

struct err *find_since_add_place(struct find_since *x, const struct since_place *p)
{
	return vec_push(&x->facts->places, *p) ? NULL : &err_nomem;
}

struct err *find_since_add_root(struct find_since *x, const char *key, uint64_t bytes)
{
	struct since_root y = { copy(&x->facts->keep, key), bytes };

	return vec_push(&x->facts->roots, y) ? keep_err(&x->facts->keep) : &err_nomem;
}

struct err *find_since_add_found(struct find_since *x, const struct since_found *f)
{
	struct since_found y = *f;

	y.signature = copy(&x->facts->keep, f->signature);
	y.root = copy(&x->facts->keep, f->root);
	return vec_push(&x->facts->found, y) ? keep_err(&x->facts->keep) : &err_nomem;
}

static int by_base(const void *x, const void *y)
{
	const struct since_span *p = x, *q = y;

	return (p->base > q->base) - (p->base < q->base);
}

static int by_addr(const void *x, const void *y)
{
	const struct since_place *p = x, *q = y;

	return (p->addr > q->addr) - (p->addr < q->addr);
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

#define SORT(a, by)                                                                                \
	do {                                                                                       \
		if ((a)->n)                                                                        \
			qsort((a)->v, (a)->n, sizeof((a)->v[0]), by);                              \
	} while (0)

/* Roots of one name are one. */
static void unite_roots(struct since_facts *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->roots.n; i++) {
		if (n && !strcmp(k->roots.v[n - 1].key, k->roots.v[i].key))
			k->roots.v[n - 1].bytes += k->roots.v[i].bytes;
		else
			k->roots.v[n++] = k->roots.v[i];
	}
	k->roots.n = n;
}

void find_since_seal(struct find_since *x)
{
	struct since_facts *k = x->facts;

	SORT(&k->spans, by_base);
	SORT(&k->places, by_addr);
	SORT(&k->roots, by_key);
	SORT(&k->found, by_signature);
	unite_roots(k);
}

/* Why it is not the same process; "": it is, as far as can be told. */
static const char *other_process(const struct find_since *x, const struct find_process *now,
				 uint32_t cycles, uint64_t total_alloc)
{
	const struct find_process *p = &x->process;
	bool both = x->num_gc != FIND_NO_CYCLES && cycles != FIND_NO_CYCLES;

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
	if ((both && cycles < x->num_gc) || (total_alloc && total_alloc < x->total_alloc))
		return "the program was started anew: it has allocated less than by then";
	return "";
}

void find_since_match_figures(struct find_since *x, const struct find_process *now, uint32_t cycles,
			      uint64_t total_alloc)
{
	x->same = FIND_SAME_PROCESS;
	x->why = other_process(x, now, cycles, total_alloc);
	if (*x->why)
		x->same = FIND_SAME_PROGRAM;
	if (strcmp(x->process.module, now->module) != 0) {
		x->why = "the earlier look is of another program";
		x->same = FIND_OTHER;
	}
	if (x->process.at_unix_ns && now->at_unix_ns > x->process.at_unix_ns)
		x->ns = now->at_unix_ns - x->process.at_unix_ns;
	if (x->same != FIND_SAME_PROCESS)
		return;
	if (x->num_gc != FIND_NO_CYCLES && cycles != FIND_NO_CYCLES)
		x->cycles = cycles - x->num_gc;
	if (total_alloc)
		x->allocated = total_alloc - x->total_alloc;
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
	return x->facts->alive.v[sp->first + (slot >> 6)] >> (slot & 63) & 1;
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
	struct since_found want = { .signature = signature };
	const struct since_found *p = NULL;

	if (x->same != FIND_OTHER && k->found.n)
		p = bsearch(&want, k->found.v, k->found.n, sizeof(want), by_signature);
	*ret_bytes = p ? p->bytes : 0;
	*ret_count = p ? p->count : 0;
	return p != NULL;
}
