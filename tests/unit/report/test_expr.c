/*
 * test_expr.c - the words of Go expressions: fields by offset, globals' names, keys as literals.
 */
#include "fake/segments.h"

#include "report/agg_expr.h"
#include "report/agg_value.h"

#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <setjmp.h>
#include <cmocka.h>

#define MEMORY 0xc000000000ULL

struct world {
	struct go g;
	struct snapshot s;
	struct agg a;
	uint8_t bytes[4096];
	struct fake_segment segment;
};

static void world_open(struct world *w)
{
	size_t n;

	*w = (struct world){ .segment = { .at = MEMORY } };
	w->segment.bytes = w->bytes;
	w->segment.n = sizeof(w->bytes);
	w->g.L = go_layouts(&n)[n - 1];
	w->g.t = w->s.t = fake_target(&w->segment, 1);
	assert_non_null(w->g.t);
	assert_null(go_types_create(&w->g, &w->s.rtypes));
	w->s.go = &w->g;
	w->a = (struct agg){ .s = &w->s, .values = ANS_VALUES_FULL };
}

static void world_close(struct world *w)
{
	keep_deinit(&w->a.keep);
	go_types_free(w->s.rtypes);
	target_close(w->g.t);
}

static taddr make(struct world *w, struct go_type t)
{
	taddr at;

	t.pkg_path = "";
	at = go_type_make(w->s.rtypes, &t);
	assert_int_not_equal(at, 0);
	return at;
}

static taddr basic(struct world *w, uint8_t kind, uint64_t bytes, const char *name)
{
	return make(w, (struct go_type){ .kind = kind, .bytes = bytes, .name = name });
}

static taddr pointer_to(struct world *w, taddr elem, const char *name)
{
	return make(w, (struct go_type){ .kind = GO_POINTER,
					 .bytes = 8,
					 .ptr_bytes = 8,
					 .name = name,
					 .elem = elem });
}

static taddr array_of(struct world *w, taddr elem, uint64_t n, const char *name)
{
	uint64_t bytes = n * go_type_at(w->s.rtypes, elem)->bytes;

	return make(w, (struct go_type){ .kind = GO_ARRAY,
					 .bytes = bytes,
					 .ptr_bytes = bytes,
					 .name = name,
					 .elem = elem,
					 .len = n });
}

static taddr structure(struct world *w, const char *name, uint64_t bytes,
		       struct go_type_field *fields, size_t n)
{
	return make(w, (struct go_type){ .kind = GO_STRUCT,
					 .bytes = bytes,
					 .ptr_bytes = bytes,
					 .name = name,
					 .named = true,
					 .fields = fields,
					 .nfields = n });
}

static void expect_leaf(struct world *w, taddr type, uint64_t off, const char *want,
			uint64_t want_off)
{
	struct str path = { 0 };
	const struct go_type *leaf = NULL;
	uint64_t at = 0;
	bool found = expr_leaf(w->s.rtypes, go_type_at(w->s.rtypes, type), off, &path, &leaf, &at);

	assert_int_equal(found, want != NULL);
	if (want) {
		assert_string_equal(path.n ? path.s : "", want);
		assert_int_equal(at, want_off);
	}
	str_deinit(&path);
}

/* struct { n int; row [3]struct { s []T; v any }; f func() } */
static void test_leaf(void **state)
{
	struct world w;
	taddr in, out, n, row;

	(void)state;
	world_open(&w);
	n = basic(&w, GO_INT, 8, "int");
	struct go_type_field inner[] = {
		{ .name = "s", .type = basic(&w, GO_SLICE, 24, "[]T") },
		{ .name = "v", .offset = 24, .type = basic(&w, GO_INTERFACE, 16, "any") }
	};
	in = structure(&w, "main.in", 40, inner, 2);
	row = array_of(&w, in, 3, "[3]main.in");
	struct go_type_field outer[] = {
		{ .name = "n", .type = n },
		{ .name = "row", .offset = 8, .type = row },
		{ .name = "f", .offset = 128, .type = basic(&w, GO_FUNC, 8, "func()") }
	};
	out = structure(&w, "main.out", 136, outer, 3);
	expect_leaf(&w, out, 0, NULL, 0); /* a number */
	expect_leaf(&w, out, 8, ".row[0].s", 8);
	expect_leaf(&w, out, 16, NULL, 0); /* a length */
	expect_leaf(&w, out, 8 + 40 + 32, ".row[1].v", 8 + 40 + 24);
	expect_leaf(&w, out, 8 + 40 + 24, NULL, 0); /* its type word points to no object */
	expect_leaf(&w, out, 8 + 80, ".row[2].s", 88);
	expect_leaf(&w, out, 128, ".f", 128);
	expect_leaf(&w, out, 136, NULL, 0);
	expect_leaf(&w, out, UINT64_MAX, NULL, 0);
	expect_leaf(&w, pointer_to(&w, n, "*int"), 0, "", 0);
	world_close(&w);
}

