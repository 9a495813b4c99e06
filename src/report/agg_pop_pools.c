/*
 * agg_pop_pools.c - sync.Pools: what lies in them by P, what the last cycle left over, New.
 *
 * A pool is known by its type where it lies (a field, a variable with DWARF), else by its shape:
 * a global word that points to an array of one poolLocal a P, with the other fields of a
 * sync.Pool around it that fit (its size is the number of Ps, New is a function or nil).
 * Source: sync/pool.go.
 */
#include "report/pop_priv.h"

#include "goruntime/funcs.h"

enum { IMAGE_MAX = 256, MAX_PS = 1 << 16 };

static const struct pop_col cols[] = {
	{ "retained_bytes", "retained", POP_BYTES, POP_SUM },
	{ "bytes", "bytes", POP_BYTES, POP_SUM },
	{ "values", "values", POP_COUNT, POP_SUM },
	{ "private", "private", POP_COUNT, POP_SUM },
	{ "shared", "shared", POP_COUNT, POP_SUM },
	{ "victims", "victims", POP_COUNT, POP_SUM },
	{ "largest_bytes", "largest", POP_BYTES, 0 },
	{ "ps", "Ps", POP_COUNT, POP_JSON_ONLY },
	{ "evidence", "known by", POP_TEXT, 0 },
	{ "addr", "addr", POP_ADDR, 0 },
	{ "place", "place", POP_TEXT, 0 },
	{ "elem_type", "holds", POP_TEXT, 0 },
	{ "new", "New", POP_TEXT, 0 },
	{ .form = POP_END },
};
enum {
	C_RETAINED,
	C_BYTES,
	C_VALUES,
	C_PRIVATE,
	C_SHARED,
	C_VICTIMS,
	C_LARGEST,
	C_PS,
	C_EVIDENCE,
	C_ADDR,
	C_PLACE,
	C_ELEM,
	C_NEW
};

struct found {
	taddr at;
	uint64_t object, off;
	uint32_t var;
	const char *place; /* NULL: by object or variable */
};

struct work {
	struct agg *a;
	struct pop_table *t;
	struct go_io io;
	const struct go_type *pool;
	uint64_t local_off, size_off, victim_off, victim_size_off, new_off, nps;
	pthread_mutex_t lock;
	VEC(struct found) v;
	uint64_t values, bytes, bad;
};

static bool offset_of(struct work *w, const char *field, uint64_t *ret)
{
	const struct go_type *t;

	return go_type_path(w->a->s->rtypes, w->pool, field, ret, &t) && *ret + 8 <= w->pool->bytes;
}

static bool know_pool(struct work *w)
{
	struct go_types *ts = w->a->s->rtypes;

	w->pool = go_type_at(ts, go_type_named(ts, "sync.Pool"));
	return w->pool && w->pool->bytes <= IMAGE_MAX && offset_of(w, "local", &w->local_off) &&
	       offset_of(w, "localSize", &w->size_off) && offset_of(w, "victim", &w->victim_off) &&
	       offset_of(w, "victimSize", &w->victim_size_off) && offset_of(w, "New", &w->new_off);
}

static struct err *see(void *arg, const struct snap_place *p)
{
	struct work *w = arg;
	struct found f = { .at = p->at, .object = p->object, .off = p->off, .var = p->var };
	bool ok;

	if (p->type != w->pool)
		return NULL;
	pthread_mutex_lock(&w->lock);
	ok = vec_push(&w->v, f);
	pthread_mutex_unlock(&w->lock);
	return ok ? NULL : &err_nomem;
}

/* nil, or the value of a function. */
static bool is_func(const struct work *w, taddr fn)
{
	struct go_func f;
	uint64_t pc = 0;
	struct err *err = fn ? go_read_u64(w->a->s->go, fn, &pc) : NULL;

	if (err) {
		err_free(err);
		return false;
	}
	return !fn || (go_func_at(w->a->s->go, pc, &f) && f.entry == pc);
}

