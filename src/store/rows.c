/*
 * rows.c - the tables that a store has open: each with the statements that were made for it.
 *
 * Knows no table by name.  Putting is rows_put.c, getting rows_get.c.
 */
#include "store/rows_priv.h"

void store_rows_free(struct store_rows *r)
{
	for (size_t i = 0; r && i < r->v.n; i++) {
		sqlite3_finalize(r->v.v[i]->put);
		sqlite3_finalize(r->v.v[i]->get);
		sqlite3_finalize(r->v.v[i]->one);
		free(r->v.v[i]);
	}
	if (r)
		vec_free(&r->v);
	free(r);
}

static struct err *rows_of(struct store *x, struct store_rows **ret)
{
	struct store_rows **slot = store_rows(x);

	if (!*slot)
		*slot = zalloc(1, sizeof(**slot));
	if (!*slot)
		return &err_nomem;
	*ret = *slot;
	return NULL;
}

struct err *rows_table(struct store *x, const struct store_table *t, struct open_table **ret)
{
	struct store_rows *r = NULL;
	struct open_table *o;
	struct err *err = rows_of(x, &r);

	if (err)
		return err;
	for (size_t i = 0; i < r->v.n; i++)
		if (r->v.v[i]->t == t) {
			*ret = r->v.v[i];
			return NULL;
		}
	o = zalloc(1, sizeof(*o));
	if (!o || !vec_push(&r->v, o)) {
		free(o);
		return &err_nomem;
	}
	o->t = t;
	*ret = o;
	return NULL;
}

struct err *rows_prepare(struct store *x, const struct str *sql, sqlite3_stmt **ret)
{
	if (!str_ok(sql))
		return &err_nomem;
	if (sqlite3_prepare_v3(store_db(x), sql->s, (int)sql->n + 1, SQLITE_PREPARE_PERSISTENT, ret,
			       NULL) != SQLITE_OK)
		return store_err(x, "a table");
	return NULL;
}
