/*
 * channel_backlog.c - values queued in channels, and nobody in sight who takes them.
 *
 * In sight: a goroutine whose stack has the channel and that does not wait to send on it; or one
 * that is at work and has what holds the channel.  A queue that is being emptied looks the same as
 * one that is not, for an instant: a suspect at most.  Goroutines that wait to send to what nothing
 * reaches any more are goroutine-leak's.
 * Cost: a pass over the channels that keep much; over the roots' slots if there is one.
 */
#include "base/str.h"
#include "find/liveness.h"
#include "find/priv.h"
#include "find/stacks.h"

#include <stdlib.h>

enum { QUEUED_MIN = 16, CHANS_MAX = 1 << 12, EDGES_LOOKED = 64 };
/* A channel's head and what its size class adds; a struct that a global holds. */
enum { HCHAN_MAX = 256, HCHAN_SLACK = 32, STRUCT_MAX = 512, VARIABLES_MAX = 64 };

struct backlog {
	gnode node;
	taddr at;
	const char *type; /* of the elements */
	uint64_t len, cap, senders, bytes;
	taddr variable; /* the global that alone holds it; 0: none */
	bool receiver;	/* in sight */
};

struct work {
	struct find *f;
	const struct liveness *v;
	struct go_io io;
	VEC(struct backlog) found; /* ascending by node */
	uint64_t least;
};

/* "chan func()": the channel's type in words is made from its element's. */
static bool holds_closures(const struct backlog *b)
{
	return strstr(b->type, "func(") != NULL;
}

static taddr variable_of(const struct look *l, gnode v)
{
	gnode r = look_owner(l, v);
	bool global = r && r != GRAPH_NONE && l->s->roots.v[r - 1].kind == SNAP_ROOT_GLOBAL;

	return global ? l->s->roots.v[r - 1].addr : 0;
}

/* name NULL: made from the element's type. */
static struct err *consider(struct work *w, uint64_t id, const struct go_type *elem,
			    const char *name)
{
	const struct look *l = &w->f->l;
	struct go_type ch = { .kind = GO_CHAN, .elem = elem->addr, .bytes = 8 };
	gnode v = graph_node_of_object(l->g, id);
	struct backlog b = { .node = v, .bytes = l->g->retained[v] };
	const struct go_span *sp = go_heap_span_of(&l->s->heap, id);
	struct go_place p = { .type = &ch };
	struct look_facts facts;
	struct err *err;

	p.at = go_heap_address(&l->s->heap, id, NULL) + (sp ? go_span_header(sp) : 0);
	err = look_facts_read(l, &w->io, p, &facts);
	if (err || facts.bad)
		return err;
	b.at = p.at;
	b.len = look_fact(&facts, "len", 0);
	b.cap = look_fact(&facts, "cap", 0);
	b.senders = look_fact(&facts, "senders", 0);
	b.variable = variable_of(l, v);
	if (b.len + b.senders < QUEUED_MIN || b.len < b.cap / 2 ||
	    look_fact(&facts, "receivers", 0))
		return NULL;
	b.type = name ? name : keepf(l->keep, "chan %s", elem->name ? elem->name : "?");
	return vec_push(&w->found, b) ? NULL : &err_nomem;
}

static bool keeps_much(const struct work *w, uint64_t id)
{
	gnode v = graph_node_of_object(w->f->l.g, id);

	return w->f->l.g->retained[v] >= w->least / 64 && w->found.n < CHANS_MAX;
}

static struct err *typed(const struct look *l, void *arg, uint64_t id)
{
	struct work *w = arg;
	const struct snap_type *t = &l->s->types.v[l->s->type_of[id]];
	const struct go_type *elem = t->rtype ? go_type_at(l->s->rtypes, t->rtype) : NULL;

	if (!elem || !keeps_much(w, id))
		return NULL;
	return consider(w, id, elem, t->name);
}

/*
 * A channel that no typed place leads to: its head names the type of its elements, and that type
 * has their size; chan.go, makechan.
 */
static struct err *untyped(struct work *w, uint64_t id, const struct go_span *sp)
{
	const struct snapshot *s = w->f->l.s;
	const struct go_layout *L = s->go->L;
	taddr at = go_heap_address(&s->heap, id, NULL) + go_span_header(sp), type;
	const struct go_type *elem;
	uint8_t b[HCHAN_MAX];
	struct err *err = go_io_read(&w->io, at, b, L->hchan_bytes);

	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	type = go_get(b, L->hchan_elemtype);
	if (!go_get(b, L->hchan_dataqsiz) || (type & 7) || !go_module_of_type(s->go, type) ||
	    go_heap_object_at(&s->heap, go_get(b, L->hchan_buf)) == GO_NO_OBJECT)
		return NULL;
	elem = go_type_at(s->rtypes, type);
	if (!elem || elem->bytes != go_get(b, L->hchan_elemsize))
		return NULL;
	return consider(w, id, elem, NULL);
}

