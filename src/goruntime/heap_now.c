/*
 * heap_now.c - see heap_now.h.  Source: runtime/mheap.go (allspans, mspan.sweepgen, initSpan),
 * mgcsweep.go (sweep), mbitmap.go and mheap.go (newMarkBits, newAllocBits).
 *
 * Neighbouring pieces are read together, at most 64 KiB at once: mspans and bits lie densely in the
 * runtime's own chunks.  An unswept span is waited for, not read: until it is swept a finalizer may
 * still revive what is not marked, and green tea's marks lie inside the span.
 */
#include "goruntime/heap_now.h"

#include "goruntime/heap_priv.h"

enum { RUN_BYTES = 64 << 10, GAP_BYTES = 4 << 10, TRIES = 4 };

#define MAX_ALLSPANS (1ULL << 28)
#define MAX_SLOTS    (GO_PAGE_BYTES * 16U)

struct piece {
	taddr at;
	uint32_t nbytes, which;
};

/* bytes NULL: they cannot be read. */
typedef void piece_fn(void *arg, uint32_t which, const uint8_t *bytes, uint32_t nbytes);

struct reader {
	const struct go *g;
	uint8_t *buf; /* RUN_BYTES */
	uint64_t read_bytes;
};

static int by_at(const void *x, const void *y)
{
	const struct piece *p = x, *q = y;

	return (p->at > q->at) - (p->at < q->at);
}

static struct err *peek_one(struct reader *r, const struct piece *p, piece_fn *fn, void *arg)
{
	struct err *err = target_peek(r->g->t, p->at, r->buf, p->nbytes);
	bool lost = err_catch(&err, ERR_FAULT);

	if (!err)
		fn(arg, p->which, lost ? NULL : r->buf, p->nbytes);
	return err;
}

/* n pieces that lie together. */
static struct err *peek_run(struct reader *r, const struct piece *v, size_t n, piece_fn *fn,
			    void *arg)
{
	uint64_t nbytes = v[n - 1].at + v[n - 1].nbytes - v[0].at;
	struct err *err = target_peek(r->g->t, v[0].at, r->buf, (size_t)nbytes);

	if (err_catch(&err, ERR_FAULT)) {
		for (size_t i = 0; i < n && !err; i++)
			err = peek_one(r, &v[i], fn, arg);
		return err;
	}
	r->read_bytes += nbytes;
	for (size_t i = 0; i < n && !err; i++)
		fn(arg, v[i].which, r->buf + (v[i].at - v[0].at), v[i].nbytes);
	return err;
}

/* All of them, each of at most RUN_BYTES, in order of address. */
static struct err *peek_all(struct reader *r, struct piece *v, size_t n, piece_fn *fn, void *arg)
{
	struct err *err = NULL;

	if (n)
		qsort(v, n, sizeof(*v), by_at);
	for (size_t i = 0, k; i < n && !err; i = k) {
		for (k = i + 1; k < n; k++)
			if (v[k].at - (v[k - 1].at + v[k - 1].nbytes) > GAP_BYTES ||
			    v[k].at + v[k].nbytes - v[i].at > RUN_BYTES)
				break;
		err = peek_run(r, v + i, k - i, fn, arg);
	}
	return err;
}

/* What tells a span. */
struct image {
	taddr base, alloc_bits;
	uint64_t elem_bytes;
	uint32_t nelems, sweepgen;
	bool in_use, bad;
};

struct images {
	const struct go_layout *L;
	struct image *v;
};