/* Would a sync.Pool lie around the word at `at`, its field local? */
static bool looks_like_pool(const struct work *w, taddr at, taddr *ret)
{
	uint8_t b[IMAGE_MAX];
	uint64_t size, victim_size;
	struct err *err;

	*ret = at - w->local_off;
	err = target_read(w->a->s->t, *ret, b, w->pool->bytes);
	if (err) {
		err_free(err);
		return false;
	}
	size = load_u64(b + w->size_off);
	victim_size = load_u64(b + w->victim_size_off);
	if (size != w->nps || (victim_size && victim_size != w->nps) ||
	    !victim_size != !load_u64(b + w->victim_off))
		return false;
	return is_func(w, load_u64(b + w->new_off));
}

/* Is the object large enough for one poolLocal a P, and no other type known? */
static bool may_be_locals(const struct work *w, uint64_t id, taddr value)
{
	const struct snapshot *s = w->a->s;
	const struct go_type *l = go_type_at(s->rtypes, go_type_named(s->rtypes, "sync.poolLocal"));
	uint64_t slot;
	taddr base = go_heap_address(&s->heap, id, &slot);
	const struct go_span *sp = go_heap_span_of(&s->heap, id);

	if (!l || !sp || value != base + go_span_header(sp) || slot < w->nps * l->bytes)
		return false;
	return !snapshot_is_typed(s, id) || s->types.v[s->type_of[id]].rtype == l->addr;
}

static int by_address(const void *x, const void *y)
{
	const struct found *p = x, *q = y;

	return (p->at > q->at) - (p->at < q->at);
}

static bool is_found(const struct work *w, size_t n, taddr at)
{
	struct found want = { .at = at };

	return n && bsearch(&want, w->v.v, n, sizeof(w->v.v[0]), by_address);
}

/* local of one in use, or victim of one that a cycle has just emptied. */
static struct err *find_by_shape(struct work *w)
{
	const struct snapshot *s = w->a->s;
	size_t known = w->v.n;

	for (size_t r = 0; r < s->roots.n; r++) {
		const struct snap_root *root = &s->roots.v[r];

		if (root->kind != SNAP_ROOT_GLOBAL)
			continue;
		for (uint64_t i = root->first_slot;
		     i < root->first_slot + root->nslots && i < s->slots.n; i++) {
			const struct snap_slot *sl = &s->slots.v[i];
			struct found f = { .object = GO_NO_OBJECT,
					   .var = UINT32_MAX,
					   .place = root->name };

			if (sl->object == GO_NO_OBJECT ||
			    !may_be_locals(w, sl->object, sl->value) ||
			    !looks_like_pool(w, sl->at, &f.at) || is_found(w, known, f.at))
				continue;
			if (!vec_push(&w->v, f))
				return &err_nomem;
		}
	}
	return NULL;
}

struct contents {
	struct work *w;
	struct pop_row *r;
	const struct go_type *elem;
	bool mixed;
};

static enum go_cont_go_on see_value(void *arg, const struct go_cont_entry *e)
{
	struct contents *c = arg;
	struct work *w = c->w;
	struct go_place v = e->elem;
	struct pop_cell *cell = c->r->c;
	uint64_t id, slot = 0, retained;
	taddr at = 0;
	struct err *err = NULL;

	if (v.type && v.type->kind == GO_INTERFACE)
		err = go_iface_value(&w->io, w->a->s->rtypes, e->elem, &v);
	if (!err && v.type && v.type->kind == GO_POINTER)
		err = go_read_u64(w->a->s->go, v.at, &at);
	else
		at = v.at;
	err_free(err);
	cell[C_VALUES].n++;
	cell[!strcmp(e->label, "private")  ? C_PRIVATE
	     : !strcmp(e->label, "shared") ? C_SHARED
					   : C_VICTIMS]
		.n++;
	c->mixed |= c->elem && v.type != c->elem;
	c->elem = v.type;
	id = at ? go_heap_object_at(&w->a->s->heap, at) : GO_NO_OBJECT;
	if (id == GO_NO_OBJECT)
		return CONT_ON;
	go_heap_address(&w->a->s->heap, id, &slot);
	retained = pop_object_reached(w->a, id)
			   ? pop_retained(w->a, graph_node_of_object(w->a->g, id))
			   : slot;
	cell[C_BYTES].n += slot;
	cell[C_RETAINED].n += retained == POP_NONE ? slot : retained;
	cell[C_LARGEST].n = MAX(cell[C_LARGEST].n, retained == POP_NONE ? slot : retained);
	return CONT_ON;
}

static const char *name_of(struct work *w, const struct found *f)
{
	return f->place ? f->place : pop_place_name(w->a, f->object, f->off, f->var);
}

