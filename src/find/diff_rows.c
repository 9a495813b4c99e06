/*
 * diff_rows.c - objects counted by type, holder, field, size: the tables of a diff.
 *
 * Knows nothing of identity: it is told of each object when it was first and last seen.  Groups are
 * numbers of one look; rows are names, the same in all looks.  While counting, row.n[i][l] is
 * "first seen at i, last at l": one addition an object.  Cost: 5 to 10 ns an object and table.
 */
#include "find/diff_priv.h"

#include <inttypes.h>
#include <xxhash.h>

enum { ROWS_MAX = 1 << 18 }; /* of a table; others share its last one */

static void hash_free(struct diff_hash *h)
{
	free(h->key);
	free(h->value);
}

static uint32_t *hash_slot(struct diff_hash *h, uint64_t key)
{
	size_t i = (size_t)((key ^ key >> 32) * 0x9e3779b97f4a7c15ULL >> 20) & (h->cap - 1);

	while (h->value[i] && h->key[i] != key)
		i = (i + 1) & (h->cap - 1);
	h->key[i] = key;
	return &h->value[i];
}

static struct err *hash_grow(struct diff_hash *h)
{
	struct diff_hash to = { .cap = h->cap ? 2 * h->cap : 1024, .n = h->n };

	to.key = zalloc(to.cap, sizeof(*to.key));
	to.value = zalloc(to.cap, sizeof(*to.value));
	if (!to.key || !to.value) {
		hash_free(&to);
		return &err_nomem;
	}
	for (size_t i = 0; i < h->cap; i++)
		if (h->value[i])
			*hash_slot(&to, h->key[i]) = h->value[i];
	hash_free(h);
	*h = to;
	return NULL;
}

/* *ret: of the key, made (0) if it was not there; valid until the next call. */
static struct err *hash_at(struct diff_hash *h, uint64_t key, uint32_t **ret)
{
	if (2 * h->n >= h->cap) {
		struct err *err = hash_grow(h);

		if (err)
			return err;
	}
	*ret = hash_slot(h, key);
	h->n += !**ret;
	return NULL;
}

static struct err *cells(struct diff_row *r, size_t nlooks)
{
	struct diff_count *c = zalloc(nlooks * DIFF_LOOKS + 3 * nlooks, sizeof(*c));

	if (!c)
		return &err_nomem;
	r->nlooks = (unsigned)nlooks;
	r->n = (struct diff_count(*)[DIFF_LOOKS])c;
	r->maybe = c + nlooks * DIFF_LOOKS;
	r->reused = r->maybe + nlooks;
	r->revived = r->reused + nlooks;
	return NULL;
}

static struct err *add_row(struct diff *d, enum diff_by by, struct diff_row *r, uint32_t *ret)
{
	struct err *err = cells(r, d->nlooks);

	if (err)
		return err;
	if (!vec_push(&d->rows[by], *r)) {
		free(r->n);
		return &err_nomem;
	}
	*ret = (uint32_t)d->rows[by].n;
	return NULL;
}

/* A row for what has none yet; full: that of all others. */
static struct err *new_row(struct diff *d, enum diff_by by, struct diff_row *r, uint32_t *ret)
{
	if (d->rows[by].n >= ROWS_MAX) {
		*ret = (uint32_t)d->rows[by].n;
		return NULL;
	}
	if (d->rows[by].n == ROWS_MAX - 1)
		*r = (struct diff_row){ .name = "(others: too many to list)" };
	return add_row(d, by, r, ret);
}

struct err *diff_tables_init(struct diff_tables *t, struct diff *d, struct ident *const *looks,
			     unsigned by)
{
	*t = (struct diff_tables){ .d = d, .looks = looks, .by = by };
	for (size_t j = 0; j < d->nlooks; j++) {
		t->last_pair[j] = UINT64_MAX;
		for (size_t c = 0; c < IDENT_COLUMNS; c++) {
			size_t n = looks[j]->head.ngroups[c];

			t->row[j][c] = zalloc(n ? n : 1, sizeof(uint32_t));
			if (!t->row[j][c])
				return &err_nomem;
		}
	}
	return cells(&d->total, d->nlooks);
}

