/*
 * container.c - names in cgroup paths; one pass over the text, O(n).
 *
 * Knows the shapes that runtimes give them, not the runtimes:
 *
 *   /docker/ID   /system.slice/docker-ID.scope   /ecs/TASK/ID   /default/ID (containerd)
 *   /kubepods/burstable/podUID/ID
 *   /kubepods.slice/…/kubepods-burstable-podU_I_D.slice/cri-containerd-ID.scope, crio-ID.scope
 *   /system.slice/containerd.service/kubepods-…-podU_I_D.slice:cri-containerd:ID
 *   /machine.slice/libpod-ID.scope/container   /lxc.payload.NAME   /lxc/NAME
 *
 * ID is 64 hex digits.  Sources: runc libcontainer/cgroups (systemd "prefix-name.scope"), kubelet
 * pkg/kubelet/cm/cgroup_manager_linux.go (ToSystemd, '-' becomes '_' in the pod's uid).
 */
#include "target/container.h"

#include "base/clean.h"
#include "target/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

#define ID_DIGITS  64U
#define UUID_CHARS 36U
#define LEAST_HINT 4U
#define SHORT_ID   12

struct part {
	const char *s;
	size_t n;
};

static bool starts(struct part p, const char *with)
{
	size_t n = strlen(with);

	return p.n >= n && !memcmp(p.s, with, n);
}

static bool ends(struct part p, const char *with)
{
	size_t n = strlen(with);

	return p.n >= n && !memcmp(p.s + p.n - n, with, n);
}

static struct part cut(struct part p, size_t front, size_t back)
{
	return (struct part){ p.s + front, p.n - front - back };
}

static void keep(char *to, size_t cap, struct part p)
{
	size_t n = MIN(p.n, cap - 1);

	memcpy(to, p.s, n);
	to[n] = '\0';
	clean_in_place(to);
}

static bool all_of(struct part p, const char *chars)
{
	for (size_t i = 0; i < p.n; i++)
		if (!p.s[i] || !strchr(chars, p.s[i]))
			return false;
	return p.n > 0;
}

/* What stands before the id, or the folder that it is in, and who writes it so. */
static const struct {
	const char *prefix, *runtime;
} runtimes[] = {
	{ "docker", "docker" },	       { "cri-containerd", "containerd" },
	{ "crio", "cri-o" },	       { "libpod", "podman" },
	{ "nerdctl", "containerd" },   { "default", "containerd" },
	{ "libpod_parent", "podman" }, { "k8s.io", "containerd" },
	{ "moby", "docker" },
};

static const char *runtime_named(struct part p)
{
	for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
		if (p.n == strlen(runtimes[i].prefix) && starts(p, runtimes[i].prefix))
			return runtimes[i].runtime;
	return "";
}

/* "PREFIX-ID.scope" and "ID" alone; "crio-conmon-ID" is the helper beside a container. */
static bool take_id(struct part p, struct part parent, struct target_place *ret)
{
	if (ends(p, ".scope"))
		p = cut(p, 0, 6);
	if (p.n < ID_DIGITS || !all_of(cut(p, p.n - ID_DIGITS, 0), "0123456789abcdef"))
		return false;
	struct part prefix = cut(p, 0, ID_DIGITS), from = parent;

	if (prefix.n) {
		if (prefix.s[prefix.n - 1] != '-')
			return false;
		from = cut(prefix, 0, 1);
		if (ends(from, "conmon"))
			return false;
	}
	keep(ret->container, sizeof(ret->container), cut(p, p.n - ID_DIGITS, 0));
	keep(ret->runtime, sizeof(ret->runtime),
	     (struct part){ runtime_named(from), strlen(runtime_named(from)) });
	return true;
}

/* A uid, or of a static pod the 32 digits of its manifest's hash. */
static bool is_pod_uid(struct part p)
{
	if (p.n == 32)
		return all_of(p, "0123456789abcdef");
	return p.n == UUID_CHARS && all_of(p, "0123456789abcdef-_");
}

/* "podUID", "kubepods-burstable-podU_I_D.slice" */
static void take_pod(struct part p, struct target_place *ret)
{
	if (ends(p, ".slice"))
		p = cut(p, 0, 6);
	for (size_t i = 0; i + 3 < p.n; i++) {
		struct part uid = cut(p, i + 3, 0);

		if (memcmp(p.s + i, "pod", 3) != 0 || (i && p.s[i - 1] != '-') || !is_pod_uid(uid))
			continue;
		keep(ret->pod, sizeof(ret->pod), uid);
		for (char *c = ret->pod; *c; c++)
			*c = *c == '_' ? '-' : *c;
		return;
	}
}

