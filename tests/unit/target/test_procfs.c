/*
 * test_procfs.c - /proc text, the kernel's and a liar's.
 */
#include "target/procfs.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char *dup_text(const char *s)
{
	char *p = strdup(s);

	assert_non_null(p);
	return p;
}

static void test_status(void **state)
{
	struct proc_status s;

	(void)state;
	proc_parse_status(
		"Name:\tsrv\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t77\nPid:\t77\n"
		"PPid:\t5\nTracerPid:\t9\nUid:\t1000\t1001\t1000\t1000\nNSpid:\t77\t4\t1\n"
		"VmSize:\t  2048 kB\nVmRSS:\t 1024 kB\nRssAnon:\t 512 kB\nVmPTE:\t 44 kB\n"
		"Threads:\t7\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n",
		&s);
	assert_string_equal(s.name, "srv");
	assert_int_equal(s.state, 'S');
	assert_int_equal(s.tgid, 77);
	assert_int_equal(s.ppid, 5);
	assert_int_equal(s.tracer, 9);
	assert_int_equal(s.uid, 1000);
	assert_int_equal(s.euid, 1001);
	assert_int_equal(s.ns_depth, 3);
	assert_int_equal(s.ns_pid, 1);
	assert_int_equal(s.ns_pids[0], 77);
	assert_int_equal(s.ns_pids[1], 4);
	assert_int_equal(s.vm_size, 2048 * 1024);
	assert_int_equal(s.rss_anon, 512 * 1024);
	assert_int_equal(s.vm_pte, 44 * 1024);
	assert_int_equal(s.threads, 7);
	assert_int_equal(s.seccomp, 2);
	assert_true(s.no_new_privs);
	assert_false(s.kernel_thread);
}

static void test_status_hostile(void **state)
{
	/* A name cannot hold a newline (the kernel escapes it), but may look like a line. */
	static const char *const texts[] = {
		"",
		"\n\n\n",
		"Name:",
		"Name:\t\nState:",
		"NSpid",
		"NSpid:\t",
		"Uid:\tx\n",
		"VmRSS:\t99999999999999999999999999 kB\n",
		"Tgid:\t99999999999999999999\n",
	};
	struct proc_status s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		proc_parse_status(texts[i], &s);
		assert_true(s.kernel_thread);
		assert_int_equal(s.tgid, 0);
		assert_true(s.rss == PROC_UNKNOWN);
	}
	proc_parse_status("Name:\tSeccomp:\t2\nSeccomp:\t0\nVmSize: 1 kB\n", &s);
	assert_int_equal(s.seccomp, 0);
	assert_string_equal(s.name, "Seccomp:\t2");
}

static void test_status_many_namespaces(void **state)
{
	char text[4096] = "NSpid:";
	struct proc_status s;

	(void)state;
	for (int i = 0; i < 300; i++)
		strcat(text, "\t7");
	proc_parse_status(text, &s);
	assert_int_equal(s.ns_depth, ARRAY_LEN(s.ns_pids));
}

/* Field 4 ppid 12, 20 threads 9, 22 start 4242, 26 start code, 38 exit signal: proc(5). */
#define STAT_TAIL                                                                                  \
	" S 12 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4242 1000 200 184467440 "                 \
	"4198400 5 140 0 0 0 0 0 0 0 0 0 %d 1 0 0 0 0 0 0 0 0 0 0 0 0 9\n"

static void test_stat(void **state)
{
	static const char *const names[] = { "srv", "a b", ") Z 1 (", "))))", "", "(x) S 1 2 3" };
	struct proc_stat s;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int n = snprintf(text, sizeof(text), "31 (%s)", names[i]);

		snprintf(text + n, sizeof(text) - (size_t)n, STAT_TAIL, 17);
		assert_true(proc_parse_stat(text, &s));
		assert_string_equal(s.comm, names[i]);
		assert_int_equal(s.state, 'S');
		assert_int_equal(s.ppid, 12);
		assert_int_equal(s.nthreads, 9);
		assert_int_equal(s.start_ticks, 4242);
		assert_int_equal(s.flags, 4194560);
		assert_int_equal(s.start_code, 4198400);
		assert_int_equal(s.exit_signal, 17);
	}
}

static void test_stat_hostile(void **state)
{
	static const char *const texts[] = {
		"", "(", ")", ")(", "1 (x", "1 (x)", "1 (x) S 1 2 3\n"
	};
	struct proc_stat s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(proc_parse_stat(texts[i], &s));
}

