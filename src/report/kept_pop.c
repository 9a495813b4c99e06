/*
 * kept_pop.c - populations into a store and out of it: each of their tables is one in the file.
 *
 * Which columns a table has stands in the file (pop_columns), so that one of another version
 * still says what it has; names are checked before they become part of a statement.
 */
#include "report/kept.h"
#include "report/kept_get.h"
#include "report/kept_put.h"
#include "report/pop_priv.h"

enum { NAME_MAX_LEN = 40 };

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_0123456789");

	return n && !s[n] && n <= NAME_MAX_LEN && strcmp(s, "id") && strcmp(s, "way") &&
	       strcmp(s, "is_rest");
}

const char *kept_pop_name(struct keep *keep, const char *what, const char *key)
{
	if (!is_name(what) || !is_name(key))
		return NULL;
	return strcmp(key, "rows") ? keepf(keep, "%s_%s", what, key) : what;
}

static uint8_t kind_of(uint8_t form)
{
	switch (form) {
	case POP_TEXT:
		return STORE_WORD;
	case POP_ADDR:
		return STORE_ADDR;
	case POP_NS:
		return STORE_INT | STORE_ZERO;
	case POP_UNIX_NS:
		return STORE_UINT | STORE_ZERO;
	default:
		return STORE_UINT;
	}
}

/* A row that is the sum of all that are not kept is marked. */
struct kept_pop_row {
	struct pop_row r;
	bool rest;
};

static struct store_column cell_column(const struct pop_col *c, size_t i)
{
	bool text = c->form == POP_TEXT;

	return (struct store_column){
		.name = c->key,
		.kind = kind_of(c->form),
		.bytes = 8,
		.offset = (uint16_t)(offsetof(struct kept_pop_row, r.c) +
				     i * sizeof(struct pop_cell) +
				     (text ? offsetof(struct pop_cell, s)
					   : offsetof(struct pop_cell, n))),
		.since = 1,
		.about = c->title,
	};
}

static const struct kept_part row_parts[] = {
	{ KEPT_ONE, offsetof(struct kept_pop_row, r.path), &kept_path },
	{ 0 },
};

struct err *kept_pop_type(struct keep *keep, const char *name, const struct pop_col *cols,
			  const struct kept_type **ret)
{
	struct store_column c[POP_COLS + 3] = { 0 };
	struct kept_type t = { .bytes = sizeof(struct kept_pop_row), .parts = row_parts };
	size_t n = 0;

	for (; n < POP_COLS && cols[n].form != POP_END; n++)
		c[n] = cell_column(&cols[n], n);
	c[n] = (struct store_column)STORE_MEMBER(struct kept_pop_row, rest, "is_rest", STORE_BOOL,
						 "1: the sum of all that are not kept");
	c[n + 1] = (struct store_column)KEPT_ID(struct kept_pop_row, 0, "way", "id in paths");
	t.table = (struct store_table){
		.name = name,
		.about = "a population; its columns in words: pop_columns",
		.since = 1,
		.row_bytes = sizeof(struct kept_pop_row) + 8,
		.columns = keep_bytes(keep, c, sizeof(c)),
	};
	*ret = keep_bytes(keep, &t, sizeof(t));
	return keep_err(keep);
}

/* Putting. */

static struct err *put_rows(struct putting *p, const char *name, const struct pop_table *t)
{
	const struct kept_type *type = NULL;
	struct kept_pop_row k = { .rest = true, .r = t->rest };
	struct err *err = kept_pop_type(&p->a->keep, name, t->cols, &type);

	if (!err)
		err = kept_put(&p->w, type, 0, NULL, 0, NULL);
	for (size_t i = 0; i < t->rows.n && !err; i++)
		err = kept_put(&p->w, type, 0, &(struct kept_pop_row){ .r = t->rows.v[i] }, 1,
			       NULL);
	if (!err && t->total > t->rows.n)
		err = kept_put(&p->w, type, 0, &k, 1, NULL);
	return err;
}

static struct err *add_table(struct putting *p, const char *what, const struct pop_table *t,
			     struct kept_pop *to)
{
	struct kept_pop_table k = { .key = t->key,
				    .title = t->title ? t->title : "",
				    .name = kept_pop_name(&p->a->keep, what, t->key),
				    .sort = t->sort,
				    .total = t->total,
				    .most = t->limit < KEPT_POP_ROWS ? t->limit : UINT64_MAX };

