/*
 * agg_pop_finalizers.c - finalizers, cleanups and weak pointers: on what, which function.
 *
 * One row for all objects of one type with one function.  The queues hold what the collector
 * found dead and nobody has run yet.  Source: runtime/mheap.go (specials), mfinal.go
 * (finBlock), mcleanup.go (cleanupBlock).
 */
#include "report/pop_priv.h"

#include "base/cycle.h"
#include "snapshot/dump.h"

enum { MAX_BLOCKS = 1 << 20, BLOCK_BYTES = 4096, CLOSURE_WORDS = 4 };

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

/* 1.24 and 1.25 wrap the function and its argument in a closure of AddCleanup's. */
static const char *unwrapped(struct agg *a, taddr closure)
{
	for (unsigned i = 1; i < CLOSURE_WORDS; i++) {
		taddr w = 0;
		const char *name;

		err_free(go_read_u64(a->s->go, closure + 8 * i, &w));
		name = w ? pop_func_name(a, w) : "";
		if (*name && !strstr(name, "AddCleanup"))
			return name;
	}
	return "";
}

static const char *function_of(struct agg *a, const struct go_special *sp)
{
	taddr fn = sp->words[0];
	const char *name;

	if (sp->kind == GO_SPECIAL_WEAK)
		return "";
	if (sp->kind == GO_SPECIAL_CLEANUP && sp->nwords == 3) /* call, fn, arg */
		fn = sp->words[1];
	name = pop_func_name(a, fn);
	if (sp->kind == GO_SPECIAL_CLEANUP && strstr(name, "AddCleanup")) {
		const char *inner = unwrapped(a, fn);

		return *inner ? inner : name;
	}
	return name;
}

static struct err *collect(struct agg *a, item_vec *v)
{
	const struct go_heap *h = &a->s->heap;

	for (size_t i = 0; i < h->specials.n; i++) {
		const struct go_special *sp = &h->specials.v[i];
		struct item it = { .kind = kind_word(sp->kind), .object = sp->object };
		char buf[256];

		it.id = go_heap_object_at(h, sp->object);
		if (!it.kind || it.id == GO_NO_OBJECT)
			continue;
		go_heap_address(h, it.id, &it.bytes);
		it.type = keepf(&a->keep, "%s", snapshot_type_name(a->s, it.id, buf, sizeof(buf)));
		it.function = function_of(a, sp);
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

/* Entries of a chain of blocks; POP_NONE: the version or the evidence has none. */
static uint64_t queued(const struct go *g, taddr head, struct go_field link, struct go_field count)
{
	uint8_t image[BLOCK_BYTES];
	struct cycle cycle = { 0 };
	uint64_t n = 0;
	taddr at = 0;
	struct err *err;

	if (!head || !go_has(link) || !go_has(count) || link.off > BLOCK_BYTES - 8 ||
	    count.off > BLOCK_BYTES - 8)
		return POP_NONE;
	err = go_read_u64(g, head, &at);
	for (unsigned i = 0; at && i < MAX_BLOCKS && !err && !cycle_closed(&cycle, at); i++) {
		err = target_read(g->t, at, image, sizeof(image));
		if (err)
			break;
		n += MIN(go_get(image, count), (uint64_t)BLOCK_BYTES / 8);
		at = go_get(image, link);
	}
	if (err) {
		err_free(err);
		return POP_NONE;
	}
	return n;
}

static struct err *add_queues(const struct agg *a, struct ans_pop *p)
{
	const struct go *g = a->s->go;
	const struct go_layout *L = g->L;
	taddr cleanups = g->v.cleanups_all;
	uint64_t fin, clean = POP_NONE;
	struct err *err;

	if (a->s->dump) {
		fin = a->s->dump->d->queued.n;
	} else {
		if (!cleanups && g->v.gccleanups && go_has(L->cleanupQueue_all))
			cleanups = g->v.gccleanups + (uint64_t)L->cleanupQueue_all.off;
		fin = queued(g, g->v.allfin, L->finBlock_alllink, L->finBlock_cnt);
		clean = queued(g, cleanups, L->cleanupBlock_alllink, L->cleanupBlock_n);
	}
	err = pop_total(p, "finalizer_queue", "finalizers queued to run", POP_COUNT, fin);
	return err ? err
		   : pop_total(p, "cleanup_queue", "cleanups queued to run", POP_COUNT, clean);
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
