/*
 * slice_waste.c - slices with much more capacity than elements, by where they are kept.
 *
 * Growing by append leaves at most half of an array free, so only arrays that use three eighths
 * or less are counted; what lies in structs of Go's own library and in pools is theirs.  All
 * references to the array must be slices that we know, and the longest of them counts.
 * A few slices of no elements are buffers that somebody fills again and again: information.
 * A second pass over the slices, only if the first saw enough: O(slices).
 */
#include "find/content.h"
#include "find/priv.h"

#include <pthread.h>

enum { MAX_VIEWS = 1 << 23, MANY = 64 };

struct array {
	struct content_viewed seen;
	uint64_t bytes, used;
	uint32_t spot; /* of the view with the largest cap */
};

struct work {
	struct find *f;
	const struct content *c;
	pthread_mutex_t lock;
	VEC(struct look_view) views;
	VEC(struct array) v;
	struct content_spares spares;
};

static struct err *see(void *arg, const struct look_view *v)
{
	struct work *w = arg;
	bool ok;

	if (!go_bit(w->c->spare, v->object))
		return NULL;
	pthread_mutex_lock(&w->lock);
	ok = w->views.n >= MAX_VIEWS || vec_push(&w->views, *v);
	pthread_mutex_unlock(&w->lock);
	return ok ? NULL : &err_nomem;
}

static int by_array(const void *x, const void *y)
{
	const struct look_view *p = x, *q = y;

	if (p->object != q->object)
		return p->object < q->object ? -1 : 1;
	return (p->at > q->at) - (p->at < q->at);
}

/* Views [lo, hi) of one array: false if it is well used, or not seen from its begin on. */
static bool measure(const struct work *w, size_t lo, size_t hi, struct array *r)
{
	uint64_t cap = 0;
	taddr base = content_data(&w->f->l, w->views.v[lo].object, &r->bytes);

	for (size_t i = lo; i < hi; i++) {
		const struct look_view *v = &w->views.v[i];
		uint64_t at = v->data - base;

		if (i > lo && v->at == v[-1].at)
			continue;
		r->seen.nviews++;
		if (v->data < base || at > r->bytes || v->cap > r->bytes - at)
			return false;
		r->used = MAX(r->used, at + v->len);
		if (v->cap > cap)
			r->spot = v->spot;
		cap = MAX(cap, v->cap);
	}
	r->seen.id = w->views.v[lo].object;
	return cap >= r->bytes / 2 && (r->bytes - r->used) * 8 >= r->bytes * 5;
}

static struct err *see_arrays(struct work *w)
{
	if (w->views.n)
		qsort(w->views.v, w->views.n, sizeof(w->views.v[0]), by_array);
	for (size_t i = 0, next; i < w->views.n; i = next) {
		struct array r = { 0 };
		bool spare;
		struct err *err;

		for (next = i + 1;
		     next < w->views.n && w->views.v[next].object == w->views.v[i].object; next++)
			;
		if (!measure(w, i, next, &r) || look_spot_std(w->c->spots, r.spot) ||
		    look_is_pooled(&w->f->l, &w->c->pooled,
				   graph_node_of_object(w->f->l.g, r.seen.id)))
			continue;
		err = content_is_spare(&w->f->l, &w->spares, &w->views.v[i], r.seen.nviews, &spare);
		if (err)
			return err;
		if (spare && !vec_push(&w->v, r))
			return &err_nomem;
	}
	return NULL;
}

static uint64_t freed(const struct look *l, const struct array *r)
{
	return r->bytes - MIN(content_slot(l, r->used), r->bytes);
}

static int by_spot(const void *x, const void *y)
{
	const struct array *p = x, *q = y;

	if (p->spot != q->spot)
		return p->spot < q->spot ? -1 : 1;
	if (p->bytes - p->used != q->bytes - q->used)
		return p->bytes - p->used > q->bytes - q->used ? -1 : 1;
	return (p->seen.id > q->seen.id) - (p->seen.id < q->seen.id);
}

