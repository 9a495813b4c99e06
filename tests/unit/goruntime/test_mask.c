/*
 * test_mask.c - GC programs, pointer masks of types, their repetition over an object.
 *
 * Oracles: a bit list that is expanded one bit at a time, and a walk word by word.
 */
#include "fake_target.h"

#include "goruntime/heap_mask.h"
#include "goruntime/types.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define MAX_BITS 20000

static uint32_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % below;
}

struct naive {
	uint8_t bit[MAX_BITS];
	size_t n;
	uint8_t prog[4096];
	size_t nprog;
};

static void put_varint(struct naive *v, uint64_t x)
{
	while (x >= 0x80) {
		v->prog[v->nprog++] = (uint8_t)(x | 0x80);
		x >>= 7;
	}
	v->prog[v->nprog++] = (uint8_t)x;
}

static void put_literal(struct naive *v, unsigned n)
{
	v->prog[v->nprog++] = (uint8_t)n;
	for (unsigned i = 0; i < (n + 7) / 8; i++)
		v->prog[v->nprog + i] = (uint8_t)rnd(256);
	for (unsigned i = 0; i < n; i++)
		v->bit[v->n++] = v->prog[v->nprog + i / 8] >> (i % 8) & 1;
	v->nprog += (n + 7) / 8;
}

static void put_repeat(struct naive *v, unsigned n, unsigned c)
{
	if (n < 128 && rnd(2)) {
		v->prog[v->nprog++] = (uint8_t)(0x80 | n);
	} else {
		v->prog[v->nprog++] = 0x80;
		put_varint(v, n);
	}
	put_varint(v, c);
	for (unsigned i = 0; i < n * c; i++, v->n++)
		v->bit[v->n] = v->bit[v->n - n];
}

static void random_prog(struct naive *v)
{
	memset(v, 0, sizeof(*v));
	put_literal(v, 1 + rnd(127));
	for (unsigned k = rnd(12); k; k--) {
		unsigned n = 1 + rnd((uint32_t)v->n), c = rnd(9);

		if (v->n + 128 > MAX_BITS)
			break;
		if (rnd(2))
			put_literal(v, 1 + rnd(127));
		else if (v->n + n * c < MAX_BITS)
			put_repeat(v, n, c);
	}
	v->prog[v->nprog++] = 0;
}

static void test_gcprog(void **state)
{
	static struct naive v;
	static uint64_t bits[MAX_BITS / 64 + 2];

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		random_prog(&v);
		memset(bits, 0, sizeof(bits));
		assert_int_equal(go_gcprog_expand(v.prog, v.nprog, bits, v.n), v.n);
		for (size_t i = 0; i < v.n; i++)
			assert_int_equal(bits[i / 64] >> (i % 64) & 1, v.bit[i]);
		/* One bit too little room, and a program cut short, are refused. */
		assert_true(go_gcprog_expand(v.prog, v.nprog, bits, v.n - 1) == UINT64_MAX);
		assert_true(go_gcprog_expand(v.prog, v.nprog - 1, bits, v.n) == UINT64_MAX);
	}
}

static void test_gcprog_hostile(void **state)
{
	static uint64_t bits[1024 / 64 + 2];
	uint8_t prog[64];

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		for (size_t i = 0; i < sizeof(prog); i++)
			prog[i] = (uint8_t)rnd(256);
		memset(bits, 0, sizeof(bits));
		go_gcprog_expand(prog, rnd(sizeof(prog)), bits, 1024);
	}
}

static void test_repetition(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint64_t size = 1 + rnd(round % 10 ? 70 : 700), ptr = rnd((uint32_t)size + 1);
		uint64_t bits[16] = { 0 };
		struct go_mask m = { .size_words = size, .ptr_words = ptr, .bits = bits };
		uint64_t w = rnd(3000), x;

		for (uint64_t i = 0; i < ptr; i++)
			bits[i / 64] |= (uint64_t)rnd(2) << (i % 64);
		x = go_mask_word(&m, w);
		for (unsigned i = 0; i < 64; i++) {
			uint64_t e = (w + i) % size;
			uint64_t want = e < ptr ? bits[e / 64] >> (e % 64) & 1 : 0;

			assert_int_equal(x >> i & 1, want);
		}
	}
}

/* Types in a made-up section, by the layout of each version. */
#define TYPES 0x500000ULL
#define BITS  0x700000ULL

struct maker {
	struct fake *f;
	struct go g;
	taddr next, next_bits;
};

static taddr make_type(struct maker *k, uint8_t kind, uint64_t bytes, uint64_t ptr_bytes,
		       uint64_t tflag)
{
	const struct go_layout *L = k->g.L;
	taddr at = k->next;

	k->next += 128;
	fake_set(k->f, at, L->type_Size_, bytes);
	fake_set(k->f, at, L->type_PtrBytes, ptr_bytes);
	fake_set(k->f, at, L->type_Kind_, kind);
	fake_set(k->f, at, L->type_TFlag, tflag);
	return at;
}

