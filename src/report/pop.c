/*
 * pop.c - what all populations have in common: tables that keep their largest rows,
 * sorting by any column, totals, and the way from a root to each row that is shown.
 *
 * A table holds at most twice its limit of rows while it grows.  The ways of all rows
 * come from one walk (graph_ways_create()).
 */
#include "report/pop_priv.h"
#include "report/kept.h"

#include <stdio.h>

static const struct pop_family *const families[] = {
	&pop_types, &pop_finalizers, &pop_maps,	    &pop_slices, &pop_strings,
	&pop_chans, &pop_timers,     &pop_contexts, &pop_pools,
	&pop_fds,
};

const struct pop_family *pop_family_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (!strcmp(families[i]->name, name))
			return families[i];
	return NULL;
}

const struct pop_family *pop_family_number(size_t i)
{
	return i < ARRAY_LEN(families) ? families[i] : NULL;
}

static size_t ncols(const struct pop_col *c)
{
	size_t n = 0;

	while (n < POP_COLS && c[n].form != POP_END)
		n++;
	return n;
}

static bool sortable(const struct pop_col *c)
{
	return !(c->flags & POP_FILLED);
}

struct err *pop_sort_column(const struct pop_family *f, const char *sort, unsigned *ret)
{
	_cleanup_(str_deinit) struct str keys = { 0 };
	size_t n = ncols(f->cols);

	for (size_t i = 0; i < n; i++) {
		if (!sortable(&f->cols[i]))
			continue;
		if (!strcmp(f->cols[i].key, sort ? sort : f->sort)) {
			*ret = (unsigned)i;
			return NULL;
		}
		str_printf(&keys, "%s%s", keys.n ? ", " : "", f->cols[i].key);
	}
	return err_usage("--sort %.60s: want one of %s", sort ? sort : f->sort,
			 str_ok(&keys) ? keys.s : "the columns");
}

static unsigned column_of(const struct pop_col *c, const char *key)
{
	for (unsigned i = 0; i < POP_COLS && c[i].form != POP_END; i++)
		if (!strcmp(c[i].key, key))
			return i;
	return 0;
}

struct pop_table *pop_table_add(struct ans_pop *p, const char *key, const char *title,
				const struct pop_col *cols, const char *sort, size_t limit)
{
	struct pop_table *t = &p->tables[MIN(p->ntables, (size_t)POP_TABLES - 1)];

	if (p->ntables < POP_TABLES)
		p->ntables++;
	*t = (struct pop_table){
		.key = key,
		.title = title,
		.cols = cols,
		.sort = column_of(cols, sort),
		.limit = limit,
		.rest = { .node = GRAPH_NONE },
	};
	return t;
}

static int compare_cells(uint8_t form, const struct pop_cell *x, const struct pop_cell *y)
{
	uint64_t p = x->n, q = y->n;

	if (form == POP_TEXT)
		return strcmp(x->s ? x->s : "", y->s ? y->s : "");
	if (form == POP_ORDINAL)
		return (p > q) - (p < q);
	if (form == POP_ADDR) /* 0 last */
		return (p - 1 > q - 1) - (p - 1 < q - 1);
	if (p == POP_NONE || q == POP_NONE)
		return (p == POP_NONE) - (q == POP_NONE);
	if (form == POP_NS && (int64_t)p != (int64_t)q)
		return (int64_t)p < (int64_t)q ? -1 : 1;
	return (p < q) - (p > q);
}

/* Equal rows are told apart by all their columns, so that order never depends on threads. */
static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct pop_row *p = x, *q = y;
	const struct pop_table *t = arg;
	int c = compare_cells(t->cols[t->sort].form, &p->c[t->sort], &q->c[t->sort]);

	for (size_t i = 0; !c && i < POP_COLS && t->cols[i].form != POP_END; i++)
		if (sortable(&t->cols[i]))
			c = compare_cells(t->cols[i].form, &p->c[i], &q->c[i]);
	if (!c)
		c = (p->x > q->x) - (p->x < q->x);
	return c ? c : (p->y > q->y) - (p->y < q->y);
}

static void add_to_rest(struct pop_table *t, const struct pop_row *r)
{
	for (size_t i = 0; i < POP_COLS && t->cols[i].form != POP_END; i++)
		if ((t->cols[i].flags & POP_SUM) && r->c[i].n != POP_NONE)
			t->rest.c[i].n += r->c[i].n;
}

static void cut(struct pop_table *t)
{
	if (t->rows.n)
		qsort_r(t->rows.v, t->rows.n, sizeof(t->rows.v[0]), compare_rows, t);
	for (; t->rows.n > t->limit; t->rows.n--) {
		add_to_rest(t, &t->rows.v[t->rows.n - 1]);
		ans_path_deinit(&t->rows.v[t->rows.n - 1].path);
	}
}

