/*
 * look_limits_body.c - bodies of answers that are not done with: who can still read or close them.
 *
 * The connection's reader waits on a channel that only the closures of net/http.bodyEOFSignal
 * (transport.go, readLoop) send on; these pair connections with bodies.  The reader's own frame has
 * the body too in newer versions: that is no holder.  Nothing else that reaches it: dropped; and
 * unless the request's context can be cancelled, for ever.
 * O(slots of all goroutines) where there are such connections, else nothing.
 */
#include "find/look_limits.h"

enum { CLOSURE_WORDS = 8, EDGES_MAX = 24, CONTEXT_DEPTH = 64 };

struct pair {
	taddr word; /* that a closure of the body has captured */
	uint64_t body;
};

struct bodies {
	const struct look *l;
	struct go_io *io;
	struct look_limits *x;
	const gnode *root_of;
	VEC(struct pair) pairs;	  /* ascending by word */
	VEC(struct pair) readers; /* by body: word is the goroutine that has it as its own */
	uint8_t *is_request;
};

static struct go_place place_of(const struct look *l, uint64_t id)
{
	const struct snapshot *s = l->s;
	taddr at = go_heap_address(&s->heap, id, NULL);
	const struct go_span *sp = go_heap_span_at(&s->heap, at);

	return (struct go_place){ at + (sp ? go_span_header(sp) : 0),
				  go_type_at(s->rtypes, s->types.v[s->type_of[id]].rtype) };
}

/* All words of the closure behind a func field. */
static struct err *closure_words(struct bodies *b, struct go_place p, const char *field,
				 uint64_t body)
{
	uint64_t fn, bytes, id, w[CLOSURE_WORDS] = { 0 };
	struct err *err;

	if (!look_field_u64(b->l, b->io, p, field, &fn) || !fn)
		return NULL;
	id = go_heap_object_at(&b->l->s->heap, fn);
	if (id == GO_NO_OBJECT)
		return NULL;
	go_heap_address(&b->l->s->heap, id, &bytes);
	err = go_io_read(b->io, fn, w, MIN(bytes, sizeof(w)));
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	for (size_t i = 1; i < CLOSURE_WORDS; i++)
		if (w[i] && !vec_push(&b->pairs, ((struct pair){ w[i], body })))
			return &err_nomem;
	return NULL;
}

static struct err *see_body(const struct look *l, void *arg, uint64_t id)
{
	struct bodies *b = arg;
	struct go_place p = place_of(l, id);
	uint64_t closed = 0;
	struct err *err;

	if (look_field_u64(l, b->io, p, "closed", &closed) && (closed & 0xff))
		return NULL;
	err = closure_words(b, p, "fn", id);
	return err ? err : closure_words(b, p, "earlyCloseFn", id);
}

static int by_word(const void *x, const void *y)
{
	const struct pair *p = x, *q = y;

	if (p->word != q->word)
		return p->word < q->word ? -1 : 1;
	return (p->body > q->body) - (p->body < q->body);
}

static int by_body(const void *x, const void *y)
{
	const struct pair *p = x, *q = y;

	return (p->body > q->body) - (p->body < q->body);
}

static const struct go_waiter *waiter_of(const struct snapshot *s, size_t g)
{
	size_t lo = 0, hi = s->waits.v.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->waits.v.v[mid].g < g)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->waits.v.n && s->waits.v.v[lo].g == g ? &s->waits.v.v[lo] : NULL;
}

/* The body whose closures send on one of the channels that the reader waits on. */
static uint64_t body_of(const struct bodies *b, size_t reader)
{
	const struct go_waiter *w = waiter_of(b->l->s, reader);

	for (size_t i = 0; w && i < w->n; i++) {
		taddr at = b->l->s->waits.things.v[w->first + i].at;
		size_t lo = 0, hi = b->pairs.n;

		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;

			if (b->pairs.v[mid].word < at)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < b->pairs.n && b->pairs.v[lo].word == at)
			return b->pairs.v[lo].body;
	}
	return GO_NO_OBJECT;
}

/* --- who has it in a frame --- */

/* Whose body it is, if it is one; SIZE_MAX. */
static size_t reader_of(const struct bodies *b, uint64_t id)
{
	struct pair key = { .body = id };
	const struct pair *p =
		b->readers.n ? bsearch(&key, b->readers.v, b->readers.n, sizeof(key), by_body)
			     : NULL;

	return p ? (size_t)(p - b->readers.v) : SIZE_MAX;
}

static void use(struct bodies *b, size_t g, uint64_t id, uint8_t *used)
{
	size_t i = reader_of(b, id);

	if (i != SIZE_MAX && b->readers.v[i].word != g)
		used[i] = 1;
}

