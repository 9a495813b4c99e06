/*
 * unclosed_body.c - answers of http clients whose Body was neither read to its end nor closed.
 *
 * Each keeps its connection, its buffers and two goroutines of the library.  Three sorts a
 * Transport: dropped (nothing of the program's reaches the body: proved), dropped with a context
 * that may still end it, and held by something that is no goroutine at work.
 */
#include "find/unclosed.h"

enum { MANY = 16, LEVELS_MAX = 4 };

struct sum {
	uint64_t n, bytes, stacks, objects;
	size_t example; /* index in conns */
};

static uint64_t stack_of(const struct look *l, size_t g)
{
	const struct go_goroutine *gr;

	if (g >= l->s->stacks.gs.n)
		return 0;
	gr = &l->s->stacks.gs.v[g];
	return gr->stack_hi - gr->stack_lo;
}

static void add(const struct look *l, struct sum *s, const struct look_limits *x, size_t i)
{
	const struct look_conn *c = &x->conns.v[i];
	gnode body = c->body == GO_NO_OBJECT ? 0 : graph_node_of_object(l->g, c->body);

	if (!s->n++)
		s->example = i;
	s->bytes += l->g->retained[graph_node_of_object(l->g, c->id)];
	if (body)
		s->bytes += l->g->retained[body];
	s->stacks += stack_of(l, c->reader) + stack_of(l, c->writer);
}

/* Nodes that goroutines have in their frames. */
static uint8_t *in_frames(const struct look *l)
{
	const struct graph *g = l->g;
	uint8_t *bits = zalloc(g->n / 8 + 1, 1);

	for (gnode r = 1; bits && r <= g->nroots; r++)
		for (uint32_t e = graph_first(g, r); e < graph_last(g, r); e++)
			if (l->s->roots.v[r - 1].kind == SNAP_ROOT_GOROUTINE)
				bits[g->to[e] >> 3] |= (uint8_t)(1 << (g->to[e] & 7));
	return bits;
}

static bool is_below(const struct graph *g, gnode v, gnode top)
{
	for (unsigned i = 0; i < 64 && v && v != GRAPH_NONE; i++, v = g->idom[v])
		if (v == top)
			return true;
	return false;
}

/* Of the library only the answer itself is what a program keeps. */
static bool is_inner(const struct snapshot *s, uint64_t id)
{
	const struct snap_type *t = &s->types.v[s->type_of[id]];
	const char *name = t->name ? t->name : "";

	return (!strncmp(name, "http.", 5) && strcmp(name, "http.Response") != 0 &&
		strcmp(name, "http.Client") != 0) ||
	       !strncmp(name, "closure of net/http.", 20);
}

/* An object of the program that points at v; GRAPH_NONE.  One pass over the edges. */
static gnode pointer_at(const struct look *l, gnode v)
{
	const struct graph *g = l->g;

	for (gnode p = g->nroots + 1; p < g->n; p++) {
		if (!graph_reached(g, p))
			continue;
		for (uint32_t e = graph_first(g, p); e < graph_last(g, p); e++)
			if (g->to[e] == v && p != v && !is_inner(l->s, graph_object(g, p)) &&
			    !is_below(g, p, v))
				return p;
	}
	return GRAPH_NONE;
}

/* The library's reader has the answer in its frames (from 1.23 on): who else has it? */
static struct err *keeper_of(const struct look *l, gnode v, gnode *ret)
{
	_cleanup_(freep) uint8_t *frames = in_frames(l);

	*ret = v;
	if (!frames)
		return &err_nomem;
	for (unsigned level = 0; level < LEVELS_MAX && (frames[v >> 3] >> (v & 7) & 1); level++) {
		v = pointer_at(l, v);
		if (v == GRAPH_NONE)
			return NULL;
		*ret = v;
	}
	return NULL;
}

