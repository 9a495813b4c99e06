/*
 * test_cont.c - decoders of containers over memory made by hand: contents, and lies.
 *
 * Types are made (go_type_make), so no rtype is in the target.  Every layout is gone through.
 */
#include "fake_target.h"

#include "goruntime/cont.h"
#include "goruntime/map.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define HEAP	   0xc000000000ULL
#define HEAP_BYTES 0x40000
#define HEADER	   HEAP
#define BUCKETS	   (HEAP + 0x1000)
#define OLD	   (HEAP + 0x8000)
#define OVERFLOW   (HEAP + 0x10000)
#define NOWHERE	   0x123456789000ULL

struct world {
	struct fake f;
	struct go g;
	struct go_types *ts;
	struct go_io io;
	taddr u64, map;
};

static taddr make(struct world *w, const struct go_type *t)
{
	taddr at = go_type_make(w->ts, t);

	assert_int_not_equal(at, 0);
	return at;
}

/* map[uint64]uint64, as the compiler lays it out */
static void make_map(struct world *w, bool swiss)
{
	struct go_type t = {
		.kind = GO_MAP,
		.bytes = 8,
		.ptr_bytes = 8,
		.name = "map[uint64]uint64",
		.pkg_path = "",
		.key = w->u64,
		.elem = w->u64,
		.map_flags = swiss ? GO_MAP_SWISS : 0,
		.keys_off = 8,
		.key_stride = swiss ? 16 : 8,
		.elems_off = swiss ? 16 : 72,
		.elem_stride = swiss ? 16 : 8,
	};

	w->map = make(w, &t);
}

static void world_open(struct world *w, const struct go_layout *L)
{
	struct go_type u64 = {
		.kind = GO_UINT64, .bytes = 8, .name = "uint64", .pkg_path = "", .named = true
	};

	*w = (struct world){ .g.L = L };
	fake_map(&w->f, HEAP, HEAP_BYTES);
	w->g.t = fake_open(&w->f);
	assert_null(go_types_create(&w->g, &w->ts));
	assert_null(go_io_init_sparse(&w->io, &w->g));
	w->u64 = make(w, &u64);
	make_map(w, L->swissmap_bytes);
}

static void world_close(struct world *w)
{
	go_io_deinit(&w->io);
	go_types_free(w->ts);
	fake_close(&w->f);
}

/* The target changed: forget what was read of it. */
static void forget(struct world *w)
{
	go_io_deinit(&w->io);
	assert_null(go_io_init_sparse(&w->io, &w->g));
}

struct sum {
	struct world *w;
	uint64_t n, keys, elems, stop_after;
};

static enum go_cont_go_on add(void *arg, const struct go_cont_entry *e)
{
	struct sum *s = arg;
	uint64_t k = 0, x = 0;

	if (e->key.at)
		assert_null(go_io_read(&s->w->io, e->key.at, &k, 8));
	assert_null(go_io_read(&s->w->io, e->elem.at, &x, 8));
	s->keys += k;
	s->elems += x;
	return ++s->n == s->stop_after ? CONT_STOP : CONT_ON;
}

static enum go_cont_go_on count_part(void *arg, const struct go_map_part *p)
{
	uint64_t *n = arg;

	n[p->what]++;
	return CONT_ON;
}

static struct err *map_sum(struct world *w, struct sum *s)
{
	forget(w);
	*s = (struct sum){ .w = w, .stop_after = s->stop_after };
	return go_map_each(&w->io, w->ts, go_type_at(w->ts, w->map), HEADER, add, s);
}

static void refused(struct world *w, enum err_code code)
{
	struct sum s = { 0 };
	struct err *err = map_sum(w, &s);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	err_free(err);
}

/* Entry i of the bucket at `at`: key k, elem 10 k. */
static void put_old(struct world *w, taddr at, unsigned i, uint8_t top, uint64_t k)
{
	fake_at(&w->f, at)[i] = top;
	fake_put64(&w->f, at + 8 + 8 * i, k);
	fake_put64(&w->f, at + 72 + 8 * i, 10 * k);
}

