/*
 * look_limits_use.c - what hangs on servers, clients and pools: connections, and goroutines that
 * wait for one.
 *
 * By the library's own structs (persistConn, DB) and by the functions in whose frames a goroutine
 * stands; who it is about the frame's live pointers say.  Sources: net/http transport.go (readLoop,
 * roundTrip, getConn, connLRU), server.go (conn.serve), database/sql/sql.go ((*DB).conn).
 * O(frames + slots of those goroutines + connections).
 */
#include "find/look_limits.h"
#include "find/stacks.h"

enum {
	F_READ_LOOP,
	F_WRITE_LOOP,
	F_ROUND_TRIP,
	F_GET_CONN,
	F_TRANSPORT,
	F_DO,
	F_SERVE,
	F_READ_REQUEST,
	F_SERVE_HTTP,
	F_DB_CONN,
	F_N,
};
static const char *const names[F_N] = {
	[F_READ_LOOP] = "net/http.(*persistConn).readLoop",
	[F_WRITE_LOOP] = "net/http.(*persistConn).writeLoop",
	[F_ROUND_TRIP] = "net/http.(*persistConn).roundTrip",
	[F_GET_CONN] = "net/http.(*Transport).getConn",
	[F_TRANSPORT] = "net/http.(*Transport).roundTrip",
	[F_DO] = "net/http.(*Client).do",
	[F_SERVE] = "net/http.(*conn).serve",
	[F_READ_REQUEST] = "net/http.(*conn).readRequest",
	[F_SERVE_HTTP] = "net/http.serverHandler.ServeHTTP",
	[F_DB_CONN] = "database/sql.(*DB).conn",
};

struct use {
	const struct look *l;
	struct go_io *io;
	struct look_limits *x;
	taddr entry[F_N];
	const uint8_t *is_conn; /* by index in s->types: net/http.conn */
	uint64_t clock;
	const gnode *root_of; /* by goroutine; 0 none */
};

uint8_t *look_want_type(const struct look *l, const char *full, size_t *ret_n)
{
	const struct snapshot *s = l->s;
	uint8_t *want = zalloc(s->types.n + 1, 1);
	taddr at = s->rtypes ? go_type_named(s->rtypes, full) : 0;

	*ret_n = 0;
	for (size_t i = 1; want && at && i < s->types.n; i++) {
		const struct snap_type *t = &s->types.v[i];

		want[i] = t->kind == SNAP_TYPE_RTYPE && !t->array && t->rtype == at &&
			  t->rank > SNAP_RANK_GUESS;
		*ret_n += want[i];
	}
	return want;
}

/* --- a client's connections --- */

static struct go_place place_of(const struct look *l, uint64_t id)
{
	const struct snapshot *s = l->s;
	taddr at = go_heap_address(&s->heap, id, NULL);
	const struct go_span *sp = go_heap_span_at(&s->heap, at);

	return (struct go_place){ at + (sp ? go_span_header(sp) : 0),
				  go_type_at(s->rtypes, s->types.v[s->type_of[id]].rtype) };
}

static struct err *see_conn(const struct look *l, void *arg, uint64_t id)
{
	struct use *u = arg;
	struct go_place p = place_of(l, id);
	struct look_conn c = { .id = id,
			       .at = p.at,
			       .owner = SIZE_MAX,
			       .reader = SIZE_MAX,
			       .writer = SIZE_MAX,
			       .body = GO_NO_OBJECT };
	uint64_t n;

	if (look_field_u64(l, u->io, p, "t", &n))
		c.transport = n;
	c.owner = look_limited_at(u->x, LOOK_TRANSPORT, c.transport);
	c.h2 = look_field_u64(l, u->io, p, "alt", &n) && n;
	if (look_field_u64(l, u->io, p, "closed", &n) && n)
		c.state = LOOK_CONN_CLOSED;
	return vec_push(&u->x->conns, c) ? NULL : &err_nomem;
}

static int by_at(const void *x, const void *y)
{
	const struct look_conn *p = x, *q = y;

	return (p->at > q->at) - (p->at < q->at);
}

