/*
 * unclosed_db.c - connections of a sql.DB that are in use by rows, transactions or nobody.
 *
 * A driverConn that is in use is held by the pool's own list; who will give it back is who has the
 * Rows, the Tx, the Conn, or has it in a frame.  Nobody: it is lost for the pool, proved.  One pass
 * over all edges, only where many are in use: what a frame alone holds has no type to find it by.
 * Source: database/sql/sql.go (driverConn, Rows, Tx, Conn; (*Rows).awaitDone keeps rows whose
 * context can end).
 */
#include "find/unclosed.h"

enum { MANY = 8 };

struct use {
	uint64_t id; /* driverConn */
	gnode node;
	taddr at, db;
	gnode holder;  /* Rows, Tx, Conn, or what else points at it; 0 none */
	bool in_frame; /* of a goroutine: it, or what has it */
	bool awaited;  /* of sql's own goroutine that waits for the context's end */
};

struct held {
	gnode by;
	size_t use;
};

struct search {
	struct find *f;
	struct go_io *io;
	VEC(struct use) v;	  /* ascending by node */
	VEC(struct held) holders; /* ascending by by */
};

static struct err *see_conn(const struct look *l, void *arg, uint64_t id)
{
	struct search *s = arg;
	struct go_place p = unclosed_place(l, id);
	struct use u = { .id = id, .at = p.at, .node = graph_node_of_object(l->g, id) };
	uint64_t used = 0, closed = 0;

	if (!look_field_u64(l, s->io, p, "inUse", &used) || !(used & 0xff) ||
	    (look_field_u64(l, s->io, p, "closed", &closed) && (closed & 0xff)) ||
	    !look_field_u64(l, s->io, p, "db", &u.db))
		return NULL;
	return vec_push(&s->v, u) ? NULL : &err_nomem;
}

static int by_node(const void *x, const void *y)
{
	const struct use *p = x, *q = y;

	return (p->node > q->node) - (p->node < q->node);
}

static int by_holder(const void *x, const void *y)
{
	const struct held *p = x, *q = y;

	if (p->by != q->by)
		return p->by < q->by ? -1 : 1;
	return (p->use > q->use) - (p->use < q->use);
}

/* The pool's own lists, and what hangs under the connection itself, give nothing back. */
static bool is_pools(const struct look *l, gnode v, gnode conn)
{
	const struct snapshot *s = l->s;
	const struct snap_type *t = &s->types.v[s->type_of[graph_object(l->g, v)]];
	gnode up = v;

	if (t->kind == SNAP_TYPE_MAP || t->kind == SNAP_TYPE_PART ||
	    (t->name && !strcmp(t->name, "[]sql.connStmt")))
		return true;
	for (unsigned i = 0; i < 64 && up && up != GRAPH_NONE; i++, up = l->g->idom[up])
		if (up == conn)
			return true;
	return false;
}

static bool is_awaiting(const struct look *l, const struct go_goroutine *gr)
{
	struct go_func f;

	return go_func_at(l->s->go, gr->start_pc, &f) && f.name &&
	       (strstr(f.name, "awaitDone") || strstr(f.name, "initContextClose"));
}

static void see_root(struct search *s, gnode root, struct use *u)
{
	const struct look *l = &s->f->l;
	const struct snap_root *r = &l->s->roots.v[root - 1];

	if (r->kind != SNAP_ROOT_GOROUTINE || r->goroutine >= l->s->stacks.gs.n)
		return;
	if (is_awaiting(l, &l->s->stacks.gs.v[r->goroutine]))
		u->awaited = true;
	else
		u->in_frame = true;
}

/* Everything that points at one of them: one pass over the edges. */
static struct err *see_edges(struct search *s)
{
	const struct graph *g = s->f->l.g;
	gnode lo = s->v.v[0].node, hi = s->v.v[s->v.n - 1].node;

	for (gnode v = 1; v < g->n; v++) {
		if (!graph_reached(g, v))
			continue;
		for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++) {
			struct use key = { .node = g->to[e] }, *u;

			if (key.node < lo || key.node > hi)
				continue;
			u = bsearch(&key, s->v.v, s->v.n, sizeof(key), by_node);
			if (u && !graph_is_object(g, v))
				see_root(s, v, u);
			else if (u && !is_pools(&s->f->l, v, u->node) &&
				 !vec_push(&s->holders, ((struct held){ v, (size_t)(u - s->v.v) })))
				return &err_nomem;
		}
	}
	return NULL;
}

/* Who has what has it in a frame. */
static void see_frames(struct search *s)
{
	const struct graph *g = s->f->l.g;

	for (gnode r = 1; r <= g->nroots; r++) {
		if (s->f->l.s->roots.v[r - 1].kind != SNAP_ROOT_GOROUTINE)
			continue;
		for (uint32_t e = graph_first(g, r); e < graph_last(g, r); e++) {
			size_t a = 0, b = s->holders.n;

			while (a < b) {
				size_t mid = a + (b - a) / 2;

				if (s->holders.v[mid].by < g->to[e])
					a = mid + 1;
				else
					b = mid;
			}
			for (; a < s->holders.n && s->holders.v[a].by == g->to[e]; a++)
				see_root(s, r, &s->v.v[s->holders.v[a].use]);
		}
	}
}

