/*
 * test_core.c - where each byte of a core comes from, in drawn cores; what is refused, and how.
 */
#include "fake/corefile.h"
#include "target/corenote.h"
#include "target/kind.h"
#include "target/wrap.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#define PAGE 4096U

static uint8_t text[2 * PAGE];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / PAGE + 1);
}

static struct target *open_file(int fd, const struct target_file_opts *o, enum err_code *ret_code)
{
	struct target *t = NULL;
	char path[32];
	struct err *err = target_open_core(corefile_path(path, fd), o, &t);

	if (err && ret_code)
		*ret_code = err->code;
	else if (err)
		print_error("%s\n", err->msg);
	err_free(err);
	return t;
}

static struct target *open_core(struct corefile *c, size_t max)
{
	int fd = corefile_write(c, max);
	struct target *t = open_file(fd, NULL, NULL);

	close(fd);
	corefile_deinit(c);
	return t;
}

/* 'd' dumped, '0' zeroes, '-' not readable: one letter a page. */
static void assert_pages(struct target *t, taddr at, const char *want)
{
	uint8_t b[PAGE];

	for (; *want; want++, at += PAGE) {
		size_t n = 99;
		char got = 'd';

		assert_null(target_read_some(t, at, b, sizeof(b), &n));
		if (!n)
			got = '-';
		else if (!b[0] && !memcmp(b, b + 1, n - 1))
			got = '0';
		if (got != *want)
			fail_msg("page at " TADDR_FMT ": %c, not %c", at, got, *want);
	}
}

static uint64_t lost(struct target *t, const char *what)
{
	size_t n;
	const struct target_loss *l = target_losses(t, &n);
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		if (strstr(l[i].what, what))
			bytes += l[i].bytes;
	return bytes;
}

/* A core that holds code, so that no executable is asked for. */
static void with_code(struct corefile *c)
{
	struct corefile_load l = { 0x400000, PF_R | PF_X, sizeof(text), text, sizeof(text) };

	assert_true(vec_push(&c->loads, l));
}

static void with_load(struct corefile *c, taddr at, uint32_t flags, unsigned pages, unsigned held)
{
	struct corefile_load l = { at, flags, (uint64_t)pages * PAGE, text, (size_t)held * PAGE };

	assert_true(vec_push(&c->loads, l));
}

/* fs/coredump.c: untouched memory is not dumped, what was written is. */
static void test_kernel(void **state)
{
	struct corefile c = { 0 };
	struct regs_amd64 regs = { .rip = 5, .rsp = 6, .orig_rax = UINT64_MAX };

	(void)state;
	corefile_thread(&c, 17, &regs);
	regs.orig_rax = 202;
	corefile_thread(&c, 18, &regs);
	corefile_note(&c, "CORE", NT_AUXV, "\6\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0", 16);
	with_code(&c);
	with_load(&c, 0x700000, PF_R | PF_W, 2, 2);
	with_load(&c, 0x702000, PF_R | PF_W, 3, 0); /* untouched */
	with_load(&c, 0x705000, 0, 9, 0);	    /* reserved */
	with_load(&c, 0x70e000, PF_R, 1, 0);	    /* [vvar] */
	_cleanup_(target_closep) struct target *t = open_core(&c, SIZE_MAX);
	size_t n;

	assert_non_null(t);
	assert_pages(t, 0x700000,
		     "dd000---------"
		     "-");
	assert_int_equal(lost(t, ""), 0);
	const struct target_thread *th = target_threads(t, &n);

	assert_int_equal(n, 2);
	assert_int_equal(th[1].tid, 18);
	assert_int_equal(th[1].regs.amd64.rsp, 6);
	assert_int_equal(th[1].regs.amd64.orig_rax, 202);
	assert_non_null(target_auxv(t, &n));
	assert_int_equal(n, 16);
	assert_int_equal(target_capture(t)->kind, TARGET_CORE);
	assert_int_equal(target_capture(t)->method, TARGET_BY_FILE);
	assert_true(target_mem(t)->rss == UINT64_MAX);
}

/* coredump_filter without bit 0: nothing is known of what could be written. */
static void test_filtered(void **state)
{
	struct corefile c = { 0 };

	(void)state;
	with_code(&c);
	with_load(&c, 0x700000, PF_R | PF_W, 4, 0);
	_cleanup_(target_closep) struct target *t = open_core(&c, SIZE_MAX);

	assert_non_null(t);
	assert_pages(t, 0x700000, "----");
	assert_int_equal(lost(t, "not dumped"), 4 * PAGE);
}

