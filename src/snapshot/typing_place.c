/*
 * typing_place.c - every string, slice, map … in memory of known type, each with its place.
 *
 * Types that hold none of the wanted kinds are never looked into.  Reads the target in
 * chunks, as typing.c does.
 */
#include "snapshot/typing.h"

#include "base/par.h"
#include "goruntime/heap_scan.h"

#define CHUNK_BYTES ((uint64_t)1 << 20)
#define MAX_BYTES   ((uint64_t)64 << 20)
#define MAX_DEPTH   48
#define MAX_STEPS   20000
#define CACHE	    1024
#define LISTED	    (1U << 31) /* among kinds: one of the types that are asked for */

struct kinds_entry {
	taddr rtype;
	uint32_t kinds;
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
	struct kinds_entry cache[CACHE];
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

/* Kinds of all that is inside a value, itself included. */
static uint32_t kinds_of(const struct walker *w, const struct go_type *t, unsigned depth,
			 unsigned *steps)
{
	struct snapshot *s = w->s;
	uint32_t k = t ? 1U << t->kind | (listed(w, t) ? LISTED : 0) : 0;

	if (!t || depth > MAX_DEPTH || ++*steps > MAX_STEPS)
		return k;
	if (t->kind == GO_ARRAY && t->len)
		k |= kinds_of(w, go_type_at(s->rtypes, t->elem), depth + 1, steps);
	for (size_t i = 0; t->kind == GO_STRUCT && i < t->nfields; i++)
		k |= kinds_of(w, go_type_at(s->rtypes, t->fields[i].type), depth + 1, steps);
	return k;
}

static bool holds(struct walker *w, const struct go_type *t)
{
	struct kinds_entry *c = &w->cache[(t->addr >> 5) % CACHE];
	unsigned steps = 0;

	if (c->rtype != t->addr)
		*c = (struct kinds_entry){ t->addr, kinds_of(w, t, 0, &steps) };
	return c->kinds & w->wanted;
}

static struct err *place(struct walker *w, struct snap_place p, unsigned depth);

static struct err *inside(struct walker *w, const struct snap_place *p, taddr rtype, uint64_t off,
			  unsigned depth)
{
	const struct go_type *t = go_type_at(w->s->rtypes, rtype);
	struct snap_place q = *p;

	if (!t || !t->bytes || off > p->type->bytes || t->bytes > p->type->bytes - off)
		return NULL;
	q.type = t;
	q.at += off;
	q.bytes += off;
	q.off += off;
	return place(w, q, depth + 1);
}

static struct err *place(struct walker *w, struct snap_place p, unsigned depth)
{
	const struct go_type *t = p.type, *e;
	struct err *err = NULL;