static struct err *collect_untyped(struct work *w)
{
	const struct snapshot *s = w->f->l.s;
	uint64_t head = s->go->L->hchan_bytes;
	struct err *err = NULL;

	for (size_t i = 0; i < s->heap.spans.n && !err && head && head <= HCHAN_MAX; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		if (sp->noscan || sp->elem_bytes < head || sp->elem_bytes > head + HCHAN_SLACK)
			continue;
		for (uint64_t id = sp->first; id < sp->first + sp->nelems && !err; id++)
			if (look_reached(&w->f->l, id) && !snapshot_is_typed(s, id) &&
			    keeps_much(w, id))
				err = untyped(w, id, sp);
	}
	return err;
}

static struct backlog *found_at(struct work *w, gnode v)
{
	size_t lo = 0, hi = w->found.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->found.v[mid].node < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->found.n && w->found.v[lo].node == v ? &w->found.v[lo] : NULL;
}

/* Is it one that waits to send there? */
static bool is_sender(const struct work *w, size_t g, const struct backlog *b)
{
	const struct go_waits *waits = &w->f->l.s->waits;
	const struct go_waiter *x;

	if (w->v->waiter[g] == UINT32_MAX)
		return false;
	x = &waits->v.v[w->v->waiter[g]];
	for (size_t i = x->first; i < x->first + x->n && x->what != GO_WAIT_RECEIVE; i++)
		if (look_node_at(&w->f->l, waits->things.v[i].at) == b->node)
			return true;
	return false;
}

static bool is_at_work(const struct work *w, size_t g)
{
	const struct go_goroutine *gr = &w->f->l.s->stacks.gs.v[g];
	const char *status = go_status_name(gr->status);

	if (gr->id == 1 || gr->system)
		return false;
	return strcmp(status, "waiting") != 0 ||
	       !strcmp(go_wait_reason(w->f->l.s->go, gr->wait_reason), "sleep");
}

static void see(struct work *w, size_t g, gnode v)
{
	const struct graph *gr = w->f->l.g;
	struct backlog *b = found_at(w, v);

	if (b && !b->receiver && !is_sender(w, g, b))
		b->receiver = true;
	if (b || !is_at_work(w, g))
		return;
	for (uint32_t e = graph_first(gr, v);
	     e < MIN(graph_last(gr, v), graph_first(gr, v) + EDGES_LOOKED); e++) {
		b = found_at(w, gr->to[e]);
		if (b && !is_sender(w, g, b))
			b->receiver = true;
	}
}

/* A struct that is a global itself, and has the channel in a field: no object has it. */
static void see_variable(struct work *w, size_t g, taddr value)
{
	for (size_t i = 0; i < w->found.n; i++) {
		struct backlog *b = &w->found.v[i];

		if (b->variable && value <= b->variable && b->variable - value < STRUCT_MAX &&
		    !is_sender(w, g, b))
			b->receiver = true;
	}
}

static void see_variables(struct work *w, size_t g)
{
	const struct go_stacks *st = &w->f->l.s->stacks;
	struct trange data = w->f->l.s->go->modules[0].data;

	if (!is_at_work(w, g) || w->found.n > VARIABLES_MAX)
		return;
	for (size_t k = st->slot_first.v[g]; k < st->slot_first.v[g + 1]; k++)
		if (trange_has(data, st->slots.v[k].value))
			see_variable(w, g, st->slots.v[k].value);
}

/* All that goroutines that still run have on their stacks. */
static void look_for_receivers(struct work *w)
{
	const struct look *l = &w->f->l;

	for (size_t g = 0; g < w->v->n; g++) {
		gnode root = w->v->root[g];

		if (!root || w->v->state[g] == LEAK_PROVED)
			continue;
		for (uint32_t e = graph_first(l->g, root); e < graph_last(l->g, root); e++)
			see(w, g, l->g->to[e]);
		see_variables(w, g);
	}
}

static const char *place(struct work *w, const struct backlog *b)
{
	gnode r = look_owner(&w->f->l, b->node);

	return r && r != GRAPH_NONE ? look_owner_name(&w->f->l, b->node) : "";
}