	for (size_t i = 0; i < POP_COLS && t->cols[i].form != POP_END; i++)
		if (!vec_push(&k.cols, (struct kept_col){ t->cols[i].key, t->cols[i].title,
							  t->cols[i].form, t->cols[i].flags }))
			return &err_nomem;
	if (!vec_push(&to->tables, k)) {
		vec_free(&k.cols);
		return &err_nomem;
	}
	return k.name ? put_rows(p, k.name, t) : NULL;
}

static void kept_pop_deinit(struct kept_pop *k)
{
	for (size_t i = 0; i < k->tables.n; i++)
		vec_free(&k->tables.v[i].cols);
	vec_free(&k->tables);
	vec_free(&k->totals);
	vec_free(&k->notes);
}

static struct err *put_answer(struct putting *p, const struct ans_pop *x)
{
	_cleanup_(kept_pop_deinit) struct kept_pop k = { .what = x->what, .refused = "" };
	struct err *err = NULL;

	for (size_t i = 0; i < x->ntables && !err; i++)
		err = add_table(p, x->what, &x->tables[i], &k);
	for (size_t i = 0; i < x->totals.n && !err; i++)
		err = vec_push(&k.totals, x->totals.v[i]) ? NULL : &err_nomem;
	for (size_t i = 0; i < x->notes.n && !err; i++)
		err = vec_push(&k.notes, (struct kept_text){ x->notes.v[i] }) ? NULL : &err_nomem;
	return err ? err : kept_put(&p->w, &kept_pop, 0, &k, 1, NULL);
}

static struct err *put_family(struct putting *p, const struct pop_family *f)
{
	_cleanup_(ans_pop_deinit) struct ans_pop x = { 0 };
	const struct pop_ask ask = { .limit = KEPT_POP_ROWS, .values = p->a->values };
	struct kept_pop none = { .what = f->name };
	struct err *err =
		f->needs & POP_NEEDS_REVERSE ? graph_reverse(p->a->g, p->a->nthreads) : NULL;

	if (!err)
		err = agg_pop(p->a, f, &ask, &x);
	if (!err)
		return put_answer(p, &x);
	if (err->code != ERR_UNSUPPORTED)
		return err;
	none.refused = keepf(&p->a->keep, "%s", err->msg);
	err_free(err);
	return kept_put(&p->w, &kept_pop, 0, &none, 1, NULL);
}

struct err *kept_put_pops(struct putting *p)
{
	const struct pop_family *f;
	struct err *err = NULL;

	for (size_t i = 0; (f = pop_family_number(i)) && !err; i++)
		err = put_family(p, f);
	return err;
}

/* Getting. */

static struct err *read_cols(struct kept *k, const struct kept_pop_table *t,
			     const struct pop_col **ret)
{
	struct pop_col c[POP_COLS + 1] = { 0 };
	size_t n = 0;

	for (; n < t->cols.n && n < POP_COLS - 1; n++) {
		const struct kept_col *from = &t->cols.v[n];

		if (!is_name(from->key) || from->form == POP_END || from->form > POP_ORDINAL)
			return err_bad_data("%.200s: pop_columns: no such column",
					    store_name(k->w.x));
		c[n] = (struct pop_col){ from->key, from->title, from->form, from->flags };
	}
	c[n].form = POP_END;
	*ret = keep_bytes(k->w.keep, c, sizeof(c));
	return keep_err(k->w.keep);
}

static struct err *take_rows(struct kept *k, const char *name, struct pop_table *t)
{
	const struct kept_type *type = NULL;
	struct kept_pop_row *v = NULL;
	size_t n = 0;
	struct err *err = kept_pop_type(k->w.keep, name, t->cols, &type);

	if (!err)
		err = kept_get(&k->w, type, 0, (void **)&v, &n, NULL, NULL);
	for (size_t i = 0; i < n && !err; i++) {
		v[i].r.node = GRAPH_NONE;
		kept_strip_path(&v[i].r.path);
		v[i].r.x = i; /* rows that are equal stay in their order */
		if (v[i].rest)
			memcpy(t->rest.c, v[i].r.c, sizeof(t->rest.c));
		else if (vec_push(&t->rows, v[i].r))
			v[i].r.path = (struct ans_path){ 0 };
		else
			err = &err_nomem;
	}
	for (size_t i = 0; i < n; i++)
		ans_path_deinit(&v[i].r.path);
	free(v);
	return err;
}

