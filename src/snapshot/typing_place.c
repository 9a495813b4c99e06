/*
 * typing_place.c - every string, slice, map … in memory of known type, each with its place.
 *
 * What of a type is wanted, and where, is worked out once a type (struct plan) and worker; objects
 * of types that hold none of it are passed over by their number.  Reads the target in chunks, as
 * typing.c does.
 */
#include "snapshot/typing.h"

#include "base/par.h"
#include "goruntime/heap_scan.h"

#define CHUNK_BYTES ((uint64_t)1 << 20)
#define MAX_BYTES   ((uint64_t)64 << 20)
#define MAX_DEPTH   48
#define MAX_STEPS   20000
#define PLANS	    1024       /* buckets */
#define LISTED	    (1U << 31) /* among kinds: one of the types that are asked for */

/* A wanted place of a type, or a row of values that have some. */
struct spot {
	uint64_t off;
	const struct go_type *type;
	const struct plan *each; /* of a row: of each element; NULL: a place */
	uint64_t count;
};
struct plan {
	const struct go_type *type;
	struct plan *next;
	VEC(struct spot) spots;
};

/* What an object of a type number is a value, or a row, of. */
struct holder {
	bool known, row;
	const struct go_type *type;
	const struct plan *plan; /* NULL: nothing of it is wanted */
};

struct walker {
	struct snapshot *s;
	const uint64_t *reached;
	uint32_t wanted;
	const taddr *types; /* LISTED is wanted: these */
	size_t ntypes;
	unsigned number;
	struct err *(*fn)(void *arg, const struct snap_place *p);
	void *arg;
	uint8_t *buf;
	size_t buf_bytes;
	struct holder *holders; /* by type number */
	struct plan *plans[PLANS];
	unsigned steps;
	bool nomem;
};

struct job {
	struct snapshot *s;
	struct walker **walkers;
	unsigned n;
};