static struct look_conn *conn_at(struct use *u, taddr at)
{
	struct look_conn key = { .at = at };

	return u->x->conns.n ? bsearch(&key, u->x->conns.v, u->x->conns.n, sizeof(key), by_at)
			     : NULL;
}

static enum go_cont_go_on see_idle(void *arg, const struct go_cont_entry *e)
{
	struct use *u = arg;
	struct look_conn *c;
	uint64_t at = 0;
	struct err *err = e->key.at ? go_io_read(u->io, e->key.at, &at, sizeof(at)) : NULL;

	err_free(err);
	c = at ? conn_at(u, at) : NULL;
	if (c && c->state == LOOK_CONN_BUSY)
		c->state = LOOK_CONN_IDLE;
	return CONT_ON;
}

/* Keys of idleLRU.m: *persistConn. */
static void see_idle_ones(struct use *u, const struct look_limited *k)
{
	struct go_types *ts = u->l->s->rtypes;
	const struct go_type *t;
	const struct go_cont *c;
	uint64_t off, header;

	if (!go_type_path(ts, k->p.type, "idleLRU.m", &off, &t) || t->kind != GO_MAP ||
	    !look_field_u64(u->l, u->io, k->p, "idleLRU.m", &header) || !header)
		return;
	c = go_cont_of(ts, t);
	if (c)
		err_free(go_cont_each(c, u->io, ts, (struct go_place){ header, t }, see_idle, u));
}

static struct err *read_conns(struct use *u)
{
	size_t n;
	_cleanup_(freep) uint8_t *want = look_want_type(u->l, "net/http.persistConn", &n);
	struct err *err = want ? NULL : &err_nomem;

	if (!err && n)
		err = look_each_of(u->l, want, see_conn, u);
	if (err || !u->x->conns.n)
		return err;
	qsort(u->x->conns.v, u->x->conns.n, sizeof(u->x->conns.v[0]), by_at);
	for (size_t i = 0; i < u->x->v.n; i++)
		if (u->x->v.v[i].kind == LOOK_TRANSPORT)
			see_idle_ones(u, &u->x->v.v[i]);
	return NULL;
}

/* --- goroutines --- */

struct stand {
	size_t g;
	uint32_t frame[F_N]; /* UINT32_MAX: it does not stand there */
	bool any;
};

static void where(const struct use *u, size_t g, struct stand *ret)
{
	const struct go_stacks *st = &u->l->s->stacks;
	const struct go_goroutine *gr = &st->gs.v[g];

	ret->g = g;
	ret->any = false;
	for (unsigned k = 0; k < F_N; k++)
		ret->frame[k] = UINT32_MAX;
	for (size_t i = gr->first_frame; i < gr->first_frame + gr->nframes; i++) {
		taddr entry = st->frames.v[i].func_entry;

		for (unsigned k = 0; k < F_N; k++)
			if (entry && entry == u->entry[k] && ret->frame[k] == UINT32_MAX) {
				ret->frame[k] = (uint32_t)i;
				ret->any = true;
			}
	}
}

static bool stands(const struct stand *s, unsigned k)
{
	return s->frame[k] != UINT32_MAX;
}

/* Pointers of the goroutine's frame k, one after the other from *i on; 0: no more. */
static taddr next_word(const struct use *u, const struct stand *s, unsigned k, size_t *i)
{
	const struct go_stacks *st = &u->l->s->stacks;

	for (*i = MAX(*i, st->slot_first.v[s->g]); *i < st->slot_first.v[s->g + 1];) {
		const struct go_slot *sl = &st->slots.v[(*i)++];

		if (sl->frame == s->frame[k] && sl->value)
			return sl->value;
	}
	return 0;
}

/* Which one of a kind the frame is about. */
static struct look_limited *about(struct use *u, const struct stand *s, unsigned k, uint8_t kind)
{
	size_t i = 0, at;
	taddr v;

	while (stands(s, k) && (v = next_word(u, s, k, &i))) {
		at = look_limited_at(u->x, kind, v);
		if (at != SIZE_MAX)
			return &u->x->v.v[at];
	}
	return NULL;
}

