/*
 * agg_pop_strings.c - strings: equal ones stored many times, the longest, small views of big ones.
 *
 * A view is one string header.  Views that overlap share one storage, named after the longest
 * that begins first; only different storages of equal text are duplicates.  Contents are
 * compared by a 128-bit hash and their length.  Of a storage that has an object for itself
 * the whole slot counts, of others their length.  What equal text in the executable costs
 * is no heap and not counted, but a duplicate of it could be freed altogether.
 * O(views log views), 24 bytes a view, one sequential read of all text.
 */
#include "report/pop_priv.h"

#include <xxhash.h>

enum { TEXT_SHOWN = 48, CHUNK = 1 << 16, PIN_MIN_BYTES = 512 };

static const struct pop_col cols[] = {
	{ "waste_bytes", "to be freed", POP_BYTES, POP_SUM },
	{ "copies", "copies", POP_COUNT, POP_SUM },
	{ "refs", "strings", POP_COUNT, POP_SUM },
	{ "len", "len", POP_BYTES, 0 },
	{ "bytes", "bytes", POP_BYTES, POP_SUM },
	{ "addr", "one of them", POP_ADDR, 0 },
	{ "place", "place", POP_TEXT, POP_FILLED },
	{ "value", "value", POP_TEXT, POP_FILLED },
	{ .form = POP_END },
};
enum { C_WASTE, C_COPIES, C_REFS, C_LEN, C_BYTES, C_ADDR, C_PLACE, C_VALUE };

static const struct pop_col long_cols[] = {
	{ "len", "len", POP_BYTES, POP_SUM },
	{ "refs", "strings", POP_COUNT, POP_SUM },
	{ "addr", "addr", POP_ADDR, 0 },
	{ "place", "place", POP_TEXT, POP_FILLED },
	{ "value", "value", POP_TEXT, POP_FILLED },
	{ .form = POP_END },
};
enum { L_LEN, L_REFS, L_ADDR, L_PLACE, L_VALUE };

static const struct pop_col pin_cols[] = {
	{ "pinned_bytes", "pinned", POP_BYTES, POP_SUM },
	{ "visible_bytes", "visible", POP_BYTES, POP_SUM },
	{ "refs", "strings", POP_COUNT, POP_SUM },
	{ "addr", "buffer", POP_ADDR, 0 },
	{ "place", "place", POP_TEXT, POP_FILLED },
	{ "value", "value", POP_TEXT, POP_FILLED },
	{ .form = POP_END },
};
enum { P_PINNED, P_VISIBLE, P_REFS, P_ADDR, P_PLACE, P_VALUE };

struct view {
	taddr data;
	uint64_t len : 40;
	uint64_t in_var : 1;
	uint64_t : 23;
	uint32_t holder; /* object id, or index of a variable */
	uint32_t off;
};
typedef VEC(struct view) view_vec;

struct storage {
	taddr data;
	uint64_t len, bytes;
	uint64_t refs;
	uint64_t view; /* index of its first view */
	XXH128_hash_t hash;
};
typedef VEC(struct storage) storage_vec;

struct work {
	struct agg *a;
	unsigned values;
	struct pop_table *t, *longest, *pins;
	pthread_mutex_t lock;
	view_vec v;
	storage_vec st;
	uint64_t views, text_bytes, empty, outside;
	uint64_t contents, duplicates, bytes, waste, pinned, npinned, undecided, unreadable;
};

static struct err *see(void *arg, const struct snap_place *p)
{
	struct work *w = arg;
	struct view v = { .data = load_u64(p->bytes) };
	uint64_t len = load_u64(p->bytes + 8);
	bool heap = len && go_heap_object_at(&w->a->s->heap, v.data) != GO_NO_OBJECT;
	bool ok = true;

