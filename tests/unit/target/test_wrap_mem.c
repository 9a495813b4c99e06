/*
 * test_wrap_mem.c - a core of which only the head is at hand.
 *
 * A file stands for /proc/PID/mem: offset is address.  Byte at address a is a % 251.
 */
#include "target/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEAD_BYTES 0x1000U
#define MEM_BYTES  0x10000U

struct seg {
	uint64_t offset, vaddr, bytes;
};

static int head_of(const struct seg *s, size_t n, unsigned phnum)
{
	uint8_t b[HEAD_BYTES] = { 0 };
	Elf64_Ehdr h = { .e_type = ET_CORE,
			 .e_phoff = sizeof(h),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = (uint16_t)phnum };
	int fd = memfd_create("head", 0);

	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	memcpy(b, &h, sizeof(h));
	for (size_t i = 0; i < n; i++) {
		Elf64_Phdr p = { .p_type = PT_LOAD,
				 .p_offset = s[i].offset,
				 .p_vaddr = s[i].vaddr,
				 .p_filesz = s[i].bytes,
				 .p_memsz = s[i].bytes };

		memcpy(b + sizeof(h) + i * sizeof(p), &p, sizeof(p));
	}
	assert_int_equal(write(fd, b, sizeof(b)), sizeof(b));
	return fd;
}

static int memory(void)
{
	uint8_t b[MEM_BYTES];
	int fd = memfd_create("mem", 0);

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(i % 251);
	assert_int_equal(write(fd, b, sizeof(b)), sizeof(b));
	return fd;
}

static struct err *open_it(const struct seg *s, size_t n, unsigned phnum, struct wrap_file **ret)
{
	_cleanup_(closep) int head = head_of(s, n, phnum), mem = memory();

	return wrap_open_given(head, mem, ret); /* both are copied */
}

/* Bytes [at, at + n) are those of addresses from `addr` on. */
static void check(struct wrap_file *f, uint64_t at, size_t n, uint64_t addr, size_t want)
{
	uint8_t b[0x4000];
	size_t got = 0;

	assert_true(n <= sizeof(b));
	assert_null(wrap_read(f, at, b, n, &got));
	assert_int_equal(got, want);
	for (size_t i = 0; i < got; i++)
		assert_int_equal(b[i], (addr + i) % 251);
}

static void test_memory_is_read_where_it_is(void **state)
{
	static const struct seg segs[] = {
		{ 0x1000, 0x8000, 0x1000 },
		{ 0x2000, 0, 0 }, /* not dumped */
		{ 0x2000, 0x3000, 0x2000 },
		{ 0x4000, 0xf800, 0x1000 },		/* half of it is not there */
		{ 0x5000, 0xffffffffff600000, 0x1000 }, /* [vsyscall] */
	};
	_cleanup_(wrap_closep) struct wrap_file *f = NULL;
	uint8_t magic[4];
	size_t n = 0;

	(void)state;
	assert_null(open_it(segs, 5, 5, &f));
	assert_int_equal(wrap_size(f), 0x6000);
	assert_null(wrap_read(f, 0, magic, 4, &n));
	assert_int_equal(n, 4);
	assert_memory_equal(magic, ELFMAG, 4);
	check(f, 0x1000, 0x1000, 0x8000, 0x1000);
	check(f, 0x1fff, 1, 0x8fff, 1);
	check(f, 0x2123, 0x1000, 0x3123, 0x1000);
	check(f, 0x4000, 0x1000, 0xf800, 0x800);
	check(f, 0x4900, 0x10, 0, 0);
	check(f, 0x5000, 0x1000, 0, 0);
	check(f, 0x6000, 1, 0, 0);
}

/* Over a border of segments that lie apart in memory. */
static void test_across_segments(void **state)
{
	static const struct seg segs[] = { { 0x1000, 0x8000, 0x10 }, { 0x1010, 0x20, 0x10 } };
	_cleanup_(wrap_closep) struct wrap_file *f = NULL;
	uint8_t b[0x20];
	size_t n = 0;

	(void)state;
	assert_null(open_it(segs, 2, 2, &f));
	assert_null(wrap_read(f, 0x1000, b, sizeof(b), &n));
	assert_int_equal(n, sizeof(b));
	for (size_t i = 0; i < 0x10; i++) {
		assert_int_equal(b[i], (0x8000 + i) % 251);
		assert_int_equal(b[0x10 + i], (0x20 + i) % 251);
	}
}

/* The number of headers is not in the header: memory begins behind the last. */
static void test_many_segments(void **state)
{
	static const struct seg segs[] = { { sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr), 0x100,
					     0x10 },
					   { 0x1000, 0x200, 0x10 } };
	_cleanup_(wrap_closep) struct wrap_file *f = NULL;

	(void)state;
	assert_null(open_it(segs, 2, PN_XNUM, &f));
	check(f, 0x1000, 0x10, 0x200, 0x10);
}

static void test_nonsense_is_refused(void **state)
{
	static const struct {
		struct seg s[2];
		unsigned phnum;
	} bad[] = {
		{ { { 0x2000, 0x8000, 0x1000 }, { 0x1000, 0, 0x1000 } }, 2 }, /* backwards */
		{ { { 0x1000, 0x8000, 0x1000 }, { 0x1800, 0, 0x1000 } }, 2 }, /* overlapping */
		{ { { 0x1000, 0x8000, UINT64_MAX }, { 0, 0, 0 } }, 2 },
		{ { { UINT64_MAX, 0x8000, 0x1000 }, { 0, 0, 0 } }, 2 },
		{ { { UINT64_MAX - 64, 0x8000, 0x1000 }, { 0, 0, 0 } }, PN_XNUM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct wrap_file *f = NULL;
		struct err *err = open_it(bad[i].s, 2, bad[i].phnum, &f);

		assert_non_null(err);
		assert_int_equal(err->code, ERR_BAD_DATA);
		assert_null(f);
		err_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_read_where_it_is),
		cmocka_unit_test(test_across_segments),
		cmocka_unit_test(test_many_segments),
		cmocka_unit_test(test_nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
