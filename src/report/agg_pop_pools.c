/*
 * agg_pop_pools.c - sync.Pools: what lies in them by P, what the last cycle left over, New.
 *
 * How they are found: find/look_pools.h.
 */
#include "find/look_pools.h"
#include "report/pop_priv.h"

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

struct work {
	struct agg *a;
	struct pop_table *t;
	struct go_io io;
	struct look_pools pools;
	uint64_t values, bytes, bad;
};

struct contents {
	struct work *w;
	struct pop_row *r;
	const struct go_type *elem;
	bool mixed;
};

static struct err *see_value(void *arg, const struct look_pool_value *v)
{
	struct contents *c = arg;
	struct work *w = c->w;
	struct pop_cell *cell = c->r->c;
	uint64_t slot = 0, retained;

	cell[C_VALUES].n++;
	cell[!strcmp(v->label, "private")  ? C_PRIVATE
	     : !strcmp(v->label, "shared") ? C_SHARED
					   : C_VICTIMS]
		.n++;
	c->mixed |= c->elem && v->type != c->elem;
	c->elem = v->type;
	if (v->object == GO_NO_OBJECT)
		return NULL;
	go_heap_address(&w->a->s->heap, v->object, &slot);
	retained = pop_object_reached(w->a, v->object)
			   ? pop_retained(w->a, graph_node_of_object(w->a->g, v->object))
			   : slot;
	cell[C_BYTES].n += slot;
	cell[C_RETAINED].n += retained == POP_NONE ? slot : retained;
	cell[C_LARGEST].n = MAX(cell[C_LARGEST].n, retained == POP_NONE ? slot : retained);
	return NULL;
}

static struct err *offer(struct work *w, const struct look_pool *f)
{
	struct look l = agg_look(w->a);
	struct pop_row r = { .node = GRAPH_NONE };
	struct contents c = { .w = w, .r = &r };
	taddr fn = look_pool_new(&l, &w->pools, f);
	struct err *err = look_pool_values(&l, &w->io, &w->pools, f, see_value, &c);

	if (err && (err->code == ERR_NOMEM || err->code == ERR_GONE))
		return err;
	w->bad += err != NULL;
	err_free(err);
	if (f->object != GO_NO_OBJECT)
		r.node = graph_node_of_object(w->a->g, f->object);
	r.c[C_PS].n = w->pools.nps;
	r.c[C_EVIDENCE].s = f->root != UINT32_MAX ? "shape" : "type";
	r.c[C_ADDR].n = f->at;
	r.c[C_PLACE].s = look_pool_name(&l, f);
	r.c[C_ELEM].s = c.mixed ? "(several types)" : c.elem && c.elem->name ? c.elem->name : "";
	r.c[C_NEW].s = fn ? pop_func_name(w->a, fn) : "";
	w->values += r.c[C_VALUES].n;
	w->bytes += r.c[C_RETAINED].n;
	return pop_offer(w->t, &r);
}

struct err *pop_pool_words(struct agg *a, struct err *(*fn)(void *arg, taddr at), void *arg)
{
	_cleanup_(look_pools_deinit) struct look_pools p = { 0 };
	struct look l = agg_look(a);
	struct err *err = look_pools_by_shape(&l, &p);

	for (size_t i = 0; i < p.v.n && !err; i++) {
		err = fn(arg, p.v.v[i].at + p.local_off);
		if (!err)
			err = fn(arg, p.v.v[i].at + p.victim_off);
	}
	return err;
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	struct look l = agg_look(w->a);
	struct err *err = look_pools_of(&l, &w->pools);

	for (size_t i = 0; i < w->pools.v.n && !err; i++)
		err = offer(w, &w->pools.v.v[i]);
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
	struct work w = { .a = a };
	struct err *err = go_io_init_sparse(&w.io, a->s->go);

	if (err)
		return err;
	w.t = pop_table_add(p, "rows", "pools", cols, ask->sort ? ask->sort : "retained_bytes",
			    ask->limit);
	err = fill(&w, p);
	look_pools_deinit(&w.pools);
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