#define OLD_BYTES 144

/* Two buckets, one with an overflow bucket; two old ones, of which the first is evacuated. */
static void fill_old(struct world *w)
{
	const struct go_layout *L = w->g.L;

	fake_set(&w->f, HEADER, L->hmap_count, 6);
	fake_set(&w->f, HEADER, L->hmap_B, 2);
	fake_set(&w->f, HEADER, L->hmap_noverflow, 1);
	fake_set(&w->f, HEADER, L->hmap_buckets, BUCKETS);
	fake_set(&w->f, HEADER, L->hmap_oldbuckets, OLD);
	put_old(w, BUCKETS, 0, 5, 1);
	put_old(w, BUCKETS, 1, 1, 1000); /* deleted */
	put_old(w, BUCKETS, 7, 255, 2);
	put_old(w, BUCKETS + 3 * OLD_BYTES, 3, 77, 3);
	fake_put64(&w->f, BUCKETS + 3 * OLD_BYTES + OLD_BYTES - 8, OVERFLOW);
	put_old(w, OVERFLOW, 0, 9, 4);
	put_old(w, OLD, 0, 2, 2000); /* evacuated */
	put_old(w, OLD, 1, 3, 2000);
	put_old(w, OLD + OLD_BYTES, 0, 6, 5);
	put_old(w, OLD + OLD_BYTES, 1, 0, 3000);
	put_old(w, OLD + OLD_BYTES, 2, 200, 6);
}

static void check_old(struct world *w)
{
	const struct go_type *map = go_type_at(w->ts, w->map);
	uint64_t parts[16] = { 0 };
	struct go_map_facts f;
	struct sum s = { 0 };

	fill_old(w);
	assert_null(map_sum(w, &s));
	assert_int_equal(s.n, 6);
	assert_int_equal(s.keys, 21);
	assert_int_equal(s.elems, 210);
	assert_null(go_map_facts(&w->io, w->ts, map, HEADER, &f));
	assert_int_equal(f.len, 6);
	assert_int_equal(f.slots, 40);
	assert_true(f.growing && !f.swiss);
	assert_null(go_map_parts(&w->io, w->ts, map, HEADER, count_part, parts));
	assert_int_equal(parts[GO_PART_HEADER], 1);
	assert_int_equal(parts[GO_PART_BUCKETS], 1);
	assert_int_equal(parts[GO_PART_OLD_BUCKETS], 1);
	assert_int_equal(parts[GO_PART_OVERFLOW], 1);
	s.stop_after = 2;
	assert_null(map_sum(w, &s));
	assert_int_equal(s.n, 2);
}

static void lie_old(struct world *w)
{
	const struct go_layout *L = w->g.L;

	fake_put64(&w->f, OVERFLOW + OLD_BYTES - 8, OVERFLOW); /* a chain that comes round */
	refused(w, ERR_BAD_DATA);
	fake_put64(&w->f, OVERFLOW + OLD_BYTES - 8, NOWHERE);
	refused(w, ERR_FAULT);
	fake_put64(&w->f, OVERFLOW + OLD_BYTES - 8, 0);
	fake_set(&w->f, HEADER, L->hmap_B, 200);
	refused(w, ERR_BAD_DATA);
	fake_set(&w->f, HEADER, L->hmap_B, 39);
	refused(w, ERR_FAULT);
	fake_set(&w->f, HEADER, L->hmap_B, 2);
	fake_set(&w->f, HEADER, L->hmap_count, 1ULL << 60);
	refused(w, ERR_BAD_DATA);
	fake_set(&w->f, HEADER, L->hmap_count, 6);
	fake_set(&w->f, HEADER, L->hmap_buckets, NOWHERE);
	refused(w, ERR_FAULT);
}

#define GROUP_BYTES 136
#define TABLES	    (HEAP + 0x18000)

static void put_swiss(struct world *w, taddr group, unsigned i, uint8_t ctrl, uint64_t k)
{
	fake_at(&w->f, group)[i] = ctrl;
	fake_put64(&w->f, group + 8 + 16 * i, k);
	fake_put64(&w->f, group + 16 + 16 * i, 10 * k);
}

