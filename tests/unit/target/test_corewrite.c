/*
 * test_corewrite.c - an image of a core as libelf understands it.
 */
#include "fake/segments.h"
#include "target/corenote.h"
#include "target/corewrite.h"

#include <gelf.h>
#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { BASE = 0x100000, PAGES = 16, MANY = 70000 };

static uint8_t memory[PAGES * CORE_PAGE];

static struct target *make_target(void)
{
	struct fake_segment s = { BASE, memory, sizeof(memory) };
	struct target_thread th[] = { { .tid = 7, .regs.amd64.rip = 77 },
				      { .tid = 5, .regs.amd64.rip = 55 } };
	struct target *t = fake_target(&s, 1);

	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(i * 7 + i / CORE_PAGE);
	assert_non_null(t);
	fake_threads(t, th, 2);
	return t;
}

/* The whole file, asked for in pieces of so many pages. */
static uint8_t *whole(struct core_image *c, size_t pages, size_t *ret_n)
{
	size_t n = (size_t)core_image_bytes(c);
	uint8_t *p = malloc(n);

	assert_non_null(p);
	for (size_t at = 0; at < n; at += pages * CORE_PAGE)
		assert_null(core_image_read(c, at, p + at, MIN(pages * CORE_PAGE, n - at)));
	*ret_n = n;
	return p;
}

static void invert(void *arg, taddr at, uint8_t *buf, size_t n)
{
	(void)arg, (void)at;
	for (size_t i = 0; i < n; i++)
		buf[i] = (uint8_t)~buf[i];
}

static struct core_image *make_image(struct target *t, core_filter *filter)
{
	/* all; the first page of two; nothing; beyond what is readable */
	static const struct core_load loads[] = {
		{ { BASE, BASE + 4 * CORE_PAGE },
		  4 * CORE_PAGE,
		  REGION_READ | REGION_WRITE,
		  false },
		{ { BASE + 4 * CORE_PAGE, BASE + 6 * CORE_PAGE }, CORE_PAGE, REGION_READ, false },
		{ { BASE + 8 * CORE_PAGE, BASE + 9 * CORE_PAGE }, 0, 0, true },
		{ { BASE + 15 * CORE_PAGE, BASE + 17 * CORE_PAGE },
		  2 * CORE_PAGE,
		  REGION_EXEC,
		  false },
	};
	static const struct target_region files[] = {
		{ .range = { BASE, BASE + CORE_PAGE }, .offset = 0x3000, .path = "/bin/x" },
		{ .range = { BASE + CORE_PAGE, BASE + 2 * CORE_PAGE }, .path = "[heap]" },
	};
	struct core_plan p = { .loads = loads,
			       .nloads = ARRAY_LEN(loads),
			       .files = files,
			       .nfiles = ARRAY_LEN(files),
			       .flags = CORENOTE_FLAG_ZEROES,
			       .filter = filter };
	struct core_image *c = NULL;

	p.threads = target_threads(t, &p.nthreads);
	assert_null(core_image_create(t, &p, &c));
	return c;
}

static void test_any_piece(void **state)
{
	struct target *t = make_target();

	(void)state;
	for (int filtered = 0; filtered < 2; filtered++) {
		struct core_image *c = make_image(t, filtered ? invert : NULL);
		size_t n, m;
		uint8_t *all = whole(c, 1000, &n);

		for (size_t pages = 1; pages < 5; pages++) {
			uint8_t *p = whole(c, pages, &m);

			assert_int_equal(n, m);
			assert_memory_equal(all, p, n);
			free(p);
		}
		free(all);
		core_image_free(c);
	}
	target_close(t);
}

static void check_loads(Elf *e, const uint8_t *file)
{
	GElf_Phdr p;

	assert_non_null(gelf_getphdr(e, 1, &p));
	assert_int_equal(p.p_vaddr, BASE);
	assert_int_equal(p.p_flags, PF_R | PF_W);
	assert_int_equal(p.p_filesz, 4 * CORE_PAGE);
	assert_memory_equal(file + p.p_offset, memory, 4 * CORE_PAGE);
	assert_non_null(gelf_getphdr(e, 2, &p));
	assert_int_equal(p.p_filesz, CORE_PAGE);
	assert_int_equal(p.p_memsz, 2 * CORE_PAGE);
	assert_memory_equal(file + p.p_offset, memory + 4 * CORE_PAGE, CORE_PAGE);
	assert_non_null(gelf_getphdr(e, 3, &p));
	assert_int_equal(p.p_filesz, 0);
	assert_int_equal(p.p_flags, CORENOTE_PF_LOST);
	assert_non_null(gelf_getphdr(e, 4, &p));
	assert_memory_equal(file + p.p_offset, memory + 15 * CORE_PAGE, CORE_PAGE);
	for (size_t i = 0; i < CORE_PAGE; i++)
		assert_int_equal(file[p.p_offset + CORE_PAGE + i], 0);
}