static struct err *say_dropped(struct find *f, const struct look_limits *x, const struct sum *s,
			       size_t owner, uint8_t verdict)
{
	const struct look_conn *c = &x->conns.v[s->example];
	bool leak = verdict == FIND_LEAK;
	struct finding y = unclosed_begin(verdict, leak ? FIND_PROVED : FIND_MEASURED);

	y.title = keepf(&f->keep,
			"%" PRIu64 " HTTP answers were dropped without Body.Close: each keeps a "
			"connection and two goroutines%s",
			s->n,
			leak ? ", for nothing can close it any more"
			     : " until its request's context ends");
	y.type = "net/http.Response";
	y.node = graph_node_of_object(f->l.g, c->id);
	if (owner != SIZE_MAX && x->v.v[owner].node != GRAPH_NONE) {
		/* its connections lead to it, too: who made it does not stand in their way */
		gnode client = pointer_at(&f->l, x->v.v[owner].node);

		y.node = client != GRAPH_NONE ? client : x->v.v[owner].node;
	}
	y.goroutine = c->reader;
	y.key = leak ? "body dropped" : "body dropped, context";
	y.fix = "Close each answer's body on every way out, also where the status is not what was "
		"expected: `resp, err := client.Do(req); if err != nil { return err }; defer "
		"resp.Body.Close()`, before the status is looked at.  Reading it to its end "
		"(io.Copy(io.Discard, resp.Body)) lets the connection be used again.";
	y.mitigate = "http.Client.Timeout ends them all after a time.";
	y.decide =
		leak ? NULL
		     : "Whether the context of these requests ends: a second look after the longest "
		       "request.";
	y.confirm = "limpet audit TARGET";
	y.bytes = s->bytes;
	y.stack_bytes = s->stacks;
	y.objects = s->n;
	y.count = s->n;
	return find_say(f, &y);
}

static struct err *say_held(struct find *f, const struct look_limits *x, const struct sum *s)
{
	const struct look_conn *c = &x->conns.v[s->example];
	struct finding y = unclosed_begin(FIND_SUSPECT, FIND_MEASURED);
	struct err *err = keeper_of(&f->l, graph_node_of_object(f->l.g, c->body), &y.node);

	if (err)
		return err;
	y.title = keepf(&f->keep,
			"%" PRIu64
			" HTTP answers are kept with their Body open, and no goroutine reads "
			"them",
			s->n);
	y.type = "net/http.Response";
	y.goroutine = c->reader;
	y.key = "body held";
	y.fix = "Keep what was read from the answer, not the *http.Response: read and close its body "
		"before it is stored in {holder}.";
	y.decide = "A second look: the same answers are still there and still open (limpet report "
		   "--since).";
	y.confirm = "limpet audit TARGET";
	y.bytes = s->bytes;
	y.stack_bytes = s->stacks;
	y.objects = s->n;
	y.count = s->n;
	return find_say(f, &y);
}

/* Of one Transport; SIZE_MAX: those whose Transport is not known. */
static struct err *one(struct find *f, const struct look_limits *x, size_t owner)
{
	struct sum dropped = { 0 }, ending = { 0 }, held = { 0 };
	struct err *err = NULL;

	for (size_t i = 0; i < x->conns.n; i++) {
		const struct look_conn *c = &x->conns.v[i];

		if (c->state != LOOK_CONN_UNREAD || c->owner != owner)
			continue;
		if (c->dropped)
			add(&f->l, c->can_end ? &ending : &dropped, x, i);
		else if (!c->in_use)
			add(&f->l, &held, x, i);
	}
	if (dropped.n >= MANY)
		err = say_dropped(f, x, &dropped, owner, FIND_LEAK);
	if (!err && ending.n >= MANY)
		err = say_dropped(f, x, &ending, owner, FIND_SUSPECT);
	if (!err && held.n >= MANY)
		err = say_held(f, x, &held);
	return err;
}

struct err *unclosed_bodies(struct find *f, const struct look_limits *x)
{
	struct err *err = NULL;

	for (size_t i = 0; i < x->v.n && !err; i++)
		if (x->v.v[i].kind == LOOK_TRANSPORT && x->v.v[i].open_bodies >= MANY)
			err = one(f, x, i);
	return err ? err : one(f, x, SIZE_MAX);
}