static void empty_groups(struct world *w, taddr at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memset(fake_at(&w->f, at + i * GROUP_BYTES), 0x80, 8);
}

static void put_table(struct world *w, taddr at, int64_t index, taddr groups, uint64_t ngroups)
{
	const struct go_layout *L = w->g.L;

	fake_set(&w->f, at, L->swisstable_capacity, 8 * ngroups);
	fake_set(&w->f, at, L->swisstable_index, (uint64_t)index);
	fake_set(&w->f, at, L->swisstable_groups_data, groups);
	fake_set(&w->f, at, L->swisstable_lengthMask, ngroups - 1);
	empty_groups(w, groups, (unsigned)ngroups);
}

/* A directory of four: one table twice, two once. */
static void fill_swiss(struct world *w)
{
	const struct go_layout *L = w->g.L;
	static const unsigned dir[] = { 0, 0, 1, 2 };

	fake_set(&w->f, HEADER, L->swissmap_used, 4);
	fake_set(&w->f, HEADER, L->swissmap_dirLen, 4);
	fake_set(&w->f, HEADER, L->swissmap_dirPtr, OLD);
	for (unsigned i = 0; i < 4; i++)
		fake_put64(&w->f, OLD + 8 * i, TABLES + 64 * dir[i]);
	put_table(w, TABLES, 0, BUCKETS, 2);
	put_table(w, TABLES + 64, 2, BUCKETS + 0x1000, 1);
	put_table(w, TABLES + 128, 3, BUCKETS + 0x2000, 1);
	put_swiss(w, BUCKETS, 0, 0, 1);
	put_swiss(w, BUCKETS, 1, 0xfe, 1000); /* deleted */
	put_swiss(w, BUCKETS + GROUP_BYTES, 7, 0x7f, 2);
	put_swiss(w, BUCKETS + 0x1000, 3, 1, 3);
	put_swiss(w, BUCKETS + 0x2000, 4, 2, 4);
}

static void check_swiss(struct world *w)
{
	const struct go_layout *L = w->g.L;
	const struct go_type *map = go_type_at(w->ts, w->map);
	uint64_t parts[16] = { 0 };
	struct go_map_facts f;
	struct sum s = { 0 };

	empty_groups(w, BUCKETS, 1);
	put_swiss(w, BUCKETS, 2, 9, 7);
	fake_set(&w->f, HEADER, L->swissmap_used, 1);
	fake_set(&w->f, HEADER, L->swissmap_dirPtr, BUCKETS);
	assert_null(map_sum(w, &s)); /* a small one */
	assert_int_equal(s.n, 1);
	assert_int_equal(s.keys, 7);
	fill_swiss(w);
	assert_null(map_sum(w, &s));
	assert_int_equal(s.n, 4);
	assert_int_equal(s.keys, 10);
	assert_int_equal(s.elems, 100);
	assert_null(go_map_facts(&w->io, w->ts, map, HEADER, &f));
	assert_int_equal(f.len, 4);
	assert_int_equal(f.slots, 32);
	assert_int_equal(f.tables, 3);
	assert_null(go_map_parts(&w->io, w->ts, map, HEADER, count_part, parts));
	assert_int_equal(parts[GO_PART_DIRECTORY], 1);
	assert_int_equal(parts[GO_PART_TABLE], 3);
	assert_int_equal(parts[GO_PART_GROUPS], 3);
}

static void lie_swiss(struct world *w)
{
	const struct go_layout *L = w->g.L;

	fake_set(&w->f, TABLES, L->swisstable_lengthMask, 1000);
	refused(w, ERR_BAD_DATA);
	fake_set(&w->f, TABLES, L->swisstable_lengthMask, 1);
	fake_set(&w->f, TABLES, L->swisstable_groups_data, NOWHERE);
	refused(w, ERR_FAULT);
	fake_set(&w->f, TABLES, L->swisstable_groups_data, BUCKETS);
	fake_set(&w->f, HEADER, L->swissmap_dirLen, 3);
	refused(w, ERR_BAD_DATA);
	fake_set(&w->f, HEADER, L->swissmap_dirLen, 1ULL << 62);
	refused(w, ERR_BAD_DATA);
	fake_set(&w->f, HEADER, L->swissmap_dirLen, 1ULL << 39);
	refused(w, ERR_FAULT);
	fake_set(&w->f, HEADER, L->swissmap_dirLen, 4);
	fake_set(&w->f, HEADER, L->swissmap_dirPtr, 0);
	refused(w, ERR_BAD_DATA);
}

