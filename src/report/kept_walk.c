/*
 * kept_walk.c - structs with what hangs on them, to tables and back.
 *
 * Knows no answer; descriptions nest a few levels deep and never in a circle, so the recursion is
 * as shallow as they are.  What a file says of ids is followed only where a description leads.
 */
#include "report/kept_walk.h"
#include "report/kept_types.h"

struct any_vec {
	void *v;
	size_t n, cap;
};

void kept_walk_deinit(struct kept_walk *w)
{
	vec_free(&w->shared);
}

static size_t part_count(const struct kept_type *t)
{
	size_t n = 0;

	while (t->parts && t->parts[n].of)
		n++;
	return n;
}

/* Labels as a struct whose vector is one of ours. */
struct flat_labels {
	struct any_vec v;
	bool unknown, lost;
};

static const struct store_column labels_columns[] = {
	STORE_MEMBER(struct flat_labels, unknown, "unknown", STORE_BOOL,
		     "1: this kind of evidence has none"),
	STORE_MEMBER(struct flat_labels, lost, "lost", STORE_BOOL, "1: they could not be read"),
	{ 0 },
};
static const struct kept_part labels_parts[] = {
	{ KEPT_ROWS, offsetof(struct flat_labels, v), &kept_label_pair },
	{ 0 },
};
const struct kept_type kept_labels = {
	.table = { .name = "label_sets",
		   .about = "sets of pprof labels that goroutines carry",
		   .since = 1,
		   .row_bytes = sizeof(struct flat_labels),
		   .columns = labels_columns },
	.bytes = sizeof(struct flat_labels),
	.parts = labels_parts,
};

static struct err *put_labels(struct kept_walk *w, const struct ans_labels *l, int64_t *ret)
{
	struct flat_labels flat;
	struct err *err;

	*ret = 0;
	for (size_t i = 0; l && i < w->shared.n; i++)
		if (w->shared.v[i].labels == l)
			*ret = w->shared.v[i].id;
	if (!l || *ret)
		return NULL;
	flat = (struct flat_labels){ .v = { (void *)(uintptr_t)l->v, l->n, 0 },
				     .unknown = l->unknown,
				     .lost = l->lost };
	err = kept_put(w, &kept_labels, 0, &flat, 1, ret);
	if (err)
		return err;
	return vec_push(&w->shared, (struct kept_shared){ l, *ret }) ? NULL : &err_nomem;
}

static struct err *get_labels(struct kept_walk *w, int64_t id, const struct ans_labels **ret)
{
	struct flat_labels flat = { 0 };
	struct ans_labels one;
	bool there = false;
	struct err *err;

	for (size_t i = 0; i < w->shared.n; i++)
		if (w->shared.v[i].id == id) {
			*ret = w->shared.v[i].labels;
			return NULL;
		}
	err = kept_get_one(w, &kept_labels, id, &flat, &there);
	if (!err && there) {
		one = (struct ans_labels){ .n = flat.v.n,
					   .unknown = flat.unknown,
					   .lost = flat.lost };
		one.v = keep_bytes(w->keep, flat.v.v, flat.v.n * sizeof(*one.v));
		*ret = keep_bytes(w->keep, &one, sizeof(one));
	}
	free(flat.v.v);
	if (err)
		return err;
	err = keep_err(w->keep);
	if (err || !there)
		return err;
	return vec_push(&w->shared, (struct kept_shared){ *ret, id }) ? NULL : &err_nomem;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

/* What stands in other tables and is pointed at from here. */
static struct err *put_ones(struct kept_walk *w, const struct kept_type *t, uint8_t *record)
{
	int64_t *id = (int64_t *)(void *)(record + t->bytes);
	size_t n = part_count(t);
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		const struct kept_part *p = &t->parts[i];

		if (p->how == KEPT_LABELS)
			err = put_labels(w, *(const struct ans_labels *const *)(record + p->offset),
					 id++);
		else if (p->how == KEPT_ONE && is_zero(record + p->offset, p->of->bytes))
			*id++ = 0;
		else if (p->how == KEPT_ONE)
			err = kept_put(w, p->of, 0, record + p->offset, 1, id++);
	}
	return err;
}

static struct err *put_rows(struct kept_walk *w, const struct kept_type *t, const uint8_t *record,
			    int64_t id)
{
	size_t n = part_count(t);
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		const struct any_vec *v = (const void *)(record + t->parts[i].offset);

		if (t->parts[i].how == KEPT_ROWS)
			err = kept_put(w, t->parts[i].of, id, v->v, v->n, NULL);
	}
	return err;
}

