/*
 * pins.c - buffers of which nothing but small views is left.
 *
 * A pin is an object whose references are all headers of strings and slices that we know (as
 * many as the graph has edges to it), which together show a quarter of it or less.  Another
 * reference (a *T, an unsafe.Pointer, a word on a stack) may see all of it: then nothing is said.
 *
 * A slice that begins the object and whose cap reaches to its end is one of two things: the front
 * of something that was read into a buffer, or spare capacity that was never used.  What lies
 * behind len tells: zeroes are capacity (slice-waste).
 *
 * Of arrays with pointers also what only their hidden elements hold would be freed.
 * O(views log views); one pass over the graph's edges if there is anything to say.
 */
#include "find/pins.h"

enum { SHARE = 4, MAX_EDGES = 1 << 22, MAX_HIDDEN = 1 << 14 };

struct pin {
	struct content_viewed seen;
	size_t view;	/* the first one, in content.pins */
	uint64_t bytes; /* of its slot */
	uint64_t visible;
	uint64_t freed;
	uint64_t objects; /* freed besides */
	uint32_t spot;
	bool string;
};
typedef VEC(struct pin) pin_vec;

struct work {
	struct find *f;
	const struct content *c;
	enum pin_kind kind;
	pin_vec v;
	struct content_spares spares;
};

static int by_data(const void *x, const void *y)
{
	const struct look_view *p = x, *q = y;

	return (p->data > q->data) - (p->data < q->data);
}

uint64_t pins_visible(struct look_view *v, size_t n, taddr base, uint64_t size)
{
	uint64_t sum = 0, end = 0;

	qsort(v, n, sizeof(*v), by_data);
	for (size_t i = 0; i < n; i++) {
		uint64_t lo = v[i].data - base, hi;

		if (v[i].data < base || lo >= size)
			continue;
		hi = lo + MIN(v[i].len, size - lo);
		lo = MAX(lo, end);
		if (hi > lo)
			sum += hi - lo;
		end = MAX(end, hi);
	}
	return sum;
}

/* Is the place a scratch buffer of Go's own library, or one that is refilled? */
static bool scratch(const struct work *w, const struct look_view *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (look_spot_std(w->c->spots, v[i].spot))
			return true;
	return false;
}

static struct err *see(struct work *w, size_t lo, size_t hi)
{
	const struct look *l = &w->f->l;
	struct look_view *v = &w->c->pins.v[lo];
	struct pin p = { .seen = { v->object, hi - lo }, .view = lo };
	bool spare;
	taddr base = content_data(l, p.seen.id, &p.bytes);
	struct err *err;

	p.visible = pins_visible(v, hi - lo, base, p.bytes);
	if (p.visible > p.bytes / SHARE)
		return NULL;
	p.spot = v->spot;
	p.string = v->string;
	if ((w->kind == PIN_SUBSTRING) != p.string)
		return NULL;
	err = content_is_spare(l, &w->spares, v, hi - lo, &spare);
	if (err || spare || scratch(w, v, hi - lo) ||
	    look_is_pooled(l, &w->c->pooled, graph_node_of_object(l->g, p.seen.id)))
		return err;
	p.freed = p.bytes - MIN(content_slot(l, p.visible), p.bytes);
	return vec_push(&w->v, p) ? NULL : &err_nomem;
}

/* What an array's elements point to, by whether a view shows the element. */
struct held {
	gnode node;
	bool seen;
};
struct holding {
	const struct look *l;
	const struct look_view *v;
	size_t n;
	taddr base; /* of the slot */
	VEC(struct held) held;
};

static struct err *see_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg, (void)id, (void)type, (void)word0;
	return NULL;
}

static void see_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg, (void)addr, (void)nbytes;
}