/* Our own note tells zeroes that were left out from what was lost. */
static void test_ours(void **state)
{
	struct {
		struct corenote n;
		char exe[8];
	} note = { { CORENOTE_VERSION, CORENOTE_FLAG_ZEROES, 1000, 2000, 3000, 42, 0 }, "/no/exe" };
	struct corefile c = { 0 };

	(void)state;
	corefile_note(&c, CORENOTE_NAME, CORENOTE_TYPE, &note, sizeof(note));
	with_code(&c);
	with_load(&c, 0x700000, PF_R | PF_W, 4, 1);
	with_load(&c, 0x704000, PF_R, 2, 0);
	_cleanup_(target_closep) struct target *t = open_core(&c, SIZE_MAX);

	assert_non_null(t);
	assert_pages(t, 0x700000, "d00000-");
	assert_int_equal(lost(t, ""), 0);
	assert_int_equal(target_capture(t)->pause_ns, 2000);
	assert_int_equal(target_capture(t)->at_unix_ns, 1000);
	assert_int_equal(target_capture(t)->pid, 42);
	assert_int_equal(target_started_unix_ns(t), 3000);
	assert_string_equal(target_exe(t), "/no/exe");
}

/* Cut off (ulimit -c): whole pages that are there are read, the rest is counted in bytes. */
static void test_cut(void **state)
{
	struct corefile c = { 0 };
	size_t headers = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);

	(void)state;
	with_code(&c);
	with_load(&c, 0x700000, PF_R | PF_W, 2, 2);
	_cleanup_(target_closep) struct target *t =
		open_core(&c, headers + sizeof(text) + PAGE + 10);

	assert_non_null(t);
	assert_pages(t, 0x700000, "d--");
	assert_int_equal(lost(t, "cut off"), PAGE);
	uint8_t b[PAGE];
	size_t n = 0;

	assert_null(target_read_some(t, 0x700000, b, PAGE, &n));
	assert_int_equal(n, PAGE);
	assert_null(target_read_some(t, 0x701000, b, PAGE, &n));
	assert_int_equal(n, 0);
	struct err *err = target_read(t, 0x700ff0, b, 100);

	assert_int_equal(err->code, ERR_FAULT);
	assert_int_equal(err->addr, 0x701000);
	err_free(err);
}

/* Segments that overlap, wrap, or have more in the file than in memory. */
static void test_nonsense(void **state)
{
	struct corefile c = { 0 };
	size_t n;

	(void)state;
	with_code(&c);
	with_load(&c, 0x700000, PF_R | PF_W, 2, 2);
	with_load(&c, 0x701000, PF_R | PF_W, 2, 2);
	with_load(&c, 0x701000, PF_R | PF_W, 1, 1);
	with_load(&c, UINT64_MAX - PAGE + 1, PF_R, 9, 1);
	with_load(&c, 0x800000, PF_R | PF_W, 1, 2);
	_cleanup_(target_closep) struct target *t = open_core(&c, SIZE_MAX);

	assert_non_null(t);
	assert_pages(t, 0x700000, "ddd-");
	assert_pages(t, 0x800000, "d-");
	const struct target_region *r = target_regions(t, &n);

	for (size_t i = 1; i < n; i++)
		assert_true(r[i].range.start >= r[i - 1].range.end);
}

static void test_many_headers(void **state)
{
	struct corefile c = { .many = true };

	(void)state;
	with_code(&c);
	with_load(&c, 0x700000, PF_R | PF_W, 2, 2);
	_cleanup_(target_closep) struct target *t = open_core(&c, SIZE_MAX);

	assert_non_null(t);
	assert_pages(t, 0x700000, "dd-");
}

/* The list of headers' number is at the end: when that is cut off, it follows from the first. */
static void test_many_headers_cut(void **state)
{
	struct corefile c = { .many = true };
	size_t headers = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);

	(void)state;
	with_code(&c);
	with_load(&c, 0x700000, PF_R | PF_W, 2, 2);
	_cleanup_(target_closep) struct target *t = open_core(&c, headers + sizeof(text) + PAGE);

	assert_non_null(t);
	assert_pages(t, 0x700000, "d--");
}