static void see_slot(struct bodies *b, size_t g, taddr value, uint8_t *used)
{
	const struct graph *gr = b->l->g;
	uint64_t id = go_heap_object_at(&b->l->s->heap, value);
	gnode v;

	if (id == GO_NO_OBJECT || !look_reached(b->l, id))
		return;
	use(b, g, id, used);
	v = graph_node_of_object(gr, id);
	for (uint32_t e = graph_first(gr, v), n = 0; e < graph_last(gr, v) && n < EDGES_MAX;
	     e++, n++)
		if (graph_is_object(gr, gr->to[e]))
			use(b, g, graph_object(gr, gr->to[e]), used);
}

static struct err *see_uses(struct bodies *b)
{
	const struct go_stacks *st = &b->l->s->stacks;
	_cleanup_(freep) uint8_t *used = zalloc(b->readers.n, 1);
	_cleanup_(freep) uint8_t *loop = zalloc(st->gs.n + 1, 1);

	if (!used || !loop)
		return &err_nomem;
	for (size_t i = 0; i < b->x->conns.n; i++) {
		if (b->x->conns.v[i].reader < st->gs.n)
			loop[b->x->conns.v[i].reader] = 1;
		if (b->x->conns.v[i].writer < st->gs.n)
			loop[b->x->conns.v[i].writer] = 1;
	}
	for (size_t g = 0; g < st->gs.n; g++)
		for (size_t i = st->slot_first.v[g]; !loop[g] && i < st->slot_first.v[g + 1]; i++)
			see_slot(b, g, st->slots.v[i].value, used);
	for (size_t i = 0; i < b->x->conns.n; i++) {
		struct look_conn *c = &b->x->conns.v[i];
		size_t k = c->body == GO_NO_OBJECT ? SIZE_MAX : reader_of(b, c->body);

		c->in_use = k != SIZE_MAX && used[k];
	}
	return NULL;
}

/* --- can its context end it --- */

static bool ends_by_itself(const char *type)
{
	return strcmp(type, "context.backgroundCtx") != 0 && strcmp(type, "context.todoCtx") != 0 &&
	       strcmp(type, "context.emptyCtx") != 0 && strcmp(type, "*context.emptyCtx") != 0 &&
	       strcmp(type, "context.withoutCancelCtx") != 0;
}

/* Up from the context at a field: can any of them be cancelled? */
static bool can_end(const struct bodies *b, struct go_place p, const char *field)
{
	struct go_types *ts = b->l->s->rtypes;

	for (unsigned depth = 0; depth < CONTEXT_DEPTH; depth++) {
		const struct go_type *t;
		struct go_place v = { 0 };
		uint64_t off, at;

		if (!p.type || !go_type_path(ts, p.type, field, &off, &t) ||
		    t->kind != GO_INTERFACE)
			return true;
		err_free(go_iface_value(b->io, ts, (struct go_place){ p.at + off, t }, &v));
		if (!v.type)
			return false; /* nil */
		if (v.type->kind != GO_POINTER)
			return ends_by_itself(go_type_full(ts, v.type));
		t = go_type_at(ts, v.type->elem);
		if (!t || strcmp(go_type_full(ts, t), "context.valueCtx") != 0)
			return !t || ends_by_itself(go_type_full(ts, v.type));
		at = 0;
		err_free(go_io_read(b->io, v.at, &at, sizeof(at)));
		p = (struct go_place){ at, t };
		field = "Context";
	}
	return true;
}

/* A typed net/http.Request that an object is, or points to. */
static uint64_t request_of(const struct bodies *b, uint64_t id)
{
	const struct graph *g = b->l->g;
	gnode v = graph_node_of_object(g, id);

	if (b->is_request[b->l->s->type_of[id]])
		return id;
	for (uint32_t e = graph_first(g, v), n = 0; e < graph_last(g, v) && n < EDGES_MAX; e++, n++)
		if (graph_is_object(g, g->to[e]) &&
		    b->is_request[b->l->s->type_of[graph_object(g, g->to[e])]])
			return graph_object(g, g->to[e]);
	return GO_NO_OBJECT;
}

/* The request is in the reader's frame, from 1.23 on in a transportRequest. */
static bool may_end(const struct bodies *b, size_t reader)
{
	const struct snapshot *s = b->l->s;
	const struct go_stacks *st = &s->stacks;

	for (size_t i = st->slot_first.v[reader]; i < st->slot_first.v[reader + 1]; i++) {
		uint64_t id = go_heap_object_at(&s->heap, st->slots.v[i].value), req;

		if (id == GO_NO_OBJECT || !look_reached(b->l, id))
			continue;
		req = request_of(b, id);
		if (req != GO_NO_OBJECT)
			return can_end(b, place_of(b->l, req), "ctx");
	}
	return true;
}