void diff_tables_deinit(struct diff_tables *t)
{
	for (size_t j = 0; j < DIFF_LOOKS; j++)
		for (size_t c = 0; c < IDENT_COLUMNS; c++)
			free(t->row[j][c]);
	for (size_t c = 0; c < IDENT_COLUMNS; c++)
		hash_free(&t->names[c]);
	hash_free(&t->sizes);
	hash_free(&t->pairs);
}

/* The row of a group that is met for the first time in this look. */
static struct err *meet(struct diff_tables *t, unsigned look, enum ident_column c, uint32_t group)
{
	struct ident *x = t->looks[look];
	enum diff_by by = c == IDENT_TYPE     ? DIFF_TYPE
			  : c == IDENT_HOLDER ? DIFF_HOLDER
					      : DIFF_FIELD;
	const char *name = x->name(x, c, group);
	struct err *err;
	uint32_t *row;

	name = name && *name ? name : "(unknown)";
	err = hash_at(&t->names[c], XXH3_64bits(name, strlen(name)), &row);
	if (!err && !*row) {
		struct diff_row r = { .name = keepf(&t->d->keep, "%s", name) };

		err = new_row(t->d, by, &r, row);
	}
	if (!err)
		t->row[look][c][group] = *row;
	return err;
}

static struct err *row_of(struct diff_tables *t, unsigned look, enum ident_column c,
			  const struct ident_span *sp, uint32_t slot, uint32_t *ret)
{
	uint32_t group = sp->group[c] ? sp->group[c][slot] : UINT32_MAX;
	struct err *err = NULL;

	if (group >= t->looks[look]->head.ngroups[c])
		return err_bad_data("look %u: object at 0x%" PRIx64 " is of a group that is not",
				    look + 1, sp->base + slot * sp->elem_bytes);
	if (!t->row[look][c][group])
		err = meet(t, look, c, group);
	*ret = t->row[look][c][group] - 1;
	return err;
}

static struct err *size_row(struct diff_tables *t, uint64_t bytes, uint32_t *ret)
{
	uint32_t *row;
	struct err *err = hash_at(&t->sizes, bytes, &row);

	if (!err && !*row) {
		struct diff_row r = { .name = keepf(&t->d->keep, "%" PRIu64 " B", bytes),
				      .elem_bytes = bytes };

		err = new_row(t->d, DIFF_SIZE, &r, row);
	}
	if (!err)
		*ret = *row - 1;
	return err;
}

/* Of the rows of its type and its holder. */
static struct err *pair_row(struct diff_tables *t, unsigned look, uint32_t type, uint32_t holder,
			    uint32_t *ret)
{
	uint64_t key = (uint64_t)type << 32 | holder;
	struct err *err;
	uint32_t *row;

	if (key == t->last_pair[look]) {
		*ret = t->last_row[look];
		return NULL;
	}
	err = hash_at(&t->pairs, key, &row);
	if (!err && !*row) {
		const char *a = t->d->rows[DIFF_TYPE].v[type].name;
		const char *b = t->d->rows[DIFF_HOLDER].v[holder].name;
		struct diff_row r = { .name = keepf(&t->d->keep, "%s under %s", a, b),
				      .type = a,
				      .holder = b };

		err = new_row(t->d, DIFF_TYPE_HOLDER, &r, row);
	}
	if (err)
		return err;
	t->last_pair[look] = key;
	*ret = t->last_row[look] = *row - 1;
	return NULL;
}

static void add(struct diff_count *c, uint64_t bytes)
{
	c->objects++;
	c->bytes += bytes;
}

static void add_bits(struct diff_count *c, unsigned looks, uint64_t bytes)
{
	for (; looks; looks &= looks - 1)
		add(&c[__builtin_ctz(looks)], bytes);
}

static void count(struct diff_row *r, uint64_t bytes, const struct diff_fate *f)
{
	add(&r->n[f->first][f->last], bytes);
	if (f->maybe | f->reused | f->revived) {
		if (f->maybe && !f->first && f->last == r->nlooks - 1)
			add(&r->maybe_all, bytes);
		add_bits(r->maybe, f->maybe, bytes);
		add_bits(r->reused, f->reused, bytes);
		add_bits(r->revived, f->revived, bytes);
	}
}