/* Registers lie elsewhere, and some come in notes of their own behind their thread's. */
static void test_arm64(void **state)
{
	struct corefile c = { .machine = EM_AARCH64 };
	struct regs_arm64 regs = { .sp = 6, .pc = 5 };
	int32_t call = 98;
	uint64_t tls = 77;
	size_t n;

	(void)state;
	regs.x[30] = 30;
	corefile_thread_arm64(&c, 17, &regs);
	regs.sp = 8;
	corefile_thread_arm64(&c, 18, &regs);
	corefile_note(&c, "LINUX", NT_ARM_TLS, &tls, 8);
	corefile_note(&c, "LINUX", NT_ARM_SYSTEM_CALL, &call, 4);
	with_code(&c);
	_cleanup_(target_closep) struct target *t = open_core(&c, SIZE_MAX);

	assert_non_null(t);
	assert_int_equal(target_arch(t), TARGET_ARM64);
	const struct target_thread *th = target_threads(t, &n);

	assert_int_equal(n, 2);
	assert_int_equal(th[0].regs.arm64.pc, 5);
	assert_int_equal(th[0].regs.arm64.x[30], 30);
	assert_int_equal(th[0].regs.arm64.call, -1);
	assert_int_equal(th[1].regs.arm64.sp, 8);
	assert_int_equal(th[1].regs.arm64.tpidr, 77);
	assert_int_equal(th[1].regs.arm64.call, 98);
	assert_int_equal(regs_sp(target_arch(t), &th[1].regs), 8);
}

static void test_refused(void **state)
{
	static const struct {
		uint32_t machine;
		size_t max;
		bool code;
		enum err_code want;
	} t[] = {
		{ EM_RISCV, SIZE_MAX, true, ERR_UNSUPPORTED },
		{ 0, 0, true, ERR_BAD_DATA },
		{ 0, 40, true, ERR_BAD_DATA },
		{ 0, SIZE_MAX, false, ERR_GONE }, /* no code in it, no executable */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct corefile c = { .machine = t[i].machine };
		enum err_code code = ERR_NOMEM;

		if (t[i].code)
			with_code(&c);
		int fd = corefile_write(&c, t[i].max);

		assert_null(open_file(fd, NULL, &code));
		assert_int_equal(code, t[i].want);
		close(fd);
		corefile_deinit(&c);
	}
}

/* The executable of this test stands for that of the core: NT_FILE gives its pages, if they agree.
 */
static void test_pages_of_a_file(void **state)
{
	char self[512] = "";
	_cleanup_(closep) int fd = open("/proc/self/exe", O_RDONLY);
	uint8_t head[PAGE], b[PAGE];
	size_t n = 0;

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(pread(fd, head, PAGE, 0), PAGE);
	for (unsigned spoil = 0; spoil < 2; spoil++) {
		struct corefile_mapping m = { 0x500000, 0x501000, 0, self };
		struct corefile_load l = { 0x500000, PF_R, PAGE, head, PAGE };
		struct corefile c = { .machine = regs_shape(REGS_HOST)->machine };

		with_code(&c);
		head[70] ^= (uint8_t)spoil;
		corefile_files(&c, &m, 1);
		assert_true(vec_push(&c.loads, l));
		_cleanup_(target_closep) struct target *t = open_core(&c, SIZE_MAX);

		if (spoil) /* another build of it: the code of the core itself is of no known file
			    */
			assert_true(!t || target_exe_fd(t) < 0);
		else
			assert_true(t && target_exe_fd(t) >= 0);
		if (t)
			assert_null(target_read_some(t, 0x500000, b, PAGE, &n));
	}
}

static int packed_file(const void *p, size_t n)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);

	assert_int_equal(write(fd, p, n), n);
	return fd;
}

static void check_packed(const void *packed, size_t n, size_t want, bool whole)
{
	_cleanup_(closep) int fd = packed_file(packed, n);
	_cleanup_(wrap_closep) struct wrap_file *f = NULL;
	char path[32];
	uint8_t b[sizeof(text)];
	size_t got = 0;

	assert_null(wrap_open(corefile_path(path, fd), 0, &f));
	assert_int_equal(wrap_damage(f) == NULL, whole);
	assert_true(wrap_size(f) <= want);
	if (whole)
		assert_int_equal(wrap_size(f), want);
	assert_null(wrap_read(f, 0, b, sizeof(b), &got));
	if (whole) {
		assert_int_equal(got, want);
		assert_memory_equal(b, text, got);
	}
	assert_null(wrap_read(f, 5000, b, 100, &got));
	if (whole)
		assert_memory_equal(b, text + 5000, 100);
	assert_null(wrap_read(f, want, b, 100, &got));
	assert_int_equal(got, 0);
}