static void take_image(void *arg, uint32_t which, const uint8_t *m, uint32_t nbytes)
{
	struct images *x = arg;
	const struct go_layout *L = x->L;
	struct image *y = &x->v[which];
	uint64_t bytes, nelems;

	(void)nbytes;
	*y = (struct image){ .bad = true, .in_use = true };
	if (!m)
		return;
	nelems = go_get(m, L->mspan_nelems);
	bytes = go_get(m, L->mspan_npages) * GO_PAGE_BYTES;
	*y = (struct image){
		.base = go_get(m, L->mspan_startAddr),
		.alloc_bits = go_get(m, L->mspan_allocBits),
		.elem_bytes = go_get(m, L->mspan_elemsize),
		.nelems = (uint32_t)nelems,
		.sweepgen = (uint32_t)go_get(m, L->mspan_sweepgen),
		.in_use = (int64_t)go_get(m, L->mspan_state) == L->c_mSpanInUse,
	};
	y->bad = !nelems || nelems > MAX_SLOTS || !y->elem_bytes || !y->alloc_bits ||
		 y->elem_bytes > bytes / nelems;
}

static struct err *read_images(struct reader *r, const taddr *mspan, size_t n, struct piece *p,
			       struct image *ret)
{
	struct images x = { r->g->L, ret };

	for (size_t i = 0; i < n; i++)
		p[i] = (struct piece){ mspan[i], (uint32_t)r->g->L->mspan_bytes, (uint32_t)i };
	return peek_all(r, p, n, take_image, &x);
}

/*
 * What the bits of a span are, by its sweepgen, for the cycle that made mheap_.sweepgen w:
 * swept in it, and that or cached then (w, w + 3); before (w - 2, w - 1, w + 1); of a later one.
 */
static enum go_now_state state_of(const struct image *x, uint32_t w)
{
	int32_t ahead = (int32_t)(x->sweepgen - w);

	if (x->bad || ahead < 0 || ahead == 1)
		return GO_NOW_WAIT;
	return ahead == 0 || ahead == 3 ? GO_NOW_READ : GO_NOW_LOST;
}

static bool same(const struct image *x, const struct image *y)
{
	return y->in_use && x->base == y->base && x->alloc_bits == y->alloc_bits &&
	       x->elem_bytes == y->elem_bytes && x->nelems == y->nelems;
}

struct bits {
	struct go_now_marks *m;
	const size_t *span; /* by image */
};

static void take_bits(void *arg, uint32_t which, const uint8_t *b, uint32_t nbytes)
{
	struct bits *x = arg;
	struct go_now_span *s = &x->m->spans.v[x->span[which]];

	if (b)
		memcpy(&x->m->bits.v[s->first], b, nbytes);
	else
		s->state = GO_NOW_WAIT;
}

static struct err *add_span(struct go_now_marks *m, const struct image *x, size_t *ret)
{
	struct go_now_span s = { x->base, x->elem_bytes, x->nelems, GO_NOW_READ, m->bits.n };
	size_t words = ((size_t)x->nelems + 63) / 64;

	s.state = (uint8_t)state_of(x, m->sweepgen);
	*ret = m->spans.n;
	if (!vec_push(&m->spans, s))
		return &err_nomem;
	if (s.state != GO_NOW_READ)
		return NULL;
	if (!vec_reserve(&m->bits, m->bits.n + words))
		return &err_nomem;
	memset(m->bits.v + m->bits.n, 0, words * 8);
	m->bits.n += words;
	return NULL;
}

/* n mspans, once: before, bits, after. */
struct pass {
	taddr *mspan;
	size_t n;
	struct piece *p;
	struct image *before, *after;
	size_t *span; /* index in m->spans; SIZE_MAX: not in use */
};

static void pass_deinit(struct pass *x)
{
	free(x->mspan);
	free(x->p);
	free(x->before);
	free(x->after);
	free(x->span);
}

static struct err *pass_init(struct pass *x, taddr *mspan, size_t n)
{
	x->mspan = mspan;
	x->n = n;
	x->p = zalloc(n, sizeof(*x->p));
	x->before = zalloc(n, sizeof(*x->before));
	x->after = zalloc(n, sizeof(*x->after));
	x->span = zalloc(n, sizeof(*x->span));
	return x->p && x->before && x->after && x->span ? NULL : &err_nomem;
}

static struct err *pass_bits(struct reader *r, struct pass *x, struct go_now_marks *m)
{
	struct bits b = { m, x->span };
	struct err *err = NULL;
	size_t n = 0;