	v.len = MIN(len, ((uint64_t)1 << 40) - 1) & (((uint64_t)1 << 40) - 1);
	v.in_var = p->object == GO_NO_OBJECT;
	v.holder = v.in_var ? p->var : (uint32_t)p->object;
	v.off = (uint32_t)MIN(p->off, (uint64_t)UINT32_MAX);
	pthread_mutex_lock(&w->lock);
	w->views++;
	w->text_bytes += v.len;
	if (!len)
		w->empty++;
	else if (!heap)
		w->outside++;
	else
		ok = vec_push(&w->v, v);
	pthread_mutex_unlock(&w->lock);
	return ok ? NULL : &err_nomem;
}

/* The longest of those that begin together first. */
static int by_data(const void *x, const void *y)
{
	const struct view *p = x, *q = y;

	if (p->data != q->data)
		return p->data < q->data ? -1 : 1;
	if (p->len != q->len)
		return p->len > q->len ? -1 : 1;
	if (p->in_var != q->in_var)
		return p->in_var ? 1 : -1;
	if (p->holder != q->holder)
		return p->holder < q->holder ? -1 : 1;
	return (p->off > q->off) - (p->off < q->off);
}

/* What a storage costs: its slot, when that is its own. */
static uint64_t cost(const struct agg *a, taddr data, uint64_t len)
{
	const struct go_span *sp = go_heap_span_at(&a->s->heap, data);
	uint64_t id = go_heap_object_at(&a->s->heap, data), slot = 0;
	taddr base = id == GO_NO_OBJECT ? 0 : go_heap_address(&a->s->heap, id, &slot);

	return sp && !sp->tiny && base == data && len > slot / 2 ? slot : len;
}

static struct err *make_storages(struct work *w)
{
	struct storage *last = NULL;

	for (size_t i = 0; i < w->v.n; i++) {
		const struct view *v = &w->v.v[i];
		struct storage s = { .data = v->data, .len = v->len, .refs = 1, .view = i };

		if (last && v->data < last->data + last->len) {
			last->refs++;
			continue;
		}
		s.bytes = cost(w->a, s.data, s.len);
		if (!vec_push(&w->st, s))
			return &err_nomem;
		last = &w->st.v[w->st.n - 1];
	}
	return NULL;
}

/* Long text is hashed in pieces; what cannot be read is equal to nothing. */
static struct err *hash_one(struct work *w, struct go_io *io, XXH3_state_t *state,
			    struct storage *s)
{
	uint8_t buf[CHUNK];
	struct err *err = NULL;

	XXH3_128bits_reset(state);
	for (uint64_t at = 0; at < s->len && !err; at += sizeof(buf)) {
		size_t n = (size_t)MIN(s->len - at, (uint64_t)sizeof(buf));

		err = n > 4096 ? target_read(w->a->s->t, s->data + at, buf, n)
			       : go_io_read(io, s->data + at, buf, n);
		if (!err)
			XXH3_128bits_update(state, buf, n);
	}
	s->hash = XXH3_128bits_digest(state);
	if (err_catch(&err, ERR_FAULT)) {
		w->unreadable++;
		s->hash = (XXH128_hash_t){ s->data, s->len };
	}
	return err;
}

static struct err *hash_all(struct work *w)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	XXH3_state_t *state = XXH3_createState();
	struct err *err = state ? go_io_init(&io, w->a->s->go) : &err_nomem;

	for (size_t i = 0; i < w->st.n && !err; i++)
		err = hash_one(w, &io, state, &w->st.v[i]);
	XXH3_freeState(state);
	return err;
}

static int by_content(const void *x, const void *y)
{
	const struct storage *p = x, *q = y;
	int c = XXH128_cmp(&p->hash, &q->hash);

	if (c)
		return c;
	if (p->len != q->len)
		return p->len < q->len ? -1 : 1;
	return (p->data > q->data) - (p->data < q->data);
}

static bool same_content(const struct storage *p, const struct storage *q)
{
	return p->len == q->len && XXH128_isEqual(p->hash, q->hash);
}

static gnode node_of(const struct agg *a, taddr data)
{
	return pop_node_at(a, data);
}