/* A leaf with random pointer words; bit[] gets them. */
static taddr make_leaf(struct maker *k, unsigned words, uint8_t *bit)
{
	taddr at;
	unsigned last = 0;

	for (unsigned i = 0; i < words; i++) {
		bit[i] = (uint8_t)rnd(2);
		if (bit[i])
			last = i + 1;
	}
	at = make_type(k, GO_STRUCT, words * 8, last * 8, 0);
	fake_set(k->f, at, k->g.L->type_GCData, k->next_bits);
	for (unsigned i = 0; i < last; i++)
		*fake_at(k->f, k->next_bits + i / 8) |= (uint8_t)(bit[i] << (i % 8));
	k->next_bits += (last + 7) / 8;
	return at;
}

/* struct { a [n]leaf; b leaf2; c uintptr }, its mask to be built on demand. */
static void check_on_demand(struct maker *k, struct go_masks *ms)
{
	const struct go_layout *L = k->g.L;
	uint8_t a[8], b[40], want[400] = { 0 };
	unsigned na = 1 + rnd(8), nb = 1 + rnd(40), n = rnd(40), words = n * na + nb + 1, ptr = 0;
	taddr ta = make_leaf(k, na, a), tb = make_leaf(k, nb, b), arr, st, fields;
	const struct go_mask *m;

	for (unsigned i = 0; i < n * na + nb; i++) {
		want[i] = i < n * na ? a[i % na] : b[i - n * na];
		if (want[i])
			ptr = i + 1;
	}
	arr = make_type(k, GO_ARRAY, n * na * 8, n * na * 8, (uint64_t)L->c_TFlagGCMaskOnDemand);
	for (unsigned i = 0; i < na; i++)
		if (a[i])
			fake_set(k->f, arr, L->type_PtrBytes, n ? ((n - 1) * na + i + 1) * 8 : 0);
	if (!go_get(fake_at(k->f, ta), L->type_PtrBytes) || !n)
		fake_set(k->f, arr, L->type_PtrBytes, 0);
	fake_put64(k->f, arr + L->type_bytes, ta);
	fake_put64(k->f, arr + L->type_bytes + 16, n);
	st = make_type(k, GO_STRUCT, words * 8, ptr * 8, (uint64_t)L->c_TFlagGCMaskOnDemand);
	fields = k->next;
	k->next += 128;
	fake_put64(k->f, st + L->type_bytes + 8, fields);
	fake_put64(k->f, st + L->type_bytes + 16, 2);
	fake_put64(k->f, fields + 8, arr);
	fake_put64(k->f, fields + 16, 0);
	fake_put64(k->f, fields + 32, tb);
	fake_put64(k->f, fields + 40, n * na * 8);
	assert_null(go_mask_of(ms, st, words * 8, &m));
	assert_int_equal(m->size_words, words);
	for (unsigned i = 0; i < 3 * words; i++)
		assert_int_equal(go_mask_word(m, i) & 1, want[i % words]);
}

static void test_types(void **state)
{
	size_t nlayouts;
	const struct go_layout *const *layouts = go_layouts(&nlayouts);

	(void)state;
	for (size_t v = 0; v < nlayouts; v++) {
		struct fake f = { 0 };
		struct maker k = { .f = &f, .next = TYPES, .next_bits = BITS };
		struct go_masks *ms;

		k.g.L = layouts[v];
		if (k.g.L->c_TFlagGCMaskOnDemand <= 0)
			continue;
		fake_map(k.f, TYPES, 1 << 20);
		fake_map(k.f, BITS, 1 << 18);
		k.g.t = fake_open(&f);
		assert_null(go_masks_create(&k.g, &ms));
		for (unsigned round = 0; round < 300; round++)
			check_on_demand(&k, ms);
		go_masks_free(ms);
		fake_close(&f);
	}
}

static void test_damaged_types(void **state)
{
	size_t n;
	const struct go_layout *L = go_layouts(&n)[0];
	struct fake f = { 0 };
	struct maker k = { .f = &f, .next = TYPES, .next_bits = BITS };
	const struct go_mask *m;
	struct go_masks *ms;
	struct err *err;

	(void)state;
	k.g.L = L;
	fake_map(k.f, TYPES, 1 << 16);
	k.g.t = fake_open(&f);
	assert_null(go_masks_create(&k.g, &ms));
	/* not there; larger than the object; bits that cannot be read; misaligned */
	taddr bad[] = { 0x1000, make_type(&k, GO_STRUCT, 4096, 8, 0),
			make_type(&k, GO_STRUCT, 64, 64, 0), TYPES + 4 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err = go_mask_of(ms, bad[i], 1024, &m);
		assert_non_null(err);
		err_free(err);
	}
	go_masks_free(ms);
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcprog),	      cmocka_unit_test(test_gcprog_hostile),
		cmocka_unit_test(test_repetition),    cmocka_unit_test(test_types),
		cmocka_unit_test(test_damaged_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