static int by_value(const void *x, const void *y)
{
	const taddr *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static bool listed(const struct walker *w, const struct go_type *t)
{
	return w->ntypes && bsearch(&t->addr, w->types, w->ntypes, sizeof(taddr), by_value);
}

static const struct plan *plan_of(struct walker *w, const struct go_type *t, unsigned depth);

/* Places inside of t, which lies at off of the type of p. */
static void gather(struct walker *w, struct plan *p, const struct go_type *t, uint64_t off,
		   unsigned depth)
{
	struct go_types *ts = w->s->rtypes;
	struct spot x = { .off = off, .type = t };

	if (depth > MAX_DEPTH || ++w->steps > MAX_STEPS)
		return;
	if (w->wanted >> t->kind & 1 || (w->wanted & LISTED && listed(w, t)))
		w->nomem |= !vec_push(&p->spots, x);
	for (size_t i = 0; t->kind == GO_STRUCT && i < t->nfields; i++) {
		const struct go_type *f = go_type_at(ts, t->fields[i].type);
		uint64_t at = t->fields[i].offset;

		if (f && f->bytes && at <= t->bytes && f->bytes <= t->bytes - at)
			gather(w, p, f, off + at, depth + 1);
	}
	if (t->kind != GO_ARRAY || !t->len)
		return;
	x.type = go_type_at(ts, t->elem);
	if (!x.type || !x.type->bytes)
		return;
	x.count = MIN(t->len, t->bytes / x.type->bytes);
	x.each = plan_of(w, x.type, depth + 1);
	if (x.each && x.count)
		w->nomem |= !vec_push(&p->spots, x);
}

/* NULL: nothing of it is wanted, or no memory. */
static const struct plan *plan_of(struct walker *w, const struct go_type *t, unsigned depth)
{
	struct plan **at = &w->plans[(t->addr >> 5) % PLANS], *p;

	for (p = *at; p; p = p->next)
		if (p->type == t)
			return p->spots.n ? p : NULL;
	p = zalloc(1, sizeof(*p));
	if (!p) {
		w->nomem = true;
		return NULL;
	}
	p->type = t;
	gather(w, p, t, 0, depth);
	p->next = *at; /* gathering may have put others there */
	*at = p;
	return p->spots.n ? p : NULL;
}

static const struct plan *fresh_plan(struct walker *w, const struct go_type *t)
{
	w->steps = 0;
	return plan_of(w, t, 0);
}

static struct err *places(struct walker *w, const struct plan *plan, const struct snap_place *p)
{
	struct err *err = NULL;

	for (size_t i = 0; i < plan->spots.n && !err; i++) {
		const struct spot *x = &plan->spots.v[i];
		struct snap_place q = *p;

		q.type = x->type;
		q.at += x->off;
		q.bytes += x->off;
		q.off += x->off;
		q.in += x->off;
		if (!x->each)
			err = w->fn(w->arg, &q);
		for (uint64_t k = 0; k < x->count && !err; k++) {
			err = places(w, x->each, &q);
			q.at += x->type->bytes;
			q.bytes += x->type->bytes;
			q.off += x->type->bytes;
		}
	}
	return err;
}

static void learn(struct walker *w, uint32_t number, struct holder *h)
{
	const struct snap_type *st = &w->s->types.v[number];
	bool part = st->kind == SNAP_TYPE_PART;

	h->known = true;
	if (!number || st->rank <= SNAP_RANK_GUESS ||
	    (st->kind != SNAP_TYPE_RTYPE && !(part && st->elem)))
		return;
	h->type = go_type_at(w->s->rtypes, part ? st->elem : st->rtype);
	h->row = st->array || part;
	h->plan = h->type && h->type->bytes ? fresh_plan(w, h->type) : NULL;
}

/* What the object is a value or a row of; NULL: nothing in it can be told, or is wanted. */
static const struct holder *holder_of(struct walker *w, uint64_t id)
{
	struct holder *h = &w->holders[w->s->type_of[id]];

	if (!h->known)
		learn(w, w->s->type_of[id], h);
	return h->plan && (!w->reached || go_bit(w->reached, id)) ? h : NULL;
}

static bool room(struct walker *w, uint64_t nbytes)
{
	if (nbytes <= w->buf_bytes)
		return true;
	if (nbytes > MAX_BYTES)
		return false;
	bigfree(w->buf, w->buf_bytes, 1);
	w->buf_bytes = 0;
	w->buf = bigalloc((size_t)nbytes, 1);
	w->buf_bytes = w->buf ? (size_t)nbytes : 0;
	return w->buf;
}

/* n bytes of whole elements at `at`, off in the slot. */
static struct err *row(struct walker *w, const struct holder *h, taddr at, const uint8_t *mem,
		       uint64_t n, uint64_t id, uint64_t off)
{
	uint64_t step = h->type->bytes;
	struct err *err = NULL;

	for (uint64_t i = 0; i + step <= n && !err; i += step)
		err = places(w, h->plan,
			     &(struct snap_place){ .at = at + i,
						   .bytes = mem + i,
						   .object = id,
						   .off = off + i,
						   .var = UINT32_MAX,
						   .worker = w->number });
	return err;
}

static struct err *read_at(struct walker *w, taddr at, uint64_t n, bool *ret)
{
	struct err *err = target_read(w->s->t, at, w->buf, (size_t)n);

	*ret = !err;
	err_catch(&err, ERR_FAULT);
	return err;
}

/* Bytes of a row's elements, up to the last that has a pointer if they have any. */
static uint64_t whole(struct walker *w, const struct go_span *s, uint64_t id,
		      const struct go_type *t, uint64_t n)
{
	uint64_t end = n;

	if (!s->noscan)
		end = snap_bits_extent(w->s, (size_t)(s - w->s->heap.spans.v), id, n);
	return MIN((end + t->bytes - 1) / t->bytes, n / t->bytes) * t->bytes;
}

/* An object by itself, in pieces. */
static struct err *object(struct walker *w, const struct go_span *s, uint64_t id)
{
	const struct holder *h = holder_of(w, id);
	const struct go_type *t = h ? h->type : NULL;
	uint64_t header = go_span_header(s), step, n;
	taddr at = s->base + (id - s->first) * s->elem_bytes + header;
	struct err *err = NULL;
	bool got;

	if (!t || !snapshot_is_object(w->s, id) || s->elem_bytes - header < t->bytes)
		return NULL;
	n = h->row ? whole(w, s, id, t, s->elem_bytes - header) : t->bytes;
	step = MAX(CHUNK_BYTES / t->bytes, 1ULL) * t->bytes;
	if (!room(w, MIN(step, n)))
		return NULL;
	for (uint64_t i = 0; i < n && !err; i += step) {
		err = read_at(w, at + i, MIN(step, n - i), &got);
		if (!err && got)
			err = row(w, h, at + i, w->buf, MIN(step, n - i), id, header + i);
	}
	return err;
}

/* Is any object of the span asked for? */
static bool any(const struct walker *w, const struct go_span *s)
{
	uint64_t lo = s->first >> 6, hi = (s->first + s->nelems - 1) >> 6;

	for (uint64_t i = lo; w->reached && i <= hi; i++)
		if (w->reached[i])
			return true;
	return !w->reached;
}

/* All objects of a span by one read. */
static struct err *span(struct walker *w, const struct go_span *s)
{
	uint64_t header = go_span_header(s);
	bool read = false, got = false;
	struct err *err = NULL;

	if (!s->nelems || !any(w, s))
		return NULL;
	if (s->bytes > CHUNK_BYTES || s->nelems == 1 || !room(w, s->bytes)) {
		for (uint64_t id = s->first; id < s->first + s->nelems && !err; id++)
			err = object(w, s, id);
		return err;
	}
	for (uint64_t id = s->first; id < s->first + s->nelems && !err; id++) {
		const struct holder *h = holder_of(w, id);
		uint64_t at = (id - s->first) * s->elem_bytes + header;
		uint64_t n = s->elem_bytes - header;

		if (!h || !snapshot_is_object(w->s, id) || n < h->type->bytes)
			continue;
		if (!read)
			err = read_at(w, s->base, s->bytes, &got);
		read = true;
		if (!err && !got)
			err = object(w, s, id);
		else if (!err)
			err = row(w, h, s->base + at, w->buf + at,
				  h->row ? whole(w, s, id, h->type, n) : h->type->bytes, id,
				  header);
	}
	return err;
}

static struct err *spans(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct job *j = arg;
	struct err *err = NULL;

	for (size_t i = lo; i < hi && !err; i++)
		err = span(j->walkers[worker], &j->s->heap.spans.v[i]);
	return err ? err : j->walkers[worker]->nomem ? &err_nomem : NULL;
}

static struct err *variables(struct walker *w)
{
	struct err *err = NULL;
	bool got;

	for (size_t i = 0; i < w->s->vars.n && !err; i++) {
		const struct snap_var *v = &w->s->vars.v[i];
		const struct go_type *t = go_type_at(w->s->rtypes, v->rtype);
		const struct plan *plan = t && t->bytes ? fresh_plan(w, t) : NULL;

		if (!plan || !room(w, t->bytes))
			continue;
		err = read_at(w, v->at, t->bytes, &got);
		if (!err && got)
			err = places(w, plan,
				     &(struct snap_place){ .at = v->at,
							   .bytes = w->buf,
							   .object = GO_NO_OBJECT,
							   .var = (uint32_t)i,
							   .worker = w->number });
	}
	return err;
}

static void walker_free(struct walker *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < PLANS; i++) {
		while (w->plans[i]) {
			struct plan *p = w->plans[i];

			w->plans[i] = p->next;
			vec_free(&p->spots);
			free(p);
		}
	}
	bigfree(w->buf, w->buf_bytes, 1);
	free(w->holders);
	free(w);
}