/* Rows rather than closures that have it: it is what the program knows. */
static void choose_holders(struct search *s)
{
	const struct look *l = &s->f->l;

	for (size_t i = 0; i < s->holders.n; i++) {
		struct use *u = &s->v.v[s->holders.v[i].use];
		gnode by = s->holders.v[i].by;
		const struct snap_type *t = &l->s->types.v[l->s->type_of[graph_object(l->g, by)]];

		if (!u->holder || (t->name && !strncmp(t->name, "sql.", 4)))
			u->holder = by;
	}
}

static void name_it(struct find *f, struct finding *y, taddr db)
{
	gnode node = look_node_at(&f->l, db);

	y->type = "database/sql.DB";
	if (node != GRAPH_NONE)
		y->node = node;
	y->fix =
		"Close what a query gives: `rows, err := db.Query(…); if err != nil { return err }; "
		"defer rows.Close()`; for one row QueryRow(…).Scan, which closes by itself; end each "
		"transaction with `defer tx.Rollback()` behind Begin.";
	y->mitigate =
		"A context with a deadline for each query (QueryContext) gives connections back "
		"when it ends.";
	y->confirm = "limpet audit TARGET";
}

static struct err *say(struct find *f, const struct search *s, taddr db)
{
	struct finding lost = unclosed_begin(FIND_LEAK, FIND_PROVED);
	struct finding awaited = unclosed_begin(FIND_SUSPECT, FIND_MEASURED);
	struct finding kept = unclosed_begin(FIND_SUSPECT, FIND_MEASURED);
	struct err *err = NULL;

	name_it(f, &lost, db);
	name_it(f, &awaited, db);
	name_it(f, &kept, db);
	kept.node = GRAPH_NONE;
	for (size_t i = 0; i < s->v.n; i++) {
		const struct use *u = &s->v.v[i];
		struct finding *y = &kept;

		if (u->db != db || u->in_frame)
			continue;
		if (u->awaited)
			y = &awaited;
		else if (!u->holder)
			y = &lost;
		else if (kept.node == GRAPH_NONE)
			kept.node = u->holder;
		y->count++;
		y->bytes += f->l.g->retained[graph_node_of_object(f->l.g, u->id)];
	}
	if (lost.count >= MANY) {
		lost.key = "rows dropped";
		lost.objects = lost.count;
		lost.title = keepf(&f->keep,
				   "%" PRIu64
				   " connections of a sql.DB are in use by rows or transactions "
				   "that were dropped without Close: the pool never gets them back",
				   lost.count);
		err = find_say(f, &lost);
	}
	if (!err && awaited.count >= MANY) {
		awaited.key = "rows dropped, context";
		awaited.objects = awaited.count;
		awaited.title =
			keepf(&f->keep,
			      "%" PRIu64 " connections of a sql.DB are in use by rows that were "
			      "dropped without Close and wait for their context's end",
			      awaited.count);
		awaited.decide =
			"Whether these contexts end: a second look after the longest request.";
		err = find_say(f, &awaited);
	}
	if (!err && kept.count >= MANY) {
		kept.type = NULL;
		kept.key = "rows held";
		kept.objects = kept.count;
		kept.title = keepf(&f->keep,
				   "%" PRIu64
				   " connections of a sql.DB are in use by rows or transactions "
				   "that are kept open, and no goroutine works with them",
				   kept.count);
		kept.decide =
			"A second look: the same rows are still open (limpet report --since).";
		err = find_say(f, &kept);
	}
	return err;
}

static struct err *search(struct search *s, const struct look_limits *x)
{
	size_t n;
	_cleanup_(freep) uint8_t *want = look_want_type(&s->f->l, "database/sql.driverConn", &n);
	struct err *err = want ? NULL : &err_nomem;

	if (!err && n)
		err = look_each_of(&s->f->l, want, see_conn, s);
	if (err || s->v.n < MANY)
		return err;
	qsort(s->v.v, s->v.n, sizeof(s->v.v[0]), by_node);
	err = see_edges(s);
	if (err)
		return err;
	if (s->holders.n)
		qsort(s->holders.v, s->holders.n, sizeof(s->holders.v[0]), by_holder);
	see_frames(s);
	choose_holders(s);
	for (size_t i = 0; i < x->v.n && !err; i++)
		if (x->v.v[i].kind == LOOK_DB)
			err = say(s->f, s, x->v.v[i].p.at);
	return err;
}

struct err *unclosed_rows(struct find *f, const struct look_limits *x)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct search s = { .f = f, .io = &io };
	bool any = false;
	struct err *err;

	for (size_t i = 0; i < x->v.n; i++)
		any |= x->v.v[i].kind == LOOK_DB && x->v.v[i].conns >= MANY;
	if (!any)
		return NULL;
	err = go_io_init_sparse(&io, f->l.s->go);
	if (!err)
		err = search(&s, x);
	vec_free(&s.v);
	vec_free(&s.holders);
	return err;
}
