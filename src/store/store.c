/*
 * store.c - opening and making the database; no table of an answer is known here.
 *
 * Written in SQLite's memory (the memdb VFS) and handed out as its bytes, without a copy.  Read
 * from a descriptor, page by page (fd_vfs.c): memory does not grow with the file.  What a file
 * makes us do is bounded by its size (a tree of pages may lead to one page in many ways).
 */
#include "store/priv.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STEPS_EACH = 10000,  /* instructions of SQLite's machine between two looks at the budget */
	STEPS_ALWAYS = 5000, /* of these, for a file of no bytes */
	BYTES_A_STEP = 256,  /* and one more for so many of them */
	LENGTH_MAX = 128 << 20, /* of one value */
	FEW_OBJECTS = 20000,
	MANY_OBJECTS = 200000,
};

struct store {
	sqlite3 *db;
	int fd; /* -1: in memory */
	char name[256];
	unsigned version;
	uint64_t steps; /* left */
	sqlite3_int64 nbytes;
	struct store_rows *rows;
};

sqlite3 *store_db(struct store *x)
{
	return x->db;
}

const char *store_name(const struct store *x)
{
	return x->name;
}

struct store_rows **store_rows(struct store *x)
{
	return &x->rows;
}

unsigned store_version(const struct store *x)
{
	return x->version;
}

void store_close(struct store *x)
{
	if (x) {
		store_rows_free(x->rows);
		sqlite3_close_v2(x->db);
		closep(&x->fd);
	}
	free(x);
}

struct err *store_err(struct store *x, const char *what)
{
	int code = sqlite3_errcode(x->db) & 0xff;

	if (code == SQLITE_NOMEM)
		return &err_nomem;
	if (code == SQLITE_INTERRUPT)
		return err_bad_data(
			"%.200s: %s: more is in it than can be in a file of its size; it "
			"is damaged, take the snapshot again",
			x->name, what);
	if (code == SQLITE_TOOBIG || code == SQLITE_FULL)
		return err_new(ERR_LIMIT, "%.200s: %s: %.100s", x->name, what,
			       sqlite3_errmsg(x->db));
	return err_bad_data("%.200s: %s: %.200s; take the snapshot again", x->name, what,
			    sqlite3_errmsg(x->db));
}

struct err *store_exec(struct store *x, const char *sql, const char *what)
{
	return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? NULL : store_err(x, what);
}

struct err *store_prepare(struct store *x, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v2(x->db, sql, -1, ret, NULL) == SQLITE_OK ? NULL
									  : store_err(x, sql);
}

static struct store *new_store(const char *name)
{
	struct store *x = zalloc(1, sizeof(*x));

	if (x) {
		x->fd = -1;
		snprintf(x->name, sizeof(x->name), "%s", name);
	}
	return x;
}

/* Documentation comes first: who opens the file with sqlite3 finds it. */
static const char beginning[] =
	"CREATE TABLE tables (name TEXT PRIMARY KEY, since INTEGER NOT NULL, about TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE columns (\"table\" TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,"
	" since INTEGER NOT NULL, about TEXT NOT NULL, PRIMARY KEY (\"table\", name)) WITHOUT ROWID";

struct err *store_create(struct store **ret)
{
	return store_create_for(MANY_OBJECTS, ret);
}

struct err *store_create_for(uint64_t nobjects, struct store **ret)
{
	_cleanup_(store_closep) struct store *x = new_store("the new store");
	sqlite3_int64 most = INT64_MAX / 2;
	struct err *err;
	char sql[256];

	if (!x || sqlite3_open_v2("store", &x->db,
				  SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				  "memdb") != SQLITE_OK)
		return &err_nomem;
	sqlite3_file_control(x->db, "main", SQLITE_FCNTL_SIZE_LIMIT, &most);
	snprintf(sql, sizeof(sql),
		 "PRAGMA page_size = %d; PRAGMA application_id = %d; PRAGMA user_version = %d;"
		 "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN",
		 nobjects < FEW_OBJECTS	   ? 512
		 : nobjects < MANY_OBJECTS ? 1024
					   : 4096,
		 STORE_APPLICATION, STORE_VERSION);
	err = store_exec(x, sql, "beginning");
	if (!err)
		err = store_exec(x, beginning, "beginning");
	if (err)
		return err;
	x->version = STORE_VERSION;
	*ret = STEAL(x);
	return NULL;
}

struct err *store_document(struct store *x, const char *table, unsigned since, const char *about)
{
	_cleanup_(stmt_freep) sqlite3_stmt *s = NULL;
	struct err *err = store_prepare(x, "INSERT OR IGNORE INTO tables VALUES (?, ?, ?)", &s);