static void job_deinit(struct job *j)
{
	for (unsigned i = 0; j->walkers && i < j->n; i++)
		walker_free(j->walkers[i]);
	free(j->walkers);
}

static struct err *each(struct snapshot *s, const struct walker *like, unsigned nthreads)
{
	_cleanup_(job_deinit) struct job j = { .s = s };
	struct err *err;

	if (s->dump || !s->type_of)
		return NULL;
	j.n = nthreads ? nthreads : par_default_threads();
	j.walkers = zalloc(j.n, sizeof(struct walker *));
	if (!j.walkers)
		return &err_nomem;
	for (unsigned i = 0; i < j.n; i++) {
		j.walkers[i] = zalloc(1, sizeof(struct walker));
		if (!j.walkers[i])
			return &err_nomem;
		j.walkers[i]->holders = zalloc(s->types.n + 1, sizeof(struct holder));
		if (!j.walkers[i]->holders)
			return &err_nomem;
		j.walkers[i]->s = s;
		j.walkers[i]->reached = like->reached;
		j.walkers[i]->wanted = like->wanted;
		j.walkers[i]->types = like->types;
		j.walkers[i]->ntypes = like->ntypes;
		j.walkers[i]->fn = like->fn;
		j.walkers[i]->arg = like->arg;
		j.walkers[i]->number = i;
	}
	err = variables(j.walkers[0]);
	return err ? err : par_for(j.n, s->heap.spans.n, 64, spans, &j);
}

struct err *snapshot_each_place(struct snapshot *s, const uint64_t *reached, unsigned nthreads,
				uint32_t kinds,
				struct err *(*fn)(void *arg, const struct snap_place *p), void *arg)
{
	struct walker like = { .reached = reached, .wanted = kinds, .fn = fn, .arg = arg };

	return each(s, &like, nthreads);
}

struct err *snapshot_each_typed(struct snapshot *s, const uint64_t *reached, unsigned nthreads,
				const taddr *types, size_t ntypes,
				struct err *(*fn)(void *arg, const struct snap_place *p), void *arg)
{
	struct walker like = { .reached = reached,
			       .wanted = LISTED,
			       .types = types,
			       .ntypes = ntypes,
			       .fn = fn,
			       .arg = arg };

	return ntypes ? each(s, &like, nthreads) : NULL;
}
