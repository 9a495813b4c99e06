/*
 * rows_get.c - tables to arrays of structs.
 *
 * A file's schema is read, never run: what is not a plain table with plain columns is not there.
 * Cost: one step of a kept statement a row.
 */
#include "store/rows_priv.h"

#include <math.h>

enum {
	/* A row in memory is many times its bytes in the file; beyond it somebody lies. */
	ROOM_PER_BYTE = 64,
	ROOM_AT_LEAST = 1 << 24,
};

static int read_number(void *arg, int n, char **values, char **names)
{
	(void)names;
	if (n == 1 && values[0])
		*(uint64_t *)arg = strtoull(values[0], NULL, 10);
	return 0;
}

/* How much may be read of this file: its size is its pages. */
static uint64_t room_of(sqlite3 *db)
{
	uint64_t pages = 0, bytes = 0;

	if (sqlite3_exec(db, "PRAGMA page_count", read_number, &pages, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA page_size", read_number, &bytes, NULL) != SQLITE_OK)
		return ROOM_AT_LEAST;
	return MIN(pages, UINT32_MAX) * MIN(bytes, 65536) * ROOM_PER_BYTE + ROOM_AT_LEAST;
}

/* A plain table: a view, or a table that code stands behind, has no root page. */
static struct err *is_table(struct store *x, const char *name, bool *ret)
{
	static const char sql[] = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? "
				  "AND rootpage > 0";
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(store_db(x), sql, -1, &s, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(s);
	*ret = code == SQLITE_ROW;
	struct err *err = code == SQLITE_ROW || code == SQLITE_DONE ? NULL : store_err(x, name);

	sqlite3_finalize(s);
	return err;
}

static void note_column(struct open_table *o, const char *name, bool *id, bool *parent)
{
	if (!strcmp(name, "id"))
		*id = true;
	if (!strcmp(name, "parent"))
		*parent = true;
	for (size_t i = 0; i < rows_columns(o->t); i++)
		if (!strcmp(name, o->t->columns[i].name))
			o->present |= 1ULL << i;
}

/* Which of the columns there are; one that is computed is none. */
static struct err *find_columns(struct store *x, struct open_table *o)
{
	_cleanup_(str_deinit) struct str sql = { 0 };
	sqlite3_stmt *s = NULL;
	bool id = false, parent = !o->t->parent;
	int code = SQLITE_DONE;

	str_printf(&sql, "PRAGMA table_xinfo(\"%s\")", o->t->name);
	struct err *err = rows_prepare(x, &sql, &s);

	while (!err && (code = sqlite3_step(s)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(s, 1);

		if (name && !sqlite3_column_int(s, 6))
			note_column(o, name, &id, &parent);
	}
	if (!err && code != SQLITE_DONE)
		err = store_err(x, o->t->name);
	sqlite3_finalize(s);
	o->has = !err && id && parent;
	return err;
}

static struct err *look_at_table(struct store *x, const struct store_table *t,
				 struct open_table **ret)
{
	struct open_table *o = NULL;
	bool there = false;
	struct err *err = rows_table(x, t, &o);

	if (!err && !o->looked)
		err = is_table(x, t->name, &there);
	if (!err && there)
		err = find_columns(x, o);
	if (err)
		return err;
	o->looked = true;
	*ret = o;
	return NULL;
}

struct err *store_has(struct store *x, const struct store_table *t, bool *ret)
{
	struct open_table *o = NULL;
	struct err *err = look_at_table(x, t, &o);

	if (!err)
		*ret = o->has;
	return err;
}

enum which { BELOW, ONE };

static struct err *ready_to_get(struct store *x, struct open_table *o, enum which which)
{
	_cleanup_(str_deinit) struct str sql = { 0 };
	sqlite3_stmt **to = which == ONE ? &o->one : &o->get;
	size_t n = rows_columns(o->t);

	if (*to)
		return NULL;
	str_put(&sql, "SELECT id");
	for (size_t i = 0; i < n; i++)
		if (o->present >> i & 1)
			str_printf(&sql, ", \"%s\"", o->t->columns[i].name);
		else
			str_put(&sql, ", NULL");
	str_printf(&sql, " FROM \"%s\"", o->t->name);
	if (which == ONE)
		str_put(&sql, " WHERE id = ?1");
	else
		str_put(&sql, o->t->parent ? " WHERE parent = ?1 ORDER BY id" : " ORDER BY id");
	return rows_prepare(x, &sql, to);
}

static void save(void *p, uint8_t bytes, uint64_t v)
{
	switch (bytes) {
	case 1:
		*(uint8_t *)p = (uint8_t)v;
		break;
	case 2:
		*(uint16_t *)p = (uint16_t)v;
		break;
	case 4:
		*(uint32_t *)p = (uint32_t)v;
		break;
	default:
		*(uint64_t *)p = v;
	}
}

static uint64_t read_unsigned(sqlite3_stmt *s, int at, const struct store_column *c)
{
	int64_t v = sqlite3_column_int64(s, at);
	uint64_t none = c->kind & STORE_ZERO ? 0 : rows_most(c->bytes);

	if (sqlite3_column_type(s, at) != SQLITE_INTEGER || v < 0 ||
	    (uint64_t)v > rows_most(c->bytes))
		return none;
	return (uint64_t)v;
}

static uint64_t read_signed(sqlite3_stmt *s, int at, const struct store_column *c)
{
	int64_t v = sqlite3_column_int64(s, at);
	uint64_t none = c->kind & STORE_ZERO ? 0 : 1ULL << (8 * c->bytes - 1);

	if (sqlite3_column_type(s, at) != SQLITE_INTEGER || rows_signed((uint64_t)v, c->bytes) != v)
		return none;
	return (uint64_t)v;
}

static const char *read_text(sqlite3_stmt *s, int at, struct keep *keep, const char *none)
{
	const char *text;

	if (sqlite3_column_type(s, at) != SQLITE_TEXT)
		return none;
	text = (const char *)sqlite3_column_text(s, at);
	if (!text) {
		keep->bad = true;
		return none;
	}
	return *text ? keepn(keep, text, (size_t)sqlite3_column_bytes(s, at)) : "";
}

static taddr read_address(sqlite3_stmt *s, int at)
{
	const char *text = sqlite3_column_type(s, at) == SQLITE_TEXT
				   ? (const char *)sqlite3_column_text(s, at)
				   : NULL;

	return text && !strncmp(text, "0x", 2) ? strtoull(text + 2, NULL, 16) : 0;
}

static void read_column(sqlite3_stmt *s, int at, const struct store_column *c, struct keep *keep,
			uint8_t *row)
{
	void *p = row + c->offset;

	switch (rows_kind(c)) {
	case STORE_ADDR:
		*(taddr *)p = read_address(s, at);
		break;
	case STORE_TEXT:
		*(const char **)p = read_text(s, at, keep, "");
		break;
	case STORE_WORD:
		*(const char **)p = read_text(s, at, keep, NULL);
		break;
	case STORE_REAL:
		*(double *)p = sqlite3_column_type(s, at) == SQLITE_FLOAT ||
					       sqlite3_column_type(s, at) == SQLITE_INTEGER
				       ? sqlite3_column_double(s, at)
				       : (double)NAN;
		break;
	case STORE_BOOL:
		save(p, c->bytes, sqlite3_column_int64(s, at) == 1);
		break;
	case STORE_INT:
		save(p, c->bytes, read_signed(s, at, c));
		break;
	default:
		save(p, c->bytes, read_unsigned(s, at, c));
	}
}

/* A row costs its struct and its texts. */
static struct err *take_room(struct store *x, const struct store_table *t, sqlite3_stmt *s,
			     size_t ncolumns)
{
	struct store_rows *r = *store_rows(x);
	uint64_t need = t->row_bytes;

	if (!r->room)
		r->room = room_of(store_db(x));
	for (size_t i = 0; i < ncolumns; i++)
		if (sqlite3_column_type(s, (int)i + 1) == SQLITE_TEXT)
			need += (uint64_t)sqlite3_column_bytes(s, (int)i + 1);
	if (need >= r->room)
		return err_bad_data("%.200s: %s: more rows than a file of this size has",
				    store_name(x), t->name);
	r->room -= need;
	return NULL;
}

static struct err *read_row(struct store *x, const struct open_table *o, sqlite3_stmt *s,
			    struct keep *keep, uint8_t *row)
{
	size_t n = rows_columns(o->t);
	struct err *err = take_room(x, o->t, s, n);

	if (err)
		return err;
	memset(row, 0, o->t->row_bytes);
	for (size_t i = 0; i < n; i++)
		read_column(s, (int)i + 1, &o->t->columns[i], keep, row);
	return keep_err(keep);
}

struct gathered {
	VEC(int64_t) ids;
	uint8_t *rows;
	size_t room;
};

static void gathered_deinit(struct gathered *g)
{
	vec_free(&g->ids);
	free(g->rows);
}

static struct err *gather(struct store *x, const struct open_table *o, sqlite3_stmt *s,
			  struct keep *keep, struct gathered *g)
{
	int64_t id = sqlite3_column_int64(s, 0);

	/* a damaged tree of pages may lead round in circles */
	if (g->ids.n && id <= g->ids.v[g->ids.n - 1])
		return err_bad_data("%.200s: %s: rows out of order", store_name(x), o->t->name);
	if (g->ids.n == g->room &&
	    !vec_grow_((void **)&g->rows, &g->room, g->ids.n + 1, o->t->row_bytes))
		return &err_nomem;
	if (!vec_push(&g->ids, id))
		return &err_nomem;
	return read_row(x, o, s, keep, g->rows + (g->ids.n - 1) * o->t->row_bytes);
}

static struct err *get_rows(struct store *x, struct open_table *o, int64_t parent,
			    struct keep *keep, struct gathered *g)
{
	struct err *err = ready_to_get(x, o, BELOW);
	int code = SQLITE_DONE;

	if (err)
		return err;
	if (o->t->parent && sqlite3_bind_int64(o->get, 1, parent) != SQLITE_OK)
		return store_err(x, o->t->name);
	while (!err && (code = sqlite3_step(o->get)) == SQLITE_ROW)
		err = gather(x, o, o->get, keep, g);
	if (!err && code != SQLITE_DONE)
		err = store_err(x, o->t->name);
	sqlite3_reset(o->get);
	return err;
}

struct err *store_get(struct store *x, const struct store_table *t, int64_t parent,
		      struct keep *keep, void **ret_rows, size_t *ret_n, int64_t **ret_ids,
		      bool *ret_has)
{
	_cleanup_(gathered_deinit) struct gathered g = { 0 };
	struct open_table *o = NULL;
	struct err *err = look_at_table(x, t, &o);

	if (!err && o->has)
		err = get_rows(x, o, parent, keep, &g);
	if (err)
		return err;
	*ret_rows = STEAL(g.rows);
	*ret_n = g.ids.n;
	if (ret_ids)
		*ret_ids = STEAL(g.ids.v);
	if (ret_has)
		*ret_has = o->has;
	return NULL;
}

struct err *store_get_one(struct store *x, const struct store_table *t, int64_t id,
			  struct keep *keep, void *row, bool *ret)
{
	struct open_table *o = NULL;
	struct err *err = look_at_table(x, t, &o);
	int code;

	*ret = false;
	if (err || !o->has)
		return err;
	err = ready_to_get(x, o, ONE);
	if (err)
		return err;
	if (sqlite3_bind_int64(o->one, 1, id) != SQLITE_OK)
		return store_err(x, t->name);
	code = sqlite3_step(o->one);
	if (code == SQLITE_ROW)
		err = read_row(x, o, o->one, keep, row);
	else if (code != SQLITE_DONE)
		err = store_err(x, t->name);
	*ret = !err && code == SQLITE_ROW;
	sqlite3_reset(o->one);
	return err;
}
