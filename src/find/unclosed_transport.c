/*
 * unclosed_transport.c - an http.Transport for each request: nothing uses them any more, and their
 * idle connections stay.
 *
 * Such a Transport is reached by its own connections alone (and what hangs under itself): no
 * request can find it.  One pass over all edges, only where there are many Transports with
 * connections.
 */
#include "find/unclosed.h"

enum { MANY = 16 };

struct transport {
	gnode node;
	size_t index; /* in x->v */
};

struct search {
	const struct look *l;
	const struct look_limits *x;
	uint8_t *own;		 /* bit by node: a connection, a goroutine of one */
	uint8_t *held;		 /* by index in x->v */
	VEC(struct transport) t; /* ascending by node */
};

static bool bit(const uint8_t *bits, gnode v)
{
	return bits[v >> 3] >> (v & 7) & 1;
}

static void set(uint8_t *bits, gnode v)
{
	bits[v >> 3] |= (uint8_t)(1 << (v & 7));
}

static size_t transport_at(const struct search *s, gnode v)
{
	size_t lo = 0, hi = s->t.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->t.v[mid].node < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->t.n && s->t.v[lo].node == v ? s->t.v[lo].index : SIZE_MAX;
}

static bool is_below(const struct graph *g, gnode v, gnode top)
{
	for (unsigned i = 0; i < 64 && v && v != GRAPH_NONE; i++, v = g->idom[v])
		if (v == top)
			return true;
	return false;
}

static void see_edges(struct search *s)
{
	const struct graph *g = s->l->g;
	gnode lo = s->t.v[0].node, hi = s->t.v[s->t.n - 1].node;

	for (gnode v = 1; v < g->n; v++) {
		if (!graph_reached(g, v) || bit(s->own, v))
			continue;
		for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++) {
			gnode to = g->to[e];
			size_t i = to < lo || to > hi ? SIZE_MAX : transport_at(s, to);

			if (i != SIZE_MAX && !s->held[i] && !is_below(g, v, to))
				s->held[i] = 1;
		}
	}
}

static struct err *mark_own(struct search *s)
{
	const struct snapshot *sn = s->l->s;
	size_t n = sn->stacks.gs.n;
	_cleanup_(freep) uint8_t *loop = zalloc(n + 1, 1);

	if (!loop)
		return &err_nomem;
	for (size_t i = 0; i < s->x->conns.n; i++) {
		const struct look_conn *c = &s->x->conns.v[i];

		set(s->own, graph_node_of_object(s->l->g, c->id));
		loop[MIN(c->reader, n)] = 1;
		loop[MIN(c->writer, n)] = 1;
	}
	for (size_t r = 0; r < sn->roots.n; r++)
		if (sn->roots.v[r].kind == SNAP_ROOT_GOROUTINE && sn->roots.v[r].goroutine < n &&
		    loop[sn->roots.v[r].goroutine])
			set(s->own, (gnode)(1 + r));
	return NULL;
}

static struct err *say(struct find *f, const struct search *s)
{
	const struct look_limits *x = s->x;
	struct finding y = unclosed_begin(FIND_LEAK, FIND_PROVED);
	uint64_t conns = 0;

	for (size_t i = 0; i < s->t.n; i++) {
		const struct look_limited *k = &x->v.v[s->t.v[i].index];

		if (s->held[s->t.v[i].index])
			continue;
		if (!y.count++)
			y.node = k->node;
		conns += k->conns;
		y.bytes += f->l.g->retained[k->node];
	}
	if (y.count < MANY)
		return NULL;
	for (size_t i = 0; i < x->conns.n; i++) {
		const struct look_conn *c = &x->conns.v[i];

		if (c->owner == SIZE_MAX || c->state == LOOK_CONN_CLOSED ||
		    x->v.v[c->owner].node == GRAPH_NONE || s->held[c->owner] ||
		    look_setting(&x->v.v[c->owner], "IdleConnTimeout", 0))
			continue;
		y.bytes += f->l.g->retained[graph_node_of_object(f->l.g, c->id)];
		y.goroutine = c->reader;
	}
	y.objects = y.count;
	y.type = "net/http.Transport";
	y.key = "transport a request";
	y.title = keepf(&f->keep,
			"%" PRIu64 " http.Transports that no request can use any more keep %" PRIu64
			" connections and their goroutines: a Transport was made for each request",
			y.count, conns);
	y.fix = "Make one http.Client with one Transport and use it for all requests (both are safe for "
		"concurrent use); where a Transport must be made for a while, CloseIdleConnections() at "
		"its end, and set IdleConnTimeout.";
	y.mitigate = "A shorter keep-alive timeout at the server closes them from there.";
	y.confirm = "limpet audit TARGET";
	return find_say(f, &y);
}

struct err *unclosed_transports(struct find *f, const struct look_limits *x)
{
	struct search s = { .l = &f->l, .x = x };
	struct err *err = NULL;

	for (size_t i = 0; i < x->v.n && !err; i++) {
		const struct look_limited *k = &x->v.v[i];

		if (k->kind != LOOK_TRANSPORT || !k->conns || k->node == GRAPH_NONE ||
		    look_setting(k, "IdleConnTimeout", 0))
			continue;
		if (!vec_push(&s.t, ((struct transport){ k->node, i })))
			err = &err_nomem;
	}
	if (!err && s.t.n >= MANY) {
		s.own = zalloc(f->l.g->n / 8 + 1, 1);
		s.held = zalloc(x->v.n, 1);
		err = s.own && s.held ? NULL : &err_nomem;
		if (!err)
			err = mark_own(&s);
		if (!err) {
			see_edges(&s);
			err = say(f, &s);
		}
	}
	free(s.own);
	free(s.held);
	vec_free(&s.t);
	return err;
}
