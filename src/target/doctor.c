/*
 * doctor.c - the list of checks, and what to do about missing rights.
 */
#include "target/doctor.h"

#include "target/container.h"
#include "target/procfs.h"

#include <stdarg.h>
#include <stdio.h>

void doctor_deinit(struct doctor *d)
{
	vec_free(&d->checks);
}

struct doctor_check *doctor_say(struct doctor *d, const char *name, enum doctor_verdict v,
				const char *fmt, ...)
{
	struct doctor_check *c = &d->scratch;
	va_list ap;

	if (vec_push(&d->checks, (struct doctor_check){ 0 }))
		c = &d->checks.v[d->checks.n - 1];
	else
		d->nomem = true;
	c->name = name;
	c->verdict = v;
	c->code = ERR_DENIED;
	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
	return c;
}

void doctor_todo(struct doctor_check *c, const char *fmt, ...)
{
	size_t n = strlen(c->todo);
	va_list ap;

	if (n && n + 1 < sizeof(c->todo)) {
		c->todo[n++] = '\n';
		c->todo[n] = '\0';
	}
	va_start(ap, fmt);
	vsnprintf(c->todo + n, sizeof(c->todo) - n, fmt, ap);
	va_end(ap);
}

/* Errors say "what: what to do" or "what; what to do". */
struct doctor_check *doctor_fail(struct doctor *d, const char *name, struct err *err)
{
	struct doctor_check *c = doctor_say(d, name, DOCTOR_FAIL, "%.390s", err->msg);

	c->code = err->code;
	err_free(err);
	return c;
}

int doctor_exit_code(const struct doctor *d)
{
	for (size_t i = 0; i < d->checks.n; i++) {
		struct err e = { .code = d->checks.v[i].code };

		if (d->checks.v[i].verdict == DOCTOR_FAIL)
			return err_exit_code(&e);
	}
	return 0;
}

enum doctor_place doctor_place(void)
{
	char cg[8192] = "";

	proc_read_small(cg, sizeof(cg), "/proc/self/cgroup");
	if (getenv("KUBERNETES_SERVICE_HOST") || strstr(cg, "kubepods"))
		return PLACE_KUBERNETES;
	if (!access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK) ||
	    strstr(cg, "docker") || strstr(cg, "libpod"))
		return PLACE_DOCKER;
	return PLACE_HOST;
}

static void say_host(struct doctor_check *c, unsigned needs, pid_t pid)
{
	char who[24] = "...";

	if (pid > 0)
		snprintf(who, sizeof(who), "%d", pid);
	doctor_todo(c, "as root: sudo limpet report %s", who);
	if (needs & NEED_ADMIN)
		return;
	doctor_todo(c, "or once: sudo setcap cap_sys_ptrace,cap_dac_read_search,cap_kill+ep "
		       "\"$(command -v limpet)\"");
}

static void say_docker(struct doctor_check *c, unsigned needs, pid_t pid)
{
	struct target_place p = { .container = "" };
	char id[16] = "CONTAINER";

	if (pid > 0)
		container_find(pid, &p);
	if (*p.container)
		snprintf(id, sizeof(id), "%.12s", p.container);
	doctor_todo(
		c,
		"Docker: docker run --rm -it --pid=container:%s --user 0 --cap-add SYS_PTRACE%s%s "
		"-v \"$(command -v limpet-static)\":/limpet:ro IMAGE /limpet report 1",
		id, needs & NEED_FILES ? " --cap-add DAC_READ_SEARCH" : "",
		needs & NEED_ADMIN ? " --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
				     "--security-opt apparmor=unconfined"
				   : "");
}

static void say_kubernetes(struct doctor_check *c, unsigned needs)
{
	doctor_todo(
		c,
		"Kubernetes: kubectl debug -it POD --image=IMAGE_WITH_LIMPET --target=CONTAINER "
		"--profile=%s -- limpet report 1",
		needs & NEED_ADMIN ? "sysadmin" : "general");
	doctor_todo(c, "or in a container of the pod:");
	doctor_todo(c, "  spec: {shareProcessNamespace: true}");
	if (needs & NEED_ADMIN)
		doctor_todo(c, "  securityContext: {runAsUser: 0, seccompProfile: {type: "
			       "Unconfined}, capabilities: {add: [SYS_PTRACE, SYS_ADMIN]}}");
	else
		doctor_todo(
			c, "  securityContext: {runAsUser: 0, capabilities: {add: [SYS_PTRACE%s]}}",
			needs & NEED_FILES ? ", DAC_READ_SEARCH" : "");
}

void doctor_remedy(struct doctor_check *c, unsigned needs, pid_t pid)
{
	enum doctor_place here = doctor_place();

	if (here == PLACE_HOST && !(needs & NEED_PIDS))
		say_host(c, needs, pid);
	if (here != PLACE_KUBERNETES)
		say_docker(c, needs, pid);
	say_kubernetes(c, needs);
	if (here == PLACE_KUBERNETES)
		say_docker(c, needs, pid);
}
