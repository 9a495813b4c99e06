/*
 * agg_pop_types.c - all types: how many objects of each, and how many bytes.
 *
 * A row of elements (the backing array of a slice) is a type of its own, "[...]main.T".
 * Types of one name are one row.  What has no name is not here but in the totals.
 * O(n) for the objects, O(types log types).
 */
#include "report/pop_priv.h"

static const struct pop_col cols[] = {
	{ "bytes", "bytes", POP_BYTES, POP_SUM },
	{ "objects", "objects", POP_COUNT, POP_SUM },
	{ "size", "size", POP_BYTES, 0 },
	{ "pointer_bytes", "with pointers", POP_BYTES, POP_JSON_ONLY },
	{ "kind", "kind", POP_TEXT, 0 },
	{ "package", "package", POP_TEXT, POP_JSON_ONLY },
	{ "rtype", "rtype", POP_ADDR, POP_JSON_ONLY },
	{ "name", "type", POP_TEXT, 0 },
	{ .form = POP_END },
};
enum { C_BYTES, C_OBJECTS, C_SIZE, C_PTRS, C_KIND, C_PACKAGE, C_RTYPE, C_NAME };

struct count {
	uint64_t objects, bytes;
};

static const char *kind_word(uint8_t kind)
{
	static const char *const word[] = {
		[GO_BOOL] = "bool",
		[GO_INT] = "int",
		[GO_INT8] = "int8",
		[GO_INT16] = "int16",
		[GO_INT32] = "int32",
		[GO_INT64] = "int64",
		[GO_UINT] = "uint",
		[GO_UINT8] = "uint8",
		[GO_UINT16] = "uint16",
		[GO_UINT32] = "uint32",
		[GO_UINT64] = "uint64",
		[GO_UINTPTR] = "uintptr",
		[GO_FLOAT32] = "float32",
		[GO_FLOAT64] = "float64",
		[GO_COMPLEX64] = "complex64",
		[GO_COMPLEX128] = "complex128",
		[GO_ARRAY] = "array",
		[GO_CHAN] = "chan",
		[GO_FUNC] = "func",
		[GO_INTERFACE] = "interface",
		[GO_MAP] = "map",
		[GO_POINTER] = "pointer",
		[GO_SLICE] = "slice",
		[GO_STRING] = "string",
		[GO_STRUCT] = "struct",
		[GO_UNSAFE_POINTER] = "unsafe pointer",
	};

	return kind < ARRAY_LEN(word) && word[kind] ? word[kind] : "";
}

static const char *word_of(const struct snap_type *t)
{
	if (t->kind == SNAP_TYPE_CLOSURE)
		return "closure";
	return t->kind == SNAP_TYPE_CHAN ? "chan" : "";
}

static struct count *count_objects(const struct agg *a, struct count *guess, struct count *none)
{
	const struct snapshot *s = a->s;
	struct count *n = zalloc(s->types.n + 1, sizeof(*n));

	for (size_t i = 0; n && i < s->heap.spans.n; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
			uint32_t t = s->type_of ? s->type_of[id] : 0;
			struct count *c;

			if (!pop_object_reached(a, id))
				continue;
			c = !t || t >= s->types.n	? none
			    : !snapshot_is_typed(s, id) ? guess
							: &n[t];
			c->objects++;
			c->bytes += sp->elem_bytes;
		}
	}
	return n;
}

static void describe(struct agg *a, const struct go_type *rt, struct pop_row *r)
{
	if (!rt)
		return;
	r->c[C_SIZE].n = rt->bytes;
	r->c[C_PTRS].n = rt->ptr_bytes;
	r->c[C_KIND].s = kind_word(rt->kind);
	r->c[C_PACKAGE].s = rt->pkg_path ? rt->pkg_path : "";
	r->c[C_RTYPE].n = rt->addr;
	(void)a;
}

static struct pop_row row_of(struct agg *a, const struct snap_type *t, const struct count *c)
{
	struct pop_row r = { .node = GRAPH_NONE };
	const struct go_type *rt =
		t->kind == SNAP_TYPE_RTYPE && t->rtype ? go_type_at(a->s->rtypes, t->rtype) : NULL;

	r.c[C_BYTES].n = c->bytes;
	r.c[C_OBJECTS].n = c->objects;
	r.c[C_SIZE].n = t->bytes ? t->bytes : POP_NONE;
	r.c[C_PTRS].n = POP_NONE;
	r.c[C_KIND].s = word_of(t);
	r.c[C_PACKAGE].s = "";
	r.c[C_NAME].s = t->name ? t->name : "";
	describe(a, rt, &r);
	if (t->array)
		r.c[C_KIND].s = "row";
	return r;
}

