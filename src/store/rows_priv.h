/*
 * rows_priv.h - what putting and getting of rows share; private to the room.
 */
#ifndef LIMPET_STORE_ROWS_PRIV_H
#define LIMPET_STORE_ROWS_PRIV_H

#include "store/rows.h"
#include "base/str.h"

/* A table as this store has it. */
struct open_table {
	const struct store_table *t;
	sqlite3_stmt *put, *get, *one;
	bool looked, has;
	uint64_t present; /* bit by column: the file has it */
};

enum { COLUMNS_MAX = 64 }; /* bits of present */

struct store_rows {
	VEC(struct open_table *) v;
	uint64_t room; /* bytes that may still be read */
};

/* The store's own of t, made when first asked for. */
struct err *rows_table(struct store *x, const struct store_table *t,
		       struct open_table **ret) MUST_CHECK;
struct err *rows_prepare(struct store *x, const struct str *sql, sqlite3_stmt **ret) MUST_CHECK;

static inline size_t rows_columns(const struct store_table *t)
{
	size_t n = 0;

	while (t->columns[n].name && n < COLUMNS_MAX)
		n++;
	return n;
}

static inline uint8_t rows_kind(const struct store_column *c)
{
	return c->kind & (uint8_t)~STORE_ZERO;
}

/* The most that an unsigned member of so many bytes holds. */
static inline uint64_t rows_most(uint8_t bytes)
{
	return UINT64_MAX >> (64 - 8 * bytes);
}

/* Such a member's bits as a number with a sign. */
static inline int64_t rows_signed(uint64_t v, uint8_t bytes)
{
	unsigned up = 64 - 8U * bytes;

	return (int64_t)(v << up) >> up;
}

#endif
