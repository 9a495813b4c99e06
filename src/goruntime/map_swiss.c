/*
 * map_swiss.c - Swiss maps: a directory of tables of groups, or one small group.
 *
 * Source: internal/runtime/maps (map.go: Map, table.go: table, group.go: ctrl).  A table stands in
 * the directory as often as its depth is less than the map's; it knows where first.  A slot is
 * live iff the top bit of its control byte is clear.
 */
#include "goruntime/map_priv.h"

#define DIR_BLOCK 512 /* pointers of the directory that are read at once */

enum { TABLE_MAX = 64 /* bytes of maps.table, at most */ };

struct table {
	uint64_t capacity, ngroups;
	taddr groups;
};

typedef struct err *table_fn(struct map_walk *w, taddr at, const struct table *t, void *arg);

/* false: another place of the directory tells of it. */
static struct err *read_table(const struct map_walk *w, taddr at, uint64_t i, struct table *t,
			      bool *ret_here)
{
	const struct go_layout *L = w->L;
	uint8_t image[TABLE_MAX];
	struct err *err;
	int64_t index;

	if (L->swisstable_bytes > sizeof(image))
		return err_unsupported("maps of go%s are not known", L->go);
	err = go_io_read(w->io, at, image, L->swisstable_bytes);
	if (err)
		return err;
	t->capacity = go_get(image, L->swisstable_capacity);
	t->groups = go_get(image, L->swisstable_groups_data);
	t->ngroups = go_get(image, L->swisstable_lengthMask) + 1;
	/* An index of -1: replaced, and the map was caught while it puts the new one in. */
	index = (int64_t)go_get(image, L->swisstable_index);
	*ret_here = index == (int64_t)i || index == -1;
	if (!t->capacity || t->ngroups != t->capacity / MAP_SLOTS || t->capacity % MAP_SLOTS ||
	    t->capacity & (t->capacity - 1) || !t->groups)
		return err_bad_data("table at " TADDR_FMT ": %" PRIu64 " groups of %" PRIu64
				    " slots",
				    at, t->ngroups, t->capacity);
	return NULL;
}

static struct err *each_table(struct map_walk *w, taddr dir, uint64_t n, table_fn *fn, void *arg)
{
	uint64_t block[DIR_BLOCK];
	taddr last = 0;
	struct err *err = NULL;

	for (uint64_t i = 0; !err && i < n && !w->stopped; i++) {
		uint64_t k = i % DIR_BLOCK;
		struct table t;
		bool here = false;

		if (!k)
			err = go_io_read(w->io, dir + 8 * i, block,
					 (size_t)(8 * MIN(n - i, (uint64_t)DIR_BLOCK)));
		if (err || block[k] == last)
			continue;
		last = block[k];
		err = read_table(w, last, i, &t, &here);
		if (!err && here)
			err = fn(w, last, &t, arg);
	}
	return err;
}

/* dirLen: 0 = a small group at dirPtr. */
static struct err *directory(const struct map_walk *w, taddr *ret_dir, uint64_t *ret_n)
{
	uint64_t n = go_get(w->head, w->L->swissmap_dirLen);

	*ret_dir = go_get(w->head, w->L->swissmap_dirPtr);
	*ret_n = n;
	if (n >> 40 || n & (n - 1) || (n && !*ret_dir))
		return err_bad_data("a directory of %" PRIu64, n);
	return NULL;
}

static struct err *add_table(struct map_walk *w, taddr at, const struct table *t, void *arg)
{
	struct go_map_facts *f = arg;

	(void)w, (void)at;
	f->tables++;
	f->slots += t->capacity;
	return NULL;
}

struct err *map_swiss_facts(struct map_walk *w, struct go_map_facts *ret)
{
	uint64_t n;
	taddr dir;
	struct err *err = directory(w, &dir, &n);

	if (err)
		return err;
	ret->len = go_get(w->head, w->L->swissmap_used);
	ret->slots = !n && dir ? MAP_SLOTS : 0;
	err = each_table(w, dir, n, add_table, ret);
	if (!err && ret->len > ret->slots)
		err = err_bad_data("%" PRIu64 " entries in %" PRIu64 " slots", ret->len,
				   ret->slots);
	return err;
}

static struct err *group(struct map_walk *w, taddr at, const uint8_t *b)
{
	unsigned live = 0;

	for (unsigned i = 0; i < MAP_SLOTS; i++)
		live |= (b[i] & 0x80 ? 0U : 1U) << i;
	return map_slots(w, at, b, live);
}

static struct err *groups(struct map_walk *w, taddr at, uint64_t n)
{
	map_part(w, GO_PART_GROUPS, at, n, w->s.group, w->s.group_bytes);
	return w->entry ? map_array(w, at, n, group) : NULL;
}

static struct err *walk_table(struct map_walk *w, taddr at, const struct table *t, void *arg)
{
	const taddr *type = arg;

	map_part(w, GO_PART_TABLE, at, 1, *type, w->L->swisstable_bytes);
	return groups(w, t->groups, t->ngroups);
}

struct err *map_swiss_walk(struct map_walk *w)
{
	taddr dir, table_type = 0;
	uint64_t n;
	struct err *err = directory(w, &dir, &n);

	if (err)
		return err;
	if (w->part) {
		map_part(w, GO_PART_HEADER, w->header, 1,
			 go_type_named(w->ts, "internal/runtime/maps.Map"), w->L->swissmap_bytes);
		table_type = n ? go_type_named(w->ts, "internal/runtime/maps.table") : 0;
	}
	if (!n)
		return dir ? groups(w, dir, 1) : NULL;
	map_part(w, GO_PART_DIRECTORY, dir, n, 0, 8);
	return each_table(w, dir, n, walk_table, &table_type);
}