static struct err *offer_content(struct work *w, size_t lo, size_t hi)
{
	const struct storage *s = &w->st.v[lo];
	struct pop_row r = { .node = node_of(w->a, s->data), .x = s->view };
	uint64_t one = 0;

	for (size_t i = lo; i < hi; i++) {
		r.c[C_REFS].n += w->st.v[i].refs;
		r.c[C_BYTES].n += w->st.v[i].bytes;
		one = MAX(one, w->st.v[i].bytes);
	}
	r.c[C_LEN].n = s->len;
	r.c[C_ADDR].n = s->data;
	r.c[C_COPIES].n = hi - lo;
	r.c[C_WASTE].n = r.c[C_BYTES].n - one;
	w->contents++;
	w->bytes += r.c[C_BYTES].n;
	w->waste += r.c[C_WASTE].n;
	if (hi - lo < 2)
		return NULL;
	w->duplicates += hi - lo - 1;
	return pop_offer(w->t, &r);
}

static struct err *offer_long(struct work *w, const struct storage *s)
{
	struct pop_row r = { .node = node_of(w->a, s->data), .x = s->view };

	r.c[L_LEN].n = s->len;
	r.c[L_REFS].n = s->refs;
	r.c[L_ADDR].n = s->data;
	return pop_offer(w->longest, &r);
}

/* Storages [lo, hi) lie in one object. */
static struct err *see_buffer(struct work *w, size_t lo, size_t hi, uint64_t id)
{
	gnode v = graph_node_of_object(w->a->g, id);
	uint64_t slot, visible = 0, refs = 0, in;
	taddr base = go_heap_address(&w->a->s->heap, id, &slot);
	struct pop_row r = { .node = v, .x = w->st.v[lo].view };

	for (size_t i = lo; i < hi; i++) {
		visible += w->st.v[i].len;
		refs += w->st.v[i].refs;
	}
	if (slot < PIN_MIN_BYTES || visible >= slot / 2 || !pop_object_reached(w->a, id))
		return NULL;
	in = w->a->g->rfirst ? w->a->g->rfirst[v + 1] - w->a->g->rfirst[v] : UINT64_MAX;
	if (in > refs) { /* others see it too, perhaps all of it */
		w->undecided++;
		return NULL;
	}
	w->npinned++;
	w->pinned += slot - visible;
	r.c[P_PINNED].n = slot - visible;
	r.c[P_VISIBLE].n = visible;
	r.c[P_REFS].n = refs;
	r.c[P_ADDR].n = base;
	return pop_offer(w->pins, &r);
}

static struct err *see_buffers(struct work *w)
{
	const struct go_heap *h = &w->a->s->heap;
	struct err *err = NULL;

	for (size_t i = 0, next; i < w->st.n && !err; i = next) {
		uint64_t id = go_heap_object_at(h, w->st.v[i].data);

		for (next = i + 1; next < w->st.n && go_heap_object_at(h, w->st.v[next].data) == id;
		     next++)
			;
		err = see_buffer(w, i, next, id);
		for (size_t k = i; k < next && !err; k++)
			err = offer_long(w, &w->st.v[k]);
	}
	return err;
}

static struct err *finish_with(struct work *w, struct pop_row *r, unsigned place, unsigned value)
{
	const struct view *v = &w->v.v[r->x];
	uint8_t buf[TEXT_SHOWN];
	size_t want = (size_t)MIN((uint64_t)v->len, (uint64_t)sizeof(buf)), got = 0;
	struct err *err = target_read_some(w->a->s->t, v->data, buf, want, &got);

	if (err && err->code != ERR_FAULT)
		return err;
	err_free(err);
	r->c[place].s = pop_place_name(w->a, v->in_var ? GO_NO_OBJECT : v->holder, v->off,
				       v->in_var ? v->holder : UINT32_MAX);
	r->c[value].s = got ? pop_value(w->a, w->values, buf, got, v->len) : NULL;
	return NULL;
}