static struct err *take_table(struct kept *k, const struct pop_family *f,
			      const struct kept_pop_table *from, const char *sort,
			      struct pop_table *t)
{
	unsigned column = (unsigned)MIN(from->sort, (uint64_t)POP_COLS - 1);
	struct err *err;

	t->key = from->key;
	t->title = from->title;
	t->total = from->total;
	t->rest.node = GRAPH_NONE;
	err = read_cols(k, from, &t->cols);
	if (!err && (!is_name(from->name) || !from->cols.n))
		err = err_bad_data("%.200s: pop_tables: no such table", store_name(k->w.x));
	if (!err)
		err = take_rows(k, from->name, t);
	if (err)
		return err;
	t->sort = column < from->cols.n ? column : 0;
	for (unsigned i = 0; sort && i < POP_COLS && t->cols[i].form != POP_END; i++)
		if (!strcmp(t->cols[i].key, sort))
			t->sort = i;
	if (t->sort != column && t->total > t->rows.n)
		return err_unsupported("%.200s: of %" PRIu64
				       " %s the %zu that come first by %s are kept: sorted "
				       "by %.60s they would be others; give a process or a core",
				       store_name(k->w.x), t->total, f->name, t->rows.n,
				       t->cols[column].key, sort);
	return NULL;
}

static struct err *enough_rows(struct kept *k, const struct pop_table *t)
{
	if (t->total <= t->rows.n || t->limit <= t->rows.n)
		return NULL;
	return err_unsupported("%.200s: of %" PRIu64 " rows the first %zu are kept: give --limit "
			       "%zu, or a process or a core",
			       store_name(k->w.x), t->total, t->rows.n, t->rows.n);
}

static struct err *take_all(struct kept *k, const struct pop_family *f, const struct pop_ask *ask,
			    const struct kept_pop *from, struct ans_pop *p)
{
	struct err *err = NULL;

	for (size_t i = 0; i < MIN(from->tables.n, (size_t)POP_TABLES) && !err; i++) {
		struct pop_table *t = &p->tables[p->ntables++];

		err = take_table(k, f, &from->tables.v[i], i ? NULL : ask->sort, t);
		t->limit = (size_t)MIN((uint64_t)ask->limit, from->tables.v[i].most);
		if (!err)
			err = enough_rows(k, t);
		if (!err)
			pop_again(t);
	}
	for (size_t i = 0; i < from->totals.n && !err; i++) {
		struct pop_total *y = &from->totals.v[i];

		err = pop_total(p, y->key, y->title, y->form > POP_ORDINAL ? POP_COUNT : y->form,
				y->n);
	}
	for (size_t i = 0; i < from->notes.n && !err; i++)
		err = vec_push(&p->notes, from->notes.v[i].text) ? NULL : &err_nomem;
	return err;
}

static struct err *find_family(struct kept *k, const char *name, struct kept_pop *ret, bool *found)
{
	struct kept_pop *v = NULL;
	size_t n = 0;
	struct err *err = kept_get(&k->w, &kept_pop, 0, (void **)&v, &n, NULL, NULL);

	*found = false;
	for (size_t i = 0; i < n; i++) {
		if (!err && !*found && !strcmp(v[i].what, name)) {
			*ret = v[i];
			*found = true;
		} else {
			kept_pop_deinit(&v[i]);
		}
	}
	free(v);
	return err;
}

struct err *kept_pop_of(struct agg *a, const struct pop_family *f, const struct pop_ask *ask,
			struct ans_pop *ret)
{
	_cleanup_(ans_pop_deinit) struct ans_pop p = { .what = f->name };
	_cleanup_(kept_pop_deinit) struct kept_pop from = { 0 };
	struct kept *k = a->asked;
	bool found = false;
	struct err *err = ask->flags & POP_ASK_ALL
				  ? kept_lacks(k, "types without objects are not kept")
				  : NULL;

	if (!err)
		err = find_family(k, f->name, &from, &found);
	if (!err && !found)
		err = kept_lacks(k, "it was made without this population");
	if (!err && *from.refused)
		err = err_unsupported("%.200s: %.240s", store_name(k->w.x), from.refused);
	if (!err)
		err = take_all(k, f, ask, &from, &p);
	if (err)
		return err;
	*ret = p;
	p = (struct ans_pop){ 0 };
	return NULL;
}