/* A lie: an array of itself.  It ends. */
static void test_leaf_ends(void **state)
{
	struct world w;
	taddr at;

	(void)state;
	world_open(&w);
	at = go_type_reserve(w.s.rtypes);
	assert_int_not_equal(at, 0);
	assert_int_equal(make(&w, (struct go_type){ .addr = at,
						    .kind = GO_ARRAY,
						    .bytes = 8,
						    .ptr_bytes = 8,
						    .name = "[1]loop",
						    .elem = at,
						    .len = 1 }),
			 at);
	expect_leaf(&w, at, 0, NULL, 0);
	world_close(&w);
}

static const struct {
	const char *name, *go, *dlv;
} globals[] = {
	{ "main.all", "main.all", "main.all" },
	{ "net/http.DefaultClient", "http.DefaultClient", "\"net/http\".DefaultClient" },
	{ "example.com/mod/v2.X", "mod.X", "\"example.com/mod/v2\".X" },
	{ "gopkg.in/yaml%2ev3.K", "yaml.K", "\"gopkg.in/yaml%2ev3\".K" },
	{ "main.\xc3\xa9t\xc3\xa9", "main.\xc3\xa9t\xc3\xa9", "main.\xc3\xa9t\xc3\xa9" },
	{ "main..stmp_12", NULL, NULL },
	{ "main.f.func1.x", NULL, NULL },
	{ "data+0x33ff0", NULL, NULL },
	{ "go:itab.*os.File,io.Reader", NULL, NULL },
	{ "main.a b", NULL, NULL },
	{ "", NULL, NULL },
};

static void test_globals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(globals); i++) {
		struct str go = { 0 }, dlv = { 0 };

		assert_int_equal(expr_global(globals[i].name, &go, &dlv), globals[i].go != NULL);
		if (globals[i].go) {
			assert_string_equal(go.s, globals[i].go);
			assert_string_equal(dlv.s, globals[i].dlv);
		}
		str_deinit(&go);
		str_deinit(&dlv);
	}
}

static void expect_key(struct world *w, taddr type, uint64_t at, const char *go, const char *dlv)
{
	struct go_place key = { .at = MEMORY + at, .type = go_type_at(w->s.rtypes, type) };
	struct str a = { 0 }, b = { 0 };

	assert_int_equal(expr_key(&w->a, key, &a, &b), dlv != NULL);
	assert_string_equal(a.s, go);
	if (dlv)
		assert_string_equal(b.s, dlv);
	str_deinit(&a);
	str_deinit(&b);
}

static void put(struct world *w, uint64_t at, const void *p, size_t n)
{
	memcpy(w->bytes + at, p, n);
}

static void put64(struct world *w, uint64_t at, uint64_t x)
{
	put(w, at, &x, sizeof(x));
}

static void test_scalar_keys(void **state)
{
	struct world w;
	double d = 0.1, nan = (double)NAN;
	float f = 2.5F;

	(void)state;
	world_open(&w);
	put64(&w, 0, (uint64_t)-5);
	expect_key(&w, basic(&w, GO_INT, 8, "int"), 0, "-5", "-5");
	expect_key(&w, basic(&w, GO_INT8, 1, "int8"), 0, "-5", "-5");
	expect_key(&w, basic(&w, GO_UINT16, 2, "uint16"), 0, "65531", "65531");
	w.bytes[0] = 1;
	expect_key(&w, basic(&w, GO_BOOL, 1, "bool"), 0, "true", "true");
	put(&w, 0, &d, sizeof(d));
	expect_key(&w, basic(&w, GO_FLOAT64, 8, "float64"), 0, "0.1", "0x1.999999999999ap-4");
	put(&w, 0, &f, sizeof(f));
	expect_key(&w, basic(&w, GO_FLOAT32, 4, "float32"), 0, "2.5", "0x1.4p+1");
	put(&w, 0, &nan, sizeof(nan));
	struct str go = { 0 }, dlv = { 0 }; /* equals nothing: no entry is found by it */
	struct go_place key = {
		.at = MEMORY, .type = go_type_at(w.s.rtypes, basic(&w, GO_FLOAT64, 8, "float64"))
	};
	assert_false(expr_key(&w.a, key, &go, &dlv));
	str_deinit(&go);
	str_deinit(&dlv);
	expect_key(&w, basic(&w, GO_INT64, 8, "int64"), 4096, "\xe2\x80\xa6",
		   NULL);						       /* unreadable */
	expect_key(&w, basic(&w, GO_INT, 77, "int"), 0, "\xe2\x80\xa6", NULL); /* no such int */
	world_close(&w);
}