static struct err *see_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct holding *h = arg;
	struct held x = { .node = look_node_at(h->l, value) };
	size_t lo = 0, hi = h->n;

	(void)before;
	if (x.node == GRAPH_NONE || h->held.n >= MAX_EDGES ||
	    h->l->g->idom[x.node] != graph_node_of_object(h->l->g, id))
		return NULL;
	while (lo < hi) { /* last view that begins at or before it */
		size_t mid = lo + (hi - lo) / 2;

		if (h->v[mid].data <= h->base + at)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i-- > 0 && i + 64 >= lo && !x.seen;)
		x.seen = h->base + at - h->v[i].data < h->v[i].len;
	return vec_push(&h->held, x) ? NULL : &err_nomem;
}

static int by_node(const void *x, const void *y)
{
	const struct held *p = x, *q = y;

	if (p->node != q->node)
		return p->node < q->node ? -1 : 1;
	return (int)q->seen - (int)p->seen;
}

/* What only hidden elements hold goes with them. */
static struct err *add_hidden(struct work *w, struct pin *p)
{
	static const struct go_scan_ops ops = { see_object, see_pointer, see_lost, NULL };
	const struct look *l = &w->f->l;
	struct holding h = { .l = l, .v = &w->c->pins.v[p->view], .n = p->seen.nviews };
	const struct go_span *sp = go_heap_span_of(&l->s->heap, p->seen.id);
	struct err *err;

	if (!sp || sp->noscan || l->s->dump)
		return NULL;
	h.base = go_heap_address(&l->s->heap, p->seen.id, NULL);
	err = go_heap_scan_object(l->s->go, &l->s->heap, p->seen.id, &ops, &h);
	if (!err && h.held.n)
		qsort(h.held.v, h.held.n, sizeof(h.held.v[0]), by_node);
	for (size_t i = 0; i < h.held.n && !err; i++) {
		if (h.held.v[i].seen || (i && h.held.v[i].node == h.held.v[i - 1].node))
			continue;
		p->freed += l->g->retained[h.held.v[i].node];
		p->objects++;
	}
	vec_free(&h.held);
	return err;
}

static int by_spot(const void *x, const void *y)
{
	const struct pin *p = x, *q = y;

	if (p->spot != q->spot)
		return p->spot < q->spot ? -1 : 1;
	if (p->freed != q->freed)
		return p->freed > q->freed ? -1 : 1;
	return (p->seen.id > q->seen.id) - (p->seen.id < q->seen.id);
}

struct group {
	uint64_t n, views, bytes, visible, freed, objects;
	const char *spot, *owner, *owner_key, *type;
	bool sampled;
};

static struct err *add_up(struct work *w, size_t lo, size_t hi, struct group *g)
{
	const struct graph *graph = w->f->l.g;
	_cleanup_(freep) gnode *nodes = zalloc(hi - lo, sizeof(*nodes));
	unsigned shift = w->c->pin_shift;

	if (!nodes)
		return &err_nomem;
	for (size_t i = lo; i < hi; i++) {
		const struct pin *p = &w->v.v[i];

		g->n++;
		g->views += p->seen.nviews;
		g->bytes += p->bytes;
		g->visible += p->visible;
		g->freed += p->freed;
		g->objects += p->objects;
		nodes[i - lo] = graph_node_of_object(graph, p->seen.id);
	}
	g->n <<= shift;
	g->views <<= shift;
	g->bytes <<= shift;
	g->visible <<= shift;
	g->freed <<= shift;
	g->objects <<= shift;
	g->sampled = shift;
	g->spot = look_spot_name(w->c->spots, w->v.v[lo].spot);
	g->owner = content_owner(w->f, nodes, hi - lo, &g->owner_key);
	g->type = look_spot_at(w->c->spots, w->v.v[lo].spot)->of->name;
	return NULL;
}

static const char *detail_of(struct find *f, const struct group *g)
{
	return keepf(&f->keep, "on average %s of %s can be seen%s",
		     content_bytes(f, g->visible / MAX(g->n, 1)),
		     content_bytes(f, g->bytes / MAX(g->n, 1)),
		     g->sampled ? "; figures from a sample" : "");
}

static struct err *say_substrings(struct work *w, const struct group *g, struct finding *x)
{
	struct find *f = w->f;