static void test_gzip(void **state)
{
	uint8_t out[2 * sizeof(text)];
	z_stream z = {
		.next_in = text, .avail_in = sizeof(text), .next_out = out, .avail_out = sizeof(out)
	};

	(void)state;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size_t n = z.total_out;

	deflateEnd(&z);
	assert_int_equal(wrap_of(out, n), WRAP_GZIP);
	check_packed(out, n, sizeof(text), true);
	check_packed(out, n / 2, sizeof(text), false);
	out[n / 2] ^= 0x55;
	check_packed(out, n, sizeof(text), false);
}

/* Two frames and their table: the seekable format. */
static size_t seekable(uint8_t *out, size_t cap)
{
	size_t half = 5000, n = ZSTD_compress(out, cap, text, half, 1), k;
	uint32_t w[] = { (uint32_t)n, (uint32_t)half, 0, (uint32_t)(sizeof(text) - half) };
	uint32_t head[] = { 0x184d2a5e, sizeof(w) + 9 }, frames = 2, magic = 0x8f92eab1;

	k = ZSTD_compress(out + n, cap - n, text + half, sizeof(text) - half, 1);
	w[2] = (uint32_t)k;
	n += k;
	memcpy(out + n, head, sizeof(head));
	memcpy(out + n + 8, w, sizeof(w));
	memcpy(out + n + 24, &frames, 4);
	out[n + 28] = 0;
	memcpy(out + n + 29, &magic, 4);
	return n + 33;
}

static void test_zstd(void **state)
{
	uint8_t out[4 * sizeof(text)];
	size_t n = ZSTD_compress(out, sizeof(out), text, sizeof(text), 1);

	(void)state;
	check_packed(out, n, sizeof(text), true);
	check_packed(out, n / 2, sizeof(text), false);
	n = seekable(out, sizeof(out));
	check_packed(out, n, sizeof(text), true);
	check_packed(out, n - 40, sizeof(text),
		     false); /* without its table it is a stream, cut short */
	out[n - 17]++;	     /* the table contradicts the file: a stream again */
	check_packed(out, n, sizeof(text), true);
}

static void test_too_large(void **state)
{
	static const uint8_t zeroes[1 << 20];
	_cleanup_(freep) uint8_t *out = malloc(ZSTD_compressBound(sizeof(zeroes)));
	size_t n =
		ZSTD_compress(out, ZSTD_compressBound(sizeof(zeroes)), zeroes, sizeof(zeroes), 1);
	_cleanup_(closep) int fd = packed_file(out, n);
	struct wrap_file *f = NULL;
	char path[32];
	struct err *err = wrap_open(corefile_path(path, fd), 4096, &f);

	(void)state;
	assert_non_null(err);
	assert_int_equal(err->code, ERR_LIMIT);
	err_free(err);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum kind want;
	} t[] = {
		{ "", 0, KIND_EMPTY },
		{ "go1.7 heap dump\n\x06", 17, KIND_HEAPDUMP },
		{ "SQLite format 3", 16, KIND_STORE },
		{ "go 1.26 trace\0\0\0", 16, KIND_TRACE },
		{ "\x0a\x04\x08\x01\x10\x02", 6, KIND_PROFILE },
		{ "heap profile: 1: 2 [3: 4] @ heap/1\n", 35, KIND_PROFILE },
		{ "goroutine 17 [running]:\nmain.f()\n", 33, KIND_GOROUTINES },
		{ "panic: x\n\ngoroutine 1 [running]:\n", 33, KIND_GOROUTINES },
		{ "goroutine profile: total 3\n", 27, KIND_GOROUTINES },
		{ "hello\ngc 12 @3.4s 1%: 0.1\n", 26, KIND_GCLOG },
		{ "./a.go:3:6: x escapes to heap:\n", 31, KIND_ESCAPE },
		{ "goroutine x", 11, KIND_UNKNOWN },
		{ "\x7f"
		  "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0",
		  18, KIND_EXE },
		{ "\x7f"
		  "ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0",
		  18, KIND_CORE },
		{ "\x7f"
		  "ELF",
		  4, KIND_EXE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(kind_of_bytes(t[i].bytes, t[i].n), t[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_filtered),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_many_headers),
		cmocka_unit_test(test_many_headers_cut),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_pages_of_a_file),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_zstd),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_kinds),
	};

	fill();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