static void settle(struct bodies *b, struct look_conn *c)
{
	gnode root = b->root_of[c->reader];

	if (c->body != GO_NO_OBJECT) {
		gnode owner = look_owner(b->l, graph_node_of_object(b->l->g, c->body));

		c->dropped = root && owner == root;
	} else {
		c->dropped = true;
	}
	if (c->dropped)
		c->can_end = may_end(b, c->reader);
}

static struct err *pair_up(struct bodies *b)
{
	size_t n;
	_cleanup_(freep) uint8_t *want = look_want_type(b->l, "net/http.bodyEOFSignal", &n);
	struct err *err = want ? NULL : &err_nomem;

	if (!err && n)
		err = look_each_of(b->l, want, see_body, b);
	if (!err && b->pairs.n)
		qsort(b->pairs.v, b->pairs.n, sizeof(b->pairs.v[0]), by_word);
	for (size_t i = 0; i < b->x->conns.n && !err; i++) {
		struct look_conn *c = &b->x->conns.v[i];

		if (c->state != LOOK_CONN_UNREAD)
			continue;
		c->body = body_of(b, c->reader);
		if (c->body != GO_NO_OBJECT &&
		    !vec_push(&b->readers, ((struct pair){ c->reader, c->body })))
			err = &err_nomem;
	}
	if (!err && b->readers.n)
		qsort(b->readers.v, b->readers.n, sizeof(b->readers.v[0]), by_body);
	return err;
}

struct err *look_limits_bodies(const struct look *l, struct go_io *io, const gnode *root_of,
			       struct look_limits *x)
{
	struct bodies b = { .l = l, .io = io, .x = x, .root_of = root_of };
	struct err *err = NULL;
	bool any = false;
	size_t n;

	for (size_t i = 0; i < x->conns.n; i++)
		any |= x->conns.v[i].state == LOOK_CONN_UNREAD;
	if (!any)
		return NULL;
	b.is_request = look_want_type(l, "net/http.Request", &n);
	err = b.is_request ? pair_up(&b) : &err_nomem;
	if (!err)
		err = see_uses(&b);
	for (size_t i = 0; i < x->conns.n && !err; i++)
		if (x->conns.v[i].state == LOOK_CONN_UNREAD)
			settle(&b, &x->conns.v[i]);
	free(b.is_request);
	vec_free(&b.pairs);
	vec_free(&b.readers);
	return err;
}

/* The contexts of a library's call: *context.timerCtx, or something that leads up to one. */
static bool leads_to_deadline(const struct look *l, struct go_io *io, uint64_t id)
{
	struct go_types *ts = l->s->rtypes;
	struct go_place p = place_of(l, id);

	for (unsigned depth = 0; p.type && depth < CONTEXT_DEPTH; depth++) {
		const char *name = go_type_full(ts, p.type);
		const char *field = !strcmp(name, "net/http.Request") ? "ctx" : "Context";
		struct go_place v = { 0 };
		const struct go_type *t;
		uint64_t off, at = 0;

		if (!strcmp(name, "context.timerCtx"))
			return true;
		if (strncmp(name, "context.", 8) != 0 && strcmp(name, "net/http.Request") != 0)
			return false;
		if (!go_type_path(ts, p.type, field, &off, &t) || t->kind != GO_INTERFACE)
			return false;
		err_free(go_iface_value(io, ts, (struct go_place){ p.at + off, t }, &v));
		if (!v.type || v.type->kind != GO_POINTER)
			return false;
		err_free(go_io_read(io, v.at, &at, sizeof(at)));
		p = (struct go_place){ at, at ? go_type_at(ts, v.type->elem) : NULL };
	}
	return false;
}

bool look_has_deadline(const struct look *l, struct go_io *io, size_t goroutine)
{
	const struct snapshot *s = l->s;
	const struct go_stacks *st = &s->stacks;

	for (size_t i = st->slot_first.v[goroutine]; i < st->slot_first.v[goroutine + 1]; i++) {
		uint64_t id = go_heap_object_at(&s->heap, st->slots.v[i].value);
		const struct snap_type *t;

		if (id == GO_NO_OBJECT || !look_reached(l, id))
			continue;
		t = &s->types.v[s->type_of[id]];
		if (t->kind != SNAP_TYPE_RTYPE || t->array || t->rank <= SNAP_RANK_GUESS ||
		    !t->name ||
		    (strcmp(t->name, "http.Request") != 0 && strncmp(t->name, "context.", 8) != 0))
			continue;
		if (leads_to_deadline(l, io, id))
			return true;
	}
	return false;
}
