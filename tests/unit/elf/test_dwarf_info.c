/*
 * test_dwarf_info.c - structs, constants and variables of this very program, against the compiler.
 *
 * The test is built with -g; offsetof and sizeof are the oracle.
 */
#include "elf/dwarf_info.h"
#include "elf/symbols.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

struct inner_probe {
	uint32_t a;
	uint16_t b;
};

struct outer_probe {
	uint8_t first;
	struct inner_probe in;
	struct outer_probe *link;
	uint64_t array[5];
};

static volatile struct outer_probe dwarf_test_variable __attribute__((used)) = { .first = 7 };

static void test_struct(void **state)
{
	struct dwarf *d = NULL;
	uint64_t off, n;

	(void)state;
	assert_null(dwarf_open("/proc/self/exe", &d));
	assert_true(dwarf_struct_bytes(d, "no_such|outer_probe", &n));
	assert_int_equal(n, sizeof(struct outer_probe));
	assert_false(dwarf_struct_bytes(d, "no_such", &n));
	assert_true(dwarf_field(d, "outer_probe", "in.b", &off, &n));
	assert_int_equal(off, offsetof(struct outer_probe, in.b));
	assert_int_equal(n, 2);
	assert_true(dwarf_field(d, "outer_probe", "gone|nope.x|link", &off, &n));
	assert_int_equal(off, offsetof(struct outer_probe, link));
	assert_int_equal(n, 8);
	/* C embeds nothing: b is not promoted. */
	assert_false(dwarf_field(d, "outer_probe", "b", &off, &n));
	assert_false(dwarf_field(d, "outer_probe", "first.x", &off, &n));
	dwarf_close(d);
}

static void test_variable(void **state)
{
	struct elf_symbols *s = NULL;
	const struct elf_symbol *y;
	struct dwarf *d = NULL;
	struct outer_probe copy;
	uint64_t n;
	taddr at;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_null(dwarf_open("/proc/self/exe", &d));
	assert_true(dwarf_variable(d, "dwarf_test_variable", &at, &n));
	assert_int_equal(n, sizeof(dwarf_test_variable));
	dwarf_test_variable.array[0] = n; /* written: stays in .data */
	assert_true(dwarf_read(d, at, &copy, sizeof(copy)));
	assert_int_equal(copy.first, 7);
	assert_false(dwarf_read(d, at, &copy, SIZE_MAX));
	dwarf_close(d);

	assert_null(elf_symbols_read(fd, "self", 0x1000, &s));
	y = elf_symbol_named(s, "dwarf_test_variable");
	assert_non_null(y);
	assert_int_equal(y->addr, at + 0x1000);
	assert_true(y->bytes >= n && y->bytes < n + 64); /* ASan's red zone counts with it */
	assert_ptr_equal(elf_symbol_at(s, y->addr + y->bytes - 1), y);
	assert_ptr_not_equal(elf_symbol_at(s, y->addr + y->bytes), y);
	assert_null(elf_symbol_named(s, "dwarf_test_variabl"));
	assert_null(elf_symbol_at(NULL, at));
	elf_symbols_free(s);
	close(fd);
}

static void test_no_dwarf(void **state)
{
	struct dwarf *d = NULL;
	struct err *err = dwarf_open("/proc/self/status", &d);

	(void)state;
	assert_non_null(err);
	assert_int_equal(err->code, ERR_UNSUPPORTED);
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_struct),
		cmocka_unit_test(test_variable),
		cmocka_unit_test(test_no_dwarf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
