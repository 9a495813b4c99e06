/*
 * objwalk.c - the heap read once, object by object, with the graph's edges as the measure.
 *
 * What the memory says is believed where it agrees with the graph; else (a page that went, a list
 * of a heap dump) the graph's edges are told without their places.
 */
#include "report/objwalk.h"

#include "goruntime/heap_scan.h"

struct walk {
	struct agg *a;
	obj_fn *fn;
	void *arg;
	uint64_t next; /* id: those before it were told */
	uint64_t id;   /* being gathered; GO_NO_OBJECT */
	const struct go_span *span;
	VEC(struct obj_ref) refs;
};

static const struct go_span *span_of(struct walk *w, uint64_t id)
{
	const struct go_span *sp = w->span;

	if (!sp || id < sp->first || id - sp->first >= sp->nelems)
		w->span = sp = go_heap_span_of(&w->a->s->heap, id);
	return sp;
}

static bool agrees(const struct walk *w, const struct graph *g, gnode v)
{
	uint32_t first = graph_first(g, v);

	if (w->refs.n != graph_last(g, v) - first)
		return false;
	for (size_t i = 0; i < w->refs.n; i++)
		if (w->refs.v[i].to != g->to[first + i])
			return false;
	return true;
}

static struct err *take_edges(struct walk *w, gnode v)
{
	const struct graph *g = w->a->g;

	w->refs.n = 0;
	for (uint32_t e = graph_first(g, v); e < graph_last(g, v); e++)
		if (!vec_push(&w->refs, (struct obj_ref){ OBJWALK_NO_OFF, g->to[e] }))
			return &err_nomem;
	return NULL;
}

/* One object, whose pointers are in refs; clears them. */
static struct err *tell(struct walk *w, uint64_t id)
{
	const struct snapshot *s = w->a->s;
	gnode v = graph_node_of_object(w->a->g, id);
	struct obj o = { .node = v, .id = id, .span = span_of(w, id) };
	struct err *err = agrees(w, w->a->g, v) ? NULL : take_edges(w, v);

	if (!err && o.span) {
		o.bytes = o.span->elem_bytes;
		o.addr = o.span->base + (id - o.span->first) * o.bytes;
		o.type = s->type_of && s->type_of[id] < s->types.n ? s->type_of[id] : 0;
		o.refs = w->refs.v;
		o.n = w->refs.n;
		err = w->fn(w->arg, &o);
	}
	w->refs.n = 0;
	return err;
}

/* The one being gathered, then those that no memory was read of, up to end. */
static struct err *tell_to(struct walk *w, uint64_t end)
{
	struct err *err = NULL;

	if (w->id != GO_NO_OBJECT) {
		if (graph_reached(w->a->g, graph_node_of_object(w->a->g, w->id)))
			err = tell(w, w->id);
		w->next = w->id + 1;
		w->id = GO_NO_OBJECT;
	}
	w->refs.n = 0;
	for (; w->next < end && !err; w->next++)
		if (graph_reached(w->a->g, graph_node_of_object(w->a->g, w->next)))
			err = tell(w, w->next);
	return err;
}

static struct err *on_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	struct walk *w = arg;
	struct err *err = tell_to(w, id);

	(void)type, (void)word0;
	w->id = id;
	return err;
}

static struct err *on_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct walk *w = arg;
	uint64_t to = go_heap_object_at(&w->a->s->heap, value);

	(void)before;
	if (id != w->id || !snapshot_is_object(w->a->s, to))
		return NULL;
	return vec_push(&w->refs, (struct obj_ref){ at, graph_node_of_object(w->a->g, to) })
		       ? NULL
		       : &err_nomem;
}

static void on_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg, (void)addr, (void)nbytes;
}

static struct err *run(struct walk *w, struct go_scanner *sc)
{
	static const struct go_scan_ops ops = {
		.object = on_object,
		.pointer = on_pointer,
		.lost = on_lost,
	};
	const struct go_heap *h = &w->a->s->heap;
	struct err *err = go_scan_spans(sc, 0, h->spans.n, ops, w);

	return err ? err : tell_to(w, h->nobjects);
}

struct err *objwalk(struct agg *a, obj_fn *fn, void *arg)
{
	struct walk w = { .a = a, .fn = fn, .arg = arg, .id = GO_NO_OBJECT };
	struct go_scanner sc = { 0 };
	struct err *err = go_scanner_init(&sc, a->s->go, &a->s->heap);

	if (!err)
		err = run(&w, &sc);
	go_scanner_deinit(&sc);
	vec_free(&w.refs);
	return err;
}

struct err *objwalk_root(struct agg *a, uint32_t r, root_fn *fn, void *arg)
{
	const struct snapshot *s = a->s;
	const struct snap_root *root = &s->roots.v[r];
	struct err *err = NULL;

	for (uint64_t i = 0; i < root->nslots && !err; i++) {
		const struct snap_slot *sl = &s->slots.v[root->first_slot + i];

		if (snapshot_is_object(s, sl->object))
			err = fn(arg, sl, graph_node_of_object(a->g, sl->object));
	}
	return err;
}

struct err *obj_ranks_create(const struct graph *g, struct obj_ranks *ret)
{
	uint64_t words = (uint64_t)g->n / 64 + 1;
	struct obj_ranks r = { .g = g, .before = zalloc(words, sizeof(*r.before)) };

	if (!r.before)
		return &err_nomem;
	for (uint64_t i = 0; i < words; i++) {
		r.before[i] = (uint32_t)r.n;
		if (i < ((uint64_t)g->n + 63) / 64)
			r.n += (uint64_t)__builtin_popcountll(g->reached[i]);
	}
	*ret = r;
	return NULL;
}

struct err *obj_ids_choose(const struct agg *a, struct obj_ids *ret)
{
	const struct go_heap *h = &a->s->heap;
	taddr lo = h->spans.n ? h->spans.v[0].base : 0, hi = lo;

	if (h->spans.n)
		hi = h->spans.v[h->spans.n - 1].base + h->spans.v[h->spans.n - 1].bytes;
	/* arenas of 64 MiB that the runtime asks for lie side by side: runtime/malloc.go,
	 * mallocinit */
	ret->base = lo & ~(taddr)UINT32_MAX;
	if (hi - ret->base > UINT32_MAX)
		ret->base = lo & ~(((taddr)64 << 20) - 1);
	ret->by_node = hi - ret->base > UINT32_MAX;
	if (ret->by_node && a->g->n >= UINT32_MAX / 8)
		return err_new(
			ERR_LIMIT,
			"the file's ids have 32 bits: too few for a heap of %u slots that "
			"lies in more than 4 GiB; a pprof file has no such bound: --kind retention",
			a->g->n);
	return NULL;
}
