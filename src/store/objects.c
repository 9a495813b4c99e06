/*
 * objects.c - the tables `look`, `groups` and `objects` as an ident.
 *
 * One chunk is in memory at a time, and the names.  All of it may be a lie: numbers and sizes are
 * checked chunk by chunk, spans must ascend.
 */
#include "store/objects.h"

#include "store/chunk.h"
#include "store/look.h"

#include <zstd.h>

struct objects {
	struct ident x; /* first: what others see */
	struct store *s;
	struct keep keep;
	VEC(const char *) names[IDENT_COLUMNS];
	sqlite3_stmt *chunks;
	VEC(uint8_t) raw;
	struct chunk_view view;
	struct chunk_room room;
	ZSTD_DCtx *z;
	struct ident_span span;
	taddr end; /* of the last span */
};

void store_objects_close(struct ident *x)
{
	struct objects *o = (struct objects *)x;

	if (!o)
		return;
	sqlite3_finalize(o->chunks);
	ZSTD_freeDCtx(o->z);
	for (int k = 0; k < IDENT_COLUMNS; k++)
		vec_free(&o->names[k]);
	vec_free(&o->raw);
	chunk_room_deinit(&o->room);
	keep_deinit(&o->keep);
	free(o);
}

static void closep_(struct objects **o)
{
	store_objects_close(*o ? &(*o)->x : NULL);
}

static struct err *damaged(const struct objects *o, struct err *why)
{
	if (why && why->code == ERR_BAD_DATA)
		return err_prefix(why, "%.200s: damaged, take the snapshot again",
				  store_name(o->s));
	return why;
}

static struct err *rewind_chunks(struct ident *x)
{
	struct objects *o = (struct objects *)x;

	sqlite3_reset(o->chunks);
	o->view = (struct chunk_view){ 0 };
	o->end = 0;
	return NULL;
}

/* Its row's blob, unpacked. */
static struct err *unpack(struct objects *o)
{
	const void *data = sqlite3_column_blob(o->chunks, 0);
	size_t n = (size_t)sqlite3_column_bytes(o->chunks, 0);
	unsigned long long raw = data ? ZSTD_getFrameContentSize(data, n) : 0;

	if (!raw || raw > CHUNK_RAW_MAX)
		return err_bad_data("a chunk of objects is not packed as it should be");
	if (!vec_reserve(&o->raw, raw))
		return &err_nomem;
	o->raw.n = ZSTD_decompressDCtx(o->z, o->raw.v, raw, data, n);
	if (ZSTD_isError(o->raw.n) || o->raw.n != raw)
		return err_bad_data("a chunk of objects cannot be unpacked");
	return chunk_read(o->raw.v, o->raw.n, o->x.head.ngroups, &o->view);
}

/* *ret_has false: that was the last one. */
static struct err *next_chunk(struct objects *o, bool *ret_has)
{
	int rc = sqlite3_step(o->chunks);

	*ret_has = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW)
		return damaged(o, unpack(o));
	return rc == SQLITE_DONE ? NULL : store_err(o->s, "objects");
}

static struct err *next_span(struct ident *x, const struct ident_span **ret)
{
	struct objects *o = (struct objects *)x;
	struct err *err = NULL;
	bool has = false, more = true;

	while (!err && !has && more) {
		err = damaged(o, chunk_next(&o->view, &o->room, &o->span, &has));
		if (!err && !has)
			err = next_chunk(o, &more);
	}
	if (!err && has && o->span.base < o->end)
		err = damaged(o, err_bad_data("objects are not in the order of their addresses"));
	if (err)
		return err;
	o->end = o->span.base + o->span.bytes;
	*ret = has ? &o->span : NULL;
	return NULL;
}

static const char *name_of(struct ident *x, enum ident_column column, uint32_t group)
{
	struct objects *o = (struct objects *)x;

	return group < o->names[column].n ? o->names[column].v[group] : "";
}

static struct err *read_names(struct objects *o, enum ident_column c)
{
	static const char *const word[] = { "type", "holder", "field" };
	_cleanup_(stmt_freep) sqlite3_stmt *s = NULL;
	struct err *err = store_prepare(
		o->s, "SELECT name FROM groups WHERE \"column\" = ? ORDER BY number", &s);
	int rc = SQLITE_DONE;

	if (err)
		return err;
	sqlite3_bind_text(s, 1, word[c], -1, SQLITE_STATIC);
	while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(s, 0);

		if (!vec_push(&o->names[c], keepf(&o->keep, "%s", name ? name : "")))
			err = &err_nomem;
	}
	if (!err && rc != SQLITE_DONE)
		err = store_err(o->s, "groups");
	if (!err && o->names[c].n != o->x.head.ngroups[c])
		err = damaged(o, err_bad_data("groups of objects are missing"));
	return err ? err : keep_err(&o->keep);
}

struct err *store_objects(struct store *s, struct ident **ret)
{
	_cleanup_(closep_) struct objects *o = zalloc(1, sizeof(*o));
	struct err *err;

	if (!o)
		return &err_nomem;
	o->s = s;
	o->x.rewind = rewind_chunks;
	o->x.next = next_span;
	o->x.name = name_of;
	o->z = ZSTD_createDCtx();
	if (!o->z)
		return &err_nomem;
	err = store_look(s, &o->keep, &o->x.head);
	for (int c = 0; c < IDENT_COLUMNS && !err; c++)
		err = read_names(o, (enum ident_column)c);
	if (!err)
		err = store_prepare(s, "SELECT data FROM objects ORDER BY id", &o->chunks);
	if (err)
		return err;
	*ret = &STEAL(o)->x;
	return NULL;
}
