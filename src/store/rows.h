/*
 * rows.h - arrays of structs to tables and back, by a description of their members.
 *
 * One description makes the CREATE TABLE, the INSERT, the SELECT and the page of documentation, so
 * that they cannot disagree.  Rows are numbered in the order they were put (id INTEGER PRIMARY
 * KEY); parent is the id of the row that they belong to (in the table that their description
 * names), 0: the look itself.
 *
 * A column that the file lacks (an older one) is as if it were NULL everywhere; so is a value of
 * another type, and a number that the member cannot hold.
 *
 * Statements are made once a table and kept with the store: a description must live as long.  All
 * that is read together is bounded by the file's size.
 */
#ifndef LIMPET_STORE_ROWS_H
#define LIMPET_STORE_ROWS_H

#include "base/keep.h"
#include "store/store.h"

enum store_kind {
	STORE_INT,  /* signed; the least of its width is NULL */
	STORE_UINT, /* unsigned; the most of its width is NULL, others are cut to 2^63 - 1 */
	STORE_ADDR, /* taddr: as text "0xc000012345", NULL: 0 */
	STORE_TEXT, /* const char *; never NULL when read: "" */
	STORE_WORD, /* const char *; NULL stays NULL */
	STORE_BOOL,
	STORE_REAL, /* double; NaN is NULL */
};

/* Of a column with numbers: NULL, and a column that is not there, read as 0. */
enum { STORE_ZERO = 0x80 };

struct store_column {
	const char *name;
	uint8_t kind;  /* enum store_kind, or'd with STORE_ZERO */
	uint8_t bytes; /* of the member: 1, 2, 4, 8 */
	uint16_t offset;
	uint16_t since;	   /* version of the schema */
	const char *about; /* with its unit */
};

struct store_table {
	const char *name;
	const char *parent; /* name of that table; NULL: the look */
	const char *about;
	uint16_t since;
	size_t row_bytes;
	const struct store_column *columns; /* name NULL ends */
};

/* A member of struct s as a column. */
#define STORE_MEMBER(s, member, column, kind_, about_)                                             \
	{                                                                                          \
		.name = (column), .kind = (kind_), .bytes = sizeof(((s *)0)->member),              \
		.offset = offsetof(s, member), .since = 1, .about = (about_)                       \
	}

/*
 * n rows more, below parent; *ret_first (may be NULL): id of the first, the others follow.  The
 * table is made when it is first put to, also with n == 0.
 */
struct err *store_put(struct store *x, const struct store_table *t, int64_t parent,
		      const void *rows, size_t n, int64_t *ret_first) MUST_CHECK;

/*
 * All rows below parent, in order; *ret_rows is the caller's (free), texts are of the keep.
 * ret_ids (may be NULL): their ids, the caller's.  A table that the file does not have: *ret_has
 * (may be NULL) false, no rows.
 */
struct err *store_get(struct store *x, const struct store_table *t, int64_t parent,
		      struct keep *keep, void **ret_rows, size_t *ret_n, int64_t **ret_ids,
		      bool *ret_has) MUST_CHECK;

/* The row of that id into row (row_bytes of it); *ret false: there is none. */
struct err *store_get_one(struct store *x, const struct store_table *t, int64_t id,
			  struct keep *keep, void *row, bool *ret) MUST_CHECK;

/* Is it in the file, as a table? */
struct err *store_has(struct store *x, const struct store_table *t, bool *ret) MUST_CHECK;

/* A table that somebody else made, told in `tables` and `columns`. */
struct err *store_describe(struct store *x, const struct store_table *t) MUST_CHECK;

#endif
