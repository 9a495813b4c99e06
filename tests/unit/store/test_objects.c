/*
 * test_objects.c - objects into a store and out again; and a store in which somebody changed bits.
 */
#include "store/objects.h"

#include "drawn.h"
#include "file.h"

#include <stdio.h>
#include <zstd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct drawn a;

static struct store *put(struct drawn *d)
{
	struct store *w = NULL;

	assert_null(store_create(&w));
	assert_null(store_put_objects(w, &d->x, 2));
	return w;
}

static void assert_same_span(const struct ident_span *x, const struct ident_span *y)
{
	assert_int_equal(x->base, y->base);
	assert_int_equal(x->bytes, y->bytes);
	assert_int_equal(x->elem_bytes, y->elem_bytes);
	assert_int_equal(x->nelems, y->nelems);
	assert_int_equal(x->spanclass, y->spanclass);
	assert_int_equal(x->old_known, y->old_known);
	assert_int_equal(x->stayed != NULL, y->stayed != NULL);
	for (uint32_t i = 0; i < x->nelems; i++) {
		uint64_t bit = 1ULL << (i & 63);

		assert_int_equal(x->alive[i / 64] & bit, y->alive[i / 64] & bit);
		if (!(x->alive[i / 64] & bit))
			continue;
		if (x->old_known)
			assert_int_equal(x->old[i / 64] & bit, y->old[i / 64] & bit);
		if (x->stayed)
			assert_int_equal(x->stayed[i / 64] & bit, y->stayed[i / 64] & bit);
		for (int k = 0; k < IDENT_COLUMNS; k++)
			assert_int_equal(x->group[k][i], y->group[k][i]);
	}
}

static void assert_same(struct drawn *d, struct ident *y)
{
	const struct ident_span *p = NULL, *q = NULL;

	assert_null(d->x.rewind(&d->x));
	assert_null(y->rewind(y));
	do {
		assert_null(d->x.next(&d->x, &p));
		assert_null(y->next(y, &q));
		assert_int_equal(p != NULL, q != NULL);
		if (p)
			assert_same_span(p, q);
	} while (p);
	for (int k = 0; k < IDENT_COLUMNS; k++) {
		assert_int_equal(d->x.head.ngroups[k], y->head.ngroups[k]);
		for (uint32_t i = 0; i < y->head.ngroups[k]; i++)
			assert_string_equal(d->x.name(&d->x, (enum ident_column)k, i),
					    y->name(y, (enum ident_column)k, i));
		assert_string_equal(y->name(y, (enum ident_column)k, UINT32_MAX), "");
	}
}

static void round_trip(struct drawn *d)
{
	struct store *x = NULL;
	struct ident *y = NULL;

	assert_null(file_again(put(d), &x));
	assert_null(store_objects(x, &y));
	assert_same(d, y);
	assert_same(d, y); /* it may be told again */
	assert_string_equal(y->head.process.module, "example/m");
	assert_string_equal(y->head.process.version, "");
	assert_int_equal(y->head.process.pid, 17);
	assert_int_equal(y->head.cycles, 5);
	assert_true(y->head.has_cycles);
	assert_int_equal(y->head.rss, UINT64_MAX);
	assert_int_equal(y->head.followed_from, UINT32_MAX);
	assert_int_equal(y->head.objects, 4711);
	store_objects_close(y);
	store_close(x);
}

static void few_groups(void **state)
{
	(void)state;
	drawn_init(&a, 1, 700, (uint32_t[]){ 3, 4, 5 });
	round_trip(&a);
}

/* Chunks in which there are more than 256, more than 65536 triples. */
static void many_groups(void **state)
{
	(void)state;
	drawn_init(&a, 2, 900, (uint32_t[]){ 40, 9, 1 });
	round_trip(&a);
	drawn_init(&a, 3, 300, (uint32_t[]){ 2000, 1000, 700 });
	a.big = DRAWN_SLOTS;
	a.nspans = 2000;
	a.dense = true;
	round_trip(&a);
}

static void with_stayed_bits(void **state)
{
	(void)state;
	drawn_init(&a, 4, 300, (uint32_t[]){ 3, 2, 1 });
	a.stayed = true;
	round_trip(&a);
}

/* A span that was not followed must not come back as one of which all is gone. */
static void without_stayed_bits_of_one(void **state)
{
	const struct ident_span *p = NULL, *q = NULL;
	struct store *x = NULL;
	struct ident *y = NULL;
	size_t told = 0, lacking = 0;

	(void)state;
	for (size_t at = 1; at <= 300; at += 149) {
		drawn_init(&a, 6, 3000, (uint32_t[]){ 3, 2, 1 });
		a.stayed = true;
		a.lacking = at;
		assert_null(file_again(put(&a), &x));
		assert_null(store_objects(x, &y));
		assert_null(a.x.rewind(&a.x));
		for (;;) {
			assert_null(a.x.next(&a.x, &p));
			assert_null(y->next(y, &q));
			if (!p)
				break;
			assert_true(p->stayed || !q->stayed);
			for (uint32_t w = 0; q->stayed && w < p->nelems; w++)
				assert_int_equal(
					(p->stayed[w / 64] & p->alive[w / 64]) >> (w & 63) & 1,
					(q->stayed[w / 64] & q->alive[w / 64]) >> (w & 63) & 1);
			lacking += !p->stayed;
			told += q->stayed != NULL;
		}
		store_objects_close(y);
		store_close(x);
	}
	assert_int_equal(lacking, 3);
	assert_true(told > 0); /* other chunks are as they were */
}