static int by_name(const void *x, const void *y)
{
	const struct pop_row *p = x, *q = y;
	int c = strcmp(p->c[C_NAME].s, q->c[C_NAME].s);

	return c ? c : (p->c[C_RTYPE].n > q->c[C_RTYPE].n) - (p->c[C_RTYPE].n < q->c[C_RTYPE].n);
}

typedef VEC(struct pop_row) row_vec;

/* Types of one name become one row: one type may have several numbers, and several rtypes. */
static struct err *offer_rows(struct pop_table *t, row_vec *all)
{
	struct err *err = NULL;

	if (all->n)
		qsort(all->v, all->n, sizeof(all->v[0]), by_name);
	for (size_t i = 0, next; i < all->n && !err; i = next) {
		struct pop_row *r = &all->v[i];

		for (next = i + 1;
		     next < all->n && !strcmp(all->v[next].c[C_NAME].s, r->c[C_NAME].s); next++) {
			r->c[C_BYTES].n += all->v[next].c[C_BYTES].n;
			r->c[C_OBJECTS].n += all->v[next].c[C_OBJECTS].n;
		}
		err = pop_offer(t, r);
	}
	return err;
}

static struct err *add_live(struct agg *a, const struct count *n, row_vec *all)
{
	for (size_t i = 1; i < a->s->types.n; i++)
		if (n[i].objects && !vec_push(all, row_of(a, &a->s->types.v[i], &n[i])))
			return &err_nomem;
	return NULL;
}

static struct err *add_others(struct agg *a, row_vec *all, uint64_t *ret_n)
{
	const taddr *v = NULL;
	size_t n = 0;
	struct err *err = go_types_all(a->s->rtypes, &v, &n);

	*ret_n = n;
	for (size_t i = 0; i < n && !err; i++) {
		const struct go_type *rt = go_type_at(a->s->rtypes, v[i]);
		struct pop_row r = { .node = GRAPH_NONE };

		if (!rt)
			continue;
		r.c[C_NAME].s = rt->name ? rt->name : "";
		describe(a, rt, &r);
		if (!vec_push(all, r))
			err = &err_nomem;
	}
	return err;
}

static struct err *totals(struct ans_pop *p, const struct count *n, size_t ntypes,
			  const struct count *guess, const struct count *none)
{
	struct count named = { 0 };
	struct err *err;

	for (size_t i = 0; i < ntypes; i++) {
		named.objects += n[i].objects;
		named.bytes += n[i].bytes;
	}
	err = pop_total(p, "typed_objects", "objects of known type", POP_COUNT, named.objects);
	if (!err)
		err = pop_total(p, "typed_bytes", "bytes of them", POP_BYTES, named.bytes);
	if (!err)
		err = pop_total(p, "guessed_objects", "objects of guessed type", POP_COUNT,
				guess->objects);
	if (!err)
		err = pop_total(p, "guessed_bytes", "bytes of them", POP_BYTES, guess->bytes);
	if (!err)
		err = pop_total(p, "unknown_objects", "of unknown type", POP_COUNT, none->objects);
	if (!err)
		err = pop_total(p, "unknown_bytes", "bytes of them", POP_BYTES, none->bytes);
	return err;
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct pop_table *t = pop_table_add(p, "rows", "types", cols,
					    ask->sort ? ask->sort : "bytes", ask->limit);
	struct count guess = { 0 }, none = { 0 };
	_cleanup_(freep) struct count *n = count_objects(a, &guess, &none);
	row_vec all = { 0 };
	uint64_t nrtypes = 0;
	struct err *err = n ? add_live(a, n, &all) : &err_nomem;

	if (!err && (ask->flags & POP_ASK_ALL) && !a->s->dump)
		err = add_others(a, &all, &nrtypes);
	if (!err)
		err = offer_rows(t, &all);
	if (!err)
		err = totals(p, n, a->s->types.n, &guess, &none);
	if (!err && nrtypes)
		err = pop_total(p, "rtypes", "rtypes in the program", POP_COUNT, nrtypes);
	vec_free(&all);
	return err ? err : pop_settle(a, t, NULL, NULL);
}

const struct pop_family pop_types = {
	.name = "types",
	.cols = cols,
	.sort = "bytes",
	.make = make,
};
