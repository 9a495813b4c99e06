/*
 * test_functab.c - functions of this very program by address, and marks as Go's linker makes them.
 */
#include "elf/functab.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

extern const char __executable_start[];
extern const char types_mark[] __asm__("runtime.types");
extern const char etypes_mark[] __asm__("runtime.etypes");
__asm__(".pushsection .rodata\n.globl runtime.types, runtime.etypes\nruntime.types: .quad 1, 2\n"
	"runtime.etypes: .byte 0\n.popsection");

static taddr link_time(const void *p)
{
	return (taddr)((uintptr_t)p - (uintptr_t)__executable_start);
}

static struct elf_functab *self(void)
{
	struct elf_functab *f = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_null(elf_functab_read(fd, "self", &f));
	close(fd);
	return f;
}

static void test_functions(void **state)
{
	struct elf_functab *f = self();
	const struct elf_func *at;

	(void)state;
	at = elf_functab_at(f, link_time((const void *)(uintptr_t)self));
	assert_non_null(at);
	assert_string_equal(at->name, "self");
	assert_true(at->bytes > 16 && at->bytes < 4096);
	assert_null(elf_functab_at(f, at->addr + 1));
	assert_null(elf_functab_at(f, 1));
	assert_null(elf_functab_at(f, UINT64_MAX));
	elf_functab_free(f);
}

static void test_marks(void **state)
{
	struct elf_functab *f = self();
	taddr types = 0, etypes = 0, none = 7;

	(void)state;
	assert_true(elf_functab_mark(f, "runtime.types", &types));
	assert_true(elf_functab_mark(f, "runtime.etypes", &etypes));
	assert_int_equal(types, link_time(types_mark));
	assert_int_equal(etypes - types, 16);
	assert_false(elf_functab_mark(f, "runtime.text", &none));
	assert_false(elf_functab_mark(f, "no.such", &none));
	assert_int_equal(none, 7);
	elf_functab_free(f);
	elf_functab_free(NULL);
}

static void refused(const char *path)
{
	struct elf_functab *f = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err *err = elf_functab_read(fd, path, &f);

	assert_non_null(err);
	assert_int_equal(err->code, ERR_BAD_DATA);
	assert_null(f);
	err_free(err);
	close(fd);
}

static void test_refused(void **state)
{
	(void)state;
	refused("/proc/self/status");
	refused("/dev/null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