static void nothing_at_all(void **state)
{
	(void)state;
	drawn_init(&a, 5, 0, (uint32_t[]){ 0, 1, 0 });
	round_trip(&a);
}

/* All of it read; an error is as good. */
static void read_all(struct store *x)
{
	const struct ident_span *sp = NULL;
	struct ident *y = NULL;
	struct err *err = store_objects(x, &y);
	taddr end = 0;

	while (!err) {
		err = y->next(y, &sp);
		if (err || !sp)
			break;
		assert_true(sp->base >= end && sp->nelems * sp->elem_bytes <= sp->bytes);
		end = sp->base + sp->bytes;
		for (uint32_t i = 0; i < sp->nelems; i++)
			for (int k = 0; k < IDENT_COLUMNS && sp->alive[i / 64] >> (i & 63) & 1; k++)
				assert_true(sp->group[k][i] < y->head.ngroups[k]);
	}
	if (err)
		assert_true(err->code == ERR_BAD_DATA || err->code == ERR_UNSUPPORTED ||
			    err->code == ERR_LIMIT);
	if (err)
		assert_null(strchr(err->msg, '\n'));
	err_free(err);
	store_objects_close(y);
}

static void set_blob(struct store *w, const void *data, size_t n)
{
	sqlite3_stmt *s = NULL;

	assert_int_equal(
		sqlite3_prepare_v2(store_db(w), "UPDATE objects SET data = ?", -1, &s, NULL),
		SQLITE_OK);
	sqlite3_bind_blob64(s, 1, data, n, SQLITE_TRANSIENT);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
}

/* Of the first chunk: unpacked, one byte another, packed again. */
static void damaged_chunks_do_no_harm(void **state)
{
	static uint8_t raw[1 << 20], packed[1 << 20];
	struct store *w;
	sqlite3_stmt *s = NULL;
	size_t n;

	(void)state;
	drawn_init(&a, 6, 40, (uint32_t[]){ 30, 40, 5 });
	w = put(&a);
	assert_int_equal(sqlite3_prepare_v2(store_db(w), "SELECT data FROM objects", -1, &s, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = ZSTD_decompress(raw, sizeof(raw), sqlite3_column_blob(s, 0),
			    (size_t)sqlite3_column_bytes(s, 0));
	assert_false(ZSTD_isError(n));
	sqlite3_finalize(s);
	for (size_t i = 0; i < n; i += i < 1400 ? 1 : 211) {
		uint8_t was = raw[i];

		for (unsigned k = 0; k < 3; k++) {
			raw[i] = (uint8_t)(k == 0 ? was ^ 0x80 : k == 1 ? 0xff : was + 1);
			set_blob(w, packed, ZSTD_compress(packed, sizeof(packed), raw, n, 1));
			read_all(w);
		}
		raw[i] = was;
	}
	for (size_t cut = 0; cut < n; cut += cut < 100 ? 1 : 97) {
		set_blob(w, packed, ZSTD_compress(packed, sizeof(packed), raw, cut, 1));
		read_all(w);
	}
	set_blob(w, "no zstd", 7);
	read_all(w);
	set_blob(w, "", 0);
	read_all(w);
	store_close(w);
}

static void refused_after(const char *sql, const char *with)
{
	const struct ident_span *sp = NULL;
	struct ident *y = NULL;
	struct store *w;
	struct err *err;

	drawn_init(&a, 7, 2000, (uint32_t[]){ 30, 40, 5 });
	w = put(&a);
	assert_int_equal(sqlite3_exec(store_db(w), sql, NULL, NULL, NULL), SQLITE_OK);
	err = store_objects(w, &y);
	while (!err) {
		err = y->next(y, &sp);
		assert_true(err || sp);
	}
	assert_non_null(strstr(err->msg, with));
	err_free(err);
	store_objects_close(y);
	store_close(w);
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	refused_after("DELETE FROM groups WHERE number = 3", "groups of objects are missing");
	refused_after("UPDATE look SET types = 4000000000", "groups of objects are missing");
	refused_after("DELETE FROM look", "no objects are kept in it");
	refused_after("DROP TABLE look", "no objects are kept in it");
	refused_after("DROP TABLE groups", "groups");
	refused_after("DROP TABLE objects", "objects");
	refused_after("UPDATE objects SET id = -id", "order of their addresses");
	refused_after("UPDATE look SET types = 2; DELETE FROM groups WHERE \"column\" = 'type' AND "
		      "number > 1",
		      "does not hold together");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_groups),
		cmocka_unit_test(many_groups),
		cmocka_unit_test(with_stayed_bits),
		cmocka_unit_test(without_stayed_bits_of_one),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(damaged_chunks_do_no_harm),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
