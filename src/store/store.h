/*
 * store.h - an analysed look, kept: one SQLite 3 file (`x.limpet`).
 *
 * Made in memory and handed out as bytes, so that whoever writes the file can do it all or
 * nothing; opened for reading only.  Every table has a row in `tables`, every column one in
 * `columns`: what it is, in which unit, since which version of the schema.  Numbers above 2^63 - 1
 * do not occur; "unknown" is NULL.
 *
 * VERSIONS.  PRAGMA user_version is the schema's, PRAGMA application_id says that it is ours
 * (STORE_APPLICATION).  A version only ever adds tables and columns: a reader takes what is missing
 * as unknown and never writes to the user's file.  A file of a later version is read as far as it
 * is understood, and said to be one.
 *
 * Everything in a file may be a lie: no views, triggers or functions of it are run (defensive
 * mode, no trusted schema), counts are bounded by the file's size.
 */
#ifndef LIMPET_STORE_STORE_H
#define LIMPET_STORE_STORE_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdint.h>

enum { STORE_VERSION = 1, STORE_APPLICATION = 0x4c4d5054 /* "LMPT" */ };

struct store;

/* In memory, empty: for writing. */
struct err *store_create(struct store **ret) MUST_CHECK;
/* For so many objects: tables of a small one are small, and so are its pages. */
struct err *store_create_for(uint64_t nobjects, struct store **ret) MUST_CHECK;
/* All of it as a file's bytes; borrowed from the store, which takes no more writes. */
struct err *store_bytes(struct store *x, const void **ret, uint64_t *ret_nbytes) MUST_CHECK;

/* fd of base/files.h, ours now; name: for messages.  Errors: BAD_DATA, UNSUPPORTED, OS. */
struct err *store_open(int fd, const char *name, struct store **ret) MUST_CHECK;
/* What was created, for reading, without a file. */
struct err *store_reopen(struct store *x) MUST_CHECK;
void store_close(struct store *x);
static inline void store_closep(struct store **x)
{
	store_close(*x);
}

sqlite3 *store_db(struct store *x);
const char *store_name(const struct store *x);
unsigned store_version(const struct store *x); /* of the file's schema */

/*
 * While writing: what a table is, and each of its columns (kind: "integer", "text, an address" …).
 * Texts are copied.
 */
struct err *store_document(struct store *x, const char *table, unsigned since,
			   const char *about) MUST_CHECK;
struct err *store_document_column(struct store *x, const char *table, const char *name,
				  const char *kind, unsigned since, const char *about) MUST_CHECK;

/* What rows.c keeps with it: its statements, and how much was read. */
struct store_rows **store_rows(struct store *x);
void store_rows_free(struct store_rows *r); /* rows.c; before the database is closed */

/* What went wrong in SQLite, as an error: "FILE: …".  A damaged file is BAD_DATA. */
struct err *store_err(struct store *x, const char *what) MUST_CHECK;

#endif