static void take_machine(struct part p, struct part parent, struct target_place *ret)
{
	static const char payload[] = "lxc.payload.";
	struct part name = p;

	if (starts(p, payload))
		name = cut(p, sizeof(payload) - 1, 0);
	else if (parent.n != 3 || !starts(parent, "lxc"))
		return;
	keep(ret->container, sizeof(ret->container), name);
	keep(ret->runtime, sizeof(ret->runtime), (struct part){ "lxc", 3 });
}

static void take_unit(struct part p, struct target_place *ret)
{
	if (ends(p, ".service") && !starts(p, "user@"))
		keep(ret->unit, sizeof(ret->unit), p);
}

/* The innermost wins: a container in a container is in the path of both. */
static void take_path(struct part path, struct target_place *ret)
{
	struct part parent = { "", 0 };

	for (size_t i = 0; i < path.n;) {
		struct part p = { path.s + i, 0 };

		while (i + p.n < path.n && p.s[p.n] != '/' && p.s[p.n] != ':')
			p.n++;
		i += p.n + 1;
		if (!p.n)
			continue;
		take_unit(p, ret);
		take_pod(p, ret);
		if (!take_id(p, parent, ret))
			take_machine(p, parent, ret);
		parent = p;
	}
}

static bool knows(const struct target_place *p)
{
	return *p->container || *p->pod;
}

/* "4:memory:/path": the path is what follows the second colon.  The first line that knows. */
void container_parse(const char *text, struct target_place *ret)
{
	struct target_place best = { .unit = "" };

	for (const char *l = text; *l && !knows(&best);) {
		size_t n = strcspn(l, "\n");
		const char *a = memchr(l, ':', n);
		const char *b = a ? memchr(a + 1, ':', n - (size_t)(a + 1 - l)) : NULL;
		struct target_place p = { .unit = "" };

		if (b)
			take_path((struct part){ b + 1, n - (size_t)(b + 1 - l) }, &p);
		if (knows(&p) || (!*best.unit && *p.unit))
			best = p;
		l += n + (l[n] == '\n');
	}
	*ret = best;
}

void container_find(pid_t pid, struct target_place *ret)
{
	struct target_place p = { .unit = "" };
	struct proc_status s;
	char text[8192];

	if (proc_read_small(text, sizeof(text), "/proc/%d/cgroup", pid) > 0)
		container_parse(text, &p);
	struct err *err = proc_read_status(pid, 0, &s);

	if (!err) {
		p.ns_pid = s.ns_pid;
		p.ns_depth = s.ns_depth;
	}
	err_free(err);
	*ret = p;
}

const char *container_words(const struct target_place *p, char buf[static CONTAINER_WORDS])
{
	int n = 0;

	buf[0] = '\0';
	if (*p->container)
		n = snprintf(buf, CONTAINER_WORDS, " in container %.*s%s%s%s",
			     strlen(p->container) == ID_DIGITS ? SHORT_ID : 40, p->container,
			     *p->runtime ? " (" : "", p->runtime, *p->runtime ? ")" : "");
	if (*p->pod)
		snprintf(buf + n, (size_t)(CONTAINER_WORDS - n), "%s pod %s", n ? " of" : " in",
			 p->pod);
	else if (!n && *p->unit)
		snprintf(buf, CONTAINER_WORDS, " of %s", p->unit);
	return buf;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool has_number(pid_t pid, pid_t ns_pid)
{
	struct proc_status s;
	struct err *err = proc_read_status(pid, 0, &s);
	bool hit = !err && s.ns_depth > 1 && s.ns_pid == ns_pid;

	err_free(err);
	return hit;
}

const char *container_inner(pid_t ns_pid, char buf[static CONTAINER_INNER])
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");
	size_t n = 0;

	buf[0] = '\0';
	for (struct dirent *e; d && n < CONTAINER_INNER / 2 && (e = readdir(d));) {
		pid_t pid = isdigit((unsigned char)e->d_name[0])
				    ? (pid_t)strtol(e->d_name, NULL, 10)
				    : 0;
		struct target_place p;
		char words[CONTAINER_WORDS];

		if (!pid || !has_number(pid, ns_pid))
			continue;
		container_find(pid, &p);
		n += (size_t)snprintf(buf + n, CONTAINER_INNER - n, "%s%d%s",
				      n ? ", "
					: "; it is the number in a pid namespace of its own of ",
				      pid, container_words(&p, words));
	}
	return buf;
}

bool container_is(const struct target_place *p, const char *hint)
{
	size_t n = strlen(hint);

	if (*p->unit && !strcmp(p->unit, hint))
		return true;
	if (*p->container && !strcmp(p->container, hint))
		return true;
	return n >= LEAST_HINT && (!strncmp(p->container, hint, n) || !strncmp(p->pod, hint, n));
}