	x->title = keepf(&f->keep,
			 "%s in %s%s, %s in all, keep%s %s of text alive, and nothing else does",
			 content_count(f, g->views, "string", "strings"), g->spot,
			 content_under(f, g->owner, g->spot), content_bytes(f, g->visible),
			 g->views == 1 ? "s" : "", content_bytes(f, g->bytes));
	x->fix = keepf(&f->keep,
		       "Where %s is filled, store a copy and not a part: strings.Clone(part).  A "
		       "substring shares the memory of the string that it was cut from.",
		       g->spot);
	return find_say(f, x);
}

static struct err *say_subslices(struct work *w, const struct group *g, struct finding *x)
{
	struct find *f = w->f;

	x->title =
		keepf(&f->keep,
		      "%s in %s%s, %s in all, keep%s arrays of %s%s alive, and nothing else does",
		      content_count(f, g->views, "slice", "slices"), g->spot,
		      content_under(f, g->owner, g->spot), content_bytes(f, g->visible),
		      g->views == 1 ? "s" : "", content_bytes(f, g->bytes),
		      g->objects ? keepf(&f->keep, " with %s behind hidden elements",
					 content_count(f, g->objects, "object", "objects"))
				 : "");
	x->fix = keepf(
		&f->keep,
		"Where %s is filled, store a copy and not a part: %s.  s[i:j] shares the whole "
		"array; slices.Clip lowers only the capacity and frees nothing.%s",
		g->spot,
		find_go_minor(f) >= 21 ? "slices.Clone(part)" : "append([]T(nil), part...)",
		g->objects ? "  Where elements are taken off with s = s[1:], set them to nil "
			     "first: s[0] = nil."
			   : "");
	return find_say(f, x);
}

static struct err *say(struct work *w, size_t lo, size_t hi)
{
	struct group g = { 0 };
	struct finding x = { .verdict = FIND_WASTE, .goroutine = FIND_NO_GOROUTINE };
	struct err *err = add_up(w, lo, hi, &g);

	if (err || g.freed < content_floor(w->f))
		return err;
	x.proof = g.sampled ? FIND_INFERRED : FIND_MEASURED;
	x.node = graph_node_of_object(w->f->l.g, w->v.v[lo].seen.id);
	x.type = g.type;
	x.bytes = g.freed;
	x.objects = g.n + g.objects;
	x.count = g.views;
	x.key = keepf(&w->f->keep, "%s|%s", g.spot, g.owner_key);
	x.detail = detail_of(w->f, &g);
	x.confirm = w->kind == PIN_SUBSTRING ? "limpet strings PID" : "limpet slices PID";
	return w->kind == PIN_SUBSTRING ? say_substrings(w, &g, &x) : say_subslices(w, &g, &x);
}

static struct err *gather(struct work *w)
{
	const struct content *c = w->c;
	struct err *err = NULL;

	for (size_t i = 0, next; i < c->pins.n && !err; i = next) {
		for (next = i + 1;
		     next < c->pins.n && c->pins.v[next].object == c->pins.v[i].object; next++)
			;
		err = see(w, i, next);
	}
	return err;
}

static struct err *say_all(struct work *w)
{
	struct err *err = NULL;

	if (w->v.n)
		qsort(w->v.v, w->v.n, sizeof(w->v.v[0]), by_spot);
	for (size_t i = 0, next; i < w->v.n && !err; i = next) {
		for (next = i + 1; next < w->v.n && w->v.v[next].spot == w->v.v[i].spot; next++)
			;
		err = say(w, i, next);
	}
	return err;
}

struct err *pins_run(struct find *f, enum pin_kind kind)
{
	struct work w = { .f = f, .kind = kind };
	struct err *err = content_of(f, &w.c);

	if (err || !w.c->want_pins || !w.c->pins.n)
		return err;
	err = gather(&w);
	if (!err && w.v.n)
		err = content_drop_others(&f->l, w.v.v, sizeof(*w.v.v), &w.v.n);
	for (size_t i = 0; i < w.v.n && i < MAX_HIDDEN && !err; i++)
		err = add_hidden(&w, &w.v.v[i]);
	if (!err)
		err = say_all(&w);
	vec_free(&w.v);
	vec_free(&w.spares.of);
	return err;
}
