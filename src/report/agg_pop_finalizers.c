/*
 * agg_pop_finalizers.c - finalizers, cleanups and weak pointers: on what, which function.
 *
 * One row for all objects of one type with one function.  The queues hold what the collector
 * found dead and nobody has run yet.  Source: runtime/mheap.go (specials), mfinal.go
 * (finBlock), mcleanup.go (cleanupBlock).
 */
#include "report/pop_priv.h"

#include "find/look_special.h"
#include "snapshot/dump.h"

static const struct pop_col cols[] = {
	{ "count", "count", POP_COUNT, POP_SUM },
	{ "objects", "objects", POP_COUNT, POP_SUM | POP_JSON_ONLY },
	{ "bytes", "bytes", POP_BYTES, POP_SUM },
	{ "unreachable", "unreachable", POP_COUNT, POP_SUM },
	{ "kind", "kind", POP_TEXT, 0 },
	{ "addr", "example", POP_ADDR, 0 },
	{ "type", "type", POP_TEXT, 0 },
	{ "function", "function", POP_TEXT, 0 },
	{ .form = POP_END },
};
enum { C_COUNT, C_OBJECTS, C_BYTES, C_DEAD, C_KIND, C_ADDR, C_TYPE, C_FUNC };

struct item {
	const char *kind, *type, *function;
	taddr object;
	uint64_t id, bytes;
};
typedef VEC(struct item) item_vec;

static const char *kind_word(uint8_t kind)
{
	switch (kind) {
	case GO_SPECIAL_FINALIZER:
		return "finalizer";
	case GO_SPECIAL_CLEANUP:
		return "cleanup";
	case GO_SPECIAL_WEAK:
		return "weak";
	default:
		return NULL;
	}
}

static struct err *collect(struct agg *a, item_vec *v)
{
	const struct go_heap *h = &a->s->heap;
	const struct look l = agg_look(a);

	for (size_t i = 0; i < h->specials.n; i++) {
		const struct go_special *sp = &h->specials.v[i];
		struct item it = { .kind = kind_word(sp->kind), .object = sp->object };
		char buf[256];

		it.id = go_heap_object_at(h, sp->object);
		if (!it.kind || it.id == GO_NO_OBJECT)
			continue;
		go_heap_address(h, it.id, &it.bytes);
		it.type = keepf(&a->keep, "%s", snapshot_type_name(a->s, it.id, buf, sizeof(buf)));
		it.function = look_special_function(&l, sp);
		if (!vec_push(v, it))
			return &err_nomem;
	}
	return keep_err(&a->keep);
}

static int compare(const void *x, const void *y)
{
	const struct item *p = x, *q = y;
	int c = strcmp(p->kind, q->kind);

	if (!c)
		c = strcmp(p->type, q->type);
	if (!c)
		c = strcmp(p->function, q->function);
	return c ? c : (p->id > q->id) - (p->id < q->id);
}

static bool same_row(const struct item *p, const struct item *q)
{
	return !strcmp(p->kind, q->kind) && !strcmp(p->type, q->type) &&
	       !strcmp(p->function, q->function);
}

static void begin_row(struct agg *a, const struct item *it, struct pop_row *r)
{
	*r = (struct pop_row){ .node = pop_node_at(a, it->object) };
	r->c[C_KIND].s = it->kind;
	r->c[C_TYPE].s = it->type;
	r->c[C_FUNC].s = it->function;
	r->c[C_ADDR].n = it->object;
}

static struct err *offer(struct agg *a, const item_vec *v, struct pop_table *t)
{
	struct pop_row r;
	struct err *err = NULL;

	for (size_t i = 0; i < v->n && !err; i++) {
		const struct item *it = &v->v[i];
		bool first = !i || !same_row(it, it - 1);

		if (first)
			begin_row(a, it, &r);
		r.c[C_COUNT].n++;
		if (first || it->id != it[-1].id) {
			r.c[C_OBJECTS].n++;
			r.c[C_BYTES].n += it->bytes;
			r.c[C_DEAD].n += !pop_object_reached(a, it->id);
		}
		if (i + 1 == v->n || !same_row(it, it + 1))
			err = pop_offer(t, &r);
	}
	return err;
}

static struct err *add_queues(const struct agg *a, struct ans_pop *p)
{
	const struct look l = agg_look(a);
	uint64_t fin = POP_NONE, clean = POP_NONE;
	struct err *err = NULL;

	if (a->s->dump)
		fin = a->s->dump->d->queued.n;
	else
		err = look_queue(&l, LOOK_QUEUE_FINALIZERS, NULL, NULL, &fin);
	if (!err)
		err = look_queue(&l, LOOK_QUEUE_CLEANUPS, NULL, NULL, &clean);
	if (err)
		return err;
	err = pop_total(p, "finalizer_queue", "finalizers queued to run", POP_COUNT,
			fin == LOOK_NO_QUEUE ? POP_NONE : fin);
	return err ? err
		   : pop_total(p, "cleanup_queue", "cleanups queued to run", POP_COUNT,
			       clean == LOOK_NO_QUEUE ? POP_NONE : clean);
}

static struct err *add_totals(const struct item *v, size_t n, struct ans_pop *p)
{
	static const char *const key[] = { "finalizers", "cleanups", "weak" };
	static const char *const title[] = { "finalizers", "cleanups", "weak pointers' objects" };
	static const char *const kind[] = { "finalizer", "cleanup", "weak" };
	struct err *err = NULL;

	for (size_t k = 0; k < ARRAY_LEN(kind) && !err; k++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += !strcmp(v[i].kind, kind[k]);
		err = pop_total(p, key[k], title[k], POP_COUNT, sum);
	}
	return err;
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct pop_table *t = pop_table_add(p, "rows", "finalizers", cols,
					    ask->sort ? ask->sort : "count", ask->limit);
	item_vec v = { 0 };
	struct err *err = collect(a, &v);

	if (!err && v.n)
		qsort(v.v, v.n, sizeof(v.v[0]), compare);
	if (!err)
		err = offer(a, &v, t);
	if (!err)
		err = add_totals(v.v, v.n, p);
	if (!err)
		err = add_queues(a, p);
	vec_free(&v);
	return err ? err : pop_settle(a, t, NULL, NULL);
}

const struct pop_family pop_finalizers = {
	.name = "finalizers",
	.cols = cols,
	.sort = "count",
	.make = make,
};