	if (err)
		return err;
	sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 2, (int)since);
	sqlite3_bind_text(s, 3, about, -1, SQLITE_STATIC);
	return sqlite3_step(s) == SQLITE_DONE ? NULL : store_err(x, "documenting");
}

struct err *store_document_column(struct store *x, const char *table, const char *name,
				  const char *kind, unsigned since, const char *about)
{
	_cleanup_(stmt_freep) sqlite3_stmt *s = NULL;
	struct err *err =
		store_prepare(x, "INSERT OR IGNORE INTO columns VALUES (?, ?, ?, ?, ?)", &s);

	if (err)
		return err;
	sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, kind, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 4, (int)since);
	sqlite3_bind_text(s, 5, about, -1, SQLITE_STATIC);
	return sqlite3_step(s) == SQLITE_DONE ? NULL : store_err(x, "documenting");
}

struct err *store_reopen(struct store *x)
{
	if (sqlite3_get_autocommit(x->db))
		return NULL;
	return store_exec(x, "COMMIT; PRAGMA query_only = ON", "ending");
}

struct err *store_bytes(struct store *x, const void **ret, uint64_t *ret_nbytes)
{
	struct err *err = store_reopen(x);

	if (err)
		return err;
	*ret = sqlite3_serialize(x->db, "main", &x->nbytes, SQLITE_SERIALIZE_NOCOPY);
	if (!*ret)
		return &err_nomem;
	*ret_nbytes = (uint64_t)x->nbytes;
	return NULL;
}

static int number(void *arg, int n, char **values, char **names)
{
	(void)names;
	if (n == 1 && values[0])
		*(long *)arg = strtol(values[0], NULL, 10);
	return 0;
}

/* Is it ours, and whole as far as its header says? */
static struct err *check_head(struct store *x)
{
	long app = 0, version = 0;

	if (sqlite3_exec(x->db, "PRAGMA application_id", number, &app, NULL) != SQLITE_OK ||
	    sqlite3_exec(x->db, "PRAGMA user_version", number, &version, NULL) != SQLITE_OK)
		return store_err(x, "is no store that can be read");
	if (app != STORE_APPLICATION)
		return err_unsupported(
			"%.200s: an SQLite database, but no store of limpet's; one is made by "
			"`limpet snapshot PID -o FILE.limpet`",
			x->name);
	x->version = version > 0 ? (unsigned)version : 0;
	return NULL;
}

/* Not zero: the statement ends with SQLITE_INTERRUPT. */
static int spend(void *arg)
{
	struct store *x = arg;

	return x->steps ? (x->steps--, 0) : 1;
}

/* What is in it may be a lie: nothing of it is run, and all of it has limits. */
static void guard(struct store *x, uint64_t file_bytes)
{
	static const struct {
		int id, most;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, LENGTH_MAX }, { SQLITE_LIMIT_SQL_LENGTH, 64 << 10 },
		{ SQLITE_LIMIT_COLUMN, 256 },	     { SQLITE_LIMIT_EXPR_DEPTH, 32 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 4 }, { SQLITE_LIMIT_VDBE_OP, 100000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 16 },   { SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },   { SQLITE_LIMIT_VARIABLE_NUMBER, 256 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	sqlite3_db_config(x->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(x->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(x->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(x->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		sqlite3_limit(x->db, limits[i].id, limits[i].most);
	x->steps = STEPS_ALWAYS + file_bytes / BYTES_A_STEP;
	sqlite3_progress_handler(x->db, STEPS_EACH, spend, x);
}

struct err *store_open(int fd, const char *name, struct store **ret)
{
	_cleanup_(store_closep) struct store *x = new_store(name);
	struct err *err;
	struct stat st;

	if (!x) {
		close(fd);
		return &err_nomem;
	}
	x->fd = fd;
	if (fstat(fd, &st))
		return err_os(errno, "%.200s", name);
	if (fd_vfs_open(fd, &x->db) != SQLITE_OK)
		return x->db ? store_err(x, "is no store that can be read") : &err_nomem;
	guard(x, (uint64_t)st.st_size);
	err = store_exec(x,
			 "PRAGMA cell_size_check = ON; PRAGMA query_only = ON;"
			 "PRAGMA temp_store = MEMORY",
			 "is no store that can be read");
	if (!err)
		err = check_head(x);
	if (err)
		return err;
	*ret = STEAL(x);
	return NULL;
}