static const char *fix_of(struct find *f, const char *spot, const char *elem)
{
	const char *clone = find_go_minor(f) >= 21
				    ? "slices.Clone(s)"
				    : keepf(&f->keep, "append([]%s(nil), s...)", elem);

	return keepf(&f->keep,
		     "Give %s the capacity that it needs: a smaller one in make, or, once it is "
		     "complete, %s; slices.Clip lowers only the capacity and frees nothing.  What "
		     "is emptied with s = s[:0] keeps the largest array it ever had: set it to nil "
		     "above a limit.",
		     spot, clone);
}

static struct err *say(struct work *w, size_t lo, size_t hi)
{
	struct find *f = w->f;
	struct finding x = { .verdict = FIND_WASTE,
			     .proof = FIND_MEASURED,
			     .goroutine = FIND_NO_GOROUTINE,
			     .confirm = "limpet slices PID" };
	const struct look_spot *spot = look_spot_at(w->c->spots, w->v.v[lo].spot);
	const struct go_type *elem = go_type_at(f->l.s->rtypes, spot->of->elem);
	const char *name = look_spot_name(w->c->spots, w->v.v[lo].spot), *owner, *key;
	_cleanup_(freep) gnode *nodes = zalloc(hi - lo, sizeof(*nodes));
	uint64_t used = 0, bytes = 0, empty = 0;

	if (!nodes)
		return &err_nomem;
	for (size_t i = lo; i < hi; i++) {
		const struct array *r = &w->v.v[i];

		nodes[i - lo] = graph_node_of_object(f->l.g, r->seen.id);
		x.bytes += freed(&f->l, r);
		used += r->used;
		bytes += r->bytes;
		empty += !r->used;
	}
	if (x.bytes < content_floor(f))
		return NULL;
	x.count = hi - lo;
	if (empty * 2 > x.count && x.count < MANY && x.bytes < f->l.g->reached_bytes / 4)
		x.verdict = FIND_INFO;
	owner = content_owner(f, nodes, hi - lo, &key);
	x.node = nodes[0];
	x.type = spot->of->name;
	x.title = keepf(&f->keep, "%s in %s%s: %s of %s are used, the rest is spare capacity",
			content_count(f, x.count, "slice", "slices"), name,
			content_under(f, owner, name), content_bytes(f, used),
			content_bytes(f, bytes));
	x.key = keepf(&f->keep, "%s|%s", name, key);
	x.fix = fix_of(f, name, elem ? elem->name : "T");
	if (empty)
		x.detail = keepf(&f->keep, "%s without any element",
				 content_count(f, empty, "slice", "slices"));
	return find_say(f, &x);
}

static bool any_enough(const struct find *f, const struct content *c)
{
	for (size_t i = 0; i < c->spare_bytes.n; i++)
		if (c->spare_bytes.v[i] >= content_floor(f) / 2)
			return true;
	return false;
}

static struct err *fill(struct work *w)
{
	struct err *err = look_views(w->c->spots, w->c->holders, 1U << GO_SLICE, see, w);

	if (!err)
		err = see_arrays(w);
	if (!err && w->v.n)
		err = content_drop_others(&w->f->l, w->v.v, sizeof(*w->v.v), &w->v.n);
	if (!err && w->v.n)
		qsort(w->v.v, w->v.n, sizeof(w->v.v[0]), by_spot);
	for (size_t i = 0, next; i < w->v.n && !err; i = next) {
		for (next = i + 1; next < w->v.n && w->v.v[next].spot == w->v.v[i].spot; next++)
			;
		err = say(w, i, next);
	}
	return err;
}

static struct err *run(struct find *f)
{
	struct work w = { .f = f, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct err *err = content_of(f, &w.c);

	if (!err && w.c->want_spare && any_enough(f, w.c))
		err = fill(&w);
	vec_free(&w.views);
	vec_free(&w.spares.of);
	vec_free(&w.v);
	return err;
}

const struct detector detect_slice_waste = {
	.name = "slice-waste",
	.about = "slices with much more capacity than elements",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