static struct err *offer(struct work *w, const struct found *f)
{
	struct pop_row r = { .node = GRAPH_NONE };
	struct contents c = { .w = w, .r = &r };
	struct go_place p = { f->at, w->pool };
	uint64_t fn = 0;
	struct err *err = go_cont_each(go_cont_of(w->a->s->rtypes, w->pool), &w->io,
				       w->a->s->rtypes, p, see_value, &c);

	if (err && (err->code == ERR_NOMEM || err->code == ERR_GONE))
		return err;
	w->bad += err != NULL;
	err_free(err);
	err_free(go_read_u64(w->a->s->go, f->at + w->new_off, &fn));
	if (f->object != GO_NO_OBJECT)
		r.node = graph_node_of_object(w->a->g, f->object);
	r.c[C_PS].n = w->nps;
	r.c[C_EVIDENCE].s = f->place ? "shape" : "type";
	r.c[C_ADDR].n = f->at;
	r.c[C_PLACE].s = name_of(w, f);
	r.c[C_ELEM].s = c.mixed ? "(several types)" : c.elem && c.elem->name ? c.elem->name : "";
	r.c[C_NEW].s = fn ? pop_func_name(w->a, fn) : "";
	w->values += r.c[C_VALUES].n;
	w->bytes += r.c[C_RETAINED].n;
	return pop_offer(w->t, &r);
}

static struct err *find_shapes(struct work *w)
{
	uint64_t allp[2] = { 0 };

	if (w->a->s->go->v.allp)
		err_free(target_read(w->a->s->t, w->a->s->go->v.allp, allp, sizeof(allp)));
	w->nps = allp[1];
	return w->nps && w->nps <= MAX_PS ? find_by_shape(w) : NULL;
}

struct err *pop_pool_words(struct agg *a, struct err *(*fn)(void *arg, taddr at), void *arg)
{
	struct work w = { .a = a };
	struct err *err = !a->s->dump && know_pool(&w) ? find_shapes(&w) : NULL;

	for (size_t i = 0; i < w.v.n && !err; i++) {
		err = fn(arg, w.v.v[i].at + w.local_off);
		if (!err)
			err = fn(arg, w.v.v[i].at + w.victim_off);
	}
	vec_free(&w.v);
	return err;
}

static struct err *gather(struct work *w)
{
	_cleanup_(pop_reached_deinit) struct pop_reached reached = { 0 };
	struct err *err = pop_reached_make(w->a, &reached);

	if (!err)
		err = snapshot_each_place(w->a->s, reached.bits, w->a->nthreads, 1u << GO_STRUCT,
					  see, w);
	if (err)
		return err;
	if (w->v.n)
		qsort(w->v.v, w->v.n, sizeof(w->v.v[0]), by_address);
	return find_shapes(w);
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	struct err *err = know_pool(w) ? gather(w) : NULL;

	if (!err && w->v.n)
		qsort(w->v.v, w->v.n, sizeof(w->v.v[0]), by_address);
	for (size_t i = 0; i < w->v.n && !err; i++)
		if (!i || w->v.v[i].at != w->v.v[i - 1].at)
			err = offer(w, &w->v.v[i]);
	if (!err)
		err = pop_total(p, "pools", "pools", POP_COUNT, w->t->total);
	if (!err)
		err = pop_total(p, "values", "values in them", POP_COUNT, w->values);
	if (!err)
		err = pop_total(p, "retained_bytes", "retained by these", POP_BYTES, w->bytes);
	if (!err)
		err = pop_total(p, "unreadable", "unreadable", POP_COUNT, w->bad);
	return err ? err : pop_settle(w->a, w->t, NULL, NULL);
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct work w = { .a = a, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct err *err = go_io_init_sparse(&w.io, a->s->go);

	if (err)
		return err;
	w.t = pop_table_add(p, "rows", "pools", cols, ask->sort ? ask->sort : "retained_bytes",
			    ask->limit);
	err = fill(&w, p);
	vec_free(&w.v);
	go_io_deinit(&w.io);
	return err;
}

const struct pop_family pop_pools = {
	.name = "pools",
	.cols = cols,
	.sort = "retained_bytes",
	.needs = POP_NEEDS_RUNTIME,
	.make = make,
};
