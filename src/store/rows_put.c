/*
 * rows_put.c - arrays of structs to tables.
 *
 * Knows no table by name but `tables` and `columns`, in which all others are described.  Cost: one
 * step of a kept statement a row.
 */
#include "store/rows_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static const char *type_word(const struct store_column *c)
{
	switch (rows_kind(c)) {
	case STORE_ADDR:
	case STORE_TEXT:
	case STORE_WORD:
		return "TEXT";
	case STORE_REAL:
		return "REAL";
	default:
		return "INTEGER";
	}
}

/* Kind of a column in words, for `columns`. */
static const char *kind_words(const struct store_column *c)
{
	switch (rows_kind(c)) {
	case STORE_ADDR:
		return "text, an address in hex";
	case STORE_BOOL:
		return "integer, 0 or 1";
	default:
		return rows_kind(c) == STORE_REAL ? "real"
		       : *type_word(c) == 'T'	  ? "text"
						  : "integer";
	}
}

struct err *store_describe(struct store *x, const struct store_table *t)
{
	struct err *err = store_document(x, t->name, t->since, t->about);
	char about[128];

	if (!err)
		err = store_document_column(x, t->name, "id", "integer", t->since,
					    "in the order of the answer");
	snprintf(about, sizeof(about), "id in %s", t->parent ? t->parent : "");
	if (!err && t->parent)
		err = store_document_column(x, t->name, "parent", "integer", t->since, about);
	for (const struct store_column *c = t->columns; c->name && !err; c++)
		err = store_document_column(x, t->name, c->name, kind_words(c), c->since, c->about);
	return err;
}

static struct err *create(struct store *x, const struct store_table *t)
{
	_cleanup_(str_deinit) struct str sql = { 0 };
	size_t n = rows_columns(t);

	str_printf(&sql, "CREATE TABLE IF NOT EXISTS \"%s\"(id INTEGER PRIMARY KEY", t->name);
	if (t->parent)
		str_put(&sql, ", parent INTEGER");
	for (size_t i = 0; i < n; i++)
		str_printf(&sql, ", \"%s\" %s", t->columns[i].name, type_word(&t->columns[i]));
	str_put(&sql, ")");
	if (t->parent)
		str_printf(&sql, "; CREATE INDEX IF NOT EXISTS \"%s_parent\" ON \"%s\"(parent)",
			   t->name, t->name);
	if (!str_ok(&sql))
		return &err_nomem;
	if (sqlite3_exec(store_db(x), sql.s, NULL, NULL, NULL) != SQLITE_OK)
		return store_err(x, t->name);
	return store_describe(x, t);
}

static struct err *ready_to_put(struct store *x, struct open_table *o)
{
	_cleanup_(str_deinit) struct str sql = { 0 };
	size_t n = rows_columns(o->t);
	struct err *err;

	if (o->put)
		return NULL;
	err = create(x, o->t);
	if (err)
		return err;
	str_printf(&sql, "INSERT INTO \"%s\" VALUES(NULL", o->t->name);
	for (size_t i = 0; i < n + (o->t->parent != NULL); i++)
		str_put(&sql, ",?");
	str_put(&sql, ")");
	return rows_prepare(x, &sql, &o->put);
}

static uint64_t load(const void *p, uint8_t bytes)
{
	switch (bytes) {
	case 1:
		return *(const uint8_t *)p;
	case 2:
		return *(const uint16_t *)p;
	case 4:
		return *(const uint32_t *)p;
	default:
		return *(const uint64_t *)p;
	}
}

static int bind_number(sqlite3_stmt *s, int at, const struct store_column *c, const void *p)
{
	uint64_t v = load(p, c->bytes);
	int64_t i = rows_signed(v, c->bytes);

	if (rows_kind(c) == STORE_INT)
		return !(c->kind & STORE_ZERO) &&
				       i == rows_signed(1ULL << (8 * c->bytes - 1), c->bytes)
			       ? sqlite3_bind_null(s, at)
			       : sqlite3_bind_int64(s, at, i);
	if (v == rows_most(c->bytes) && !(c->kind & STORE_ZERO))
		return sqlite3_bind_null(s, at);
	return sqlite3_bind_int64(s, at, (int64_t)MIN(v, INT64_MAX));
}

static int bind_address(sqlite3_stmt *s, int at, taddr v)
{
	char text[24];

	if (!v)
		return sqlite3_bind_null(s, at);
	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	return sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

static int bind(sqlite3_stmt *s, int at, const struct store_column *c, const uint8_t *row)
{
	const void *p = row + c->offset;

	switch (rows_kind(c)) {
	case STORE_ADDR:
		return bind_address(s, at, *(const taddr *)p);
	case STORE_TEXT:
	case STORE_WORD:
		return sqlite3_bind_text(s, at, *(const char *const *)p, -1, SQLITE_STATIC);
	case STORE_REAL:
		return sqlite3_bind_double(s, at, *(const double *)p); /* NaN becomes NULL */
	case STORE_BOOL:
		return sqlite3_bind_int64(s, at, load(p, c->bytes) != 0);
	default:
		return bind_number(s, at, c, p);
	}
}

static bool put_row(struct open_table *o, int64_t parent, const uint8_t *row)
{
	int at = 1;
	bool good = true;

	if (o->t->parent)
		good = sqlite3_bind_int64(o->put, at++, parent) == SQLITE_OK;
	for (const struct store_column *c = o->t->columns; c->name && good; c++)
		good = bind(o->put, at++, c, row) == SQLITE_OK;
	good = good && sqlite3_step(o->put) == SQLITE_DONE;
	return sqlite3_reset(o->put) == SQLITE_OK && good;
}

struct err *store_put(struct store *x, const struct store_table *t, int64_t parent,
		      const void *rows, size_t n, int64_t *ret_first)
{
	struct open_table *o = NULL;
	struct err *err = rows_table(x, t, &o);

	if (!err)
		err = ready_to_put(x, o);
	if (err)
		return err;
	if (ret_first)
		*ret_first = 0;
	for (size_t i = 0; i < n; i++) {
		if (!put_row(o, parent, (const uint8_t *)rows + i * t->row_bytes))
			return store_err(x, t->name);
		if (!i && ret_first)
			*ret_first = sqlite3_last_insert_rowid(store_db(x));
	}
	return NULL;
}
