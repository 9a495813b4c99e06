/*
 * denied.c - the questions of __ptrace_may_access() in its own order, answered from /proc.
 *
 * Knows nothing of Go.  Cost: five small files, only after a refusal (or for `limpet doctor`).
 */
#include "target/denied.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Both sides, as the kernel compares them. */
struct sides {
	pid_t pid;
	struct proc_status it;
	uint64_t uids[3], gids[3]; /* real, effective, saved */
	struct caps its, ours;
	bool privileged; /* CAP_SYS_PTRACE in our own user namespace */
};

struct caps caps_of(pid_t pid)
{
	char buf[8192], path[32] = "self";
	struct caps c = { 0 };
	const char *p;

	if (pid != CAPS_SELF)
		snprintf(path, sizeof(path), "%d", pid);
	if (proc_read_small(buf, sizeof(buf), "/proc/%s/status", path) <= 0)
		return c;
	p = strstr(buf, "\nCapPrm:");
	c.permitted = p ? strtoull(p + 8, NULL, 16) : 0;
	p = strstr(buf, "\nCapEff:");
	c.effective = p ? strtoull(p + 8, NULL, 16) : 0;
	return c;
}

bool caps_effective(unsigned cap)
{
	return caps_of(CAPS_SELF).effective >> cap & 1;
}

/* "Uid:\treal\teffective\tsaved\tfs" */
static void read_ids(const char *text, const char *key, uint64_t ret[static 3])
{
	const char *p = strstr(text, key);

	for (int i = 0; i < 3; i++) {
		char *end;

		ret[i] = p ? strtoull(i ? p : p + strlen(key), &end, 10) : PROC_UNKNOWN;
		if (p)
			p = end;
	}
}

static bool all_are(const uint64_t ids[static 3], uint64_t mine)
{
	return ids[0] == mine && ids[1] == mine && ids[2] == mine;
}

/* Ids of a process that is not ours to trace belong to root in /proc (task_dump_owner). */
static bool is_dumpable(const struct sides *s)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/status", s->pid);
	return stat(path, &st) != 0 || st.st_uid == s->uids[1];
}

/* Namespaces are compared by name, or, where that may not be read, by their maps. */
static bool same_user_namespace(pid_t pid)
{
	char path[64], a[64] = "", b[64] = "", mine[512] = "", its[512] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (readlink("/proc/self/ns/user", a, sizeof(a) - 1) > 0 &&
	    readlink(path, b, sizeof(b) - 1) > 0)
		return strcmp(a, b) == 0;
	if (proc_read_small(mine, sizeof(mine), "/proc/self/uid_map") <= 0 ||
	    proc_read_small(its, sizeof(its), "/proc/%d/uid_map", pid) <= 0)
		return true;
	return strcmp(mine, its) == 0;
}

/* The first user namespace maps all ids onto themselves: who has a capability there has it
 * everywhere. */
bool caps_in_first_namespace(void)
{
	char map[512] = "";
	unsigned long inside, outside, n;

	return proc_read_small(map, sizeof(map), "/proc/self/uid_map") <= 0 ||
	       (sscanf(map, "%lu %lu %lu", &inside, &outside, &n) == 3 && !inside && !outside &&
		n == 4294967295UL);
}

static bool filter_on_us(void)
{
	char buf[8192];

	return proc_read_small(buf, sizeof(buf), "/proc/self/status") > 0 &&
	       proc_number(buf, "Seccomp") == 2;
}

/* 0, or errno of what asks for PTRACE_MODE_ATTACH and does not attach. */
static int try_mem(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : 0;
}

#define SAY(d, c, ...)                                                                             \
	do {                                                                                       \
		(d)->cause = (c);                                                                  \
		snprintf((d)->what, sizeof((d)->what), __VA_ARGS__);                               \
	} while (0)
#define TODO(d, ...) snprintf((d)->todo, sizeof((d)->todo), __VA_ARGS__)

static bool say_traced(const struct sides *s, struct denial *d)
{
	struct proc_stat who = { .comm = "?" };

	if (!s->it.tracer)
		return false;
	proc_read_stat(s->it.tracer, &who);
	SAY(d, DENIAL_TRACED, "process %d is already traced by %s (pid %d)", s->pid, who.comm,
	    s->it.tracer);
	TODO(d, "end that debugger first");
	return true;
}

