/*
 * objects_put.c - an ident into the tables `look`, `groups` and `objects`.
 *
 * Spans are gathered in order, some chunks at once; threads turn these into bytes and pack them;
 * they are put in order.  Cost: a MiB or two for each thread; ten million objects a second or so of
 * one CPU.
 */
#include "store/chunk.h"
#include "store/look.h"
#include "store/objects.h"

#include "base/par.h"

#include <inttypes.h>
#include <stdio.h>
#include <zstd.h>

enum { CHUNKS_A_THREAD = 2, CHUNKS_MAX = 64, LEVEL = 1 };

struct writer {
	struct store *w;
	struct ident *x;
	unsigned nthreads;
	struct chunk c[CHUNKS_MAX];
	size_t nchunks; /* in use */
	ZSTD_CCtx *z[CHUNKS_MAX];
	sqlite3_stmt *insert;
};

static void writer_deinit(struct writer *p)
{
	for (size_t i = 0; i < CHUNKS_MAX; i++) {
		chunk_deinit(&p->c[i]);
		ZSTD_freeCCtx(p->z[i]);
	}
	sqlite3_finalize(p->insert);
}

static struct err *pack(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct writer *p = arg;
	struct err *err = NULL;

	if (!p->z[worker])
		p->z[worker] = ZSTD_createCCtx();
	if (!p->z[worker])
		return &err_nomem;
	for (size_t i = lo; i < hi && !err; i++) {
		struct chunk *c = &p->c[i];
		size_t n;

		err = chunk_encode(c);
		if (err)
			break;
		if (!vec_reserve(&c->packed, ZSTD_compressBound(c->raw.n)))
			return &err_nomem;
		n = ZSTD_compressCCtx(p->z[worker], c->packed.v, c->packed.cap, c->raw.v, c->raw.n,
				      LEVEL);
		if (ZSTD_isError(n))
			return &err_nomem;
		c->packed.n = n;
	}
	return err;
}

static struct err *insert(struct writer *p, const struct chunk *c)
{
	sqlite3_stmt *s = p->insert;
	char base[24];

	snprintf(base, sizeof(base), "0x%" PRIx64, c->spans.v[0].base);
	sqlite3_bind_text(s, 1, base, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)c->spans.n);
	sqlite3_bind_int64(s, 3, (int64_t)c->nslots);
	sqlite3_bind_int64(s, 4, (int64_t)c->nalive);
	sqlite3_bind_int64(s, 5, (int64_t)c->raw.n);
	sqlite3_bind_blob64(s, 6, c->packed.v, c->packed.n, SQLITE_STATIC);
	if (sqlite3_step(s) != SQLITE_DONE)
		return store_err(p->w, "objects");
	sqlite3_reset(s);
	return NULL;
}

static struct err *flush(struct writer *p)
{
	struct err *err = par_for(p->nthreads, p->nchunks, 1, pack, p);

	for (size_t i = 0; i < p->nchunks && !err; i++)
		err = insert(p, &p->c[i]);
	for (size_t i = 0; i < p->nchunks; i++)
		chunk_reset(&p->c[i]);
	p->nchunks = 0;
	return err;
}

static struct err *put_spans(struct writer *p)
{
	size_t most = MIN((size_t)p->nthreads * CHUNKS_A_THREAD, (size_t)CHUNKS_MAX);
	const struct ident_span *sp = NULL;
	struct err *err = p->x->rewind(p->x);

	while (!err) {
		err = p->x->next(p->x, &sp);
		if (err || !sp)
			break;
		if (!sp->nelems)
			continue;
		if (p->nchunks && p->c[p->nchunks - 1].nslots >= CHUNK_SLOTS && p->nchunks == most)
			err = flush(p);
		if (!err && (!p->nchunks || p->c[p->nchunks - 1].nslots >= CHUNK_SLOTS))
			p->nchunks++;
		if (!err)
			err = chunk_add(&p->c[p->nchunks - 1], sp);
	}
	return err || !p->nchunks ? err : flush(p);
}

static struct err *put_name(struct writer *p, sqlite3_stmt *s, enum ident_column c, uint32_t i)
{
	static const char *const word[] = { "type", "holder", "field" };

	sqlite3_bind_text(s, 1, word[c], -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, i);
	sqlite3_bind_text(s, 3, p->x->name(p->x, c, i), -1, SQLITE_STATIC);
	if (sqlite3_step(s) != SQLITE_DONE)
		return store_err(p->w, "groups");
	sqlite3_reset(s);
	return NULL;
}

static struct err *put_names(struct writer *p)
{
	_cleanup_(stmt_freep) sqlite3_stmt *s = NULL;
	struct err *err = store_prepare(p->w, "INSERT INTO groups VALUES (?, ?, ?)", &s);

	for (int c = 0; c < IDENT_COLUMNS; c++)
		for (uint32_t i = 0; i < p->x->head.ngroups[c] && !err; i++)
			err = put_name(p, s, (enum ident_column)c, i);
	return err;
}

static const char tables[] =
	"CREATE TABLE groups (\"column\" TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
	" PRIMARY KEY (\"column\", number)) WITHOUT ROWID;"
	"CREATE TABLE objects (id INTEGER PRIMARY KEY, base TEXT NOT NULL, spans INTEGER NOT NULL,"
	" slots INTEGER NOT NULL, reachable INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" data BLOB NOT NULL)";

static struct err *make_tables(struct store *w)
{
	static const struct {
		const char *table, *name, *kind, *about;
	} c[] = {
		{ "groups", "column", "text", "what is numbered: type, holder or field" },
		{ "groups", "number", "integer", "0, 1, 2 …, as the chunks of `objects` use it" },
		{ "groups", "name", "text",
		  "as `top` names it; of a holder: the root that alone holds the object" },
		{ "objects", "id", "integer", "1, 2, 3 …, ascending by address" },
		{ "objects", "base", "text, an address", "of the first span in it" },
		{ "objects", "spans", "integer", "how many" },
		{ "objects", "slots", "integer", "of all of them" },
		{ "objects", "reachable", "integer", "objects in these slots" },
		{ "objects", "bytes", "integer", "of data, unpacked" },
		{ "objects", "data", "blob", "spans and their objects, zstd; docs/store.md" },
	};
	struct err *err = store_exec(w, tables, "objects");

	if (!err)
		err = store_document(w, "groups", 1, "names of the groups that objects are in");
	if (!err)
		err = store_document(w, "objects", 1, "all reachable objects by address, packed");
	for (size_t i = 0; i < ARRAY_LEN(c) && !err; i++)
		err = store_document_column(w, c[i].table, c[i].name, c[i].kind, 1, c[i].about);
	return err;
}

struct err *store_put_objects(struct store *w, struct ident *x, unsigned nthreads)
{
	struct writer *p = zalloc(1, sizeof(*p));
	struct err *err;

	if (!p)
		return &err_nomem;
	*p = (struct writer){ .w = w, .x = x, .nthreads = MIN(MAX(nthreads, 1U), 32U) };
	err = store_put_look(w, &x->head);
	if (!err)
		err = make_tables(w);
	if (!err)
		err = put_names(p);
	if (!err)
		err = store_prepare(
			w,
			"INSERT INTO objects (base, spans, slots, reachable, bytes, data)"
			" VALUES (?, ?, ?, ?, ?, ?)",
			&p->insert);
	if (!err)
		err = put_spans(p);
	writer_deinit(p);
	free(p);
	return err;
}
