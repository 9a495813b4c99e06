/*
 * test_types.c - names and rtypes from bytes as internal/abi/type.go describes them.
 */
#include "fake_target.h"

#include "goruntime/types.h"
#include "goruntime/types_priv.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define TYPES 0x500000ULL

static const struct {
	const char *bytes;
	size_t n;
	const char *name; /* NULL: refused */
	uint8_t flags;
} names[] = {
	{ "\x01\x03"
	  "Foo",
	  5, "Foo", 1 },
	{ "\x00\x03"
	  "foo",
	  5, "foo", 0 },
	{ "\x09\x01"
	  "X",
	  3, "X", 9 },
	{ "\x00\x00", 2, "", 0 },
	{ "\x00\x03"
	  "fo",
	  4, NULL, 0 },
	{ "\x00", 1, NULL, 0 },
	{ "", 0, NULL, 0 },
	{ "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
	  "a",
	  12, NULL, 0 },
	{ "\x00\x04"
	  "a\x1b[m",
	  6, "a\\x1b[m", 0 },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *text = NULL;
		uint8_t flags = 0;
		struct err *err =
			go_name_decode((const uint8_t *)names[i].bytes, names[i].n, &text, &flags);

		if (!names[i].name) {
			assert_non_null(err);
			err_free(err);
			continue;
		}
		assert_null(err);
		assert_string_equal(text, names[i].name);
		assert_int_equal(flags, names[i].flags);
		free(text);
	}
}

static void test_long_name(void **state)
{
	uint8_t b[1000] = { 0, 0x84, 0x03 }; /* varint 388 */
	char *text;

	(void)state;
	memset(b + 3, 'x', 388);
	assert_null(go_name_decode(b, 391, &text, NULL));
	assert_int_equal(strlen(text), 388);
	free(text);
	err_free(go_name_decode(b, 390, &text, NULL));
}

struct world {
	struct fake f;
	struct go g;
	struct go_module m;
	struct go_types *ts;
	uint32_t next_name;
};

static int32_t put_name(struct world *w, const char *name, uint8_t flags)
{
	uint32_t at = w->next_name;
	uint8_t *p = fake_at(&w->f, TYPES + at);

	p[0] = flags;
	p[1] = (uint8_t)strlen(name);
	memcpy(p + 2, name, strlen(name));
	w->next_name += (uint32_t)strlen(name) + 2;
	return (int32_t)at;
}

static void put_type(struct world *w, taddr at, uint8_t kind, uint64_t bytes, const char *name,
		     int64_t tflag)
{
	const struct go_layout *L = w->g.L;

	fake_set(&w->f, at, L->type_Size_, bytes);
	fake_set(&w->f, at, L->type_PtrBytes, bytes & ~7ULL);
	fake_set(&w->f, at, L->type_Kind_, kind);
	fake_set(&w->f, at, L->type_TFlag, tflag > 0 ? (uint64_t)tflag : 0);
	fake_set(&w->f, at, L->type_Align_, 1);
	fake_set(&w->f, at, L->type_Hash, 0x1234 + at);
	fake_set(&w->f, at, L->type_Str, (uint32_t)put_name(w, name, 0));
}

static void world_open(struct world *w, const struct go_layout *L)
{
	*w = (struct world){ .next_name = 0x8000 };
	w->g.L = L;
	w->m.types = (struct trange){ TYPES, TYPES + 0x10000 };
	w->g.modules = &w->m;
	w->g.nmodules = 1;
	fake_map(&w->f, TYPES, 0x10000);
	w->g.t = fake_open(&w->f);
	assert_null(go_types_create(&w->g, &w->ts));
}

static void world_close(struct world *w)
{
	go_types_free(w->ts);
	fake_close(&w->f);
}

