/*
 * look.c - the table `look`: one row, of what process the objects are, and its counters.
 */
#include "store/look.h"

#include "store/rows.h"

#define COLUMN(name, kind, member, about) STORE_MEMBER(struct ident_head, member, name, kind, about)
#define COUNT				  STORE_UINT | STORE_ZERO

static const struct store_column columns[] = {
	COLUMN("pid", STORE_INT | STORE_ZERO, process.pid, "process id; 0 unknown"),
	COLUMN("started_ns", COUNT, process.started_ns, "start of the process, unix ns; 0 unknown"),
	COLUMN("go", STORE_TEXT, process.go, "Go version that built it"),
	COLUMN("module", STORE_TEXT, process.module, "main module's path"),
	COLUMN("version", STORE_TEXT, process.version, "main module's version"),
	COLUMN("revision", STORE_TEXT, process.revision, "revision in version control"),
	COLUMN("at_ns", COUNT, process.at_unix_ns, "time of the look, unix ns; 0 unknown"),
	COLUMN("cycles", COUNT, cycles, "collections finished since the program began"),
	COLUMN("has_cycles", STORE_BOOL, has_cycles, "cycles is known"),
	COLUMN("followed_from", STORE_UINT, followed_from,
	       "`stayed` bits: since the look at that many cycles; NULL: there are none"),
	COLUMN("objects", COUNT, objects, "reachable objects"),
	COLUMN("bytes", COUNT, bytes, "bytes of their slots"),
	COLUMN("goroutines", COUNT, goroutines, "goroutines"),
	COLUMN("stack_bytes", COUNT, stack_bytes, "bytes of their stacks"),
	COLUMN("total_alloc", COUNT, total_alloc,
	       "bytes allocated since the program began; 0 unknown"),
	COLUMN("rss", STORE_UINT, rss, "resident bytes of the process; NULL unknown"),
	COLUMN("types", COUNT, ngroups[IDENT_TYPE], "rows of `groups` that are types"),
	COLUMN("holders", COUNT, ngroups[IDENT_HOLDER], "rows of `groups` that are holders"),
	COLUMN("fields", COUNT, ngroups[IDENT_FIELD], "rows of `groups` that are fields"),
	{ .name = NULL },
};

static const struct store_table table = {
	.name = "look",
	.about = "the process at the time of the look, and how much there was; one row",
	.since = 1,
	.row_bytes = sizeof(struct ident_head),
	.columns = columns,
};

struct err *store_put_look(struct store *w, const struct ident_head *h)
{
	return store_put(w, &table, 0, h, 1, NULL);
}

struct err *store_look(struct store *x, struct keep *keep, struct ident_head *ret)
{
	struct ident_head h;
	bool has = false;
	struct err *err = store_get_one(x, &table, 1, keep, &h, &has);

	if (err)
		return err;
	if (!has)
		return err_unsupported("%.200s: no objects are kept in it, only answers",
				       store_name(x));
	*ret = h;
	return NULL;
}