static bool say_user(const struct sides *s, struct denial *d)
{
	if (s->privileged)
		return false;
	if (!all_are(s->uids, getuid())) {
		SAY(d, DENIAL_USER, "process %d belongs to uid %" PRIu64 ", not to you (uid %u)",
		    s->pid, s->uids[0], getuid());
		if (same_user_namespace(s->pid))
			TODO(d, "run as that user or as root, or give limpet CAP_SYS_PTRACE");
		else
			TODO(d,
			     "run as root; if the container is yours (rootless), enter its user "
			     "namespace: nsenter -t %d -U --preserve-credentials limpet ..., podman "
			     "unshare limpet ...",
			     s->pid);
		return true;
	}
	if (all_are(s->gids, getgid()))
		return false;
	SAY(d, DENIAL_USER, "process %d runs with gid %" PRIu64 ", you with gid %u", s->pid,
	    s->gids[0], getgid());
	TODO(d, "run with that group (newgrp, setpriv --regid) or as root, or give limpet "
		"CAP_SYS_PTRACE");
	return true;
}

static bool say_dumpable(const struct sides *s, struct denial *d)
{
	if (s->privileged || is_dumpable(s))
		return false;
	SAY(d, DENIAL_DUMPABLE,
	    "process %d is not dumpable (prctl(PR_SET_DUMPABLE, 0), changed ids, or an executable "
	    "that its user may not read)",
	    s->pid);
	TODO(d, "run as root, or give limpet CAP_SYS_PTRACE");
	return true;
}

static bool say_caps(const struct sides *s, struct denial *d)
{
	uint64_t more = s->its.permitted & ~s->ours.permitted;

	if (s->privileged || !more)
		return false;
	SAY(d, DENIAL_CAPS, "process %d has capabilities that limpet lacks (0x%" PRIx64 ")", s->pid,
	    more);
	TODO(d, "run as root, or give limpet CAP_SYS_PTRACE");
	return true;
}

/* A capability counts in its own user namespace and those below, not beside and above. */
static bool say_namespace(const struct sides *s, struct denial *d)
{
	if (same_user_namespace(s->pid) || (s->privileged && caps_in_first_namespace()))
		return false;
	SAY(d, DENIAL_NAMESPACE, "process %d lives in another user namespace than limpet", s->pid);
	TODO(d,
	     "run limpet as root of the machine, or in that namespace: nsenter -t %d -U "
	     "--preserve-credentials limpet ...",
	     s->pid);
	return true;
}

static bool say_yama(const struct sides *s, struct denial *d)
{
	char yama[16] = "";

	proc_read_small(yama, sizeof(yama), "/proc/sys/kernel/yama/ptrace_scope");
	if (yama[0] == '3') {
		SAY(d, DENIAL_YAMA,
		    "kernel.yama.ptrace_scope is 3: no process may be traced until reboot");
		TODO(d, "set it to 0, 1 or 2 in /etc/sysctl.d and reboot");
		return true;
	}
	if (s->privileged || (yama[0] != '1' && yama[0] != '2'))
		return false;
	SAY(d, DENIAL_YAMA, "kernel.yama.ptrace_scope is %c", yama[0]);
	TODO(d, "run as root, or give limpet CAP_SYS_PTRACE%s",
	     yama[0] == '1' ? ", or: sysctl kernel.yama.ptrace_scope=0" : "");
	return true;
}

/* Asks what ptrace(2) will ask, and no file's mode; there is nothing at address 0 to be read. */
static bool may_attach(pid_t pid)
{
	char c;
	struct iovec to = { &c, 1 }, from = { NULL, 1 };

	return process_vm_readv(pid, &to, 1, &from, 1, 0) >= 0 || errno == EFAULT;
}

