/*
 * test_cgroup.c - where a process lives, in text; limits, in a drawn hierarchy.
 */
#include "target/cgroup.h"
#include "target/preflight.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

static void test_path(void **state)
{
	static const struct {
		const char *text, *controller, *want;
	} t[] = {
		{ "4:memory:/a/b\n0::/x\n", "memory", "/a/b" },
		{ "4:memory:/a/b\n0::/x\n", "", "/x" },
		{ "7:cpu,memory,pids:/k:1:2\n", "memory", "/k:1:2" },
		{ "7:cpu,memoryx:/no\n8:xmemory:/no\n", "memory", NULL },
		{ "1:name=systemd:/s\n", "", NULL },
		{ "0::/", "", "/" },
		{ "", "memory", NULL },
		{ ":", "memory", NULL },
		{ "::", "", NULL },
		{ "0:", "", NULL },
		{ "4:memory", "memory", NULL },
		{ "\n\n:::\n", "memory", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char got[64] = "";
		bool found = cgroup_parse_path(t[i].text, t[i].controller, got, sizeof(got));

		assert_int_equal(found, t[i].want != NULL);
		if (found)
			assert_string_equal(got, t[i].want);
	}
}

static void test_path_too_long(void **state)
{
	char got[8] = "same";

	(void)state;
	assert_false(cgroup_parse_path("4:memory:/12345678\n", "memory", got, sizeof(got)));
	assert_string_equal(got, "same");
}

static void test_mount(void **state)
{
	static const char text[] =
		"22 1 0:20 / /sys rw,nosuid shared:2 - sysfs sysfs rw\n"
		"broken\n"
		"30 22 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
		"31 22 0:27 /docker/abc /sys/fs/cgroup/memory ro shared:9 master:1 - cgroup cgroup "
		"rw,memory\n"
		"32 22 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
	char mount[64], root[64];

	(void)state;
	assert_true(cgroup_parse_mount(text, "memory", mount, sizeof(mount), root, sizeof(root)));
	assert_string_equal(mount, "/sys/fs/cgroup/memory");
	assert_string_equal(root, "/docker/abc");
	assert_true(cgroup_parse_mount(text, "", mount, sizeof(mount), root, sizeof(root)));
	assert_string_equal(mount, "/sys/fs/cgroup/unified");
	assert_true(cgroup_parse_mount(text, "cpuacct", mount, sizeof(mount), root, sizeof(root)));
	assert_false(cgroup_parse_mount(text, "pids", mount, sizeof(mount), root, sizeof(root)));
	assert_false(cgroup_parse_mount("", "", mount, sizeof(mount), root, sizeof(root)));
	assert_false(cgroup_parse_mount(" - cgroup2 x rw\n", "", mount, sizeof(mount), root,
					sizeof(root)));
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

struct tree {
	char top[64];
	struct cgroup g;
};

static void draw(struct tree *t, unsigned version)
{
	*t = (struct tree){ .top = "/tmp/limpet-test-XXXXXX" };
	assert_non_null(mkdtemp(t->top));
	t->g.version = version;
	snprintf(t->g.mount, sizeof(t->g.mount), "%s", t->top);
	snprintf(t->g.dir, sizeof(t->g.dir), "%s/pod/box", t->top);
	snprintf(t->g.pids_mount, sizeof(t->g.pids_mount), "%s", t->top);
	snprintf(t->g.pids_dir, sizeof(t->g.pids_dir), "%s/pod/box", t->top);
	snprintf(t->g.path, sizeof(t->g.path), "/pod/box");
	char pod[128];

	snprintf(pod, sizeof(pod), "%s/pod", t->top);
	assert_int_equal(mkdir(pod, 0700), 0);
	assert_int_equal(mkdir(t->g.dir, 0700), 0);
}

static void erase(struct tree *t)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", t->top);
	assert_int_equal(system(cmd), 0);
}

static void test_room_v2(void **state)
{
	struct tree t;
	struct cgroup_room r;
	struct target_mem m;
	char pod[128];

	(void)state;
	draw(&t, 2);
	snprintf(pod, sizeof(pod), "%s/pod", t.top);
	put(t.g.dir, "memory.max", "max\n");
	put(t.g.dir, "memory.current", "1000\n");
	put(t.g.dir, "memory.stat",
	    "anon 600\nfile 300\nkernel 100\nshmem 50\nsock 7\ninactive_file 200\n");
	put(pod, "memory.max", "5000\n");
	put(pod, "memory.current", "4500\n");
	put(pod, "memory.stat", "inactive_file 300\n");
	put(pod, "memory.oom.group", "1\n");
	put(t.g.dir, "pids.max", "max\n");
	put(pod, "pids.max", "10\n");
	put(pod, "pids.current", "8\n");
	cgroup_room(&t.g, &r);
	assert_int_equal(r.limit, 5000);
	assert_int_equal(r.headroom, 5000 - (4500 - 300));
	assert_true(r.oom_group);
	assert_int_equal(cgroup_pids_left(&t.g), 2);
	cgroup_facts(&t.g, &m);
	assert_int_equal(m.cgroup_usage, 1000);
	assert_int_equal(m.cgroup_limit, 5000);
	assert_int_equal(m.cgroup_anon, 600);
	assert_int_equal(m.cgroup_kernel, 100);
	assert_int_equal(m.cgroup_sock, 7);
	assert_string_equal(m.cgroup_path, "/pod/box");
	erase(&t);
}

static void test_room_v1(void **state)
{
	struct tree t;
	struct cgroup_room r;

	(void)state;
	draw(&t, 1);
	put(t.g.dir, "memory.limit_in_bytes", "9223372036854771712\n");
	put(t.g.dir, "memory.usage_in_bytes", "1000\n");
	cgroup_room(&t.g, &r);
	assert_true(r.limit == UINT64_MAX && r.headroom == UINT64_MAX);
	put(t.g.dir, "memory.limit_in_bytes", "900\n");
	cgroup_room(&t.g, &r); /* above its limit: nothing is left */
	assert_int_equal(r.headroom, 0);
	assert_false(r.oom_group);
	put(t.g.dir, "memory.limit_in_bytes", "garbage");
	cgroup_room(&t.g, &r);
	assert_true(r.limit == UINT64_MAX);
	erase(&t);
}

static void test_spare(void **state)
{
	struct tree t;
	uint64_t spare = 1;
	char why[240] = "";

	(void)state;
	draw(&t, 2);
	put(t.g.dir, "memory.max", "10000000\n");
	put(t.g.dir, "memory.current", "9000000\n");
	assert_true(preflight_spare(&t.g, 400000, &spare, why, sizeof(why)));
	assert_int_equal(spare, 600000);
	assert_false(preflight_spare(&t.g, 1000001, &spare, why, sizeof(why)));
	assert_int_equal(spare, 0);
	assert_non_null(strstr(why, "/pod/box"));
	erase(&t);
}

/* Measured: 1 GB of small pages 14-29 ms, 4.2 GB with huge pages 6 ms. */
static void test_predict(void **state)
{
	const uint64_t gb = UINT64_C(1) << 30, ms = 1000000;

	(void)state;
	assert_in_range(preflight_predict(10, gb, 0, gb / 512), 14 * ms, 35 * ms);
	assert_in_range(preflight_predict(10, 4 * gb, 4 * gb, gb / 128), 3 * ms, 12 * ms);
	assert_in_range(preflight_predict(1, 0, 0, 4096), 1, 1 * ms);
	assert_in_range(preflight_predict(PROC_UNKNOWN, PROC_UNKNOWN, PROC_UNKNOWN, gb / 512),
			14 * ms, 35 * ms);
	assert_in_range(preflight_predict(PROC_UNKNOWN, PROC_UNKNOWN, PROC_UNKNOWN, PROC_UNKNOWN),
			1, 1 * ms);
	/* More huge pages than memory: a liar, or a race. */
	assert_in_range(preflight_predict(1, gb, 2 * gb, 4096), 1, 10 * ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),	cmocka_unit_test(test_path_too_long),
		cmocka_unit_test(test_mount),	cmocka_unit_test(test_room_v2),
		cmocka_unit_test(test_room_v1), cmocka_unit_test(test_spare),
		cmocka_unit_test(test_predict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