	if (depth > MAX_DEPTH || !holds(w, t))
		return NULL;
	if (w->wanted >> t->kind & 1 || (w->wanted & LISTED && listed(w, t)))
		err = w->fn(w->arg, &p);
	for (size_t i = 0; t->kind == GO_STRUCT && i < t->nfields && !err; i++)
		err = inside(w, &p, t->fields[i].type, t->fields[i].offset, depth);
	e = t->kind == GO_ARRAY ? go_type_at(w->s->rtypes, t->elem) : NULL;
	if (e && e->bytes && holds(w, e))
		for (uint64_t i = 0; i < t->len && i < t->bytes / e->bytes && !err; i++)
			err = inside(w, &p, t->elem, i * e->bytes, depth);
	return err;
}

/* The rtype of which an object is a row; NULL: nothing in it can be told, or is wanted. */
static const struct go_type *elements(struct walker *w, uint64_t id, bool *ret_row)
{
	const struct snap_type *st;
	const struct go_type *t;

	if (!snapshot_is_typed(w->s, id) || (w->reached && !go_bit(w->reached, id)))
		return NULL;
	st = &w->s->types.v[w->s->type_of[id]];
	if (st->kind != SNAP_TYPE_RTYPE && !(st->kind == SNAP_TYPE_PART && st->elem))
		return NULL;
	t = go_type_at(w->s->rtypes, st->kind == SNAP_TYPE_PART ? st->elem : st->rtype);
	*ret_row = st->array || st->kind == SNAP_TYPE_PART;
	return t && t->bytes && holds(w, t) ? t : NULL;
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
static struct err *row(struct walker *w, const struct go_type *t, taddr at, const uint8_t *mem,
		       uint64_t n, uint64_t id, uint64_t off)
{
	struct err *err = NULL;

	for (uint64_t i = 0; i + t->bytes <= n && !err; i += t->bytes)
		err = place(w,
			    (struct snap_place){ .at = at + i,
						 .type = t,
						 .bytes = mem + i,
						 .object = id,
						 .off = off + i,
						 .var = UINT32_MAX,
						 .worker = w->number },
			    0);
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
	bool is_row = false, got;
	const struct go_type *t = elements(w, id, &is_row);
	uint64_t header = go_span_header(s), step, n;
	taddr at = s->base + (id - s->first) * s->elem_bytes + header;
	struct err *err = NULL;

	if (!t || !snapshot_is_object(w->s, id) || s->elem_bytes - header < t->bytes)
		return NULL;
	n = is_row ? whole(w, s, id, t, s->elem_bytes - header) : t->bytes;
	step = MAX(CHUNK_BYTES / t->bytes, 1ULL) * t->bytes;
	if (!room(w, MIN(step, n)))
		return NULL;
	for (uint64_t i = 0; i < n && !err; i += step) {
		err = read_at(w, at + i, MIN(step, n - i), &got);
		if (!err && got)
			err = row(w, t, at + i, w->buf, MIN(step, n - i), id, header + i);
	}
	return err;
}

/* All objects of a span by one read. */
static struct err *span(struct walker *w, const struct go_span *s)
{
	uint64_t header = go_span_header(s);
	bool read = false, got = false;
	struct err *err = NULL;

	if (s->bytes > CHUNK_BYTES || s->nelems == 1 || !room(w, s->bytes)) {
		for (uint64_t id = s->first; id < s->first + s->nelems && !err; id++)
			err = object(w, s, id);
		return err;
	}
	for (uint64_t id = s->first; id < s->first + s->nelems && !err; id++) {
		bool is_row = false;
		const struct go_type *t = elements(w, id, &is_row);
		uint64_t at = (id - s->first) * s->elem_bytes + header;
		uint64_t n = s->elem_bytes - header;

		if (!t || !snapshot_is_object(w->s, id) || n < t->bytes)
			continue;
		if (!read)
			err = read_at(w, s->base, s->bytes, &got);
		read = true;
		if (!err && !got)
			err = object(w, s, id);
		else if (!err)
			err = row(w, t, s->base + at, w->buf + at,
				  is_row ? whole(w, s, id, t, n) : t->bytes, id, header);
	}
	return err;
}

static struct err *spans(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct job *j = arg;
	struct err *err = NULL;

	for (size_t i = lo; i < hi && !err; i++)
		err = span(j->walkers[worker], &j->s->heap.spans.v[i]);
	return err;
}

static struct err *variables(struct walker *w)
{
	struct err *err = NULL;
	bool got;

	for (size_t i = 0; i < w->s->vars.n && !err; i++) {
		const struct snap_var *v = &w->s->vars.v[i];
		const struct go_type *t = go_type_at(w->s->rtypes, v->rtype);

		if (!t || !t->bytes || !holds(w, t) || !room(w, t->bytes))
			continue;
		err = read_at(w, v->at, t->bytes, &got);
		if (!err && got)
			err = place(w,
				    (struct snap_place){ .at = v->at,
							 .type = t,
							 .bytes = w->buf,
							 .object = GO_NO_OBJECT,
							 .var = (uint32_t)i,
							 .worker = w->number },
				    0);
	}
	return err;
}

static void job_deinit(struct job *j)
{
	for (unsigned i = 0; j->walkers && i < j->n; i++) {
		if (!j->walkers[i])
			continue;
		bigfree(j->walkers[i]->buf, j->walkers[i]->buf_bytes, 1);
		free(j->walkers[i]);
	}
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