void pop_again(struct pop_table *t)
{
	cut(t);
}

struct err *pop_offer(struct pop_table *t, const struct pop_row *r)
{
	t->total++;
	if (t->rows.n / 2 >= t->limit + 512)
		cut(t);
	return vec_push(&t->rows, *r) ? NULL : &err_nomem;
}

static struct err *add_path(struct agg *a, const struct graph_ways *w, struct pop_row *r)
{
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 0;
	struct err *err = graph_way(w, r->node, &path, &len);

	return err || !len ? err : agg_holders(a, path, len, &r->path);
}

static struct err *add_paths(struct agg *a, struct pop_table *t)
{
	_cleanup_(graph_ways_deinit) struct graph_ways w = { 0 };
	_cleanup_(freep) gnode *want = zalloc(t->rows.n, sizeof(*want));
	struct err *err;
	size_t n = 0;

	if (!want)
		return &err_nomem;
	for (size_t i = 0; i < t->rows.n; i++)
		if (t->rows.v[i].node < a->g->n)
			want[n++] = t->rows.v[i].node;
	if (!n)
		return NULL;
	err = graph_ways_create(a->g, want, n, NULL, &w);
	for (size_t i = 0; i < t->rows.n && !err; i++)
		if (t->rows.v[i].node < a->g->n)
			err = add_path(a, &w, &t->rows.v[i]);
	return err;
}

struct err *pop_settle(struct agg *a, struct pop_table *t, pop_finish_fn *finish, void *arg)
{
	struct err *err = NULL;

	cut(t);
	for (size_t i = 0; finish && i < t->rows.n && !err; i++)
		err = finish(a, arg, &t->rows.v[i]);
	if (!err && a->g)
		err = add_paths(a, t);
	return err ? err : keep_err(&a->keep);
}

struct err *pop_total(struct ans_pop *p, const char *key, const char *title, uint8_t form,
		      uint64_t n)
{
	struct pop_total t = { key, title, form, n };

	return vec_push(&p->totals, t) ? NULL : &err_nomem;
}

struct err *pop_note(struct agg *a, struct ans_pop *p, const char *fmt, ...)
{
	_cleanup_(str_deinit) struct str text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	if (!str_ok(&text))
		return &err_nomem;
	if (!vec_push(&p->notes, keepn(&a->keep, text.s, text.n)))
		return &err_nomem;
	return keep_err(&a->keep);
}

void ans_pop_deinit(struct ans_pop *p)
{
	for (size_t i = 0; i < p->ntables; i++) {
		struct pop_table *t = &p->tables[i];

		for (size_t k = 0; k < t->rows.n; k++)
			ans_path_deinit(&t->rows.v[k].path);
		vec_free(&t->rows);
	}
	vec_free(&p->totals);
	vec_free(&p->notes);
	*p = (struct ans_pop){ 0 };
}

static void count_untyped(struct agg *a)
{
	const struct go_heap *h = &a->s->heap;

	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *sp = &h->spans.v[i];

		if (sp->noscan)
			continue;
		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
			if (!pop_object_reached(a, id))
				continue;
			a->pointer_bytes += sp->elem_bytes;
			a->untyped_bytes += snapshot_is_typed(a->s, id) ? 0 : sp->elem_bytes;
		}
	}
}

/* What lies in memory of unknown type is not found: say how much that is. */
static struct err *say_share(struct agg *a, struct ans_pop *p)
{
	if (!a->pointer_bytes)
		count_untyped(a);
	if (!a->untyped_bytes || !a->pointer_bytes)
		return NULL;
	return pop_note(
		a, p,
		"%.1f %% of the bytes with pointers have no known type%s: %s that only such "
		"memory leads to are not here",
		100.0 * (double)a->untyped_bytes / (double)a->pointer_bytes,
		a->s->go->dwarf ? "" : ", nor have most globals without DWARF", p->what);
}

struct err *agg_pop(struct agg *a, const struct pop_family *f, const struct pop_ask *ask,
		    struct ans_pop *ret)
{
	_cleanup_(ans_pop_deinit) struct ans_pop p = { .what = f->name };
	struct err *err = NULL;

	if (a->asked)
		return kept_pop_of(a, f, ask, ret);
	if (a->s->dump && (f->needs & POP_NEEDS_RUNTIME))
		return err_unsupported("a heap dump holds no types of fields: `limpet %s` needs "
				       "the live process or a core (limpet snapshot PID -o FILE)",
				       f->name);
	err = f->make(a, ask, &p);
	if (!err && (f->needs & POP_NEEDS_RUNTIME))
		err = say_share(a, &p);
	if (err)
		return err;
	*ret = p;
	p = (struct ans_pop){ 0 };
	return NULL;
}