	for (size_t i = 0; i < x->n && !err; i++) {
		const struct image *y = &x->before[i];

		x->span[i] = SIZE_MAX;
		if (!y->in_use)
			continue;
		err = add_span(m, y, &x->span[i]);
		if (!err && m->spans.v[x->span[i]].state == GO_NOW_READ)
			x->p[n++] =
				(struct piece){ y->alloc_bits, (y->nelems + 7) / 8, (uint32_t)i };
	}
	return err ? err : peek_all(r, x->p, n, take_bits, &b);
}

/* Is it still what it was?  What waits is told by its mspan alone. */
static struct err *pass_check(struct pass *x, struct go_now_marks *m)
{
	for (size_t i = 0; i < x->n; i++) {
		struct go_now_span *s;
		const struct image *y = &x->before[i];

		if (x->span[i] == SIZE_MAX)
			continue;
		s = &m->spans.v[x->span[i]];
		if (s->state == GO_NOW_READ &&
		    (!same(y, &x->after[i]) || state_of(&x->after[i], m->sweepgen) != GO_NOW_READ))
			s->state = GO_NOW_WAIT;
		if (s->state != GO_NOW_WAIT)
			continue;
		if (!vec_push(&m->wait, x->mspan[i]))
			return &err_nomem;
		s->nelems = 0; /* goes: pass_drop() */
	}
	return NULL;
}

static void pass_drop(struct go_now_marks *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->spans.n; i++)
		if (m->spans.v[i].nelems)
			m->spans.v[n++] = m->spans.v[i];
	m->spans.n = n;
}

static struct err *run(struct reader *r, struct pass *x, struct go_now_marks *m)
{
	struct err *err = read_images(r, x->mspan, x->n, x->p, x->before);

	if (!err)
		err = pass_bits(r, x, m);
	if (!err)
		err = read_images(r, x->mspan, x->n, x->p, x->after);
	if (!err)
		err = pass_check(x, m);
	if (!err)
		pass_drop(m);
	return err;
}

static struct err *peek_list(struct reader *r, taddr at, taddr *v, size_t n)
{
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i += RUN_BYTES / 8)
		err = target_peek(r->g->t, at + 8 * i, v + i, MIN(n - i, RUN_BYTES / 8U) * 8);
	r->read_bytes += 8 * n;
	return err;
}

/* mheap.go, recordspan: it only gets longer, and moves when it has to. */
static struct err *list_spans(struct reader *r, taddr **ret, size_t *ret_n)
{
	taddr at = r->g->v.mheap + (uint64_t)r->g->L->mheap_allspans.off;

	for (int i = 0; i < TRIES; i++) {
		_cleanup_(freep) taddr *v = NULL;
		uint64_t w[2], again[2];
		struct err *err = target_peek(r->g->t, at, w, sizeof(w));

		if (err)
			return err;
		if (w[1] > MAX_ALLSPANS)
			continue; /* torn */
		v = zalloc((size_t)w[1], sizeof(*v));
		if (!v)
			return &err_nomem;
		err = peek_list(r, w[0], v, (size_t)w[1]);
		if (!err)
			err = target_peek(r->g->t, at, again, sizeof(again));
		if (err_catch(&err, ERR_FAULT) || (!err && again[0] != w[0]))
			continue;
		if (err)
			return err;
		*ret = STEAL(v);
		*ret_n = (size_t)w[1];
		return NULL;
	}
	return err_bad_data("mheap_.allspans cannot be read while the program runs");
}

struct err *go_now_cycle(const struct go *g, struct go_now_cycle *ret)
{
	struct go_now_cycle c = { 0 };
	struct err *err = target_peek(g->t, g->v.mheap + (uint64_t)g->L->mheap_sweepgen.off,
				      &c.sweepgen, sizeof(c.sweepgen));