static void test_string_keys(void **state)
{
	struct world w;
	taddr t;

	(void)state;
	world_open(&w);
	t = basic(&w, GO_STRING, 16, "string");
	put(&w, 64, "k\"7\n\xff", 5);
	put64(&w, 0, MEMORY + 64);
	put64(&w, 8, 5);
	expect_key(&w, t, 0, "\"k\\\"7\\n\\xff\"", "\"k\\\"7\\n\\xff\"");
	put64(&w, 8, 0);
	expect_key(&w, t, 0, "\"\"", "\"\"");
	put64(&w, 8, 1ULL << 60); /* a lie: as much as is shown, and that it is not all */
	struct str go = { 0 }, dlv = { 0 };
	struct go_place key = { .at = MEMORY, .type = go_type_at(w.s.rtypes, t) };
	assert_false(expr_key(&w.a, key, &go, &dlv));
	assert_true(go.n < 4096);
	str_deinit(&go);
	str_deinit(&dlv);
	put64(&w, 0, 0x10);
	put64(&w, 8, 5);
	expect_key(&w, t, 0, "\xe2\x80\xa6", NULL);
	world_close(&w);
}

static void test_composite_keys(void **state)
{
	struct world w;
	taddr i8, text, point, label, pair, ptr;

	(void)state;
	world_open(&w);
	i8 = basic(&w, GO_INT8, 1, "int8");
	text = basic(&w, GO_STRING, 16, "string");
	struct go_type_field xy[] = { { .name = "x", .type = i8 },
				      { .name = "_", .offset = 1, .type = i8 },
				      { .name = "y", .offset = 2, .type = i8 } };
	point = structure(&w, "main.point", 3, xy, 3);
	struct go_type_field named[] = { { .name = "s", .type = text },
					 { .name = "at", .offset = 16, .type = point } };
	label = structure(&w, "main.label", 24, named, 2);
	pair = array_of(&w, i8, 2, "[2]int8");
	ptr = pointer_to(&w, point, "*main.point");
	put(&w, 64, "hi", 2);
	put64(&w, 0, MEMORY + 64);
	put64(&w, 8, 2);
	put(&w, 16, "\x01\x02\x03", 3);
	expect_key(&w, point, 16, "main.point{x: 1, y: 3}", NULL);
	expect_key(&w, label, 0, "main.label{s: \"hi\", at: main.point{x: 1, y: 3}}", NULL);
	expect_key(&w, pair, 16, "[2]int8{1, 2}", NULL);
	put64(&w, 24, 0xc000001234);
	expect_key(&w, ptr, 24, "(*main.point)(0xc000001234)", "(*\"main.point\")(0xc000001234)");
	expect_key(&w, ptr, 32, "nil", "nil");
	w.a.values = ANS_VALUES_HASH; /* nothing of the program is in the text */
	struct str go = { 0 }, dlv = { 0 };
	struct go_place key = { .at = MEMORY, .type = go_type_at(w.s.rtypes, label) };
	assert_false(expr_key(&w.a, key, &go, &dlv));
	assert_null(strstr(go.s, "hi"));
	assert_null(strstr(dlv.s, "hi"));
	assert_null(strstr(go.s, "x: 1"));
	str_deinit(&go);
	str_deinit(&dlv);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),	    cmocka_unit_test(test_leaf_ends),
		cmocka_unit_test(test_globals),	    cmocka_unit_test(test_scalar_keys),
		cmocka_unit_test(test_string_keys), cmocka_unit_test(test_composite_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