/* A type whose groups do not hold its keys. */
static void lie_shape(struct world *w)
{
	struct go_type t = *go_type_at(w->ts, w->map);
	struct go_map_shape s;
	struct err *err;

	t.addr = 0;
	t.key_stride = t.elem_stride = 4;
	err = go_map_shape(&w->g, w->ts, go_type_at(w->ts, make(w, &t)), &s);
	assert_non_null(err);
	err_free(err);
	t.key_stride = t.elem_stride = 0xffffffff;
	err = go_map_shape(&w->g, w->ts, go_type_at(w->ts, make(w, &t)), &s);
	assert_non_null(err);
	err_free(err);
	t.key = NOWHERE;
	err = go_map_shape(&w->g, w->ts, go_type_at(w->ts, make(w, &t)), &s);
	assert_non_null(err);
	err_free(err);
}

static struct err *each(struct world *w, taddr type, struct sum *s)
{
	struct go_place p = { HEADER, go_type_at(w->ts, type) };
	const struct go_cont *c = go_cont_of(w->ts, p.type);

	forget(w);
	*s = (struct sum){ .w = w };
	assert_non_null(c);
	return go_cont_each(c, &w->io, w->ts, p, add, s);
}

static void each_refused(struct world *w, taddr type)
{
	struct sum s;
	struct err *err = each(w, type, &s);

	assert_non_null(err);
	err_free(err);
}

static void put_sudog(struct world *w, taddr at, taddr elem, taddr next)
{
	const struct go_layout *L = w->g.L;
	struct go_field last = { L->sudog_elem.off + (int32_t)L->sudog_elem.bytes - 8, 8 };

	fake_set(&w->f, at, last, elem);
	fake_set(&w->f, at, L->sudog_next, next);
}

static void check_chan(struct world *w)
{
	const struct go_layout *L = w->g.L;
	struct go_type t = { .kind = GO_CHAN,
			     .bytes = 8,
			     .ptr_bytes = 8,
			     .name = "chan uint64",
			     .pkg_path = "",
			     .elem = w->u64 };
	taddr type = make(w, &t), waiter = OLD;
	struct sum s;

	memset(fake_at(&w->f, HEADER), 0, 0x1000);
	fake_set(&w->f, HEADER, L->hchan_qcount, 3);
	fake_set(&w->f, HEADER, L->hchan_dataqsiz, 4);
	fake_set(&w->f, HEADER, L->hchan_elemsize, 8);
	fake_set(&w->f, HEADER, L->hchan_buf, BUCKETS);
	fake_set(&w->f, HEADER, L->hchan_recvx, 2); /* 2, 3, 0 */
	for (unsigned i = 0; i < 4; i++)
		fake_put64(&w->f, BUCKETS + 8 * i, 1U << i);
	put_sudog(w, waiter, OVERFLOW, waiter + 0x200);
	put_sudog(w, waiter + 0x200, OVERFLOW + 8, 0);
	fake_put64(&w->f, OVERFLOW, 100);
	fake_put64(&w->f, OVERFLOW + 8, 200);
	fake_set(&w->f, HEADER, L->hchan_sendq_first, waiter);
	assert_null(each(w, type, &s));
	assert_int_equal(s.n, 5);
	assert_int_equal(s.elems, 13 + 300);
	put_sudog(w, waiter + 0x200, OVERFLOW + 8, waiter); /* comes round */
	each_refused(w, type);
	put_sudog(w, waiter + 0x200, OVERFLOW + 8, 0);
	fake_set(&w->f, HEADER, L->hchan_recvx, 4);
	each_refused(w, type);
	fake_set(&w->f, HEADER, L->hchan_recvx, 0);
	fake_set(&w->f, HEADER, L->hchan_qcount, 5);
	each_refused(w, type);
	fake_set(&w->f, HEADER, L->hchan_qcount, 1);
	fake_set(&w->f, HEADER, L->hchan_elemsize, 16);
	each_refused(w, type);
}