static struct look_conn *about_conn(struct use *u, const struct stand *s, unsigned k)
{
	size_t i = 0;
	taddr v;

	while ((v = next_word(u, s, k, &i))) {
		struct look_conn *c = conn_at(u, v);

		if (c)
			return c;
	}
	return NULL;
}

static struct err *note(struct use *u, struct look_limited *k, size_t g)
{
	struct look_user who = { (size_t)(k - u->x->v.v), g, u->root_of[g] };
	uint64_t ns = look_waited_ns(u->clock, u->l->s->stacks.gs.v[g].waitsince);

	if (k->example == SIZE_MAX || (ns != UINT64_MAX && ns > k->oldest_ns))
		k->example = g;
	if (ns != UINT64_MAX)
		k->oldest_ns = MAX(k->oldest_ns, ns);
	return vec_push(&u->x->users, who) ? NULL : &err_nomem;
}

/* Does it wait in a select of its own, not for the network? */
static bool in_select(const struct use *u, const struct stand *s, unsigned k)
{
	const struct go_goroutine *gr = &u->l->s->stacks.gs.v[s->g];
	const char *wait = go_wait_reason(u->l->s->go, gr->wait_reason);

	return !strcmp(go_status_name(gr->status), "waiting") && !strncmp(wait, "select", 6) &&
	       s->frame[k] - gr->first_frame <= 3;
}

static void see_loop(struct use *u, const struct stand *s)
{
	bool reads = stands(s, F_READ_LOOP);
	struct look_conn *c = about_conn(u, s, reads ? F_READ_LOOP : F_WRITE_LOOP);

	if (!c)
		return;
	if (!reads) {
		c->writer = s->g;
		return;
	}
	c->reader = s->g;
	if (c->state == LOOK_CONN_BUSY && in_select(u, s, F_READ_LOOP))
		c->state = LOOK_CONN_UNREAD;
}

static struct err *see_caller(struct use *u, const struct stand *s)
{
	bool bounded = look_has_deadline(u->l, u->io, s->g);
	struct err *err = NULL;

	struct look_limited *c = about(u, s, F_DO, LOOK_CLIENT);
	struct look_limited *t = about(u, s, F_TRANSPORT, LOOK_TRANSPORT);

	if (c) {
		c->waiting++;
		c->bounded += bounded;
		err = note(u, c, s->g);
	}
	if (t && !err) {
		t->waiting++;
		t->bounded += bounded;
		err = note(u, t, s->g);
	}
	return err;
}

static struct err *see_served(struct use *u, const struct stand *s)
{
	struct look_limited *k = NULL;
	size_t i = 0;
	taddr v;

	while (!k && (v = next_word(u, s, F_SERVE, &i))) {
		uint64_t id = go_heap_object_at(&u->l->s->heap, v), at, server;

		if (id == GO_NO_OBJECT || !look_reached(u->l, id) ||
		    !u->is_conn[u->l->s->type_of[id]])
			continue;
		if (look_field_u64(u->l, u->io, place_of(u->l, id), "server", &server)) {
			at = look_limited_at(u->x, LOOK_SERVER, server);
			k = at == SIZE_MAX ? NULL : &u->x->v.v[at];
		}
	}
	if (!k)
		return NULL;
	k->conns++;
	if (stands(s, F_SERVE_HTTP)) {
		k->serving++;
	} else if (stands(s, F_READ_REQUEST)) {
		k->headers++;
		return note(u, k, s->g);
	} else {
		k->idle++;
	}
	return NULL;
}

static struct err *see_query(struct use *u, const struct stand *s)
{
	struct look_limited *k =
		in_select(u, s, F_DB_CONN) ? about(u, s, F_DB_CONN, LOOK_DB) : NULL;

	if (!k)
		return NULL;
	k->waiting++;
	return note(u, k, s->g);
}

static struct err *see_goroutines(struct use *u)
{
	struct err *err = NULL;
	const struct go_stacks *st = &u->l->s->stacks;
	struct stand s;
	struct go_func f;
	bool any = false;