enum {
	BY_TYPES = 1U << DIFF_TYPE | 1U << DIFF_TYPE_HOLDER,
	BY_HOLDERS = 1U << DIFF_HOLDER | 1U << DIFF_TYPE_HOLDER
};

struct err *diff_count_object(struct diff_tables *t, const struct ident_span *sp, uint32_t slot,
			      const struct diff_fate *f)
{
	uint32_t row[DIFF_BYS] = { 0 };
	struct err *err = NULL;

	if (t->by & BY_TYPES)
		err = row_of(t, f->last, IDENT_TYPE, sp, slot, &row[DIFF_TYPE]);
	if (!err && (t->by & BY_HOLDERS))
		err = row_of(t, f->last, IDENT_HOLDER, sp, slot, &row[DIFF_HOLDER]);
	if (!err && (t->by & 1U << DIFF_FIELD))
		err = row_of(t, f->last, IDENT_FIELD, sp, slot, &row[DIFF_FIELD]);
	if (!err && (t->by & 1U << DIFF_SIZE))
		err = size_row(t, sp->elem_bytes, &row[DIFF_SIZE]);
	if (!err && (t->by & 1U << DIFF_TYPE_HOLDER))
		err = pair_row(t, f->last, row[DIFF_TYPE], row[DIFF_HOLDER],
			       &row[DIFF_TYPE_HOLDER]);
	if (err)
		return err;
	for (size_t by = 0; by < DIFF_BYS; by++)
		if (t->by & 1U << by)
			count(&t->d->rows[by].v[row[by]], sp->elem_bytes, f);
	count(&t->d->total, sp->elem_bytes, f);
	return NULL;
}

static void still_there(struct diff_row *r, size_t nlooks)
{
	for (size_t i = 0; i < nlooks; i++) {
		for (size_t j = nlooks - 1; j-- > i;) {
			r->n[i][j].objects += r->n[i][j + 1].objects;
			r->n[i][j].bytes += r->n[i][j + 1].bytes;
		}
	}
}

static void drop_rows(struct diff *d, size_t by)
{
	for (size_t i = 0; i < d->rows[by].n; i++)
		free(d->rows[by].v[i].n);
	vec_free(&d->rows[by]);
}

void diff_tables_finish(struct diff_tables *t)
{
	struct diff *d = t->d;

	for (size_t by = 0; by < DIFF_BYS; by++)
		for (size_t i = 0; i < d->rows[by].n; i++)
			still_there(&d->rows[by].v[i], d->nlooks);
	still_there(&d->total, d->nlooks);
	for (size_t by = 0; by < DIFF_BYS; by++)
		if (!(t->by & 1U << by))
			drop_rows(d, by);
}

static void sum(struct diff_count *to, struct diff_count x)
{
	to->objects += x.objects;
	to->bytes += x.bytes;
}

struct diff_count diff_there(const struct diff_row *r, size_t j)
{
	struct diff_count c = { 0 };

	for (size_t i = 0; i <= j; i++)
		sum(&c, r->n[i][j]);
	return c;
}

struct diff_count diff_born(const struct diff_row *r, size_t j)
{
	return r->n[j][j];
}

struct diff_count diff_survived(const struct diff_row *r, size_t j)
{
	struct diff_count c = { 0 };

	for (size_t i = 0; i < j; i++)
		sum(&c, r->n[i][j]);
	return c;
}

struct diff_count diff_died(const struct diff_row *r, size_t j)
{
	struct diff_count c = { 0 };

	for (size_t i = 0; i < j; i++) {
		c.objects += r->n[i][j - 1].objects - r->n[i][j].objects;
		c.bytes += r->n[i][j - 1].bytes - r->n[i][j].bytes;
	}
	return c;
}

void diff_deinit(struct diff *d)
{
	for (size_t by = 0; by < DIFF_BYS; by++)
		drop_rows(d, by);
	free(d->total.n);
	keep_deinit(&d->keep);
	*d = (struct diff){ 0 };
}