/* /proc/PID/mem is 0600: its owner, or CAP_DAC_READ_SEARCH.  ptrace(2) itself would be allowed. */
static bool say_files(const struct sides *s, struct denial *d)
{
	const uint64_t dac = UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_DAC_OVERRIDE;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/mem", s->pid);
	if (!s->privileged || s->ours.effective & dac || stat(path, &st) ||
	    st.st_uid == geteuid() || !may_attach(s->pid))
		return false;
	SAY(d, DENIAL_FILES,
	    "the memory of process %d opens for uid %u only, which CAP_SYS_PTRACE alone does not "
	    "change, and a program that is frozen cannot lend it",
	    s->pid, st.st_uid);
	TODO(d, "give limpet CAP_DAC_READ_SEARCH too (Docker: --cap-add DAC_READ_SEARCH), or run "
		"it as that user");
	return true;
}

/* The call was refused, the same question asked through /proc was not. */
static bool say_filter(const struct sides *s, int os_errno, struct denial *d)
{
	if (!os_errno || !filter_on_us() || try_mem(s->pid))
		return false;
	SAY(d, DENIAL_FILTER, "a seccomp filter on limpet itself forbids ptrace(2) (%s)",
	    strerror(os_errno));
	TODO(d, "run it in a container with seccomp unconfined (Docker: --security-opt "
		"seccomp=unconfined; Kubernetes: seccompProfile: {type: Unconfined})");
	return true;
}

static bool say_module(const struct sides *s, struct denial *d)
{
	char label[128] = "";

	proc_read_small(label, sizeof(label), "/proc/%d/attr/current", s->pid);
	label[strcspn(label, "\n")] = '\0';
	SAY(d, DENIAL_MODULE, "a security module forbids to trace process %d%s%s", s->pid,
	    *label ? ", which it calls " : "", label);
	TODO(d, "see the kernel's log (AppArmor, SELinux); run limpet unconfined (Docker: "
		"--security-opt apparmor=unconfined), or as root of the machine");
	return true;
}

static bool read_sides(pid_t pid, struct sides *ret, struct denial *d)
{
	char buf[8192] = "";
	struct sides s = { .pid = pid, .its = caps_of(pid), .ours = caps_of(CAPS_SELF) };
	struct err *err = proc_read_status(pid, 0, &s.it);

	if (err) {
		SAY(d, err->code == ERR_DENIED ? DENIAL_HIDDEN : DENIAL_GONE, "%.200s", err->msg);
		if (err->code == ERR_DENIED)
			TODO(d, "run as root");
		err_free(err);
		return false;
	}
	proc_read_small(buf, sizeof(buf), "/proc/%d/status", pid);
	read_ids(buf, "\nUid:", s.uids);
	read_ids(buf, "\nGid:", s.gids);
	s.privileged = s.ours.effective >> CAP_SYS_PTRACE & 1;
	*ret = s;
	return true;
}

void denial_find(pid_t pid, int os_errno, struct denial *ret)
{
	struct denial d = { 0 };
	struct sides s;

	*ret = d;
	if (!read_sides(pid, &s, &d) || say_traced(&s, &d)) {
		*ret = d;
		return;
	}
	int mem = os_errno ? 0 : try_mem(pid);

	if (mem == ESRCH || mem == ENOENT)
		SAY(&d, DENIAL_GONE, "process %d has exited", pid);
	if (!os_errno && mem != EACCES && mem != EPERM) {
		*ret = d;
		return;
	}
	if (os_errno && os_errno != EPERM && os_errno != EACCES && os_errno != ENOSYS)
		SAY(&d, DENIAL_OTHER, "cannot trace process %d: %s", pid, strerror(os_errno));
	else if (!say_filter(&s, os_errno, &d) && !say_user(&s, &d) && !say_dumpable(&s, &d) &&
		 !say_files(&s, &d) && !say_namespace(&s, &d) && !say_caps(&s, &d) &&
		 !say_yama(&s, &d))
		say_module(&s, &d);
	*ret = d;
}

struct err *denial_err(const struct denial *d)
{
	switch (d->cause) {
	case DENIAL_NONE:
		return NULL;
	case DENIAL_GONE:
		return err_new(ERR_GONE, "%s", d->what);
	case DENIAL_HIDDEN:
		return err_new(ERR_DENIED, "%s", d->what);
	case DENIAL_OTHER:
		return err_new(ERR_OS, "%s", d->what);
	default:
		return err_new(ERR_DENIED, "%s: %s", d->what, d->todo);
	}
}