static void check_struct(struct world *w)
{
	const struct go_layout *L = w->g.L;
	taddr st = TYPES + 0x100, in = TYPES + 0x200, fields = TYPES + 0x300;
	bool anon = go_has(L->structfield_offsetAnon); /* 1.18: offset << 1 | embedded */
	const struct go_type *t;

	put_type(w, in, GO_INT, 8, "int", 0);
	put_type(w, st, GO_STRUCT, 24, "*main.Session", L->c_TFlagExtraStar | L->c_TFlagUncommon);
	fake_put64(&w->f, st + L->type_bytes + 8, fields);
	fake_put64(&w->f, st + L->type_bytes + 16, 2);
	fake_put64(&w->f, fields, TYPES + (uint32_t)put_name(w, "buf", 0));
	fake_put64(&w->f, fields + 8, in);
	fake_put64(&w->f, fields + 24,
		   TYPES + (uint32_t)put_name(w, "Conn", anon ? 1 : GO_NAME_EMBEDDED | 1));
	fake_put64(&w->f, fields + 32, in);
	fake_put64(&w->f, fields + 40, anon ? 16 << 1 | 1 : 16);
	/* abi.UncommonType.PkgPath behind abi.StructType */
	uint32_t pkg = (uint32_t)put_name(w, "example.com/x/main", 0);
	memcpy(fake_at(&w->f, st + L->type_bytes + 32), &pkg, 4);
	t = go_type_at(w->ts, st);
	assert_non_null(t);
	assert_string_equal(t->name, "main.Session");
	assert_string_equal(t->pkg_path, "example.com/x/main");
	assert_int_equal(t->bytes, 24);
	assert_int_equal(t->nfields, 2);
	assert_string_equal(t->fields[0].name, "buf");
	assert_int_equal(t->fields[1].offset, 16);
	assert_true(t->fields[1].embedded && !t->fields[0].embedded);
	assert_ptr_equal(go_type_at(w->ts, st), t);
}

static void check_itab(struct world *w)
{
	const struct go_layout *L = w->g.L;
	taddr inter = TYPES + 0x1000, t = TYPES + 0x1100, itab = TYPES + 0x1200;

	put_type(w, inter, GO_INTERFACE, 16, "io.Reader", 0);
	put_type(w, t, GO_POINTER, 8, "*os.File", 0);
	fake_set(&w->f, itab, L->itab_Inter, inter);
	fake_set(&w->f, itab, L->itab_Type, t);
	fake_set(&w->f, itab, L->itab_Hash, 0x1234 + t);
	assert_int_equal(go_itab_type(w->ts, itab), t);
	fake_set(&w->f, itab, L->itab_Hash, 1);
	assert_int_equal(go_itab_type(w->ts, itab), 0);
	fake_set(&w->f, itab, L->itab_Inter, t);
	assert_int_equal(go_itab_type(w->ts, itab), 0);
	assert_int_equal(go_itab_type(w->ts, 0x10), 0);
	assert_int_equal(go_itab_type(w->ts, itab + 4), 0);
}

static void check_refused(struct world *w)
{
	const struct go_layout *L = w->g.L;
	taddr at = TYPES + 0x2000;

	assert_null(go_type_at(w->ts, at)); /* zeros */
	put_type(w, at + 0x80, 27, 8, "x", 0);
	assert_null(go_type_at(w->ts, at + 0x80)); /* no such kind */
	put_type(w, at + 0x100, GO_INT, 8, "x", 0);
	fake_set(&w->f, at + 0x100, L->type_PtrBytes, 16);
	assert_null(go_type_at(w->ts, at + 0x100)); /* pointers beyond its size */
	put_type(w, at + 0x180, GO_INT, 8, "x", 0);
	fake_set(&w->f, at + 0x180, L->type_Str, 0xfffff);
	assert_null(go_type_at(w->ts, at + 0x180)); /* name outside the section */
	put_type(w, at + 0x200, GO_STRUCT, 8, "x", 0);
	fake_put64(&w->f, at + 0x200 + L->type_bytes + 16, 1ULL << 60);
	assert_null(go_type_at(w->ts, at + 0x200)); /* too many fields */
	assert_null(go_type_at(w->ts, 0xdead0000));
	assert_null(go_type_at(w->ts, 0));
	assert_true(go_type_maybe(&w->g, TYPES));
	assert_false(go_type_maybe(&w->g, TYPES + 1));
	assert_false(go_type_maybe(&w->g, TYPES + 0x10000));
}

static void test_types(void **state)
{
	size_t n;
	const struct go_layout *const *layouts = go_layouts(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct world w;

		world_open(&w, layouts[i]);
		check_struct(&w);
		check_itab(&w);
		check_refused(&w);
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
