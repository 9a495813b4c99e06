/*
 * analysed_since.c - what a later look compares with, in a store: tables since_*, and the
 * reachable slots of the objects (store/objects.h).
 *
 * Knows no rule of growth.  What is read may be a lie: find/since.h refuses what cannot be.
 * Cost: rows; and one pass over the objects' bits.
 */
#include "report/analysed.h"

#include "find/since.h"
#include "store/rows.h"

static const struct store_column root_columns[] = {
	STORE_MEMBER(struct since_root, key, "key", STORE_TEXT,
		     "name of a root that stays from run to run: main.cache, goroutine main.f"),
	STORE_MEMBER(struct since_root, bytes, "bytes", STORE_UINT,
		     "that all roots of that name alone hold"),
	{ .name = NULL },
};

static const struct store_table roots = {
	.name = "since_roots",
	.about = "what each root alone holds; a later look compares with it",
	.since = 1,
	.row_bytes = sizeof(struct since_root),
	.columns = root_columns,
};

static const struct store_column place_columns[] = {
	STORE_MEMBER(struct since_place, addr, "addr", STORE_ADDR, "of an object"),
	STORE_MEMBER(struct since_place, elem_bytes, "slot_bytes", STORE_UINT, "of its slot"),
	STORE_MEMBER(struct since_place, retained, "retained_bytes", STORE_UINT,
		     "that go when it goes"),
	{ .name = NULL },
};

static const struct store_table places = {
	.name = "since_places",
	.about = "objects that retain 64 KiB and more; a later look compares with it",
	.since = 1,
	.row_bytes = sizeof(struct since_place),
	.columns = place_columns,
};

static const struct store_column found_columns[] = {
	STORE_MEMBER(struct since_found, signature, "signature", STORE_TEXT, "of the finding"),
	STORE_MEMBER(struct since_found, bytes, "bytes", STORE_UINT, "heap and stacks"),
	STORE_MEMBER(struct since_found, count, "count", STORE_UINT,
		     "goroutines, timers ...; 0: does not apply"),
	STORE_MEMBER(struct since_found, root, "root", STORE_TEXT,
		     "key in since_roots of what alone holds it; empty: none"),
	STORE_MEMBER(struct since_found, addr, "addr", STORE_ADDR,
		     "of the object that it is about; NULL: none"),
	{ .name = NULL },
};

static const struct store_table found = {
	.name = "since_findings",
	.about = "what the detectors found, trifles too; a later look compares with it",
	.since = 1,
	.row_bytes = sizeof(struct since_found),
	.columns = found_columns,
};

struct err *analysed_put_since(const struct find_since *x, struct store *w)
{
	const struct since_facts *k = x->facts;
	struct err *err = store_put(w, &roots, 0, k->roots.v, k->roots.n, NULL);

	if (!err)
		err = store_put(w, &places, 0, k->places.v, k->places.n, NULL);
	return err ? err : store_put(w, &found, 0, k->found.v, k->found.n, NULL);
}

struct rows {
	struct keep keep;
	void *v;
	size_t n;
};

static void rows_deinit(struct rows *r)
{
	free(r->v);
	keep_deinit(&r->keep);
}

static struct err *get(struct store *x, const struct store_table *t, struct rows *r)
{
	bool has = false;
	struct err *err = store_get(x, t, 0, &r->keep, &r->v, &r->n, NULL, &has);

	if (!err && !has)
		err = err_unsupported("%.200s: it does not hold what a later look is compared "
				      "with (table %s)",
				      store_name(x), t->name);
	return err;
}

static struct err *get_roots(struct store *x, struct find_since *ret)
{
	_cleanup_(rows_deinit) struct rows r = { 0 };
	struct err *err = get(x, &roots, &r);
	const struct since_root *v = r.v;

	for (size_t i = 0; i < r.n && !err; i++)
		err = find_since_add_root(ret, v[i].key, v[i].bytes);
	return err;
}

static struct err *get_places(struct store *x, struct find_since *ret)
{
	_cleanup_(rows_deinit) struct rows r = { 0 };
	struct err *err = get(x, &places, &r);
	const struct since_place *v = r.v;

	for (size_t i = 0; i < r.n && !err; i++)
		err = find_since_add_place(ret, &v[i]);
	return err;
}

static struct err *get_found(struct store *x, struct find_since *ret)
{
	_cleanup_(rows_deinit) struct rows r = { 0 };
	struct err *err = get(x, &found, &r);
	const struct since_found *v = r.v;

	for (size_t i = 0; i < r.n && !err; i++)
		err = find_since_add_found(ret, &v[i]);
	return err;
}

static struct err *get_spans(struct ident *x, struct find_since *ret)
{
	const struct ident_span *sp = NULL;
	struct err *err = x->rewind(x);

	while (!err) {
		err = x->next(x, &sp);
		if (err || !sp)
			break;
		err = find_since_add_span(ret, sp->base, sp->elem_bytes, sp->nelems, sp->alive);
	}
	return err;
}

static struct err *begin(const struct ident_head *h, struct find_since **ret)
{
	struct err *err = find_since_begin(&h->process, ret);

	if (err)
		return err;
	(*ret)->rss = h->rss;
	(*ret)->reachable_bytes = h->bytes;
	(*ret)->reachable_objects = h->objects;
	(*ret)->stack_bytes = h->stack_bytes;
	(*ret)->goroutines = h->goroutines;
	(*ret)->num_gc = h->has_cycles ? h->cycles : FIND_NO_CYCLES;
	(*ret)->total_alloc = h->total_alloc;
	return NULL;
}

static struct err *since_of(struct store *x, struct ident *objects, struct find_since **ret)
{
	_cleanup_(find_since_freep) struct find_since *s = NULL;
	struct err *err = begin(&objects->head, &s);

	if (!err)
		err = get_roots(x, s);
	if (!err)
		err = get_places(x, s);
	if (!err)
		err = get_found(x, s);
	if (!err)
		err = get_spans(objects, s);
	if (err)
		return err;
	find_since_seal(s);
	*ret = STEAL(s);
	return NULL;
}

struct err *analysed_since(struct store *x, struct find_since **ret)
{
	struct ident *objects = NULL;
	struct err *err = store_objects(x, &objects);

	if (err)
		return err;
	err = since_of(x, objects, ret);
	store_objects_close(objects);
	return err_prefix(err, "%.200s", store_name(x));
}
