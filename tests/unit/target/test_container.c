/*
 * test_container.c - cgroup paths as runtimes make them, and as nobody does.
 */
#include "target/container.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ID  "4f66ad9a0b2e8c1d4f66ad9a0b2e8c1d4f66ad9a0b2e8c1d4f66ad9a0b2e8c1d"
#define ID2 "0000000000000000000000000000000000000000000000000000000000000002"
#define UID "6e1f0a52-7a1c-4c5e-9d0e-0c9f2b7f4a11"

static const struct {
	const char *text, *container, *runtime, *pod, *unit;
} rows[] = {
	{ "0::/\n", "", "", "", "" },
	{ "", "", "", "", "" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n", "", "", "", "" },
	{ "0::/system.slice/shop.service\n", "", "", "", "shop.service" },
	/* docker: cgroupfs (v1, several lines), systemd */
	{ "12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/system.slice/x.service\n", ID,
	  "docker", "", "" },
	{ "0::/system.slice/docker-" ID ".scope\n", ID, "docker", "", "" },
	/* Kubernetes: cgroupfs and systemd; containerd, cri-o, docker */
	{ "11:memory:/kubepods/burstable/pod" UID "/" ID "\n", ID, "", UID, "" },
	{ "0::/kubepods.slice/kubepods-burstable.slice/"
	  "kubepods-burstable-pod6e1f0a52_7a1c_4c5e_9d0e_0c9f2b7f4a11.slice/cri-containerd-" ID
	  ".scope\n",
	  ID, "containerd", UID, "" },
	{ "0::/kubepods.slice/kubepods-pod6e1f0a52_7a1c_4c5e_9d0e_0c9f2b7f4a11.slice/crio-" ID
	  ".scope/container\n",
	  ID, "cri-o", UID, "" },
	{ "0::/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/" ID "\n", ID, "",
	  "0123456789abcdef0123456789abcdef", "" },
	/* containerd below a service: "kubepods-…:cri-containerd:ID" */
	{ "0::/system.slice/containerd.service/"
	  "kubepods-burstable-pod6e1f0a52_7a1c_4c5e_9d0e_0c9f2b7f4a11.slice:cri-containerd:" ID
	  "\n",
	  ID, "containerd", UID, "containerd.service" },
	/* as a container sees its neighbour: relative to its own cgroup namespace */
	{ "0::/../cri-containerd-" ID ".scope\n", ID, "containerd", "", "" },
	/* podman, as root and not */
	{ "0::/machine.slice/libpod-" ID ".scope/container\n", ID, "podman", "", "" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n", ID,
	  "podman", "", "" },
	{ "0::/machine.slice/crio-conmon-" ID ".scope\n", "", "", "", "" },
	/* a container in a container */
	{ "0::/docker/" ID2 "/kubelet/kubepods/pod" UID "/" ID "\n", ID, "", UID, "" },
	{ "5:cpu:/ecs/0f0f/" ID "\n", ID, "", "", "" },
	{ "0::/lxc.payload.web\n", "web", "lxc", "", "" },
	{ "3:cpu:/lxc/web/x\n", "web", "lxc", "", "" },
	/* no id: a digit too few, a capital */
	{ "0::/docker/4f66ad9a0b2e\n", "", "", "", "" },
	{ "0::/docker/4F66ad9a0b2e8c1d4f66ad9a0b2e8c1d4f66ad9a0b2e8c1d4f66ad9a0b2e8c1d\n", "", "",
	  "", "" },
	/* what nobody writes */
	{ "x\n::\n:::/docker/" ID, ID, "docker", "", "" },
	{ "0::////\n0::pod\n0::.scope\n0::-pod.slice", "", "", "", "" },
};

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct target_place p;

		container_parse(rows[i].text, &p);
		assert_string_equal(p.container, rows[i].container);
		assert_string_equal(p.runtime, rows[i].runtime);
		assert_string_equal(p.pod, rows[i].pod);
		assert_string_equal(p.unit, rows[i].unit);
	}
}

/* Whatever is in a name, nothing of it drives a terminal, and nothing is longer than its place. */
static void test_hostile(void **state)
{
	char text[4096] = "0::/lxc/", buf[CONTAINER_WORDS];
	struct target_place p;

	(void)state;
	memset(text + 8, '\x1b', sizeof(text) - 9);
	container_parse(text, &p);
	assert_int_equal(strlen(p.container), sizeof(p.container) - 1);
	assert_null(strchr(p.container, '\x1b'));
	assert_true(strlen(container_words(&p, buf)) < CONTAINER_WORDS);
}

static void test_words(void **state)
{
	struct target_place p = { .container = ID, .runtime = "docker" };
	char buf[CONTAINER_WORDS];

	(void)state;
	assert_string_equal(container_words(&p, buf), " in container 4f66ad9a0b2e (docker)");
	assert_true(container_is(&p, "4f66"));
	assert_true(container_is(&p, ID));
	assert_false(container_is(&p, "4f6"));
	assert_false(container_is(&p, ""));
	memcpy(p.pod, UID, sizeof(UID));
	assert_string_equal(container_words(&p, buf),
			    " in container 4f66ad9a0b2e (docker) of pod " UID);
	assert_true(container_is(&p, "6e1f0a52"));
	p = (struct target_place){ .unit = "shop.service" };
	assert_string_equal(container_words(&p, buf), " of shop.service");
	assert_true(container_is(&p, "shop.service"));
	assert_false(container_is(&p, "shop"));
	assert_string_equal(container_words(&(struct target_place){ .ns_pid = 1 }, buf), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