struct err *kept_put(struct kept_walk *w, const struct kept_type *t, int64_t parent, const void *v,
		     size_t n, int64_t *ret_first)
{
	_cleanup_(freep) uint8_t *record = NULL;
	struct err *err = NULL;
	int64_t id = 0;

	if (!part_count(t) || !n) /* nothing hangs on them, but their tables shall be there */
		err = store_put(w->x, &t->table, parent, v, n, ret_first);
	for (size_t i = 0; !n && i < part_count(t) && !err; i++)
		if (t->parts[i].how == KEPT_ROWS)
			err = kept_put(w, t->parts[i].of, 0, NULL, 0, NULL);
	if (!part_count(t) || !n || err)
		return err;
	record = zalloc(1, t->table.row_bytes);
	for (size_t i = 0; i < n && !err && record; i++) {
		memcpy(record, (const uint8_t *)v + i * t->bytes, t->bytes);
		err = put_ones(w, t, record);
		if (!err)
			err = store_put(w->x, &t->table, parent, record, 1, &id);
		if (!err)
			err = put_rows(w, t, record, id);
		if (!i && ret_first)
			*ret_first = id;
	}
	return record ? err : &err_nomem;
}

/* Fill what hangs on a struct that was read from record. */
static struct err *get_parts(struct kept_walk *w, const struct kept_type *t, const uint8_t *record,
			     int64_t id, uint8_t *to)
{
	const int64_t *ids = (const int64_t *)(const void *)(record + t->bytes);
	size_t n = part_count(t);
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		const struct kept_part *p = &t->parts[i];
		struct any_vec *v = (void *)(to + p->offset);
		int64_t one = p->how == KEPT_ROWS ? 0 : *ids++;
		bool there;

		if (p->how == KEPT_ROWS) {
			err = kept_get(w, p->of, id, &v->v, &v->n, NULL, NULL);
			v->cap = v->n;
		} else if (p->how == KEPT_LABELS && one) {
			err = get_labels(w, one,
					 (const struct ans_labels **)(void *)(to + p->offset));
		} else if (one) {
			err = kept_get_one(w, p->of, one, to + p->offset, &there);
		}
	}
	if (!err && t->fix)
		t->fix(to);
	return err;
}

struct err *kept_get_one(struct kept_walk *w, const struct kept_type *t, int64_t id, void *v,
			 bool *ret)
{
	_cleanup_(freep) uint8_t *record = zalloc(1, t->table.row_bytes);
	struct err *err;

	*ret = false;
	memset(v, 0, t->bytes);
	if (!record)
		return &err_nomem;
	err = store_get_one(w->x, &t->table, id, w->keep, record, ret);
	if (err || !*ret)
		return err;
	memcpy(v, record, t->bytes);
	return get_parts(w, t, record, id, v);
}

struct err *kept_get(struct kept_walk *w, const struct kept_type *t, int64_t parent, void **ret_v,
		     size_t *ret_n, int64_t **ret_ids, bool *ret_has)
{
	_cleanup_(freep) uint8_t *records = NULL;
	_cleanup_(freep) int64_t *ids = NULL;
	size_t n = 0, size = t->table.row_bytes;
	struct err *err =
		store_get(w->x, &t->table, parent, w->keep, (void **)&records, &n, &ids, ret_has);

	*ret_v = NULL;
	*ret_n = 0;
	if (err)
		return err;
	if (part_count(t) || t->fix) {
		uint8_t *to = zalloc(n, t->bytes);

		if (!to)
			return &err_nomem;
		*ret_v = to;
		for (size_t i = 0; i < n; i++)
			memcpy(to + i * t->bytes, records + i * size, t->bytes);
		*ret_n = n;
		for (size_t i = 0; i < n && !err; i++)
			err = get_parts(w, t, records + i * size, ids[i], to + i * t->bytes);
	} else {
		*ret_v = STEAL(records);
		*ret_n = n;
	}
	if (ret_ids && !err)
		*ret_ids = STEAL(ids);
	return err;
}

struct err *kept_get_first(struct kept_walk *w, const struct kept_type *t, int64_t parent, void *v,
			   int64_t *ret_id, bool *ret)
{
	_cleanup_(freep) uint8_t *records = NULL;
	_cleanup_(freep) int64_t *ids = NULL;
	size_t n = 0;
	struct err *err =
		store_get(w->x, &t->table, parent, w->keep, (void **)&records, &n, &ids, NULL);

	memset(v, 0, t->bytes);
	*ret = false;
	if (err || !n)
		return err;
	*ret = true;
	*ret_id = ids[0];
	memcpy(v, records, t->bytes);
	return get_parts(w, t, records, ids[0], v);
}
