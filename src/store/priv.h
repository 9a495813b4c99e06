/*
 * priv.h - private to the store room.
 */
#ifndef LIMPET_STORE_PRIV_H
#define LIMPET_STORE_PRIV_H

#include "store/store.h"

/* A database of an open file, for reading only; an SQLite result code; *ret is to be closed also
 * then. */
int fd_vfs_open(int fd, sqlite3 **ret) MUST_CHECK;

/* One statement, once; what says what was being done. */
struct err *store_exec(struct store *x, const char *sql, const char *what) MUST_CHECK;
struct err *store_prepare(struct store *x, const char *sql, sqlite3_stmt **ret) MUST_CHECK;
static inline void stmt_freep(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

#endif