/* container/list: Element{next, prev *Element; list *List; Value any}, List{root Element; len int}
 */
static taddr make_list(struct world *w)
{
	taddr element = go_type_reserve(w->ts), list = go_type_reserve(w->ts);
	struct go_type p = { .kind = GO_POINTER,
			     .bytes = 8,
			     .ptr_bytes = 8,
			     .name = "*list.Element",
			     .pkg_path = "",
			     .elem = element };
	taddr to_element = make(w, &p);
	struct go_type_field ef[] = {
		{ .name = "next", .offset = 0, .type = to_element },
		{ .name = "prev", .offset = 8, .type = to_element },
		{ .name = "list", .offset = 16, .type = w->u64 },
		{ .name = "Value", .offset = 24, .type = w->u64 },
	};
	struct go_type_field lf[] = {
		{ .name = "root", .offset = 0, .type = element },
		{ .name = "len", .offset = 32, .type = w->u64 },
	};
	struct go_type e = { .addr = element,
			     .kind = GO_STRUCT,
			     .bytes = 32,
			     .ptr_bytes = 32,
			     .name = "list.Element",
			     .pkg_path = "container/list",
			     .named = true,
			     .fields = ef,
			     .nfields = 4 };
	struct go_type l = { .addr = list,
			     .kind = GO_STRUCT,
			     .bytes = 40,
			     .ptr_bytes = 32,
			     .name = "list.List",
			     .pkg_path = "container/list",
			     .named = true,
			     .fields = lf,
			     .nfields = 2 };

	make(w, &e);
	return make(w, &l);
}

static void put_element(struct world *w, taddr at, taddr next, taddr list, uint64_t value)
{
	fake_put64(&w->f, at, next);
	fake_put64(&w->f, at + 16, list);
	fake_put64(&w->f, at + 24, value);
}

static void check_list(struct world *w)
{
	taddr list = make_list(w);
	struct sum s;

	memset(fake_at(&w->f, HEADER), 0, 0x1000);
	assert_null(each(w, list, &s)); /* never used */
	assert_int_equal(s.n, 0);
	put_element(w, HEADER, OLD, 0, 0);
	put_element(w, OLD, OLD + 64, HEADER, 5);
	put_element(w, OLD + 64, HEADER, HEADER, 6);
	assert_null(each(w, list, &s));
	assert_int_equal(s.n, 2);
	assert_int_equal(s.elems, 11);
	put_element(w, OLD + 64, OLD, HEADER, 6); /* round, without the root */
	each_refused(w, list);
	put_element(w, OLD + 64, OLD + 64, HEADER, 6);
	each_refused(w, list);
	put_element(w, OLD + 64, HEADER, HEADER + 8, 6); /* another list's */
	each_refused(w, list);
	put_element(w, OLD + 64, NOWHERE, HEADER, 6);
	each_refused(w, list);
}

static void test_maps(void **state)
{
	size_t n;
	const struct go_layout *const *layouts = go_layouts(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct world w;

		world_open(&w, layouts[i]);
		assert_true(!layouts[i]->swissmap_bytes != !layouts[i]->hmap_bytes);
		if (layouts[i]->swissmap_bytes) {
			check_swiss(&w);
			lie_swiss(&w);
		} else {
			check_old(&w);
			lie_old(&w);
		}
		lie_shape(&w);
		world_close(&w);
	}
}

static void test_others(void **state)
{
	size_t n;
	const struct go_layout *const *layouts = go_layouts(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct world w;

		world_open(&w, layouts[i]);
		check_chan(&w);
		check_list(&w);
		assert_null(go_cont_of(w.ts, go_type_at(w.ts, w.u64)));
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