static struct err *finish(struct agg *a, void *arg, struct pop_row *r)
{
	(void)a;
	return finish_with(arg, r, C_PLACE, C_VALUE);
}

static struct err *finish_long(struct agg *a, void *arg, struct pop_row *r)
{
	(void)a;
	return finish_with(arg, r, L_PLACE, L_VALUE);
}

static struct err *finish_pin(struct agg *a, void *arg, struct pop_row *r)
{
	(void)a;
	return finish_with(arg, r, P_PLACE, P_VALUE);
}

static struct err *totals(struct ans_pop *p, const struct work *w)
{
	const struct pop_total v[] = {
		{ "strings", "strings", POP_COUNT, w->views },
		{ "empty", "empty", POP_COUNT, w->empty },
		{ "outside", "in the executable or on stacks", POP_COUNT, w->outside },
		{ "storages", "stored in the heap", POP_COUNT, w->st.n },
		{ "bytes", "bytes of these", POP_BYTES, w->bytes },
		{ "contents", "different ones", POP_COUNT, w->contents },
		{ "duplicates", "duplicates", POP_COUNT, w->duplicates },
		{ "waste_bytes", "which one copy each would free", POP_BYTES, w->waste },
		{ "pinned", "buffers pinned by small strings", POP_COUNT, w->npinned },
		{ "pinned_bytes", "bytes pinned", POP_BYTES, w->pinned },
		{ "undecided", "perhaps pinned", POP_COUNT, w->undecided },
		{ "unreadable", "unreadable", POP_COUNT, w->unreadable },
	};
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(v) && !err; i++)
		err = pop_total(p, v[i].key, v[i].title, v[i].form, v[i].n);
	return err;
}

static struct err *offer_contents(struct work *w)
{
	struct err *err = NULL;

	if (w->st.n)
		qsort(w->st.v, w->st.n, sizeof(w->st.v[0]), by_content);
	for (size_t i = 0, next; i < w->st.n && !err; i = next) {
		for (next = i + 1; next < w->st.n && same_content(&w->st.v[i], &w->st.v[next]);
		     next++)
			;
		err = offer_content(w, i, next);
	}
	return err;
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	_cleanup_(pop_reached_deinit) struct pop_reached reached = { 0 };
	struct err *err = pop_reached_make(w->a, &reached);

	if (!err)
		err = snapshot_each_place(w->a->s, reached.bits, w->a->nthreads, 1u << GO_STRING,
					  see, w);
	if (!err && w->v.n)
		qsort(w->v.v, w->v.n, sizeof(w->v.v[0]), by_data);
	if (!err)
		err = make_storages(w);
	if (!err)
		err = see_buffers(w);
	if (!err)
		err = hash_all(w);
	if (!err)
		err = offer_contents(w);
	if (!err)
		err = totals(p, w);
	if (!err)
		err = pop_settle(w->a, w->t, finish, w);
	if (!err)
		err = pop_settle(w->a, w->longest, finish_long, w);
	return err ? err : pop_settle(w->a, w->pins, finish_pin, w);
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct work w = { .a = a, .values = ask->values, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct err *err;

	w.t = pop_table_add(p, "rows", "equal strings that are stored more than once", cols,
			    ask->sort ? ask->sort : "waste_bytes", ask->limit);
	w.longest = pop_table_add(p, "longest", "the longest", long_cols, "len",
				  MIN(ask->limit, (size_t)10));
	w.pins = pop_table_add(p, "pins", "buffers of which strings show only a small part",
			       pin_cols, "pinned_bytes", ask->limit);
	err = fill(&w, p);
	vec_free(&w.v);
	vec_free(&w.st);
	return err;
}

const struct pop_family pop_strings = {
	.name = "strings",
	.cols = cols,
	.sort = "waste_bytes",
	.needs = POP_NEEDS_RUNTIME | POP_NEEDS_REVERSE,
	.make = make,
};