static const char *place_key(struct work *w, const struct backlog *b)
{
	gnode r = look_owner(&w->f->l, b->node);

	return r && r != GRAPH_NONE ? find_root_key(w->f, r - 1) : "";
}

static struct err *say(struct work *w, const struct backlog *b, uint64_t n, uint64_t bytes)
{
	struct keep *keep = &w->f->keep;
	bool full = b->len == b->cap;
	char size[16];
	struct finding x = {
		.verdict = FIND_SUSPECT,
		.proof = FIND_MEASURED,
		.bytes = bytes,
		.node = b->node,
		.goroutine = FIND_NO_GOROUTINE,
		.count = b->len,
		.type = b->type,
		.key = keepf(keep, "%s %s", place_key(w, b), b->type),
		.fix = "{holder}: start who receives from it, and let it go on until the channel is "
		       "closed; send in a select with <-ctx.Done() or default, and count what is dropped; "
		       "a smaller capacity shows the fault sooner",
		.mitigate = "whoever sends should stop, or drop, until the queue is empty",
		.decide =
			"limpet report PID --since SNAPSHOT: a queue that is emptied has other values "
			"in it, or fewer",
		.confirm = "limpet chans PID --sort len: its queue is short",
	};

	x.title = keepf(
		keep,
		"%" PRIu64 " of %" PRIu64 " values%s wait in a %s%s%s, and no goroutine is in "
		"sight that receives%s: %s",
		b->len, b->cap, holds_closures(b) ? " (functions with what they captured)" : "",
		b->type, n > 1 ? keepf(keep, " (and in %" PRIu64 " more like it)", n - 1) : "",
		*place(w, b) ? keepf(keep, " of %s", place(w, b)) : "",
		b->senders ? keepf(keep, ", %" PRIu64 " wait to send", b->senders)
		: full	   ? ", it is full"
			   : "",
		str_bytes(size, bytes));
	if (b->senders || full)
		x.certainty = 600;
	return find_say(w->f, &x);
}

static int by_place(const void *p, const void *q)
{
	const struct backlog *a = p, *b = q;
	int c = strcmp(a->type, b->type);

	if (c)
		return c;
	return a->bytes < b->bytes   ? 1
	       : a->bytes > b->bytes ? -1
				     : (a->node > b->node) - (a->node < b->node);
}

/* One finding an element's type: where there are many such channels, they have one maker. */
static struct err *say_groups(struct work *w)
{
	struct err *err = NULL;

	qsort(w->found.v, w->found.n, sizeof(w->found.v[0]), by_place);
	for (size_t i = 0, k; i < w->found.n && !err; i = k) {
		const struct backlog *best = NULL;
		uint64_t bytes = 0, n = 0;

		for (k = i; k < w->found.n && !strcmp(w->found.v[k].type, w->found.v[i].type);
		     k++) {
			if (w->found.v[k].receiver)
				continue;
			best = best ? best : &w->found.v[k];
			bytes += w->found.v[k].bytes;
			n++;
		}
		if (best && bytes >= w->least)
			err = say(w, best, n, bytes);
	}
	return err;
}

static void work_deinit(struct work *w)
{
	go_io_deinit(&w->io);
	vec_free(&w->found);
}

static struct err *collect(struct work *w)
{
	const struct snapshot *s = w->f->l.s;
	_cleanup_(freep) uint8_t *want = zalloc(s->types.n + 1, 1);

	struct err *err;

	if (!want)
		return &err_nomem;
	for (size_t i = 1; i < s->types.n; i++)
		want[i] = s->types.v[i].kind == SNAP_TYPE_CHAN;
	err = look_each_of(&w->f->l, want, typed, w);
	return err ? err : collect_untyped(w);
}

static int by_node(const void *p, const void *q)
{
	const struct backlog *a = p, *b = q;

	return (a->node > b->node) - (a->node < b->node);
}

static struct err *run(struct find *f)
{
	_cleanup_(work_deinit) struct work w = { .f = f, .least = find_least_bytes(f) };
	struct err *err = NULL;

	if (!f->l.s->type_of || !f->l.g->retained)
		return NULL;
	err = go_io_init_sparse(&w.io, f->l.s->go);
	if (!err)
		err = collect(&w);
	if (!err)
		err = find_liveness(f, &w.v);
	if (err || !w.found.n)
		return err;
	qsort(w.found.v, w.found.n, sizeof(w.found.v[0]), by_node);
	look_for_receivers(&w);
	return say_groups(&w);
}

const struct detector detect_channel_backlog = {
	.name = "channel-backlog",
	.about = "values queued in channels that nobody drains",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