static void test_maps(void **state)
{
	_cleanup_(freep) char *text =
		dup_text("00400000-00480000 r-xp 00000000 fe:01 1234   /srv/a b (deleted)\n"
			 "00480000-00481000 rw-p 00080000 fe:01 1234   /srv/a\\012b\n"
			 "c000000000-c000400000 rw-p 00000000 00:00 0  [anon: Go: heap]\n"
			 "7f0000000000-7f0000001000 ---s 00001000 00:01 9\n"
			 "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n");
	_cleanup_(freep) struct target_region *r = NULL;
	size_t n;

	(void)state;
	assert_null(proc_parse_maps(text, &r, &n));
	assert_int_equal(n, 5);
	assert_int_equal(r[0].prot, REGION_READ | REGION_EXEC);
	assert_string_equal(r[0].path, "/srv/a b (deleted)");
	assert_int_equal(r[0].inode, 1234);
	assert_int_equal(r[1].offset, 0x80000);
	assert_string_equal(r[2].path, "[anon: Go: heap]");
	assert_int_equal(r[2].inode, 0);
	assert_int_equal(r[3].prot, REGION_SHARED);
	assert_string_equal(r[3].path, "");
	assert_true(r[4].range.end == 0xffffffffff601000);
}

static void test_maps_hostile(void **state)
{
	_cleanup_(freep) char *text = dup_text(
		"garbage\n-\n1-\n2-1 r-xp 0 0 0\n1000-2000\n1000-2000 r\n"
		"1000-2000 rw-p\n1000-2000 rw-p \n1000-2000 rw-p zz 0 0\n"
		"1000-2000 rw-p 0\n1800-3000 rw-p 0 0:0 0 overlaps\n500-600 rw-p 0 0:0 0 goes back\n"
		"3000-3000 rw-p 0 0:0 0 empty\n"
		"3000-ffffffffffffffffffffffff rw-p 0 0:0 0 too long a number\n4000-5000 ---p 0");
	_cleanup_(freep) struct target_region *r = NULL;
	size_t n;

	(void)state;
	assert_null(proc_parse_maps(text, &r, &n));
	for (size_t i = 0; i < n; i++) {
		assert_true(r[i].range.start < r[i].range.end);
		assert_true(i == 0 || r[i - 1].range.end <= r[i].range.start);
	}
	assert_int_equal(r[0].range.start, 0x1000);
}

static void test_maps_truncated_anywhere(void **state)
{
	static const char whole[] = "00400000-00480000 r-xp 00001000 fe:01 1234   /srv/x\n"
				    "00480000-00481000 rw-p 00080000 fe:01 1234   /srv/y\n";

	(void)state;
	for (size_t cut = 0; cut < sizeof(whole); cut++) {
		/* A heap block of exactly this size: a sanitizer sees one byte too far. */
		_cleanup_(freep) char *text = zalloc(1, cut + 1);
		_cleanup_(freep) struct target_region *r = NULL;
		size_t n = 0;

		memcpy(text, whole, cut);
		assert_null(proc_parse_maps(text, &r, &n));
		assert_true(n <= 2);
	}
}

static void test_smaps(void **state)
{
	_cleanup_(freep) char *text = dup_text(
		"Rss: 99 kB\n"
		"1000-3000 rw-p 00000000 00:00 0  [heap]\nSize: 8 kB\nRss: 8 kB\nPss: 6 kB\n"
		"Private_Dirty: 4 kB\nAnonymous: 8 kB\nAnonHugePages: 2 kB\nSwap: 12 kB\n"
		"VmFlags: rd wr\n"
		"2000-4000 rw-p 0 0:0 0 overlaps\nRss: 77 kB\n"
		"4000-5000 r--p 00000000 fe:01 5  /lib/x\nRss: 4 kB\nRssX: 5 kB\nPss: x kB\n");
	_cleanup_(freep) struct target_smap *s = NULL;
	size_t n;

	(void)state;
	assert_null(proc_parse_smaps(text, &s, &n));
	assert_int_equal(n, 2);
	assert_int_equal(s[0].rss, 8192);
	assert_int_equal(s[0].pss, 6144);
	assert_int_equal(s[0].private_dirty, 4096);
	assert_int_equal(s[0].anonymous, 8192);
	assert_int_equal(s[0].huge, 2048);
	assert_int_equal(s[0].swap, 12288);
	assert_false(s[0].file_backed);
	assert_true(s[1].file_backed);
	assert_int_equal(s[1].rss, 4096);
	assert_true(s[1].pss == PROC_UNKNOWN);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_true(proc_kb("A: 18446744073709551615 kB\n", "A") == PROC_UNKNOWN);
	assert_int_equal(proc_kb("AB: 3 kB\nA: 4 kB\n", "A"), 4096);
	assert_true(proc_number("anon 12\n", "ano") == PROC_UNKNOWN);
	assert_int_equal(proc_number("anon 12\n", "anon"), 12);
	assert_true(proc_number("anon -12\n", "anon") == PROC_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_hostile),
		cmocka_unit_test(test_status_many_namespaces),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_stat_hostile),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_maps_hostile),
		cmocka_unit_test(test_maps_truncated_anywhere),
		cmocka_unit_test(test_smaps),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