	for (unsigned k = 0; k < F_N; k++) {
		u->entry[k] = go_func_by_name(u->l->s->go, names[k], &f) ? f.entry : 0;
		any |= u->entry[k] != 0;
	}
	for (size_t g = 0; any && !err && g < st->gs.n && st->slot_first.n > st->gs.n; g++) {
		if (st->gs.v[g].dead)
			continue;
		where(u, g, &s);
		if (!s.any)
			continue;
		if (stands(&s, F_READ_LOOP) || stands(&s, F_WRITE_LOOP))
			see_loop(u, &s);
		if (stands(&s, F_ROUND_TRIP) || stands(&s, F_GET_CONN))
			err = see_caller(u, &s);
		if (!err && stands(&s, F_SERVE))
			err = see_served(u, &s);
		if (!err && stands(&s, F_DB_CONN))
			err = see_query(u, &s);
	}
	return err;
}

/* --- sums --- */

static int by_owner(const void *x, const void *y)
{
	const struct look_user *p = x, *q = y;

	if (p->owner != q->owner)
		return p->owner < q->owner ? -1 : 1;
	return (p->goroutine > q->goroutine) - (p->goroutine < q->goroutine);
}

static void sort_users(struct look_limits *x)
{
	if (x->users.n)
		qsort(x->users.v, x->users.n, sizeof(x->users.v[0]), by_owner);
	for (size_t i = 0; i < x->users.n; i++) {
		struct look_limited *k = &x->v.v[x->users.v[i].owner];

		if (!k->nusers++)
			k->first_user = i;
	}
}

static void add_conns(struct use *u)
{
	for (size_t i = 0; i < u->x->conns.n; i++) {
		const struct look_conn *c = &u->x->conns.v[i];
		struct look_limited *k = c->owner == SIZE_MAX ? NULL : &u->x->v.v[c->owner];

		if (!k || c->state == LOOK_CONN_CLOSED)
			continue;
		k->conns++;
		k->idle += c->state == LOOK_CONN_IDLE;
		k->open_bodies += c->state == LOOK_CONN_UNREAD;
		k->dropped += c->dropped;
		k->h2 += c->h2;
	}
}

static void add_db(struct use *u, struct look_limited *k)
{
	struct go_place len = k->p;
	uint64_t n;

	if (look_field_u64(u->l, u->io, k->p, "numOpen", &n))
		k->conns = n;
	if (look_field_u64(u->l, u->io, k->p, "waitCount", &n))
		k->waited = n;
	len.at += 8; /* the slice's second word */
	if (look_field_u64(u->l, u->io, len, "freeConn", &n))
		k->idle = MIN(n, k->conns);
}

struct err *look_limits_use(const struct look *l, struct go_io *io, struct look_limits *x)
{
	size_t n;
	_cleanup_(freep) uint8_t *is_conn = look_want_type(l, "net/http.conn", &n);
	struct use u = {
		.l = l, .io = io, .x = x, .is_conn = is_conn, .clock = look_clock_ns(l->s)
	};
	_cleanup_(freep) gnode *root_of = zalloc(l->s->stacks.gs.n + 1, sizeof(*root_of));
	struct err *err = is_conn && root_of ? read_conns(&u) : &err_nomem;

	if (err)
		return err;
	for (size_t i = 0; i < l->s->roots.n; i++)
		if (l->s->roots.v[i].kind == SNAP_ROOT_GOROUTINE &&
		    l->s->roots.v[i].goroutine < l->s->stacks.gs.n)
			root_of[l->s->roots.v[i].goroutine] = (gnode)(1 + i);
	u.root_of = root_of;
	err = see_goroutines(&u);
	sort_users(x);
	if (!err)
		err = look_limits_bodies(l, io, root_of, x);
	if (err)
		return err;
	add_conns(&u);
	for (size_t i = 0; i < x->v.n; i++)
		if (x->v.v[i].kind == LOOK_DB)
			add_db(&u, &x->v.v[i]);
	return NULL;
}
