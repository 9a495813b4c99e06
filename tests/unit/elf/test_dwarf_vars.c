/*
 * test_dwarf_vars.c - globals, locals at a pc, captures and types of go_dwarf.S, in DWARF 4 and 5.
 *
 * What is expected is what go_dwarf.S says: the same of both versions.
 */
#include "base/str.h"
#include "elf/dwarf_types.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define V4 0x400000
#define V5 0x500000

static struct dwarf_index *self(void)
{
	struct dwarf_index *d = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_null(dwarf_index_open(fd, "self", &d));
	close(fd);
	return d;
}

struct seen {
	struct dwarf_index *d;
	struct str s;
};

static void put_type(struct seen *x, uint64_t id)
{
	struct dwarf_type t = { .name = "?" };

	dwarf_type_at(x->d, id, &t);
	str_printf(&x->s, " %s%s", t.name, t.shape ? "(shape)" : "");
}

static struct err *global(void *arg, const struct dwarf_global *v)
{
	struct seen *x = arg;

	str_printf(&x->s, "%s 0x%" PRIx64, v->name, v->addr);
	put_type(x, v->type);
	str_put(&x->s, "\n");
	return NULL;
}

static struct err *local(void *arg, const struct dwarf_local *v)
{
	static const char where[] = "?cbr"; /* nowhere, CFA, behind it, register */
	struct seen *x = arg;

	str_printf(&x->s, "%s%s%s %u:%u", v->function ? v->function : "", v->function ? " " : "",
		   v->name, v->depth, v->line);
	put_type(x, v->type);
	str_printf(&x->s, "%s%s", v->parameter ? " param" : "", v->by_range ? " range" : "");
	if (v->captured)
		str_printf(&x->s, " captured %" PRIu64, v->captured);
	for (unsigned i = 0; i < v->nparts; i++)
		str_printf(&x->s, " %c%" PRId64 "+%" PRIu64, where[v->parts[i].where],
			   v->parts[i].off, v->parts[i].bytes);
	str_put(&x->s, "\n");
	return NULL;
}

static void test_globals(void **state)
{
	struct seen x = { .d = self() };

	(void)state;
	assert_null(dwarf_globals(x.d, global, &x));
	assert_string_equal(x.s.s, "main.cache 0x400f00 map[int]*main.T\n"
				   "main.cache 0x500f00 map[int]*main.T\n");
	str_deinit(&x.s);
	dwarf_index_close(x.d);
}

#define ALWAYS                                                                                     \
	"sess 0:7 *main.T param c0+0\n"                                                            \
	"local 0:8 main.T c-24+0\n"                                                                \
	"big 0:9 main.T b-40+0\n"

static void test_locals(void **state)
{
	static const struct {
		taddr pc;
		const char *want;
	} t[] = {
		{ 0x0ff, "" },
		{ 0x100, ALWAYS "parts 0:10 [2]int range r3+8 c-56+8\n" },
		{ 0x120, ALWAYS "parts 0:10 [2]int range r3+8 c-56+8\n"
				"local 1:11 main.T(shape) c-48+0\n" },
		{ 0x140, ALWAYS "parts 0:10 [2]int range\nlocal 1:11 main.T(shape) c-48+0\n" },
		{ 0x150, ALWAYS "parts 0:10 [2]int range\nlocal 1:11 main.T(shape) c-48+0\n"
				"main.helper h 2:30 *main.T c-64+0\n" },
		{ 0x158, ALWAYS "parts 0:10 [2]int range\nlocal 1:11 main.T(shape) c-48+0\n" },
		{ 0x1ff, ALWAYS "parts 0:10 [2]int range\n" },
		{ 0x200, "n 0:0 int captured 8 c-16+0\n&m 0:0 *main.T captured 16 b-24+0\n"
			 "own 0:20 int c-32+0\n" },
		{ 0x240, "" },
		{ 0x2000000, "" },
	};
	struct dwarf_index *d = self();

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(t); i++) {
		struct seen x = { .d = d };

		assert_null(dwarf_locals(d, t[i / 2].pc + (i % 2 ? V4 : V5), local, &x));
		assert_string_equal(x.s.n ? x.s.s : "", t[i / 2].want);
		str_deinit(&x.s);
	}
	dwarf_index_close(d);
}

static void test_captures(void **state)
{
	struct dwarf_index *d = self();

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct seen x = { .d = d };

		assert_null(dwarf_captures(d, (i ? V4 : V5) + 0x200, local, &x));
		assert_string_equal(x.s.s, "n 0:0 int captured 8\n&m 0:0 *main.T captured 16\n");
		str_deinit(&x.s);
	}
	dwarf_index_close(d);
}

struct ids {
	uint64_t map;
};

static struct err *take_map(void *arg, const struct dwarf_global *v)
{
	((struct ids *)arg)->map = v->type;
	return NULL;
}

static bool field(void *arg, const struct dwarf_type_field *f)
{
	struct seen *x = arg;

	str_printf(&x->s, "%s +%" PRIu64 "%s", f->name, f->offset, f->embedded ? " embedded" : "");
	put_type(x, f->type);
	str_put(&x->s, "\n");
	return true;
}

static void test_types(void **state)
{
	struct seen x = { .d = self() };
	struct ids ids = { 0 };
	struct dwarf_type map, key, ptr, t;

	(void)state;
	assert_null(dwarf_globals(x.d, take_map, &ids)); /* the last: version 5 */
	assert_true(dwarf_type_at(x.d, ids.map, &map));
	assert_true(map.kind == 21 && map.bytes == 8 && !map.rtype);
	assert_true(dwarf_type_at(x.d, map.key, &key));
	assert_true(key.kind == 2 && key.bytes == 8 && !strcmp(key.name, "int"));
	assert_true(dwarf_type_at(x.d, map.elem, &ptr));
	assert_true(ptr.kind == 22 && ptr.bytes == 8 && ptr.rtype == V5 + 0x900);
	assert_true(dwarf_type_at(x.d, ptr.elem, &t));
	assert_true(t.kind == 25 && t.bytes == 24 && t.rtype == V5 + 0x800 && !t.shape);
	dwarf_type_fields(x.d, t.id, field, &x);
	assert_string_equal(x.s.s, "next +0 *main.T\nInner +8 embedded [2]int\n");
	str_deinit(&x.s);
	dwarf_index_close(x.d);
}

/* No offset that is not an entry's, and no alias of itself, is a type. */
static void test_no_types(void **state)
{
	struct dwarf_index *d = self();
	struct dwarf_type t;
	unsigned found = 0, arrays = 0;

	(void)state;
	for (uint64_t id = 0; id < 1 << 16; id++) {
		if (!dwarf_type_at(d, id, &t))
			continue;
		assert_string_not_equal(t.name, "main.Loop");
		found++;
		arrays +=
			!strcmp(t.name, "[2]int") && t.kind == 17 && t.count == 2 && t.bytes == 16;
	}
	assert_true(found > 10 && arrays >= 2);
	assert_false(dwarf_type_at(d, UINT64_MAX, &t));
	dwarf_index_close(d);
}

static void test_refused(void **state)
{
	struct dwarf_index *d = NULL;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	struct err *err = dwarf_index_open(fd, "status", &d);

	(void)state;
	assert_non_null(err);
	assert_int_equal(err->code, ERR_UNSUPPORTED);
	assert_null(d);
	err_free(err);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_globals),	 cmocka_unit_test(test_locals),
		cmocka_unit_test(test_captures), cmocka_unit_test(test_types),
		cmocka_unit_test(test_no_types), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