/* Threads in the order of the kernel: the leader first, when it is known. */
static void check_notes(Elf *e)
{
	GElf_Phdr p;
	GElf_Nhdr n;
	Elf_Data *d;
	size_t at = 0, next, name, desc, threads = 0, ours = 0, files = 0;

	assert_non_null(gelf_getphdr(e, 0, &p));
	assert_int_equal(p.p_type, PT_NOTE);
	d = elf_getdata_rawchunk(e, (int64_t)p.p_offset, p.p_filesz, ELF_T_NHDR);
	assert_non_null(d);
	while ((next = gelf_getnote(d, at, &n, &name, &desc)) > 0) {
		const char *who = (const char *)d->d_buf + name;

		if (n.n_type == NT_PRSTATUS) {
			assert_string_equal(who, "CORE");
			threads++;
		}
		files += n.n_type == NT_FILE;
		if (n.n_type == CORENOTE_TYPE) {
			assert_string_equal(who, CORENOTE_NAME);
			ours++;
		}
		at = next;
	}
	assert_int_equal(at, p.p_filesz);
	assert_int_equal(threads, 2);
	assert_int_equal(ours, 1);
	assert_int_equal(files, 1);
}

static void test_as_libelf_sees_it(void **state)
{
	struct target *t = make_target();
	struct core_image *c = make_image(t, NULL);
	size_t n, nph = 0;
	uint8_t *file = whole(c, 3, &n);
	GElf_Ehdr h;
	Elf *e;

	(void)state;
	elf_version(EV_CURRENT);
	e = elf_memory((char *)file, n);
	assert_non_null(e);
	assert_non_null(gelf_getehdr(e, &h));
	assert_int_equal(h.e_type, ET_CORE);
	assert_int_equal(elf_getphdrnum(e, &nph), 0);
	assert_int_equal(nph, 5);
	check_loads(e, file);
	check_notes(e);
	assert_int_equal(core_image_lost_bytes(c), CORE_PAGE);
	elf_end(e);
	free(file);
	core_image_free(c);
	target_close(t);
}

/* More program headers than e_phnum can say. */
static void test_many(void **state)
{
	struct core_load *loads = zalloc(MANY, sizeof(*loads));
	struct target *t = make_target();
	struct core_plan p = { .loads = loads, .nloads = MANY };
	struct core_image *c = NULL;
	size_t n, nph = 0;
	uint8_t *file;
	GElf_Phdr last;
	Elf *e;

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		loads[i].range = (struct trange){ (i + 1) * CORE_PAGE, (i + 2) * CORE_PAGE };
	assert_null(core_image_create(t, &p, &c));
	file = whole(c, 64, &n);
	e = elf_memory((char *)file, n);
	assert_int_equal(elf_getphdrnum(e, &nph), 0);
	assert_int_equal(nph, MANY + 1);
	assert_non_null(gelf_getphdr(e, MANY, &last));
	assert_int_equal(last.p_vaddr, (uint64_t)MANY * CORE_PAGE);
	elf_end(e);
	free(file);
	core_image_free(c);
	target_close(t);
	free(loads);
}

static void test_bad_plan(void **state)
{
	static const struct core_load bad[][2] = {
		{ { { 0x1000, 0x3000 }, 0, 0, false },
		  { { 0x2000, 0x4000 }, 0, 0, false } }, /* overlap */
		{ { { 0x1000, 0x2001 }, 0, 0, false },
		  { { 0x3000, 0x4000 }, 0, 0, false } }, /* no pages */
		{ { { 0x1000, 0x2000 }, 0x2000, 0, false }, { { 0x3000, 0x4000 }, 0, 0, false } },
	};
	struct target *t = make_target();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct core_plan p = { .loads = bad[i], .nloads = 2 };
		struct core_image *c = NULL;
		struct err *err = core_image_create(t, &p, &c);

		assert_non_null(err);
		err_free(err);
	}
	target_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_piece),
		cmocka_unit_test(test_as_libelf_sees_it),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bad_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