	if (!err && g->v.gcphase)
		err = target_peek(g->t, g->v.gcphase, &c.phase, sizeof(c.phase));
	*ret = c;
	return err_prefix(err, "GC cycle");
}

struct err *go_now_read(const struct go *g, struct go_now_marks *m)
{
	_cleanup_(freep) uint8_t *buf = malloc(RUN_BYTES);
	_cleanup_(pass_deinit) struct pass x = { 0 };
	struct reader r = { .g = g, .buf = buf };
	taddr *mspan = m->wait.v;
	size_t n = m->wait.n;
	struct err *err = buf ? NULL : &err_nomem;

	if (!g->v.mheap || g->L->mspan_bytes > HEAP_MSPAN_MAX)
		return err_unsupported("the runtime's heap is not known");
	m->wait.v = NULL;
	m->wait.n = m->wait.cap = 0;
	if (!err && !m->asked)
		err = list_spans(&r, &mspan, &n);
	if (err) {
		free(mspan);
		return err;
	}
	err = pass_init(&x, mspan, n);
	if (!err)
		err = run(&r, &x, m);
	m->asked = true;
	m->read_bytes += r.read_bytes;
	return err;
}

static int by_base(const void *x, const void *y)
{
	const struct go_now_span *p = x, *q = y;

	if (p->base != q->base)
		return p->base > q->base ? 1 : -1;
	if (p->elem_bytes != q->elem_bytes)
		return p->elem_bytes > q->elem_bytes ? 1 : -1;
	return (p->state > q->state) - (p->state < q->state); /* READ before LOST */
}

/* A span freed and made anew at its place while all were asked: of two the marks of both. */
static void unite(struct go_now_marks *m, struct go_now_span *to, const struct go_now_span *x)
{
	if (to->state != GO_NOW_READ || x->state != GO_NOW_READ)
		return;
	for (uint32_t i = 0; i < (x->nelems + 63) / 64; i++)
		m->bits.v[to->first + i] |= m->bits.v[x->first + i];
}

static void sort_spans(struct go_now_marks *m)
{
	size_t n = 0;

	if (m->spans.n)
		qsort(m->spans.v, m->spans.n, sizeof(*m->spans.v), by_base);
	for (size_t i = 0; i < m->spans.n; i++) {
		struct go_now_span *last = n ? &m->spans.v[n - 1] : NULL;
		const struct go_now_span *x = &m->spans.v[i];

		if (last && last->base == x->base && last->elem_bytes == x->elem_bytes &&
		    last->nelems == x->nelems)
			unite(m, last, x);
		else
			m->spans.v[n++] = *x;
	}
	m->spans.n = n;
}

/* Which spans are those that wait? */
static struct err *lose_waiting(struct reader *r, struct pass *x, struct go_now_marks *m)
{
	struct err *err = read_images(r, x->mspan, x->n, x->p, x->before);

	for (size_t i = 0; i < x->n && !err; i++) {
		const struct image *y = &x->before[i];
		struct go_now_span s = { y->base, y->elem_bytes, y->nelems, GO_NOW_LOST, 0 };

		m->holes |= y->in_use && y->bad;
		if (y->in_use && !y->bad && !vec_push(&m->spans, s))
			err = &err_nomem;
	}
	return err;
}

struct err *go_now_finish(const struct go *g, struct go_now_marks *m)
{
	_cleanup_(freep) uint8_t *buf = malloc(RUN_BYTES);
	_cleanup_(pass_deinit) struct pass x = { 0 };
	struct reader r = { .g = g, .buf = buf };
	struct err *err = pass_init(&x, m->wait.v, m->wait.n);

	m->wait.v = NULL;
	m->wait.n = m->wait.cap = 0;
	if (!err && !buf)
		err = &err_nomem;
	if (!err)
		err = lose_waiting(&r, &x, m);
	if (!err)
		sort_spans(m);
	return err;
}

void go_now_deinit(struct go_now_marks *m)
{
	vec_free(&m->spans);
	vec_free(&m->bits);
	vec_free(&m->wait);
}
